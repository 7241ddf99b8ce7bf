import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../setup/fake-library.js';
import { compiling, prepare, runStandIn, standInEnv } from '../stand-in/harness.js';
import { foreignLibraries } from './foreign/libraries.js';

const folder = temporaryFolder();
const releases = ['10.6.0', '11.1.0'] as const;
type Release = (typeof releases)[number];

beforeAll(() => prepare(...releases), compiling);

/** A stand-in TensorRT that builds, with NVIDIA's plugins of ./foreign beside it. */
async function libraries(release: Release) {
  const { plugins } = foreignLibraries(join(folder, release), release);
  const tensorrt = join(folder, release, `libnvinfer.so.${Number.parseInt(release, 10)}`);
  copyFileSync((await standInEnv({ release })).NODE_TENSORRT_LIBRARY!, tensorrt);
  const env = { NODE_TENSORRT_LIBRARY: tensorrt, FOREIGN_MANY: '1' };
  return { plugins: JSON.stringify(plugins), options: { release, env } };
}

/** A network with a plugin of the library, of NVIDIA, or of nobody. */
const record = (name: string, version: string) => `
  const net = network('net');
  const x = net.input('x', float32('rows', 4));
  const outputs = [{ dtype: 'float32', shape: ['2*rows', 3] }];
  x.plugin('${name}', { version: '${version}', outputs })[0].output('y');
  const profiles = [{ rows: [1, 2, 8] }];
  const failure = (promise) => promise.then(() => 'none', ({ code, message }) => code + ': ' + message.split('\\n')[0]);
`;

test.each(releases)('TensorRT %s: added, read back, built, run, and loaded by a new process', async (release) => {
  const { plugins, options } = await libraries(release);
  const plan = JSON.stringify(join(folder, `${release}.plan`));
  const { result } = await runStandIn<Record<string, unknown>>(
    `${record('Halves', '1')}
     const missing = await failure(net.check());
     await api.loadPluginLibrary(${plugins});
     const { readBack } = await net.check();
     const libraries = { versionCompatible: true, pluginsToSerialize: [${plugins}] };
     const { options } = await net.check(libraries);
     const engine = await net.build({ profiles });
     await engine.save(${plan});
     const { y } = await engine.run({ x: new Float32Array(8) });
     console.log(JSON.stringify({ missing, readBack, options: options.pluginsToSerialize, shape: y.shape, data: [...y.data] }));`,
    options,
  );
  expect(result).toEqual({
    missing: expect.stringMatching(
      /^ERR_PLUGIN_MISSING: plugin 'Halves': TensorRT .* has no plugin creator 'Halves' version 1; load the library that has it with loadPluginLibrary\(path\)$/,
    ),
    readBack: [
      {
        layer: 'Halves',
        kind: 'plugin',
        parameters: { creator: { name: 'Halves', version: '1', namespace: '' } },
        unread: ['fields', 'shapeInputs', 'outputs'],
        parts: [],
      },
    ],
    options: [JSON.parse(plugins)],
    shape: [4, 3],
    data: Array.from({ length: 12 }, (_, i) => i),
  });
  const loaded = await runStandIn<string[]>(
    `const load = () => loadEngine(${plan}).then((engine) => engine.outputs[0].name, ({ code, message }) => code + ': ' + message.split('\\n')[0]);
     const before = await load();
     await api.loadPluginLibrary(${plugins});
     console.log(JSON.stringify([before, await load()]));`,
    options,
  );
  expect(loaded.result).toEqual([expect.stringMatching(/^ERR_PLUGIN_MISSING: .*'Halves' version 1/), 'y']);
});

test.each(releases)("TensorRT %s: NVIDIA's library is found by itself, on build and on load", async (release) => {
  const { options } = await libraries(release);
  const plan = JSON.stringify(join(folder, `${release}-nvidia.plan`));
  const { result } = await runStandIn<string>(
    `${record('ROIAlign_TRT', '2')}
     const engine = await net.build({ profiles });
     await engine.save(${plan});
     console.log(JSON.stringify(engine.outputs[0].name));`,
    options,
  );
  expect(result).toBe('y');
  const loaded = await runStandIn<string>(
    `console.log(JSON.stringify((await loadEngine(${plan})).outputs[0].name));`,
    options,
  );
  expect(loaded.result).toBe('y');
});

test('what the plugin says of its outputs has to agree with what was given; libraries have to be files', async () => {
  const { options, plugins } = await libraries('10.6.0');
  const { result } = await runStandIn<string[]>(
    `${record('Halves', '1').replace("['2*rows', 3]", "['2*rows', 5]")}
     await api.loadPluginLibrary(${plugins});
     const alone = await failure(net.check({ pluginsToSerialize: [${plugins}] }));
     const other = network('other', { x: float32(4) });
     other.tensor().relu().output('y');
     const absent = await failure(other.check({ versionCompatible: true, pluginsToSerialize: ['/no/such.so'] }));
     console.log(JSON.stringify([await failure(net.check()), alone, absent]));`,
    options,
  );
  expect(result[0]).toMatch(
    /^ERR_INFERENCE: plugin 'Halves': output 0 was inferred as float32\[-1, 5\], TensorRT says float32\[-1, 3\]/,
  );
  expect(result[1]).toBe(
    'ERR_BUILD_OPTION: build options: pluginsToSerialize: expected versionCompatible: true beside it',
  );
  expect(result[2]).toContain(
    'ERR_BUILD_OPTION: build option pluginsToSerialize: /no/such.so cannot be read: No such file or directory',
  );
});
