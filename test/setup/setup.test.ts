import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { node, nodeAsync, tinyCheckout, write } from './checkout.js';
import { temporaryFolder } from './fake-library.js';

const dir = temporaryFolder();
const offline = { NODE_TENSORRT_DOWNLOAD: '0' };

describe('missing prerequisites', () => {
  /** A PATH with the given commands alone. */
  function path(name: string, commands: Record<string, string>) {
    for (const [command, text] of Object.entries(commands))
      write(join(dir, name), command, `#!/bin/sh\n${text}\n`, 0o755);
    mkdirSync(join(dir, name), { recursive: true });
    return join(dir, name);
  }

  test('are all named, each with the line that installs it, before anything starts', () => {
    const checkout = tinyCheckout(join(dir, 'bare'), { dependencies: false });
    const { status, stdout, stderr } = node(checkout, ['scripts/setup.mjs'], {
      PATH: path('bare-path', {}),
      NODE_TENSORRT_CACHE: join(dir, 'bare-cache'),
    });
    expect(status).toBe(1);
    expect(stdout).toBe('');
    for (const name of ['npm', 'C++ compiler', 'make or ninja', 'CMake 3.18'])
      expect(stderr).toMatch(new RegExp(`${name.replaceAll('+', '\\+')}.*: .*apt-get install -y`));
    expect(stderr).toMatch(/all at once: .*apt-get install -y npm g\+\+ make cmake$/m);
    for (const name of ['node_modules', 'build', 'dist', '../bare-cache'])
      expect(existsSync(join(checkout, name))).toBe(false);
  });

  test('an old CMake counts as missing, and Python is not needed', () => {
    const checkout = tinyCheckout(join(dir, 'old'), { dependencies: false });
    const commands = { npm: '', 'g++': '', make: '', cmake: 'echo cmake version 3.10.2' };
    const { status, stderr } = node(checkout, ['scripts/setup.mjs'], {
      PATH: path('old-path', commands),
      NODE_TENSORRT_CACHE: join(dir, 'old-cache'),
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/CMake 3.18 or later \(this is CMake 3\.10\): .*apt-get install -y cmake/);
    expect(stderr).not.toMatch(/compiler|make or ninja|[Pp]ython/);
  });

  test('an old Node is named, also where all else is done', () => {
    const checkout = tinyCheckout(join(dir, 'old-node'));
    const old = write(dir, 'old-node.mjs', "Object.defineProperty(process.versions, 'node', { value: '18.20.4' });\n");
    const run = () => node(checkout, ['--import', old, 'scripts/setup.mjs'], offline);
    expect(run().stderr).toMatch(/Node\.js 20 or later \(this is Node 18\.20\.4\): nvm install 20/);
    expect(node(checkout, ['scripts/setup.mjs'], offline).status).toBe(0);
    expect(run().status).toBe(1);
  });
});

describe('set-up', () => {
  const checkout = tinyCheckout(join(dir, 'checkout'));
  const setup = () => node(checkout, ['scripts/setup.mjs'], offline);
  const addon = join(checkout, 'build/Release/node_tensorrt.node');

  test('compiles the addon and dist/, and says so on stderr alone', () => {
    const { status, stdout, stderr } = setup();
    expect(stderr).toMatch(/compiling the addon: \d+\.\d s\n[\s\S]*compiling TypeScript: \d+\.\d s\n$/);
    expect(stdout).toBe('');
    expect(status).toBe(0);
    expect(existsSync(addon)).toBe(true);
    expect(readFileSync(join(checkout, 'dist/index.js'), 'utf8')).toContain('answer=42');
  });

  test('does nothing the second time, within 3 seconds', () => {
    const before = statSync(addon).mtimeMs;
    const start = performance.now();
    const { status, stderr } = setup();
    expect(performance.now() - start).toBeLessThan(3000);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(statSync(addon).mtimeMs).toBe(before);
  });

  test('compiles again what changed, and that alone', () => {
    write(checkout, 'native/more.cc', 'extern "C" int more() { return 1; }\n');
    expect(setup().stderr).toMatch(
      /^node-tensorrt: compiling the addon …\nnode-tensorrt: compiling the addon: .* s\n$/,
    );
    expect(readFileSync(addon).includes('more')).toBe(true);
    write(checkout, 'src/second.ts', 'export const second = 2;\n');
    expect(setup().stderr).toMatch(
      /^node-tensorrt: compiling TypeScript …\nnode-tensorrt: compiling TypeScript: .* s\n$/,
    );
    expect(existsSync(join(checkout, 'dist/second.js'))).toBe(true);
  });

  test('compiles again what a copy changed, whatever time the copy kept', () => {
    const old = new Date(Date.now() - 3_600_000);
    utimesSync(write(checkout, 'native/more.cc', 'extern "C" int renamed() { return 1; }\n'), old, old);
    expect(setup().status).toBe(0);
    expect(readFileSync(addon).includes('renamed')).toBe(true);
  });

  test('leaves nothing stale in dist/, and restores what was deleted', () => {
    rmSync(join(checkout, 'src/second.ts'));
    rmSync(join(checkout, 'dist/index.js'));
    expect(setup().status).toBe(0);
    for (const name of ['second.js', 'second.d.ts']) expect(existsSync(join(checkout, 'dist', name))).toBe(false);
    expect(existsSync(join(checkout, 'dist/index.js'))).toBe(true);
    rmSync(addon);
    expect(setup().status).toBe(0);
    expect(existsSync(addon)).toBe(true);
  });

  test("shows the compiler's message when compiling fails, and does not take the old addon for the new one", () => {
    const broken = write(checkout, 'native/more.cc', 'int f() { return undeclared_thing; }\n');
    for (let i = 0; i < 2; i++) {
      const { status, stderr } = setup();
      expect(status).toBe(1);
      expect(stderr).toMatch(/compiling the addon failed[\s\S]*undeclared_thing/);
    }
    rmSync(broken);
    expect(setup().status).toBe(0);
  });

  test("shows TypeScript's message when compiling fails", () => {
    const broken = write(checkout, 'src/broken.ts', "export const x: number = 'text';\n");
    const { status, stderr } = setup();
    expect(status).toBe(1);
    expect(stderr).toMatch(/src\/broken\.ts\(1,14\): error TS2322/);
    rmSync(broken);
    expect(setup().status).toBe(0);
  });

  test('works in a checkout that was moved', () => {
    const moved = tinyCheckout(join(dir, 'moved'));
    expect(node(moved, ['scripts/setup.mjs'], offline).status).toBe(0);
    write(moved, 'build/CMakeCache.txt', 'CMAKE_HOME_DIRECTORY:INTERNAL=/somewhere/else\n');
    write(moved, 'native/more.cc', 'extern "C" int more() { return 1; }\n');
    const { status, stderr } = node(moved, ['scripts/setup.mjs'], offline);
    expect(stderr).not.toMatch(/failed/);
    expect(status).toBe(0);
  });

  test('done twice at once is done once', async () => {
    const twice = tinyCheckout(join(dir, 'twice'));
    const runs = [1, 2, 3].map(() => nodeAsync(twice, ['scripts/setup.mjs'], offline));
    const results = await Promise.all(runs);
    expect(results.map((one) => one.status)).toEqual([0, 0, 0]);
    const text = results.map((one) => one.stderr).join('');
    expect(text.match(/compiling the addon:/g)).toHaveLength(1);
    expect(text.match(/compiling TypeScript:/g)).toHaveLength(1);
    expect(text.match(/waiting for the set-up of process \d+/g)).toHaveLength(2);
    expect(existsSync(join(twice, '.cache/setup.lock'))).toBe(false);
  });

  test('installs the dependencies when they are not those of package-lock.json', () => {
    const other = tinyCheckout(join(dir, 'other'), { dependencies: false });
    const log = join(dir, 'npm.log');
    const path = join(dir, 'npm-path');
    // Stands for npm: says how it was called, and installs.
    write(path, 'npm', `#!/bin/sh\necho "$@ skip=$ONNXRUNTIME_NODE_INSTALL" >> ${log}\nmkdir node_modules\n`, 0o755);
    const env = { ...offline, PATH: `${path}:${process.env.PATH}` };
    node(other, ['scripts/setup.mjs'], env);
    expect(readFileSync(log, 'utf8')).toBe('ci --no-audit --no-fund --loglevel=error skip=skip\n');
    expect(existsSync(join(other, 'node_modules/.node-tensorrt-stamp'))).toBe(true);
    node(other, ['scripts/setup.mjs'], env);
    expect(readFileSync(log, 'utf8').split('\n')).toHaveLength(2);
    write(other, 'package-lock.json', '{ "packages": { "": {}, "node_modules/new": { "integrity": "sha512-x" } } }');
    rmSync(join(other, 'node_modules'), { recursive: true });
    node(other, ['scripts/setup.mjs'], env);
    expect(readFileSync(log, 'utf8').split('\n')).toHaveLength(3);
  });

  test('takes dependencies that npm installed by hand as they are', () => {
    const byHand = tinyCheckout(join(dir, 'by-hand'), { dependencies: false });
    const integrity = 'sha512-x';
    const locked = {
      packages: { '': {}, 'node_modules/a': { integrity }, 'node_modules/b': { integrity, optional: true } },
    };
    write(byHand, 'package-lock.json', JSON.stringify(locked));
    write(byHand, 'node_modules/.package-lock.json', JSON.stringify({ packages: { 'node_modules/a': { integrity } } }));
    const { stderr } = node(byHand, ['scripts/setup.mjs'], offline);
    expect(stderr).not.toMatch(/installing/);
  });
});

test('a TensorRT is fetched where none that can build is found, and only then', () => {
  const checkout = tinyCheckout(join(dir, 'tensorrt'));
  // Stands for discovery: finds what the environment names.
  const find = "env.FOUND ? [{ path: env.FOUND, flavor: 'trt10', usableFor: { build: true } }] : []";
  write(checkout, 'src/tensorrt/library/find.ts', `export const findTensorRT = async ({ env }: any) => ${find};\n`);
  const library = write(dir, 'found/libnvinfer.so.10', 'x');
  const env = { PIP_NO_INDEX: '1', PIP_FIND_LINKS: '', NODE_TENSORRT_CACHE: join(dir, 'tensorrt-cache') };
  const setup = (more: NodeJS.ProcessEnv) => node(checkout, ['scripts/setup.mjs'], { ...env, ...more });

  expect(setup({ FOUND: library, TENSORRT_ROOT: join(dir, 'found') })).toMatchObject({ status: 0 });
  // Remembered: discovery is not asked again, unless the library or the environment changed.
  expect(setup({ TENSORRT_ROOT: join(dir, 'found') })).toMatchObject({ status: 0, stderr: '' });
  // The tests state what TensorRT-RTX does: another one that builds will not do for them.
  const forTests = { ...env, FOUND: library, TENSORRT_ROOT: join(dir, 'found') };
  expect(node(checkout, ['scripts/run.mjs', '--rtx', 'true'], forTests).stderr).toMatch(/could not fetch/);
  const elsewhere = setup({ TENSORRT_ROOT: '/elsewhere' });
  expect(elsewhere.status).toBe(1);
  expect(elsewhere.stderr).toMatch(/fetching TensorRT-RTX[\s\S]*could not fetch/);
  rmSync(library);
  expect(setup({ TENSORRT_ROOT: join(dir, 'found') }).stderr).toMatch(/could not fetch/);
  expect(setup({ NODE_TENSORRT_LIBRARY: '/my/library.so' })).toMatchObject({ status: 0, stderr: '' });
});

/** What the set-up itself imports, without node_modules/.bin. */
const quietPackages = [
  'cmake-js',
  'node-addon-api',
  'typescript',
  'esbuild',
  '@esbuild',
  '@types',
  'undici-types',
  '.package-lock.json',
];

describe('run.mjs', () => {
  const checkout = tinyCheckout(join(dir, 'run'), { dependencies: false });
  mkdirSync(join(checkout, 'node_modules'));
  const bin = (name: string, text: string) =>
    write(checkout, `node_modules/.bin/${name}`, `#!/bin/sh\n${text}\n`, 0o755);
  const skip = { NODE_TENSORRT_SKIP_SETUP: '1' };

  test('passes arguments, output and exit code through', () => {
    bin('say', 'echo "$1|$2"; echo bad >&2; exit 7');
    const { status, stdout, stderr } = node(checkout, ['scripts/run.mjs', 'say', 'a b', '--json'], skip);
    expect([status, stdout, stderr]).toEqual([7, 'a b|--json\n', 'bad\n']);
  });

  test('ends by the signal that ended the command', () => {
    bin('die', 'kill -TERM $$');
    expect(node(checkout, ['scripts/run.mjs', 'die'], skip).signal).toBe('SIGTERM');
  });

  test('names a command that is not there', () => {
    const { status, stderr } = node(checkout, ['scripts/run.mjs', 'absent'], skip);
    expect(status).toBe(127);
    expect(stderr).toMatch(/could not run absent/);
  });

  test('does not run the command when the set-up fails, and keeps stdout clean', () => {
    bin('say', 'echo ran');
    const { status, stdout } = node(checkout, ['scripts/run.mjs', 'say', '--json'], {
      PATH: '/nonexistent',
      ...offline,
    });
    expect([status, stdout]).toEqual([1, '']);
  });

  test.each([
    ['with --json', ['say', '--json'], {}],
    ['under npm run --silent', ['say'], { npm_config_loglevel: 'silent' }],
  ])('is quiet %s, also when it sets up', (_, args, env) => {
    const quiet = tinyCheckout(join(dir, `quiet-${args.length}`), { dependencies: false });
    mkdirSync(join(quiet, 'node_modules/.bin'), { recursive: true });
    for (const name of quietPackages)
      symlinkSync(join(import.meta.dirname, '../../node_modules', name), join(quiet, 'node_modules', name));
    write(quiet, 'node_modules/.bin/say', '#!/bin/sh\necho {}\n', 0o755);
    const { status, stdout, stderr } = node(quiet, ['scripts/run.mjs', ...args], { ...offline, ...env });
    expect([status, stdout, stderr]).toEqual([0, '{}\n', '']);
    expect(existsSync(join(quiet, 'dist/index.js'))).toBe(true);
  });
});
