import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { packSource } from '../../scripts/install/source.mjs';
import { node, root, tinyCheckout, write } from '../setup/checkout.js';
import { fakeTensorRT, temporaryFolder } from '../setup/fake-library.js';

const dir = temporaryFolder();
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

/** A package as it is installed: no sources but packed ones, and no packages to compile with. */
function installed(name: string): string {
  const folder = tinyCheckout(join(dir, name), { dependencies: false });
  cpSync(join(root, 'src'), join(folder, 'src'), { recursive: true });
  packSource(folder);
  for (const path of ['native', 'CMakeLists.txt']) rmSync(join(folder, path), { recursive: true });
  mkdirSync(join(folder, 'node_modules'));
  for (const one of readdirSync(join(root, 'node_modules')))
    if (!/^(cmake-js|node-addon-api|node-api-headers)$/.test(one))
      symlinkSync(join(root, 'node_modules', one), join(folder, 'node_modules', one));
  return folder;
}

const tensorrt = join(dir, 'tensorrt');
fakeTensorRT(join(tensorrt, 'libtensorrt_rtx.so.1'), 10701);

/** Stands for npm: says how it was called, and "fetches" what the checkout has. */
const log = join(dir, 'npm.log');
const npm = write(
  join(dir, 'npm'),
  'npm',
  `#!/bin/sh\necho "$@" >> ${log}\nmkdir node_modules && ln -s ${root}/node_modules/* node_modules/\n`,
  0o755,
);

test('install --from-source gets what compiles by npm, compiles, and finds both again', () => {
  const folder = installed('whole');
  const cache = join(dir, 'cache');
  const install = (more: NodeJS.ProcessEnv, ...flags: string[]) =>
    node(folder, ['--import', 'tsx', 'src/cli/main.ts', 'install', '--from-source', ...flags], {
      TENSORRT_ROOT: tensorrt,
      NODE_TENSORRT_CACHE: cache,
      PATH: `${dirname(npm)}:${process.env.PATH}`,
      ...more,
    });
  const first = install({});
  expect(first.stderr).toMatch(/compiling the addon: \d+\.\d s\n$/);
  expect(first.stdout).toBe(
    `addon: ${join(folder, 'build/Release/node_tensorrt.node')}\n` +
      `TensorRT: ${join(tensorrt, 'libtensorrt_rtx.so.1')} (rtx1 1.7.1)\n`,
  );
  expect(first.status).toBe(0);
  expect(existsSync(join(folder, 'build/Release/node_tensorrt.node'))).toBe(true);
  const tools = readdirSync(cache).filter((name) => name.startsWith('compile-tools-'));
  expect(tools).toHaveLength(1);
  const pinned = json(join(root, 'scripts/install/tools/package.json')).dependencies;
  for (const [name, version] of Object.entries(pinned))
    expect(json(join(cache, tools[0]!, 'node_modules', name, 'package.json')).version).toBe(version);

  expect(install({}, '--no-fetch')).toMatchObject({ status: 0, stderr: '' });
  const again = install({}, '--force', '--no-fetch');
  expect(again.stderr).toMatch(/^node-tensorrt: compiling the addon …\nnode-tensorrt: compiling the addon: /);
  expect(again.status).toBe(0);
  expect(readFileSync(log, 'utf8')).toMatch(/^ci --ignore-scripts .*\n$/);
});

test('says what is missing, npm too, before anything starts', () => {
  const folder = installed('bare');
  const cache = join(dir, 'no-cache');
  const { status, stdout, stderr } = node(folder, ['--import', 'tsx', 'src/cli/main.ts', 'install', '--from-source'], {
    PATH: '/nonexistent',
    NODE_TENSORRT_CACHE: cache,
  });
  expect([status, stdout]).toEqual([1, '']);
  for (const name of ['npm', 'C\\+\\+ compiler', 'make or ninja', 'CMake 3.18'])
    expect(stderr).toMatch(new RegExp(`${name}.*: .*apt-get install -y`));
  expect(existsSync(cache)).toBe(false);
});

test('says what npm says where it cannot get them', () => {
  const folder = installed('offline');
  const path = join(dir, 'offline-path');
  write(path, 'npm', '#!/bin/sh\necho "npm error 503 Service Unavailable" >&2; exit 1\n', 0o755);
  const { status, stderr } = node(folder, ['--import', 'tsx', 'src/cli/main.ts', 'install', '--from-source'], {
    PATH: `${path}:${process.env.PATH}`,
    NODE_TENSORRT_CACHE: join(dir, 'offline-cache'),
  });
  expect(status).toBe(1);
  expect(stderr).toMatch(/fetching cmake-js@\S+ and node-addon-api@\S+ with npm failed[\s\S]*503 Service Unavailable/);
  expect(readdirSync(join(dir, 'offline-cache'))).toEqual([]);
});

test('the pinned tools are those that a clone compiles with', () => {
  const { devDependencies } = json(join(root, 'package.json'));
  const pinned = json(join(root, 'scripts/install/tools/package.json')).dependencies;
  expect(devDependencies).toMatchObject(pinned);
  const locked = json(join(root, 'package-lock.json')).packages;
  const tools = json(join(root, 'scripts/install/tools/package-lock.json')).packages;
  for (const name of Object.keys(pinned))
    expect(tools[`node_modules/${name}`].integrity).toBe(locked[`node_modules/${name}`].integrity);
});
