import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { listFiles } from '../../scripts/install/files.mjs';
import { compactDist } from '../../scripts/lib/compact.mjs';
import { platforms } from '../../scripts/release/platforms.mjs';
import { cleanEnv, root } from '../setup/checkout.js';
import { temporaryFolder } from '../setup/fake-library.js';

const dir = temporaryFolder();
const checkout = join(dir, 'checkout');
const unpacked = join(dir, 'package');
let size: number;
let packed: Set<string>;
const read = (path: string) => readFileSync(join(unpacked, path), 'utf8');

beforeAll(async () => {
  mkdirSync(checkout);
  const parts = [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    '*.md',
    'LICENSE',
    'CMakeLists.txt',
    'native',
    'scripts',
    'templates',
  ];
  const args = ['ls-files', '-z', ...parts, 'examples/digits'];
  const names = execFileSync('git', args, { cwd: root, encoding: 'utf8' });
  for (const name of names.split('\0').filter(Boolean)) cpSync(join(root, name), join(checkout, name));
  cpSync(join(root, 'dist'), join(checkout, 'dist'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
  await compactDist(join(checkout, 'dist'));
  const pack = ['pack', '--silent', '--pack-destination', dir];
  const tarball = execFileSync('npm', pack, {
    cwd: checkout,
    env: cleanEnv({ NODE_TENSORRT_SKIP_SETUP: '1' }),
    encoding: 'utf8',
  }).trim();
  size = statSync(join(dir, tarball)).size;
  execFileSync('tar', ['-xzf', join(dir, tarball), '-C', dir]);
  packed = new Set(listFiles(unpacked).map((path: string) => path.slice(unpacked.length + 1)));
}, 300_000);

test('it is below 0.8 MB', () => {
  expect(size).toBeLessThan(800_000);
});

test('it holds what is run, and no tests, sources and products of a build', () => {
  const kinds = /^(dist\/.*\.(js|d\.ts)|scripts\/install(\.mjs|\/.*\.(mjs|json))|templates\/init\/.*)$/;
  expect([...packed].filter((file) => !kinds.test(file)).sort()).toEqual([
    'LICENSE',
    'LICENSES.md',
    'README.md',
    'examples/digits/digits.safetensors',
    'native.br',
    'package.json',
  ]);
});

test('no script runs when it is installed; the addons are of its version, and optional', () => {
  const manifest = JSON.parse(read('package.json'));
  const run = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'];
  expect(run.filter((name) => name in manifest.scripts)).toEqual([]);
  // npm compiles what has a binding.gyp.
  expect(packed.has('binding.gyp')).toBe(false);
  const addons = Object.fromEntries(platforms.map(({ name }) => [name, manifest.version]));
  expect(manifest.optionalDependencies).toEqual(addons);
  expect([manifest.os, manifest.cpu]).toEqual([undefined, undefined]);
});

test('packing leaves package.json and the folder as they were', () => {
  const manifest = (folder: string) => readFileSync(join(folder, 'package.json'), 'utf8');
  expect(manifest(checkout)).toBe(manifest(root));
  expect(listFiles(checkout).filter((path: string) => path.endsWith('native.br'))).toEqual([]);
});

test('the packed source is the source', () => {
  const source = JSON.parse(brotliDecompressSync(readFileSync(join(unpacked, 'native.br'))).toString());
  const files = [...listFiles(join(checkout, 'native')), join(checkout, 'CMakeLists.txt')];
  const expected = files.map((path) => [path.slice(checkout.length + 1), readFileSync(path, 'utf8')]);
  expect(expected.length).toBeGreaterThan(200);
  expect(source).toEqual(Object.fromEntries(expected));
});

/** Paths that a packed file leads to and that are not packed. */
const missing = (file: string, targets: readonly string[]) =>
  targets
    .map((target) => normalize(join(dirname(file), target)))
    .filter((target) => !packed.has(target))
    .map((target) => `${file}: ${target}`);

test('whatever a packed file imports is packed', () => {
  const files = [...packed].filter((file) => /\.m?js$/.test(file) && !file.startsWith('node_modules'));
  expect(files.length).toBeGreaterThan(300);
  const lost = files.flatMap((file) => {
    const imports = [...read(file).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']+)["']/g)];
    return missing(
      file,
      imports.map(([, path]) => path!),
    );
  });
  expect(lost).toEqual([]);
});

test('whatever a packed declaration imports is packed, and documented', () => {
  const files = [...packed].filter((file) => file.endsWith('.d.ts'));
  expect(files.length).toBeGreaterThan(150);
  const lost = files.flatMap((file) => {
    const imports = [...read(file).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']+)\.js["']/g)];
    return missing(
      file,
      imports.map(([, path]) => `${path}.d.ts`),
    );
  });
  expect(lost).toEqual([]);
  expect(read('dist/dsl/network.d.ts')).toMatch(/\/\*\*/);
});
