import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadPluginLibrary, type PluginCreator, pluginCreators, TensorRTError } from '../../src/index.js';
import { temporaryFolder } from '../setup/fake-library.js';
import { resultOf, runChild } from '../tensorrt/child.js';
import { foreignLibraries } from './foreign/libraries.js';

const folder = temporaryFolder();
const names = (creators: readonly PluginCreator[]) => creators.map(({ name, version }) => `${name} ${version}`);

async function failure(promise: Promise<unknown>): Promise<TensorRTError> {
  const error = await promise.then(
    () => undefined,
    (error) => error,
  );
  expect(error).toBeInstanceOf(TensorRTError);
  return error;
}

// TensorRT 11 has another registry.
describe.each(['10.6.0', '11.1.0'] as const)('TensorRT %s', (release) => {
  const libraries = foreignLibraries(join(folder, release), release);
  const options = { library: libraries.tensorrt };

  test("NVIDIA's library, found beside TensorRT and initialised once", async () => {
    expect(names(await loadPluginLibrary(undefined, options))).toEqual(['ROIAlign_TRT 2', 'ROIAlign_TRT 1']);
    expect(names(await loadPluginLibrary(undefined, options))).toEqual(['ROIAlign_TRT 2', 'ROIAlign_TRT 1']);
    const path = join(folder, release, `libnvinfer_plugin.so.${Number.parseInt(release, 10)}`);
    expect(names(await loadPluginLibrary(path, options))).toEqual(['ROIAlign_TRT 2', 'ROIAlign_TRT 1']);
  });

  test('a library that exports getCreators: names, versions, namespaces, interfaces, fields', async () => {
    const creators = await loadPluginLibrary(libraries.plugins, options);
    // One has an interface that nobody knows.
    expect(creators).toHaveLength(19);
    expect(await loadPluginLibrary(libraries.plugins, options)).toEqual(creators);
    const { fields, ...spaced } = creators.find(({ namespace }) => namespace !== '')!;
    expect(spaced).toEqual({ name: 'Spaced', version: '1', namespace: 'acme', interface: 'V3' });
    expect(fields.map(({ name, type, length }) => `${name} ${type} ${length}`)).toEqual([
      'factor float32 1',
      'flag int32 1',
      'variance float32 4',
      'label char 0',
      'raw unknown 0',
      'half float16 1',
      'brain bfloat16 1',
      'wide float64 1',
      'byte int8 1',
      'short int16 1',
      'big int64 1',
      'size dims 1',
    ]);
    const old = { version: '1', namespace: '', interface: 'V1', fields: [] };
    expect(creators.filter((one) => one.interface === 'V1')).toEqual([
      { name: 'Old', ...old },
      { name: 'OldStatic', ...old },
    ]);
  });

  test('a library whose creators register themselves, which is not linked with TensorRT', async () => {
    expect(names(await loadPluginLibrary(libraries.selfMade, options))).toEqual(['SelfMade 1']);
    expect(names(await loadPluginLibrary(libraries.selfMade, options))).toEqual(['SelfMade 1']);
  });

  test('pluginCreators() lists all, with those of NVIDIA', async () => {
    const all = names(await pluginCreators(options));
    expect(all).toEqual(expect.arrayContaining(['ROIAlign_TRT 2', 'Halves 1', 'SelfMade 1', 'Old 1']));
    expect(all).toHaveLength(22);
  });

  test('files that are no plugin library', async () => {
    const text = join(folder, `${release}.so`);
    writeFileSync(text, 'no library');
    const missing = join(folder, 'nothing.so');
    const cases = [
      [missing, 'expected a shared library with plugins: No such file or directory'],
      [text, /expected a shared library with plugins; it could not be loaded: .*(too short|invalid ELF)/],
      [
        libraries.empty,
        'expected a plugin library: it exports no getCreators, and registers no creator when it is loaded',
      ],
    ] as const;
    for (const [path, message] of cases) {
      const error = await failure(loadPluginLibrary(path, options));
      expect(error.code).toBe('ERR_PLUGIN_LIBRARY');
      expect(error.message).toMatch(message);
      expect(error.message).toContain(path);
    }
    for (const path of ['', 5]) {
      expect(await failure(loadPluginLibrary(path as string, options))).toMatchObject({ code: 'ERR_PLUGIN_LIBRARY' });
    }
  });
});

test('a TensorRT without a plugin library beside it still has creators', async () => {
  const { tensorrt } = foreignLibraries(join(folder, 'alone'));
  const program = `import { rmSync } from 'node:fs';
    const library = ${JSON.stringify(tensorrt)};
    rmSync(library.replace('nvinfer', 'nvinfer_plugin'));
    const error = await api.loadPluginLibrary(undefined, { library }).catch((error) => error);
    console.log(JSON.stringify({ creators: await api.pluginCreators({ library }), code: error.code, message: error.message }));`;
  const result = resultOf<{ creators: unknown[]; code: string; message: string }>(await runChild(program));
  expect(result.creators).toEqual([]);
  expect(result.code).toBe('ERR_PLUGIN_LIBRARY');
  expect(result.message).toContain('libnvinfer_plugin.so.10');
});

test('TensorRT-RTX is never chosen, and has no plugin layers', async () => {
  const error = await failure(pluginCreators({ library: 'rtx1' }));
  expect(error.code).toBe('ERR_LIBRARY_NOT_FOUND');
  expect(error.message).toContain('TensorRT-RTX has no plugin layers');
});
