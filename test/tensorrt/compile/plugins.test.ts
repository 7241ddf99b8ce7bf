import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addon } from '../../../src/addon.js';
import {
  attr,
  bool,
  definePlugin,
  float16,
  float32,
  type Network,
  network,
  type TensorRTError,
} from '../../../src/index.js';
import { kernelParameters } from '../../../src/plugin/cubin.js';
import type { CudaInfo } from '../../../src/tensorrt/binding.js';
import { compilePlugins, type PluginBuild, takePlugins } from '../../../src/tensorrt/compile/plugins.js';
import { take } from '../../../src/tensorrt/compile/program.js';
import { ownCache } from '../../plugin/nvrtc-here.js';
import { temporaryFolder } from '../../setup/fake-library.js';

const dir = temporaryFolder();
const native = addon<{ cudaInfo(): Promise<CudaInfo> }>();
const original = native.cudaInfo;
const before = { ...process.env };

const gpu = (...capabilities: string[]) => {
  const devices = capabilities.map((computeCapability) => ({ name: 'a GPU', computeCapability, totalMemory: 2 ** 34 }));
  native.cudaInfo = async () => ({ driver: capabilities.length > 0 ? '13.0' : null, devices });
};

beforeAll(async () => {
  Object.assign(process.env, await ownCache(join(dir, 'cache')));
});
beforeEach(() => gpu('9.0'));
afterEach(() => {
  native.cudaInfo = original;
});

const source = `template <class T> __global__ void scale(T const* x, T* y, int n, float by) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = T(float(x[i]) * by);
}
`;

let plugins = 0;

/** A plugin of its own name. */
function scaleBy(change: { cuda?: string; options?: string[]; wide?: boolean } = {}) {
  return definePlugin({
    name: `Scale${plugins++}`,
    version: '1',
    inputs: ['x'],
    attributes: { by: attr.float32(2) },
    types: [{ x: 'float32', y: 'float32' }],
    outputs: ({ x }) => ({ y: x.shape }),
    cuda: change.cuda ?? source,
    options: change.options ?? [],
    launch: ({ x, y, by, int32, int64, ceilDiv }) => [
      {
        kernel: 'scale',
        template: [x.dtype],
        grid: ceilDiv(x.size, 256),
        block: 256,
        args: [x, y, change.wide ? int64(x.size) : int32(x.size), by],
      },
    ],
  });
}

function made(record: (net: Network) => void): ReturnType<typeof take> {
  const net = network('n');
  record(net);
  return take(net);
}
const simple = (plugin = scaleBy(), attributes = {}) =>
  made((net) => net.input('x', float32('n', 4)).plugin(plugin, attributes).output('y'));

const compile = (net: ReturnType<typeof take>, more: Partial<PluginBuild> = {}) =>
  compilePlugins(takePlugins(net), { options: {}, lowerOnly: false, onWarning: () => {}, check: () => {}, ...more });

const capabilities = async (options: PluginBuild['options'], more: Partial<PluginBuild> = {}) => {
  const [one] = await compile(simple(), { options, ...more });
  return one!.cubins.map(({ capability }) => capability);
};

test('every layer has its recipe, machine code and attributes, by the value that it makes', async () => {
  const plugin = scaleBy();
  const net = network('n');
  const x = net.input('x', float32('n', 4));
  const y = x.plugin(plugin, { by: 3 });
  const z = y.relu().plugin(plugin);
  z.output('z');
  const list = await compile(take(net));
  expect(list.map(({ value, name, version }) => ({ value, name, version }))).toEqual(
    [y.id, z.id].map((value) => ({ value, name: plugin.name, version: '1' })),
  );
  const [first, second] = list;
  expect(first!.attributes).toMatchObject([{ name: 'by', type: 'float32', length: 1 }]);
  expect(new Float32Array(first!.attributes[0]!.data.slice().buffer)[0]).toBe(3);
  expect(new Float32Array(second!.attributes[0]!.data.slice().buffer)[0]).toBe(2);
  const [lowered, parameters] = [...kernelParameters(first!.cubins[0]!.data)][0]!;
  expect(parameters.map(({ size }) => size)).toEqual([8, 8, 4, 4]);
  expect(Buffer.from(first!.recipe).includes(lowered)).toBe(true);
  expect(Buffer.from(first!.recipe.subarray(0, 4)).toString()).toBe('NTRP');
});

test('also those in nested graphs', async () => {
  const plugin = scaleBy();
  const net = network('n');
  const x = net.input('x', float32(2, 4));
  const is = net.input('is', bool());
  net
    .if(
      is,
      () => x.plugin(plugin),
      () => x.plugin(plugin, { by: 5 }),
    )
    .output('y');
  const list = await compile(take(net));
  expect(list.map(({ attributes }) => new Float32Array(attributes[0]!.data.slice().buffer)[0])).toEqual([2, 5]);
});

test('a network without them asks for nothing', async () => {
  native.cudaInfo = () => expect.unreachable('the GPUs were asked for') as never;
  expect(await compile(made((net) => net.input('x', float32(2)).relu().output('y')))).toEqual([]);
});

describe('it compiles for', () => {
  test('the GPU', async () => {
    gpu('8.6');
    expect(await capabilities({})).toEqual([86]);
    gpu('12.0', '8.0');
    expect(await capabilities({})).toEqual([120]);
  });

  test('GPUs from Ampere on, where the engine is to run on all of them', async () => {
    gpu('8.6');
    const all = await capabilities({ hardwareCompatibility: 'ampere_plus' });
    expect(all).toEqual([...all].sort((a, b) => a - b));
    expect(all).toEqual(expect.arrayContaining([80, 86, 90, 100, 120]));
    expect(new Set(all).size).toBe(all.length);
    expect(all[0]).toBe(80);
    expect(await capabilities({ hardwareCompatibility: 'same_compute_capability' })).toEqual([86]);
  });

  test('those that the options name', async () => {
    gpu();
    expect(await capabilities({ computeCapabilities: [120, 80] })).toEqual([80, 120]);
  });

  test('none without a GPU, and none for a check without NVRTC; a build says what is missing', async () => {
    gpu();
    expect(await capabilities({})).toEqual([]);
    gpu('9.0');
    const named = process.env.NODE_TENSORRT_NVRTC;
    process.env.NODE_TENSORRT_NVRTC = join(dir, 'none');
    try {
      expect(await capabilities({}, { lowerOnly: true })).toEqual([]);
      await expect(capabilities({})).rejects.toMatchObject({ code: 'ERR_NVRTC_MISSING' });
    } finally {
      process.env.NODE_TENSORRT_NVRTC = named;
    }
  });
});

describe('what is wrong names the layer', () => {
  const refusal = (net: ReturnType<typeof take>) =>
    compile(net).then(
      () => expect.unreachable('it compiled'),
      (e) => e as TensorRTError,
    );

  test('a kernel that does not compile: its line, and where the plugin was defined', async () => {
    const error = await refusal(simple(scaleBy({ cuda: source.replace('y[i]', 'z[i]') })));
    expect(error).toMatchObject({ code: 'ERR_KERNEL', kind: 'plugin', method: 'plugin', cuda: { line: 3 } });
    expect(error.layer).toMatch(/scale/i);
    expect(error.source!.file).toMatch(/plugins\.test\.ts$/);
    expect(error.message).toContain('identifier "z" is undefined');
  });

  test('an int64 where the kernel takes an int', async () => {
    const error = await refusal(simple(scaleBy({ wide: true })));
    expect(error).toMatchObject({ code: 'ERR_KERNEL', kind: 'plugin' });
    expect(error.message).toMatch(
      /kernel scale<float>: argument 3, int64\(…\), has 8 bytes, and the parameter 4 bytes/,
    );
  });
});

describe('the hash for timings', () => {
  const recipe = async (net: ReturnType<typeof take>) => Buffer.from((await compile(net))[0]!.recipe);
  const hash = (bytes: Buffer) => bytes.subarray(-64).toString();

  test('is the same for the same layer', async () => {
    const plugin = scaleBy();
    const [a, b] = [await recipe(simple(plugin)), await recipe(simple(plugin))];
    expect(hash(a)).toMatch(/^[0-9a-f]{64}$/);
    expect(a.equals(b)).toBe(true);
  });

  test('changes with attributes, source and options', async () => {
    const same = { name: 'Timed', version: '1' };
    const of = async (change: Parameters<typeof scaleBy>[0], attributes = {}) => {
      plugins = 900;
      return hash(await recipe(simple(scaleBy({ ...change }), attributes)));
    };
    expect(same.version).toBe('1');
    const hashes = [
      await of({}),
      await of({}, { by: 3 }),
      await of({ cuda: `${source}\n` }),
      await of({ options: ['--use_fast_math'] }),
    ];
    expect(new Set(hashes).size).toBe(4);
  });
});

test('warnings reach the log', async () => {
  const warnings: string[] = [];
  const cuda = source.replace('  if', '  int unused;\n  if');
  await compile(simple(scaleBy({ cuda })), { onWarning: (message) => warnings.push(message) });
  expect(warnings).toEqual([expect.stringMatching(/\.cu\(3\): variable "unused" was declared/)]);
});

test('it ends between steps', async () => {
  let asked = 0;
  const check = () => {
    if (++asked === 2) throw new Error('enough');
  };
  await expect(compile(simple(), { check })).rejects.toThrow('enough');
});

test('float16 is a kernel of its own, with its header', async () => {
  const cuda = `#include <cuda_fp16.h>\n${source}`;
  const plugin = definePlugin({
    name: 'Half',
    version: '1',
    inputs: ['x'],
    types: [
      { x: 'float32', y: 'float32' },
      { x: 'float16', y: 'float16' },
    ],
    outputs: ({ x }) => ({ y: x.shape }),
    cuda,
    launch: ({ x, y, int32, float32: float }) => [
      { kernel: 'scale', template: [x.dtype], grid: 1, block: 32, args: [x, y, int32(32), float(2)] },
    ],
  });
  const net = network('n');
  net.input('a', float32(32)).plugin(plugin).output('b');
  net.input('c', float16(32)).plugin(plugin).output('d');
  const names = (await compile(take(net))).map(({ cubins }) => [...kernelParameters(cubins[0]!.data).keys()]);
  expect(names).toEqual([[expect.stringContaining('If')], [expect.stringContaining('__half')]]);
  Object.assign(process.env, before);
});
