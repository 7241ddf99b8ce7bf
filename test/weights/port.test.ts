import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Network, network } from '../../src/index.js';
import {
  batchNormScale,
  foldBatchNorm,
  foldWeightNorm,
  gateOrders,
  loadWeights,
  lstmFromTensorFlow,
  lstmToTensorFlow,
  reorderGates,
  saveSafetensors,
  splitQkv,
  Weight,
  type WeightDType,
  type Weights,
  weight,
} from '../../src/weights/index.js';
import { failure } from './helpers.js';

const folder = mkdtempSync(join(tmpdir(), 'port-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Flat {
  shape: number[];
  data: number[];
}
/** What NumPy and PyTorch give; see fixtures/port.py. */
const reference = JSON.parse(readFileSync(new URL('fixtures/port.json', import.meta.url), 'utf8')) as {
  transposes: (Flat & { dtype: WeightDType; perm: number[] })[];
  splits: { sizes: number[]; axis: number; parts: Flat[] }[];
  folds: {
    name: string;
    eps: number;
    axis: number;
    layer: Record<string, Flat>;
    bn: Record<string, Flat>;
    folded: { weight: Flat; bias: Flat };
  }[];
  groupedFolds: {
    groups: number;
    layer: Record<string, Flat>;
    bn: Record<string, Flat>;
    folded: { weight: Flat; bias: Flat };
  }[];
  roundedFolds: {
    dtype: WeightDType;
    layer: Record<string, Flat>;
    bn: Record<string, Flat>;
    folded: { weight: Flat; bias: Flat };
  }[];
  parametrizedNorms: { name: string; state: Record<string, Flat>; weight: Flat }[];
  weightNorms: { name: string; layer: Record<string, Flat>; weight: Flat }[];
  attentions: {
    options: object;
    layer: Record<string, Flat>;
    split: Record<'q' | 'k' | 'v', { weight: Flat; bias?: Flat }>;
  }[];
};

const f32 = (data: readonly number[], shape?: readonly number[], name?: string): Weight =>
  weight(new Float32Array(data), shape, 'float32', name);
const counted = (...shape: number[]): Weight =>
  f32(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
    shape,
  );
const flat = (w: Weight): Flat => ({
  shape: [...w.shape],
  data: Array.from(w.data as Iterable<number | bigint>, Number),
});
const weights = <T extends Record<string, Flat>>(flats: T): Record<keyof T, Weight> =>
  Object.fromEntries(Object.entries(flats).map(([name, { data, shape }]) => [name, f32(data, shape, name)])) as never;

function close(actual: Weight, expected: Flat): void {
  expect(actual.shape).toEqual(expected.shape);
  const worst = Math.max(
    ...[...actual.toFloat32()].map((v, i) => Math.abs(v - expected.data[i]!) / (1e-3 + Math.abs(expected.data[i]!))),
  );
  expect(worst).toBeLessThan(2e-6);
}

test.each(reference.transposes)('transposes $dtype by $perm as NumPy does', ({ dtype, perm, shape, data }) => {
  expect(flat(counted(2, 3, 4).as(dtype).transpose(perm))).toEqual({ shape, data });
});

test.each(reference.splits)('splits into $sizes along $axis as PyTorch does', ({ sizes, axis, parts }) => {
  expect(counted(2, 3, 4).split(sizes, axis).map(flat)).toEqual(parts);
});

test('packed elements transpose and split too', () => {
  const w = weight(new Int8Array([0, 1, 2, -1, -2, -3]), [2, 3]).as('int4');
  expect(flat(w.transpose().as('int8'))).toEqual({ shape: [3, 2], data: [0, -1, 1, -2, 2, -3] });
  expect(w.split([1, 2], 1).map((p) => flat(p.as('int8')).data)).toEqual([
    [0, -1],
    [1, 2, -2, -3],
  ]);
});

test('reshape, and what it refuses', async () => {
  const w = counted(2, 6);
  expect(w.reshape([3, -1]).shape).toEqual([3, 4]);
  expect(w.reshape([12]).data.buffer).toBe(w.data.buffer);
  for (const dims of [[5, -1], [-1, -1], [13], [-12], [2.5]]) {
    expect((await failure(() => w.reshape(dims))).code).toBe('ERR_WEIGHTS_SHAPE');
  }
  for (const perm of [[0], [0, 0], [0, 2], [0, 1, 2]]) {
    expect((await failure(() => w.transpose(perm))).code).toBe('ERR_WEIGHTS_SHAPE');
  }
  for (const [sizes, axis] of [
    [[1, 2], 0],
    [[3, -1], 0],
    [[2], 2],
  ] as [number[], number][]) {
    expect((await failure(() => w.split(sizes, axis))).code).toBe('ERR_WEIGHTS_SHAPE');
  }
  expect(flat(f32([5], []).transpose())).toEqual({ shape: [], data: [5] });
  expect(flat(f32([], [0, 3]).transpose())).toEqual({ shape: [3, 0], data: [] });
});

test.each(reference.folds)('folds batch norm into $name as PyTorch does', ({ layer, bn, eps, axis, folded }) => {
  const result = foldBatchNorm(weights(layer) as { weight: Weight; bias?: Weight }, weights(bn), { eps, axis });
  close(result.weight, folded.weight);
  close(result.bias, folded.bias);
});

test.each(reference.groupedFolds)(
  'folds batch norm into $groups groups, transposed',
  async ({ groups, layer, bn, folded }) => {
    const [convolution, norm] = [weights(layer) as { weight: Weight; bias: Weight }, weights(bn)];
    const result = foldBatchNorm(convolution, norm, { axis: 1, groups });
    close(result.weight, folded.weight);
    close(result.bias, folded.bias);
    const { message } = await failure(() => foldBatchNorm(convolution, norm, { axis: 1 }));
    expect(message).toMatch(
      /expected 6 output channels on axis 1, .* given shape \[4, 3, 2, 2\]; for 2 groups, say so/,
    );
    expect((await failure(() => foldBatchNorm(convolution, norm, { axis: 1, groups: 3 }))).message).toContain(
      'in 3 groups',
    );
  },
);

/** Names as in a state_dict. */
const under = (layers: Record<string, Record<string, Flat>>): Record<string, Flat> =>
  Object.fromEntries(
    Object.entries(layers).flatMap(([layer, flats]) =>
      Object.entries(flats).map(([name, f]) => [`${layer}.${name}`, f]),
    ),
  );

/** The same tensors as a store has them, from a file. */
async function stored(flats: Record<string, Flat>): Promise<Weights> {
  const file = join(folder, `${randomUUID()}.safetensors`);
  await saveSafetensors(file, weights(flats));
  return loadWeights(file);
}

test.each(reference.roundedFolds)('through a view in $dtype, a fold reads the elements of the file', async (one) => {
  const { dtype, layer, bn, folded } = one;
  using file = await stored(under({ conv: layer, bn }));
  const view = file.as(dtype);
  const { weight: kernel, bias } = foldBatchNorm(view.layer('conv'), view.layer('bn'));
  expect([kernel.dtype, bias.dtype]).toEqual([dtype, dtype]);
  // Rounded once, from double: bit for bit.
  expect([...kernel.toFloat32()]).toEqual(folded.weight.data.map(Math.fround));
  expect([...bias.toFloat32()]).toEqual(folded.bias.data.map(Math.fround));
  // Split, joined, reshaped, transposed or renamed, a rounded weight still knows.
  const [a, b] = view.get('bn.running_mean').split(2);
  const row = Weight.concat([a!.reshape([1, 2]), b!.reshape([1, 2])], { axis: 1 }).transpose();
  const norm = { ...view.rename({ bn: 'norm' }).layer('norm'), running_mean: row.reshape([4]) };
  expect([...foldBatchNorm(view.layer('conv'), norm).weight.toFloat32()]).toEqual([...kernel.toFloat32()]);
  const { scale } = batchNormScale(view.layer('bn'));
  expect([...scale.data]).toEqual([...batchNormScale(file.layer('bn')).scale.data]);
});

test('rounded and widened again, a weight stays rounded', () => {
  const { layer, bn } = reference.folds[0]!;
  const twice = (w: Weight) => w.as('float16').as('float32');
  const [given, norm] = [weights(layer) as { weight: Weight; bias: Weight }, weights(bn)];
  const through = foldBatchNorm({ weight: twice(given.weight) }, norm).weight;
  const plain = foldBatchNorm({ weight: weight(twice(given.weight).data, given.weight.shape) }, norm).weight;
  expect(flat(through)).toEqual(flat(plain));
});

test('folding refuses what is not finite, and what becomes so', async () => {
  const conv = () => ({ weight: counted(2, 3), bias: counted(2) });
  const norm = () => ({ running_mean: f32([1, 2]), running_var: f32([1, 2]), weight: f32([1, 2]), bias: f32([1, 2]) });
  const odd: [() => unknown, string, RegExp][] = [];
  for (const value of [NaN, Infinity, -Infinity]) {
    const holding = f32([1, value], [2], 'odd');
    for (const role of Object.keys(norm()))
      odd.push([
        () => foldBatchNorm(conv(), { ...norm(), [role]: holding }),
        'ERR_VALUE',
        new RegExp(`^foldBatchNorm: odd: expected finite elements, element 1 is ${value}`),
      ]);
    odd.push(
      [() => foldBatchNorm({ ...conv(), bias: holding }, norm()), 'ERR_VALUE', /odd: expected finite/],
      [() => foldBatchNorm({ weight: f32([1, value], [2, 1], 'odd') }, norm()), 'ERR_VALUE', /odd: expected finite/],
      [() => batchNormScale({ ...norm(), running_mean: holding }), 'ERR_VALUE', /^batchNormScale: odd: /],
      [() => foldWeightNorm({ weight_g: holding, weight_v: counted(2) }), 'ERR_VALUE', /^foldWeightNorm: odd: /],
    );
  }
  const negative = { ...norm(), running_var: f32([1, -1], [2], 'var') };
  const above = { ...norm(), running_var: f32([1, 2 ** -40]), weight: f32([1, 2 ** -20 * 1e6]) };
  odd.push(
    [
      () => foldBatchNorm(conv(), negative),
      'ERR_VALUE',
      /var: expected running_var \+ eps above 0, given -1 \+ 0.00001 at 1/,
    ],
    [
      () => foldBatchNorm(conv(), { ...norm(), running_var: f32([1, 0]) }, { eps: 0 }),
      'ERR_VALUE',
      /given 0 \+ 0 at 1/,
    ],
    [() => foldBatchNorm(conv(), norm(), { eps: '1' as never }), 'ERR_INPUT', /eps: expected a number, given '1'/],
    [
      () => foldBatchNorm({ weight: f32([0, 0, 0, 0, 0, 5], [2, 3]).as('float16') }, above, { eps: 0 }),
      'ERR_WEIGHTS_CONVERT',
      /element 5 is 5000000, expected at most 65504 in magnitude for float16/,
    ],
    [
      () => foldWeightNorm({ weight_g: f32([1, 1], [2, 1]), weight_v: f32([1, 2, 0, 0], [2, 2], 'v') }),
      'ERR_VALUE',
      /v: expected a direction, all elements of 1 are 0/,
    ],
  );
  for (const [run, code, message] of odd) {
    const error = await failure(run);
    expect([error.code, error.source?.file]).toEqual([code, import.meta.filename]);
    expect(error.message).toMatch(message);
  }
});

test.each(reference.parametrizedNorms)(
  "today's weight norm, by the layer: $name",
  async ({ state, weight: expected }) => {
    using file = await stored(state);
    const layer = file.layer('conv');
    for (const [w, name] of [
      [foldWeightNorm(layer), 'conv.weight'],
      [foldWeightNorm(file.scope('conv').layer('')), 'conv.weight'],
      [foldWeightNorm(file.layer('conv.parametrizations.weight')), 'conv.weight'],
    ] as const) {
      close(w.weight, expected);
      expect(w.weight.name).toBe(name);
    }
    expect(foldWeightNorm(layer).bias).toBe(layer.bias);
    expect(layer.bias !== undefined).toBe('conv.bias' in state);
    expect(file.unused()).toEqual([]);
  },
);

test.each(reference.weightNorms)('weight norm as PyTorch computes it: $name', ({ layer, weight: expected }) => {
  const given = weights(layer);
  const result = foldWeightNorm(given);
  close(result.weight, expected);
  expect(result.weight.name).toBe('weight');
  expect(result.bias).toBe(given.bias);
  const { weight_g, weight_v } = given;
  close(foldWeightNorm({ original0: weight_g!, original1: weight_v! }).weight, expected);
});

test('weight norm: what does not fit', async () => {
  const cases: [() => unknown, string, RegExp][] = [
    [
      () => foldWeightNorm({ weight: counted(2, 2) }),
      'ERR_WEIGHTS_NAME',
      /expected weight_g and weight_v, or parametrizations\.weight\.original0 .*, given weight$/m,
    ],
    [() => foldWeightNorm(null as never), 'ERR_WEIGHTS_NAME', /given null/],
    [
      () => foldWeightNorm({ weight_g: counted(3, 1), weight_v: counted(2, 3) }),
      'ERR_WEIGHTS_SHAPE',
      /expected the sizes of \[2, 3\] or 1, given \[3, 1\]/,
    ],
    [
      () => foldWeightNorm({ weight_g: [1] as never, weight_v: counted(2) }),
      'ERR_INPUT',
      /expected a weight, given \[ 1 \]/,
    ],
  ];
  for (const [run, code, message] of cases) {
    const error = await failure(run);
    expect([error.code, error.source?.file]).toEqual([code, import.meta.filename]);
    expect(error.message).toMatch(message);
  }
});

test.each(reference.attentions)('splits a MultiheadAttention of $options', ({ layer, split }) => {
  const parts = splitQkv(weights(layer));
  const flats = Object.entries(parts).map(([name, { weight: w, bias }]) => [
    name,
    bias ? { weight: flat(w), bias: flat(bias) } : { weight: flat(w) },
  ]);
  expect(Object.fromEntries(flats)).toEqual(split);
});

test('batch norm as scale and shift', () => {
  const { bn, eps, layer, folded } = reference.folds.find((f) => f.name === 'conv')!;
  const { scale, shift } = batchNormScale(weights(bn), { eps });
  const [s, b] = [scale.toFloat32(), shift.toFloat32()];
  close(f32(layer.bias!.data.map((v, i) => v * s[i]! + b[i]!)), folded.bias);
});

test('folding keeps the dtype, and refuses other channel counts', async () => {
  const { layer, bn } = reference.folds[0]!;
  const { weight: kernel } = weights(layer) as { weight: Weight };
  const half = foldBatchNorm({ weight: kernel.as('float16') }, weights(bn));
  expect([half.weight.dtype, half.bias.dtype]).toEqual(['float16', 'float16']);
  expect((await failure(() => foldBatchNorm({ weight: kernel }, weights(bn), { axis: 1 }))).message).toContain(
    'expected 3 output channels',
  );
  expect((await failure(() => foldBatchNorm({ weight: kernel }, {}))).code).toBe('ERR_WEIGHTS_NAME');
  const short = { ...weights(bn), bias: f32([1]) };
  expect((await failure(() => foldBatchNorm({ weight: kernel }, short))).code).toBe('ERR_WEIGHTS_SHAPE');
});

test('fused qkv: rows, columns, grouped, and interleaved by head', () => {
  const linear = splitQkv({ weight: counted(6, 2), bias: counted(6) });
  expect([linear.q, linear.k, linear.v].map((p) => flat(p.weight).data)).toEqual([
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9, 10, 11],
  ]);
  expect(flat(linear.k.bias!).data).toEqual([2, 3]);
  const conv1d = splitQkv({ weight: counted(2, 6) }, { axis: 1 });
  expect(flat(conv1d.k.weight)).toEqual({ shape: [2, 2], data: [2, 3, 8, 9] });
  const grouped = splitQkv({ weight: counted(8, 1) }, { sizes: [4, 2, 2] });
  expect(flat(grouped.v.weight).data).toEqual([6, 7]);
  // Two heads of one: q0 k0 v0 q1 k1 v1.
  const heads = splitQkv({ weight: counted(6, 1), bias: counted(6) }, { interleavedHeads: 2 });
  expect(flat(heads.q.weight)).toEqual({ shape: [2, 1], data: [0, 3] });
  expect(flat(heads.v.bias!)).toEqual({ shape: [2], data: [2, 5] });
});

test('gates are reordered in blocks, there and back', async () => {
  const w = counted(8, 1); // PyTorch: i 0 1, f 2 3, g 4 5, o 6 7
  const tf = reorderGates(w, gateOrders.lstm.pytorch, gateOrders.lstm.tensorflow);
  expect(flat(tf).data).toEqual([0, 1, 4, 5, 2, 3, 6, 7]);
  expect(flat(reorderGates(tf, gateOrders.lstm.tensorflow, gateOrders.lstm.pytorch)).data).toEqual(flat(w).data);
  expect(flat(reorderGates(counted(1, 3), gateOrders.gru.pytorch, gateOrders.gru.onnx, 1)).data).toEqual([1, 0, 2]);
  expect((await failure(() => reorderGates(w, 'ifco', 'rzn'))).code).toBe('ERR_WEIGHTS_NAME');
  expect((await failure(() => reorderGates(counted(7), 'ifco', 'icfo'))).code).toBe('ERR_WEIGHTS_SHAPE');
});

test('an LSTM in TensorFlow layout: W above R, gates i c f o along the columns', () => {
  // hidden 1, input 2; value = 10 * gate + input for W, 100 + gate for R; gates i f g o
  const layer = {
    weight_ih: f32([0, 1, 10, 11, 20, 21, 30, 31], [4, 2]),
    weight_hh: f32([100, 101, 102, 103], [4, 1]),
    bias_ih: f32([1, 2, 3, 4]),
    bias_hh: f32([0.5, 0.5, 0.5, 0.5]),
  };
  const cell = lstmToTensorFlow(layer);
  expect(flat(cell.kernel)).toEqual({ shape: [3, 4], data: [0, 20, 10, 30, 1, 21, 11, 31, 100, 102, 101, 103] });
  expect(flat(cell.bias)).toEqual({ shape: [4], data: [1.5, 3.5, 2.5, 4.5] });
  const back = lstmFromTensorFlow(cell, { forgetBias: 1 });
  expect(flat(back.weight_ih)).toEqual(flat(layer.weight_ih));
  expect(flat(back.weight_hh)).toEqual(flat(layer.weight_hh));
  expect(flat(back.bias_ih!).data).toEqual([1.5, 3.5, 3.5, 4.5]);
});

test('joining along an axis counted from the end', async () => {
  const [a, b] = [counted(2, 1), counted(2, 2)];
  expect(flat(Weight.concat([a, b], { axis: -1 }))).toEqual(flat(Weight.concat([a, b], { axis: 1 })));
  expect(flat(Weight.concat([a, b], { axis: -1 }))).toEqual({ shape: [2, 3], data: [0, 0, 1, 1, 2, 3] });
  for (const axis of [-3, 2, 0.5, Number.NaN])
    expect((await failure(() => Weight.concat([a, a], { axis }))).code).toBe('ERR_WEIGHTS_SHAPE');
});

test('an LSTM that is none is not shuffled', async () => {
  const of = (rows: number, hidden: number) => ({ weight_ih: counted(rows, 2), weight_hh: counted(rows, hidden) });
  expect((await failure(() => lstmToTensorFlow(of(48, 16)))).message).toMatch(
    /expected shape \[4 · hidden, hidden\] .*, given \[48, 16\], as a GRU has it/,
  );
  for (const cell of [of(8, 1), { ...of(8, 2), weight_ih: counted(4, 2) }])
    expect((await failure(() => lstmToTensorFlow(cell))).code).toBe('ERR_WEIGHTS_SHAPE');
});

test('joined weights are read when they are asked for, and are none of the file', async () => {
  const flats = { a: { shape: [2, 2], data: [1, 2, 3, 4] }, b: { shape: [2, 2], data: [5, 6, 7, 8] } };
  using file = await stored(flats);
  const joined = Weight.concat([file.get('a'), file.get('b')], { axis: 1 });
  expect(flat(joined)).toEqual({ shape: [2, 4], data: [1, 2, 5, 6, 3, 4, 7, 8] });
  const later = Weight.concat([file.get('a'), file.get('b')], { axis: 0 });
  const net = network('n');
  net.constant(joined).output('y');
  net.constant(file.get('a').transpose()).output('z');
  const copy = Network.fromJSON(net.toJSON(), file);
  expect(copy.weights.map(({ data }) => [...data])).toEqual([
    [1, 2, 5, 6, 3, 4, 7, 8],
    [1, 3, 2, 4],
  ]);
  file.dispose();
  for (const one of [joined, later]) expect((await failure(() => one.data)).code).toBe('ERR_DISPOSED');
  const packed = [f32([1, 2, 3]).as('int4'), f32([-4, 5]).as('int4')];
  expect(flat(Weight.concat(packed).as('int8'))).toEqual({ shape: [5], data: [1, 2, 3, -4, 5] });
});

test('joining', async () => {
  expect(flat(Weight.concat([counted(2, 1), counted(2, 2)], { axis: 1 }))).toEqual({
    shape: [2, 3],
    data: [0, 0, 1, 1, 2, 3],
  });
  for (const parts of [[], [counted(2), counted(2).as('float16')], [counted(2, 2), counted(3, 3)]]) {
    expect((await failure(() => Weight.concat(parts))).code).toBe('ERR_WEIGHTS_SHAPE');
  }
});
