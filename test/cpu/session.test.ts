import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createCpuModel } from '../../src/cpu/session.js';
import { bool, float8e4m3, float16, float32, int4, int64, network, type Tensor } from '../../src/index.js';
import { type DType, viewAs } from '../../src/values/dtype.js';
import { decodeElements } from '../../src/values/elements.js';

interface Stored {
  shape: number[];
  data: string;
}
/** Written by fixtures/make.py from PyTorch. */
const nets = JSON.parse(readFileSync(new URL('fixtures/nets.json', import.meta.url), 'utf8')) as ({
  dtype: DType;
  batch: number;
} & Record<'x' | 'w1' | 'b1' | 'w2' | 'b2' | 'sigmoid' | 'leaky', Stored>)[];

const load = (dtype: DType, { shape, data }: Stored) => ({
  dtype,
  shape,
  data: viewAs(dtype, Uint8Array.from(Buffer.from(data, 'base64'))),
});

/** Largest difference relative to the larger of 1 and the expected value. */
function worst(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  return actual.reduce(
    (most, v, i) => Math.max(most, Math.abs(v - expected[i]!) / Math.max(1, Math.abs(expected[i]!))),
    0,
  );
}

describe.each(['float32', 'float16', 'bfloat16'] as const)('a convolutional net in %s', (dtype) => {
  it('agrees with PyTorch at two batch sizes', async () => {
    for (const stored of nets.filter((n) => n.dtype === dtype)) {
      const [x, w1, b1, w2, b2] = (['x', 'w1', 'b1', 'w2', 'b2'] as const).map((key) => load(dtype, stored[key]));
      const net = network('net', { x: { dtype, shape: ['batch', 3, 9, 8] } });
      const y = net
        .conv2d({ weight: w1!, bias: b1!, stride: [2, 1], padding: 1 })
        .gelu()
        .conv2d({ weight: w2!, bias: b2!, dilation: [1, 2], groups: 2 });
      y.sigmoid().output('sigmoid');
      y.leakyRelu({ negativeSlope: 0.125 }).output('leaky');
      using model = await createCpuModel(net);
      const results = await model.run({ x: x!.data });
      for (const name of ['sigmoid', 'leaky'] as const) {
        const result = results[name]!;
        expect({ dtype: result.dtype, shape: result.shape }).toEqual({ dtype, shape: stored[name].shape });
        const expected = decodeElements(dtype, load(dtype, stored[name]).data, result.data.length);
        // A step of the dtype near 1, as sums may be made in another order; onnxruntime may keep float32 between float16 layers.
        const step = { float32: 2e-6, float16: 2 ** -9, bfloat16: 2 ** -7 }[dtype];
        expect(worst(result.toFloat32(), expected)).toBeLessThanOrEqual(step);
      }
    }
  });

  it('gives exactly representable values', async () => {
    const net = network('exact', { x: { dtype, shape: [4] } });
    net.activation({ type: 'scaled_tanh', alpha: 1 / 3, beta: 100 }).output('y');
    using model = await createCpuModel(net);
    const { y } = await model.run({ x: [1, -1, 2, 0] });
    const third = { float32: Math.fround(1 / 3), float16: 0.333251953125, bfloat16: 0.333984375 }[dtype];
    expect(Array.from(y!.toFloat32())).toEqual([third, -third, third, 0]);
  });
});

it('takes an input as output, twice, and the same value under two names', async () => {
  const net = network('same', { x: float32(2) });
  net.inputs[0]!.output('x2');
  net.inputs[0]!.output('x3');
  const y = net.relu();
  y.output('a');
  y.output('b');
  using model = await createCpuModel(net);
  const results = await model.run({ x: Float32Array.of(-1, 2) });
  expect(Object.fromEntries(Object.entries(results).map(([k, r]) => [k, Array.from(r.toFloat32())]))).toEqual({
    x2: [-1, 2],
    x3: [-1, 2],
    a: [0, 2],
    b: [0, 2],
  });
});

it('passes every dtype through unchanged', async () => {
  const inputs = {
    half: float16(3),
    narrow: float8e4m3(3),
    four: int4(3),
    whole: int64('n'),
    flag: bool(2),
    toString: float32(),
  };
  const net = network('through', inputs);
  for (const tensor of net.inputs) tensor.output(`${tensor.name}!`);
  using model = await createCpuModel(net);
  const feeds = {
    half: Uint16Array.of(0x3c01, 0x8000, 0x7bff),
    narrow: Uint8Array.of(0x01, 0x7e, 0x80),
    four: Uint8Array.of(0xf8, 0x07),
    whole: BigInt64Array.of(2n ** 60n, -1n),
    flag: Uint8Array.of(1, 0),
    toString: Float32Array.of(5),
  };
  const results = await model.run(feeds);
  for (const [name, data] of Object.entries(feeds)) expect(results[`${name}!`]!.data).toEqual(data);
  expect(results['toString!']!.shape).toEqual([]);
  const empty = await model.run({ ...feeds, whole: new BigInt64Array(0) });
  expect(empty['whole!']!.shape).toEqual([0]);
});

describe('misuse', () => {
  afterEach(() => vi.doUnmock('onnxruntime-node'));

  it('refuses a network without output', async () => {
    const net = network('none', { x: float32(2) });
    net.relu();
    await expect(createCpuModel(net)).rejects.toMatchObject({ code: 'ERR_NO_OUTPUT', message: /'none'/ });
  });

  it('refuses bad feeds', async () => {
    const net = network('feeds', { x: float32('n') });
    net.relu().output('y');
    using model = await createCpuModel(net);
    await expect(model.run({ x: new Float64Array(2) })).rejects.toMatchObject({ code: 'ERR_FEED' });
  });

  it('is an error after dispose, which may come twice and during a run', async () => {
    const net = network('gone', { x: float32('n') });
    net.relu().output('y');
    const model = await createCpuModel(net);
    const running = model.run({ x: Float32Array.of(-1) });
    model.dispose();
    model.dispose();
    expect((await running).y!.data).toEqual(Float32Array.of(0));
    await expect(model.run({ x: Float32Array.of(1) })).rejects.toMatchObject({
      code: 'ERR_DISPOSED',
      message: /'gone'/,
    });
  });

  it('names the layer at which onnxruntime fails, and its place', async () => {
    const net = network('clash', { x: float32('b', 'c', 5, 5) });
    net.conv2d({ name: 'first', weight: { shape: [2, 3, 3, 3], data: new Float32Array(54) } }).output('y');
    using model = await createCpuModel(net);
    const run = model.run({ x: { shape: [1, 4, 5, 5], data: new Float32Array(100) } });
    await expect(run).rejects.toMatchObject({
      code: 'ERR_CPU_BACKEND',
      layer: 'first',
      kind: 'convolution',
      source: { file: import.meta.filename },
      message: expect.stringContaining("network 'clash': onnxruntime failed"),
    });
  });

  it('says how to get onnxruntime-node', async () => {
    vi.doMock('onnxruntime-node', () => {
      throw new Error('Cannot find package');
    });
    const net = network('absent', { x: float32(1) });
    net.relu().output('y');
    await expect(createCpuModel(net)).rejects.toMatchObject({
      code: 'ERR_CPU_BACKEND',
      message: expect.stringContaining('npm install onnxruntime-node'),
    });
  });
});

const matrix = { shape: [4, 4], data: new Float32Array(16) };

it.each<[string, (x: Tensor) => Tensor, string]>([
  ['a product and a sum', (x) => x.matmul(x.network.constant(matrix), { name: 'mm' }).add([1, 2, 3, 4]), 'mm'],
  ['a transpose and a product', (x) => x.transpose([1, 0]).matmul(x.network.constant(matrix), { name: 'mm' }), 'mm'],
])('a failure of what onnxruntime fused from %s names a layer', async (_, build, layer) => {
  const net = network('fused', { x: float32('rows', 'columns') });
  build(net.tensor()).output('y');
  using model = await createCpuModel(net);
  const run = model.run({ x: { shape: [3, 5], data: new Float32Array(15) } });
  await expect(run).rejects.toMatchObject({
    code: 'ERR_CPU_BACKEND',
    layer,
    method: 'matmul',
    source: { file: import.meta.filename },
  });
});
