import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { version } from '../../src/package/version.js';
import { compileLibrary, temporaryFolder } from '../setup/fake-library.js';

const folder = temporaryFolder();
const root = fileURLToPath(new URL('../../', import.meta.url));
const real = join(root, 'build/Release/node_tensorrt.node');

/** The package somewhere else, without an addon. */
function elsewhere(name: string): string {
  const there = join(folder, name);
  cpSync(join(root, 'dist'), join(there, 'dist'), { recursive: true });
  mkdirSync(join(there, 'node_modules'));
  for (const needed of ['zod', 'onnxruntime-node', 'onnxruntime-common'])
    symlinkSync(join(root, 'node_modules', needed), join(there, 'node_modules', needed));
  writeFileSync(join(there, 'package.json'), JSON.stringify({ name: 'node-tensorrt', type: 'module', version }));
  mkdirSync(join(there, 'build', 'Release'), { recursive: true });
  return there;
}

/** What a program prints that has the package from there as `t`, as JSON. */
function runIn(there: string, program: string): unknown {
  writeFileSync(join(there, 'main.mjs'), `import * as t from './dist/index.js';\n${program}`);
  return JSON.parse(execFileSync(process.execPath, [join(there, 'main.mjs')], { encoding: 'utf8' }));
}

const build = (there: string) =>
  runIn(
    there,
    `const net = t.network('n', { x: t.float32(2) }).relu().output('y').network;
     console.log(await net.build().then((engine) => ['built', engine.size > 0], (error) => [error.code, error.message]).then((x) => JSON.stringify(x)));`,
  ) as [string, string | boolean];
const compiledIn = (there: string) => join(there, 'build', 'Release', 'node_tensorrt.node');

/** Puts the platform's package there. */
function platformPackage(there: string, packageVersion: string): string {
  const name = join(there, 'node_modules', '@node-tensorrt', `linux-${process.arch}`);
  mkdirSync(name, { recursive: true });
  const manifest = {
    name: `@node-tensorrt/linux-${process.arch}`,
    version: packageVersion,
    main: 'node_tensorrt.node',
  };
  writeFileSync(join(name, 'package.json'), JSON.stringify(manifest));
  return join(name, 'node_tensorrt.node');
}

test('the version in src is that of package.json', () => {
  expect(version).toBe(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version);
});

test.each(['missing', 'a/node_modules/b'])('missing in a clone, %s: building says what to do', (name) => {
  const there = elsewhere(name);
  mkdirSync(join(there, 'scripts'));
  copyFileSync(join(root, 'scripts/setup.mjs'), join(there, 'scripts/setup.mjs'));
  expect(build(there)).toEqual(['ERR_ADDON_MISSING', expect.stringMatching(/npm run build$/)]);
});

test.each(['project/node_modules/node-tensorrt', 'store/node-tensorrt'])(
  'missing where it was installed, %s: npm run build would be that of the project',
  (name) => {
    const there = elsewhere(name);
    // As install --from-source leaves it.
    mkdirSync(join(there, 'native'));
    copyFileSync(join(root, 'native/addon.cc'), join(there, 'native/addon.cc'));
    expect(build(there)).toEqual([
      'ERR_ADDON_MISSING',
      expect.stringContaining(`npm install @node-tensorrt/linux-${process.arch}@${version}`),
    ]);
  },
);

test('missing: what records, describes and stores networks works, and so do weights until they are converted', () => {
  const there = elsewhere('recording');
  const weights = join(root, 'examples/mnist/lenet.safetensors');
  const said = runIn(
    there,
    `import { readFileSync } from 'node:fs';
     const w = await t.parseWeights(readFileSync('${weights}'), 'lenet.safetensors');
     const net = t.network('lenet', { x: t.float32('batch', 1, 28, 28) });
     net.conv2d(w.layer('conv1')).relu().maxPool2d({ kernel: 2 }).output('y');
     const again = t.Network.fromJSON(JSON.parse(JSON.stringify(net.toJSON())), w);
     const small = t.network('small', { x: t.float32('batch', 2) });
     small.add([1, 2]).output('y');
     const model = await small.compile({ backend: 'cpu' });
     const { y } = await model.run({ x: { shape: [1, 2], data: Float32Array.of(1, 1) } });
     const code = (error) => error.code;
     console.log(JSON.stringify({
       shape: again.outputs[0].tensor.shape.map(String),
       layers: t.layersOf(t.decomposePlugins(again)).map(({ kind }) => kind),
       ran: [...y.data],
       map: await t.loadWeights('${weights}').then(() => 'mapped', code),
       convert: await (async () => w.get('conv1.bias').as('float16'))().then(() => 'converted', code),
       build: await net.build().then(() => 'built', code),
     }));`,
  );
  const code = 'ERR_ADDON_MISSING';
  expect(said).toEqual({
    shape: ['batch', '20', '12', '12'],
    layers: ['convolution', 'activation', 'pooling'],
    ran: [2, 3],
    map: code,
    convert: code,
    build: code,
  });
});

test('damaged', () => {
  const there = elsewhere('damaged');
  writeFileSync(compiledIn(there), 'not an addon');
  expect(build(there)[0]).toBe('ERR_ADDON_MISSING');
});

test('a library that is no addon', () => {
  const there = elsewhere('another');
  compileLibrary(compiledIn(there), 'int other(void) { return 1; }');
  expect(build(there)).toEqual(['ERR_ADDON_MISSING', expect.stringContaining('did not self-register')]);
});

test('in a folder with spaces, signs and letters of all kinds', () => {
  const there = elsewhere('a folder (ä%20#1)');
  copyFileSync(real, compiledIn(there));
  expect(build(there)).toEqual(['built', true]);
});

test('in the platform’s package, with the plugin library beside it', () => {
  const there = elsewhere('packaged');
  const addon = platformPackage(there, version);
  copyFileSync(real, addon);
  expect(build(there)).toEqual(['built', true]);
  const library = join(dirname(real), 'libnode_tensorrt_plugins.so');
  copyFileSync(library, join(dirname(addon), 'libnode_tensorrt_plugins.so'));
  const empty = runIn(
    there,
    `const { emptyLibraryPath } = await import('./dist/plugin/library-file.js');
     console.log(JSON.stringify([emptyLibraryPath(), (await t.doctor()).addon.path]));`,
  );
  expect(empty).toEqual([join(dirname(addon), 'libnode_tensorrt_plugins.so'), addon]);
});

test('in the platform’s package of another version', () => {
  const there = elsewhere('older');
  copyFileSync(real, platformPackage(there, '0.0.9'));
  expect(build(there)).toEqual(['ERR_ADDON_VERSION', expect.stringContaining('is of version 0.0.9')]);
});

test('compiled here is taken before the package, which here could not be loaded', () => {
  const there = elsewhere('both');
  writeFileSync(platformPackage(there, version), 'not an addon');
  copyFileSync(real, compiledIn(there));
  expect(build(there)).toEqual(['built', true]);
});

test('a file that is cut short, empty, a folder, or for another processor is named, and ends no process', () => {
  const there = elsewhere(join('damaged', 'node_modules', 'node-tensorrt'));
  const path = platformPackage(there, version);
  const whole = readFileSync(real);
  const other = Buffer.from(whole);
  const here = whole.readUInt16LE(18);
  other.writeUInt16LE(here === 62 ? 183 : 62, 18);
  for (const [bytes, said] of [
    [whole.subarray(0, whole.length >> 1), `it has ${whole.length >> 1} bytes of `],
    [Buffer.alloc(0), 'it is no library of Linux'],
    [other, `it is for ${here === 62 ? 'arm64' : 'x64'}, and this is ${process.arch}`],
  ] as const) {
    writeFileSync(path, bytes);
    expect(build(there)).toEqual(['ERR_ADDON_MISSING', expect.stringContaining(`is damaged: ${said}`)]);
  }
  rmSync(path);
  mkdirSync(path);
  expect(build(there)).toEqual(['ERR_ADDON_MISSING', expect.stringContaining('is damaged: it is no file')]);
});
