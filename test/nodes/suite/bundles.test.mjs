import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const bundles = process.env.BUNDLES;
const { version } = JSON.parse(
  readFileSync(new URL('../node_modules/node-tensorrt/package.json', import.meta.url), 'utf8'),
);

/** What a bundle prints. It has to end by itself, with 0. */
const run = (bundle, ...args) =>
  new Promise((resolve, reject) => {
    const [program, ...flags] = [join(bundles, bundle), ...args].filter((arg) => !arg.startsWith('--enable'));
    const node = args.filter((arg) => arg.startsWith('--enable'));
    execFile(process.execPath, [...node, program, ...flags], { timeout: 60_000 }, (error, stdout, stderr) =>
      error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve(JSON.parse(stdout)),
    );
  });

const addon = /\/node_modules\/@node-tensorrt\/linux-\w+\/node_tensorrt\.node$/;

const source = readFileSync(join(bundles, 'npm/src/main.mjs'), 'utf8');
const line = source.split('\n').findIndex((text) => text.endsWith('// here')) + 1;

const cases = [
  ['npm/esbuild/main.mjs', '--enable-source-maps'],
  ['npm/esbuild/main.cjs', '--isolate', '--cpu'],
  ['npm/vite/main.js', '--enable-source-maps'],
  ['npm/vite-bundled/main.js', '--enable-source-maps', '--isolate'],
  ['pnpm/esbuild/main.mjs', '--isolate', '--cpu'],
  ['pnpm/esbuild/main.cjs', '--enable-source-maps'],
  ['pnpm/vite/main.js', '--enable-source-maps'],
  ['pnpm/vite-bundled/main.js', '--cpu'],
];
for (const [bundle, ...args] of cases)
  test(`${bundle} ${args.join(' ')}`, async () => {
    const said = await run(bundle, ...args);
    assert.match(said.addon, addon);
    assert.equal(said.built, true);
    if (args.includes('--isolate')) assert.equal(said.isolated, true);
    if (args.includes('--cpu')) assert.deepEqual(said.ran, Array(8).fill(2));
    if (args.includes('--enable-source-maps'))
      assert.deepEqual([said.source.file.endsWith('/src/main.mjs'), said.source.line], [true, line]);
    else {
      // The caller's code in the bundle, not that of this package.
      assert.equal(said.source.file, join(bundles, bundle));
      assert.match(
        readFileSync(said.source.file, 'utf8').split('\n')[said.source.line - 1],
        /\.softmax\(\{ axis: 2 \}\)/,
      );
    }
  });

test('beside the package of the platform alone: builds, but not in a process of its own', async () => {
  const { built, isolated } = await run('platform/main.mjs', '--isolate');
  assert.equal(built, true);
  assert.match(
    isolated,
    /^ERR_BUILD_PROCESS .*platform\/main\.[mc]js contains node-tensorrt .* which has to be in node_modules/,
  );
});

test('without packages beside it: says what to install', async () => {
  for (const file of ['main.mjs', 'main.cjs']) {
    const { addon, built, ran } = await run(`alone/${file}`, '--cpu');
    assert.equal(addon, null);
    assert(built.startsWith('ERR_ADDON_MISSING '), built);
    assert(built.endsWith(`npm install node-tensorrt@${version}`), built);
    assert.deepEqual(ran, Array(8).fill(2));
  }
});

test('beside another version: says which', async () => {
  const { built } = await run('other/main.cjs');
  assert.match(
    built,
    /^ERR_ADDON_VERSION .*contains node-tensorrt .*, but .*node_modules\/node-tensorrt is 0\.0\.1; bundle it again/,
  );
});
