import { readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  float16,
  float32,
  int32,
  loadPluginLibrary,
  network,
  type Tensor,
  TensorRTError,
  type ValueType,
} from '../../src/index.js';
import { temporaryFolder } from '../setup/fake-library.js';
import { resultOf, runChild } from '../tensorrt/child.js';
import { foreignLibraries } from './foreign/libraries.js';

const folder = temporaryFolder();
const log = join(folder, 'fields.log');

function failure(call: () => unknown): TensorRTError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(TensorRTError);
    return error as TensorRTError;
  }
  throw new Error('nothing was thrown');
}

const input = (spec: ValueType) => network('net').input('x', spec);
const typesOf = (outputs: readonly Tensor[]) => outputs.map(({ dtype, shape }) => [dtype, shape]);
const outputs = [{ dtype: 'float32', shape: [1] }] as const;

test('before any TensorRT is loaded, outputs and the types of fields have to be given', () => {
  const x = input(float32('batch', 4));
  const error = failure(() => x.plugin('Halves'));
  expect(error.code).toBe('ERR_PLUGIN');
  expect(error.message).toContain("plugin 'Halves' version 1: no TensorRT is loaded that knows its outputs");
  expect(error.message).toContain('give outputs: [{ dtype, shape }], or await loadPluginLibrary() first');
  const given = x.plugin('Halves', { outputs: [{ dtype: 'float16', shape: ['batch', 2] }] });
  expect(typesOf(given)).toEqual([['float16', ['batch', 2]]]);
  x.plugin('Halves', { outputs, fields: { axis: new Int32Array([1]), label: 'sum' } });
  expect(failure(() => x.plugin('Halves', { outputs, fields: { axis: 1 } }))).toMatchObject({
    code: 'ERR_PLUGIN_FIELD',
    message: expect.stringContaining(
      "field 'axis': expected a typed array, such as new Int32Array([1]), or a string, because its type is not known before loadPluginLibrary(); given 1",
    ),
  });
});

describe.each(['10.6.0', '11.1.0'] as const)('with TensorRT %s', (release) => {
  beforeAll(async () => {
    const libraries = foreignLibraries(join(folder, release), release);
    await loadPluginLibrary(libraries.plugins, { library: libraries.tensorrt });
  });

  test('a plugin says its outputs in terms of the inputs', () => {
    expect(typesOf(input(float32('rows', 'columns')).plugin('Halves'))).toEqual([
      ['float32', ['2*rows', 'ceil((columns - 1) / 2) + 1']],
    ]);
    expect(typesOf(input(float16(3, 8)).plugin('Halves'))).toEqual([['float16', [6, 5]]]);
    expect(typesOf(input(float32('n', 7)).plugin('Halves'))).toEqual([['float32', ['2*n', 4]]]);
  });

  test('an IPluginV2DynamicExt too', () => {
    expect(typesOf(input(float16('n', 3, 5)).plugin('Old'))).toEqual([
      ['float16', ['n', 3, 5]],
      ['int32', ['max(8, n)']],
    ]);
    expect(typesOf(input(float32(9)).plugin('Old'))).toEqual([
      ['float32', [9]],
      ['int32', [9]],
    ]);
  });

  test('a size that the plugin computes, and elements of a shape input', () => {
    const [found, count] = input(float32('rows', 4)).plugin('Sized');
    expect([count!.dtype, count!.shape]).toEqual(['int32', []]);
    expect(found!.shape).toEqual([expect.stringMatching(/^Sized\?/), 4]);
    const x = input(float32('rows', 4));
    const [y] = x.plugin('Shaped', { shapeInputs: [x.network.input('size', int32(2))] });
    expect(y!.shape).toEqual(['rows', expect.stringMatching(/^Shaped\?/)]);
    expect(failure(() => x.plugin('Shaped', { shapeInputs: [x.network.input('wide', int32(2, 2))] }))).toMatchObject({
      code: 'ERR_PLUGIN',
      message: expect.stringContaining('expected shape inputs of rank 1 with at most 8 elements'),
    });
  });

  test('several inputs, on a network and on a tensor', () => {
    const x = input(float32('a', 2));
    const other = x.network.input('other', float32(3, 'b'));
    expect(x.plugin('Second', { inputs: [other] })[0]!.shape).toEqual([3, 'b']);
    expect(x.network.plugin('Second', { inputs: [other, x] })[0]!.shape).toEqual(['a', 2]);
    // It looks at an input that it was not given.
    expect(failure(() => x.plugin('Second'))).toMatchObject({ code: 'ERR_PLUGIN' });
  });

  test('version and namespace: the only one, or asked for', () => {
    const x = input(float32(2, 2));
    const [{ params }] = x.plugin('Spaced')[0]!.network.toJSON().nodes as unknown as [{ params: object }];
    expect(params).toMatchObject({
      creator: { name: 'Spaced', version: '1', namespace: 'acme' },
      fields: [],
      shapeInputs: 0,
    });
    x.plugin('Twice', { version: '2' });
    const cases = [
      [
        'Twice',
        {},
        "plugin 'Twice': expected version or namespace, because there are 'Twice' version 1, 'Twice' version 2",
      ],
      [
        'Twice',
        { version: '3' },
        "no plugin creator 'Twice' version 3; there are 'Twice' version 1, 'Twice' version 2",
      ],
      ['Spaced', { namespace: '' }, "there are 'Spaced' version 1 in namespace 'acme'"],
      ['Halfs', {}, "no plugin creator 'Halfs'; did you mean 'Halves'?"],
      ['Reorg_TRT', {}, "no plugin creator 'Reorg_TRT'; NVIDIA's libnvinfer_plugin has it: await loadPluginLibrary()"],
      ['Unheard', {}, "no plugin creator 'Unheard'; load the library that has it: await loadPluginLibrary(path)"],
    ] as const;
    for (const [name, options, message] of cases) {
      expect(failure(() => x.plugin(name, options))).toMatchObject({
        code: 'ERR_PLUGIN_MISSING',
        message: expect.stringContaining(message),
      });
    }
  });

  test('fields arrive in the types of the creator', () => {
    process.env.FOREIGN_LOG = log;
    try {
      input(float32(2, 2)).plugin('Halves', {
        fields: {
          factor: 0.5,
          flag: true,
          variance: [1, 2, 3, 4],
          label: 'größe',
          raw: new Int16Array([1, -2]),
          half: 1.5,
          brain: -1,
          wide: 0.1,
          byte: -128,
          short: 256,
          big: 2n ** 62n,
          size: [2, -1],
          missing: undefined,
        } as never,
      });
      const hex = (array: ArrayBufferView) =>
        Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('hex');
      const dims = `02000000${'00'.repeat(4)}${hex(new BigInt64Array([2n, -1n, 0n, 0n, 0n, 0n, 0n, 0n]))}`;
      expect(readFileSync(log, 'utf8').trim().split('\n')).toEqual([
        `factor 1 1 ${hex(new Float32Array([0.5]))}`,
        'flag 5 1 01000000',
        `variance 1 4 ${hex(new Float32Array([1, 2, 3, 4]))}`,
        `label 6 7 ${Buffer.from('größe').toString('hex')}00`,
        'raw 4 2 0100feff',
        'half 0 1 003e',
        'brain 9 1 80bf',
        `wide 2 1 ${hex(new Float64Array([0.1]))}`,
        'byte 3 1 80',
        'short 4 1 0001',
        'big 10 1 0000000000000040',
        `size 7 1 ${dims}`,
      ]);
    } finally {
      delete process.env.FOREIGN_LOG;
      rmSync(log, { force: true });
    }
  });

  test.each([
    [{ factr: 1 }, "plugin 'Halves' has no field 'factr'; did you mean 'factor'?"],
    [{ factor: '1' }, "field 'factor': expected numbers, given '1'"],
    [{ factor: [1, 'a'] }, "field 'factor': expected numbers, given [ 1, 'a' ]"],
    [{ factor: Number.NaN }, "field 'factor': expected numbers, given NaN"],
    [{ factor: 1e39 }, "field 'factor': 1e+39 does not fit float32"],
    [{ half: 70_000 }, "field 'half': 70000 does not fit float16"],
    [{ factor: 1n }, "field 'factor': expected numbers, given the bigint 1"],
    [{ flag: 1.5 }, "field 'flag': expected whole numbers, given 1.5"],
    [{ flag: 2 ** 31 }, "field 'flag': 2147483648 does not fit int32"],
    [{ byte: [127, 128] }, "field 'byte': 128 does not fit int8"],
    [{ big: 2n ** 63n }, "field 'big': 9223372036854775808 does not fit int64"],
    [{ flag: '1' }, "field 'flag': expected whole numbers, given '1'"],
    [{ label: 3 }, "field 'label': expected a string, given 3"],
    [{ variance: [1, 2] }, "field 'variance': expected 4 elements, given 2"],
    [{ size: [1, 2, 3, 4, 5, 6, 7, 8, 9] }, "field 'size': expected at most 8 dims, given 9"],
    [
      { raw: 1 },
      "field 'raw': expected a typed array, such as new Int32Array([1]), or a string, because the creator does not say its type; given 1",
    ],
  ])('fields that do not fit: %o', (fields, message) => {
    const error = failure(() => input(float32(2, 2)).plugin('Halves', { fields: fields as never }));
    expect(error.code).toBe('ERR_PLUGIN_FIELD');
    expect(error.message).toContain(message);
    expect(error.source?.file).toContain('existing.test.ts');
  });

  test.each([
    ['Refuses', 'its creator refused the fields; fields not given: factor, flag, variance, label'],
    ['WrongTypes', "its getOutputDataTypes refused the inputs' dtypes (code 7)"],
    ['Shaped', "its getOutputShapes refused the inputs' shapes (code 5)"],
    ['Many', 'expected 1 to 128 outputs, it says 1000000'],
    ['NoBuild', 'it lacks a capability that TensorRT asks for'],
    ['Silent', 'it gave no size for axis 0 of output 0'],
    ['Untyped', 'it gave no dtype that TensorRT has for output 0'],
    ['Divides', 'it gave no size for axis 0 of output 0: it divides by 0'],
    ['OldStatic', 'it is an IPluginV2Ext, for networks with an implicit batch dim, which TensorRT 10 no longer has'],
  ])('a plugin that cannot say its outputs: %s', (name, message) => {
    const error = failure(() => input(float32(2, 2)).plugin(name));
    expect(error.code).toBe('ERR_PLUGIN');
    expect(error.message).toContain(`plugin '${name}' version 1: ${message}`);
    expect(error.message).toContain('if it needs a GPU to say so, give outputs: [{ dtype, shape }]');
  });
});

test.each([
  ['Crashes', 'SIGSEGV in libc'],
  ['Exits', 'it called exit(3)'],
  ['Throws', 'SIGABRT in libc'],
])('a plugin that ends the process when it is asked: %s', async (name, how) => {
  const libraries = foreignLibraries(join(folder, name));
  const program = `await api.loadPluginLibrary(${JSON.stringify(libraries.plugins)}, { library: ${JSON.stringify(libraries.tensorrt)} });
    const x = network('net').input('x', float32(2, 2));
    const ask = (name) => { try { x.plugin(name); return 'said'; } catch (error) { return error.code + ': ' + error.message; } };
    console.log(JSON.stringify([ask('Halves'), ask('${name}'), ask('Halves')]));`;
  const [before, error, after] = resultOf<string[]>(await runChild(program));
  expect(before).toBe('said');
  expect(error).toContain('ERR_TENSORRT_CRASHED: TensorRT 10.6.0 crashed while asking plugin');
  expect(error).toContain(`'${name}' version 1 about its outputs (${how}`);
  expect(error).toContain('if it needs a GPU to say so, give outputs');
  expect(after).toContain('cannot be used again in this process');
});

test('exit() elsewhere in the process is not held up', async () => {
  const libraries = foreignLibraries(join(folder, 'exit'));
  const program = `await api.loadPluginLibrary(${JSON.stringify(libraries.plugins)}, { library: ${JSON.stringify(libraries.tensorrt)} });
    process.exit(5);`;
  expect((await runChild(program)).code).toBe(5);
});

test('the files of plugins are known, whichever thread loaded them: a cached engine depends on them', async () => {
  const libraries = foreignLibraries(join(folder, 'threads'));
  const library = { path: libraries.tensorrt, flavor: 'trt10', version: '10.6.0' };
  const program = `import { Worker, isMainThread } from 'node:worker_threads';
    import { filesOfPlugins } from ${JSON.stringify(new URL('../../src/tensorrt/library/plugins.js', import.meta.url).href)};
    const files = () => filesOfPlugins(['Halves'], ${JSON.stringify(library)});
    if (isMainThread) {
      await api.pluginCreators({ library: ${JSON.stringify(libraries.tensorrt)} });
      const before = await files();
      await new Promise((done) => new Worker(new URL('worker.mjs', import.meta.url)).on('exit', done));
      console.log(JSON.stringify({ before: before ?? null, after: await files() }));
    } else await api.loadPluginLibrary(${JSON.stringify(libraries.plugins)}, { library: ${JSON.stringify(libraries.tensorrt)} });`;
  const { before, after } = resultOf<Record<string, string[] | null>>(await runChild(program));
  expect(before).toBeNull();
  expect(after).toContain(realpathSync(libraries.plugins));
});
