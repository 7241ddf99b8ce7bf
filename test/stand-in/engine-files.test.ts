import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { foreignLibraries } from '../plugin/foreign/libraries.js';
import { temporaryFolder } from '../setup/fake-library.js';
import { compiling, prepare, runStandIn, type StandInOptions, standInEnv } from './harness.js';

const folder = temporaryFolder();
const file = (name: string) => join(folder, name);
const text = JSON.stringify;

beforeAll(() => prepare('10.6.0', '11.1.0'), compiling);

const outcome = `
const outcome = (source, options) => loadEngine(source, options).then(
  (engine) => engine.outputs[0].name,
  ({ code, message }) => code + ': ' + message.split('\\n')[0],
);
`;

/** What loading files gives, and how often TensorRT was given bytes for it. */
async function load(files: readonly string[], options: StandInOptions): Promise<[string[], number]> {
  const program = `${outcome} const told = []; for (const one of ${text(files)}) told.push(await outcome(one)); console.log(JSON.stringify(told));`;
  const { result, log } = await runStandIn<string[]>(program, options);
  return [result, log.filter(({ call }) => call === 'deserializeCudaEngine').length];
}

test('another GPU or release is told before TensorRT has a byte', async () => {
  const files = ['plain', 'compatible', 'ampere'].map((name) => file(`${name}.engine`));
  await runStandIn(`
    const net = network('relu', { x: float32('n') });
    net.tensor('x').relu().output('y');
    const [plain, compatible, ampere] = ${text(files)};
    await (await net.build()).save(plain, { metadata: true });
    await (await net.build({ versionCompatible: true })).save(compatible, { metadata: true });
    await (await net.build({ hardwareCompatibility: 'ampere_plus' })).save(ampere, { metadata: true });
    console.log('null');`);
  expect(await load(files, {})).toEqual([['y', 'y', 'y'], 3]);
  const [otherGpu, loads] = await load(files, { capability: '8.9' });
  const wrongGpu = expect.stringMatching(
    /^ERR_ENGINE_MISMATCH: .*\.engine was built on .* for compute capability 9\.0 without hardwareCompatibility: 'ampere_plus'; this is .* of 8\.9/,
  );
  expect([otherGpu, loads]).toEqual([[wrongGpu, wrongGpu, 'y'], 1]);
  const [otherRelease, tried] = await load(files, { release: '11.1.0' });
  const wrongRelease = expect.stringMatching(
    /^ERR_ENGINE_MISMATCH: .*\.engine was built by TensorRT 10\.6\.0 without versionCompatible; this is TensorRT 11\.1\.0/,
  );
  // The stand-in has no version compatibility: what it says itself follows.
  const refused = expect.stringMatching(
    /^ERR_ENGINE: TensorRT 11\.1\.0 could not load the engine: .*; the file says that TensorRT 10\.6\.0 built it$/,
  );
  expect([otherRelease, tried]).toEqual([[wrongRelease, refused, wrongRelease], 1]);
}, 120_000);

test('a plugin whose library is missing is told with its layers, before TensorRT has a byte', async () => {
  const { plugins } = foreignLibraries(folder, '10.6.0');
  const tensorrt = file('libnvinfer.so.10');
  copyFileSync((await standInEnv({})).NODE_TENSORRT_LIBRARY!, tensorrt);
  const options = { env: { NODE_TENSORRT_LIBRARY: tensorrt, FOREIGN_MANY: '1' } };
  const engine = text(file('halves.engine'));
  const { result } = await runStandIn(
    `const net = network('net');
     const outputs = [{ dtype: 'float32', shape: ['2*rows', 3] }];
     await api.loadPluginLibrary(${text(plugins)});
     net.input('x', float32('rows', 4)).plugin('Halves', { version: '1', outputs })[0].output('y');
     const built = await net.build({ profiles: [{ rows: [1, 2, 8] }] });
     await built.save(${engine}, { metadata: true });
     console.log(JSON.stringify((await api.readEngineFile(${engine})).metadata.plugins));`,
    options,
  );
  const plugin = { name: 'Halves', version: '1', namespace: '', code: 'library', library: plugins, layers: ['Halves'] };
  expect(result).toEqual([plugin]);
  const loaded = await runStandIn<string[]>(
    `${outcome}
     const before = await outcome(${engine});
     await api.loadPluginLibrary(${text(plugins)});
     console.log(JSON.stringify([before, await outcome(${engine})]));`,
    options,
  );
  const missing = `ERR_PLUGIN_MISSING: ${file('halves.engine')} needs plugin 'Halves' version 1 of layer 'Halves', which ${plugins} had where it was built: load the library that has it before: await loadPluginLibrary(${text(plugins)})`;
  expect(loaded.result).toEqual([missing, 'y']);
  expect(loaded.log.filter(({ call }) => call === 'deserializeCudaEngine')).toHaveLength(1);
}, 120_000);

test('notes come back with the file that has them', async () => {
  const [container, plan] = [text(file('noted.engine')), text(file('noted.plan'))];
  const { result } = await runStandIn(`
    const net = network('noted');
    net.input('x', float32('n'), { note: 'metres' }).relu().output('y', { note: 'of the sea' });
    const built = await net.build();
    await built.save(${container}, { metadata: true });
    await built.save(${plan});
    const notes = ({ inputs, outputs }) => [...inputs, ...outputs].map(({ note }) => note ?? null);
    const loaded = [await loadEngine(${container}), await loadEngine(${plan})];
    console.log(JSON.stringify([built, ...loaded].map(notes)));`);
  expect(result).toEqual([
    ['metres', 'of the sea'],
    ['metres', 'of the sea'],
    [null, null],
  ]);
}, 120_000);
