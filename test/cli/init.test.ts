import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { initCommand } from '../../src/cli/commands/init.js';
import { nodeAsync, root } from '../setup/checkout.js';
import { cli } from './cli.js';

const temporary = realpathSync(mkdtempSync(join(tmpdir(), 'init-')));
const project = join(temporary, 'my-network');
afterAll(() => rmSync(temporary, { recursive: true }));

const read = (path: string) => readFileSync(join(project, path), 'utf8');
const files = () => readdirSync(project, { recursive: true }).map(String).sort();

/** What npm would have installed, as far as this checkout has it. */
function install(): void {
  const link = (name: string, target: string) => {
    const path = join(project, 'node_modules', name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path);
  };
  const { dependencies, devDependencies } = JSON.parse(read('package.json'));
  for (const name of Object.keys({ ...dependencies, ...devDependencies }))
    link(name, name === 'node-tensorrt' ? root : join(root, 'node_modules', name));
}

/** One of the project's npm scripts. */
const script = (name: string, ...more: string[]) => {
  const [program, ...args] = JSON.parse(read('package.json')).scripts[name].split(' ');
  const run = program === 'node' ? args : [join(root, 'node_modules', '.bin', program)];
  const { NODE_TENSORRT_CACHE, NODE_TENSORRT_LIBRARY } = process.env;
  return nodeAsync(project, [...more, ...run], { NODE_TENSORRT_CACHE, NODE_TENSORRT_LIBRARY });
};

describe('a project that init wrote', () => {
  beforeAll(async () => {
    const { status, stdout, stderr } = await cli(temporary, ['init', 'my-network']);
    expect([status, stderr]).toEqual([0, '']);
    for (const file of files().filter((path) => /\.\w+$/.test(path))) expect(stdout).toContain(`${file}\n`);
    expect(stdout).toContain('cd my-network\n  npm install\n  npm test\n');
    install();
  });

  test('is named as its folder, and has the versions that this package is tested with', () => {
    const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const { name, dependencies, devDependencies } = JSON.parse(read('package.json'));
    expect(name).toBe('my-network');
    expect(read('README.md')).toMatch(/^# my-network\n/);
    expect(dependencies['node-tensorrt']).toBe(`^${own.version}`);
    expect({ ...devDependencies, 'onnxruntime-node': dependencies['onnxruntime-node'] }).toEqual(
      Object.fromEntries(
        ['@types/node', 'tsx', 'typescript', 'onnxruntime-node'].map((one) => [one, `^${own.devDependencies[one]}`]),
      ),
    );
    expect(read('.gitignore')).toContain('node_modules/');
  });

  test('passes its own test, which PyTorch’s numbers can fail', { timeout: 180_000 }, async () => {
    const passed = await script('test', '--test-reporter=tap');
    expect(passed.stdout).toContain('# pass 2\n# fail 0\n');
    expect(passed.status).toBe(0);
    const model = join(project, 'src/model.ts');
    const right = readFileSync(model, 'utf8');
    writeFileSync(model, right.replace('.relu()', '.tanh()'));
    const failed = await script('test', '--test-reporter=tap');
    writeFileSync(model, right);
    expect(failed.stdout).toMatch(/^not ok 1 - computes what PyTorch computes/m);
    expect(failed.stdout).toContain('# pass 1\n# fail 1\n');
  });

  test('has types that hold, and a bench that says where it ran', { timeout: 180_000 }, async () => {
    const [types, bench] = await Promise.all([script('typecheck'), script('bench')]);
    expect(types).toMatchObject({ status: 0, stdout: '' });
    expect(bench.stdout).toMatch(/^(cpu|tensorrt): \d+\.\d{3} ms for 8 images, median\n$/);
  });

  test('is not written over', async () => {
    const before = files();
    const { status, stderr } = await cli(temporary, ['init', 'my-network']);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^error: init: my-network is not empty: .*README\.md, bench\.ts.*; name a folder that is new/,
    );
    expect(files()).toEqual(before);
  });
});

test.each(['My-network', 'a b', '.hidden', 'node_modules', 'ünder', 'a;b', '$(x)', '-x', 'a'.repeat(101)])(
  'refuses the name %s',
  async (name) => {
    const run = initCommand().parseAsync([join(temporary, name)], { from: 'user' });
    await expect(run).rejects.toThrow(/the folder's name becomes the package's/);
    expect(existsSync(join(temporary, name))).toBe(false);
  },
);

test('takes an empty folder that is there, and no file', async () => {
  const folder = join(temporary, 'empty');
  mkdirSync(folder);
  const { stdout } = await cli(folder, ['init', '.']);
  expect(stdout).toContain('src/model.ts\n');
  writeFileSync(join(temporary, 'file'), '');
  expect(await cli(temporary, ['init', 'file'])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('is a file'),
  });
});

test('says why a folder cannot be written, and leaves nothing', async () => {
  writeFileSync(join(temporary, 'plain'), '');
  const { status, stderr } = await cli(temporary, ['init', 'plain/deep']);
  expect([status, stderr]).toEqual([1, 'error: init: could not write plain/deep: ENOTDIR: not a directory\n']);
});

test('fails where nobody is told what was written', async () => {
  const command = [process.execPath, join(root, 'dist/cli/main.js'), 'init', join(temporary, 'told')];
  const { status, stderr } = spawnSync('sh', ['-c', '"$0" "$@" > /dev/full', ...command], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([
    1,
    'error: standard output could not be written: ENOSPC: no space left on device\n',
  ]);
});

test('ends where the system refuses folders', async () => {
  const { status, stderr } = await cli(temporary, ['init', '/proc/none/my-network']);
  expect([status, stderr]).toEqual([1, expect.stringMatching(/could not write \/proc\/none\/my-network: /)]);
});
