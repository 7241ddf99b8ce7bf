import { describe, expect, test } from 'vitest';
import {
  type BatchNormWeights,
  batchNormScale,
  foldBatchNorm,
  foldWeightNorm,
  type LstmWeights,
  lstmFromTensorFlow,
  lstmToTensorFlow,
  parseWeights,
  reorderGates,
  splitQkv,
  Weight,
  type Weights,
  weight,
} from '../../src/weights/index.js';
import { Replay } from '../../src/weights/replay.js';

const shapes: Readonly<Record<string, readonly number[]>> = {
  'conv.weight': [4, 2, 3, 3],
  'conv.bias': [4],
  'up.weight': [4, 2, 3, 3],
  'bn.weight': [4],
  'bn.bias': [4],
  'bn.running_mean': [4],
  'bn.running_var': [4],
  'norm.weight_g': [4, 1, 1],
  'norm.weight_v': [4, 2, 3],
  'attn.in_proj_weight': [12, 4],
  'attn.in_proj_bias': [12],
  'lstm.weight_ih_l0': [12, 5],
  'lstm.weight_hh_l0': [12, 3],
  'lstm.bias_ih_l0': [12],
  'lstm.bias_hh_l0': [12],
  'tf.kernel': [8, 12],
  'tf.bias': [12],
};

/** A safetensors file of float32, by hand. */
function fileOf(seed: number): Uint8Array {
  let at = 0;
  const header: Record<string, unknown> = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const bytes = 4 * shape.reduce((a, b) => a * b, 1);
    header[name] = { dtype: 'F32', shape, data_offsets: [at, at + bytes] };
    at += bytes;
  }
  const text = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(text.length));
  const values = Float32Array.from({ length: at / 4 }, (_, i) => 0.5 + Math.abs(Math.sin(seed + i * 1.7)));
  return Buffer.concat([head, text, Buffer.from(values.buffer)]);
}

const open = (seed: number, name = 'a.safetensors') => parseWeights(fileOf(seed), name);
const replayed = (made: Weight, store: Weights): Weight =>
  new Replay(({ source }) => store.get(source)).make(made.recipe!);

const bn = (w: Weights) => w.layer('bn') as BatchNormWeights;
const lstm = (w: Weights) => w.layer('lstm') as unknown as LstmWeights;
const parts = (of: Readonly<Record<string, { weight: Weight; bias?: Weight | undefined }>>) =>
  Object.values(of).flatMap(({ weight, bias }) => (bias ? [weight, bias] : [weight]));

/** What can be done to the weights of a file. */
const makers: Readonly<Record<string, (w: Weights) => Weight[]>> = {
  'a tensor': (w) => [w.get('conv.weight')],
  'a renamed tensor': (w) => [w.rename({ conv: 'stem' }).get('stem.weight')],
  'a tensor of a scope': (w) => [w.scope('conv').get('weight')],
  as: (w) => [w.get('conv.weight').as('float16'), w.as('bfloat16').get('conv.weight')],
  'as, beyond the largest': (w) => [w.get('conv.weight').as('float8e4m3', { overflow: 'infinity' })],
  reshape: (w) => [w.get('conv.weight').reshape([4, -1])],
  transpose: (w) => [w.get('conv.weight').transpose(), w.get('conv.weight').transpose([1, 0, 3, -2])],
  split: (w) => [...w.get('attn.in_proj_weight').split(4), ...w.get('attn.in_proj_weight').split([1, 3], 1)],
  concat: (w) => [Weight.concat([w.get('conv.bias'), w.get('bn.bias')])],
  'concat with elements of ours': (w) => [Weight.concat([w.get('conv.bias'), weight(Float32Array.of(1, 2))])],
  'foldBatchNorm of rounded weights of ours': (w) => {
    const own = weight(
      Float32Array.from({ length: 72 }, (_, i) => 1e5 * (i + 1)),
      [4, 2, 3, 3],
    ).as('float16');
    const { running_mean, weight: gamma, bias } = bn(w);
    const huge = weight(Float32Array.of(1e12, 1e13, 1e12, 1e13));
    return [foldBatchNorm({ weight: own }, { running_mean, running_var: huge, weight: gamma, bias }).weight];
  },
  'several steps': (w) => [w.get('tf.kernel').transpose().split([4, 8])[1]!.as('float16').reshape([-1])],
  batchNormScale: (w) => Object.values(batchNormScale(bn(w), { eps: 1e-3 })),
  foldBatchNorm: (w) => parts({ all: foldBatchNorm(w.layer('conv'), bn(w)) }),
  'foldBatchNorm of rounded weights': (w) => parts({ all: foldBatchNorm(w.as('float16').layer('conv'), bn(w)) }),
  'foldBatchNorm of a transposed convolution': (w) =>
    parts({ all: foldBatchNorm({ weight: w.get('up.weight') }, bn(w), { axis: 1, groups: 2, eps: 0.1 }) }),
  'foldBatchNorm without coefficients': (w) => {
    const { running_mean, running_var } = bn(w);
    return parts({ all: foldBatchNorm(w.layer('conv'), { running_mean, running_var }) });
  },
  foldWeightNorm: (w) => [foldWeightNorm(w.layer('norm')).weight],
  splitQkv: (w) => parts({ ...splitQkv(w.layer('attn')), ...splitQkv(w.layer('attn'), { interleavedHeads: 2 }) }),
  reorderGates: (w) => [reorderGates(w.get('lstm.weight_ih_l0'), 'ifco', 'icfo')],
  lstmToTensorFlow: (w) => Object.values(lstmToTensorFlow(lstm(w))),
  lstmFromTensorFlow: (w) => {
    const cell = { kernel: w.get('tf.kernel'), bias: w.get('tf.bias') };
    return Object.values(lstmFromTensorFlow(cell, { forgetBias: 1 })) as Weight[];
  },
};

describe('a recipe makes of another file what the code would have made of it', () => {
  test.each(Object.entries(makers))('%s', async (_, make) => {
    const [first, second] = [await open(1), await open(2)];
    const [made, expected] = [make(first), make(second)];
    expect(made.length).toBeGreaterThan(0);
    for (const [i, one] of made.entries()) {
      const again = replayed(one, second);
      expect([again.dtype, again.shape]).toEqual([expected[i]!.dtype, expected[i]!.shape]);
      expect(again.bytes).toEqual(expected[i]!.bytes);
      expect(again.bytes).not.toEqual(one.bytes);
    }
  });
});

test('a recipe is plain data', async () => {
  const store = await open(1);
  const folded = foldBatchNorm(store.layer('conv'), bn(store)).bias;
  const text = JSON.stringify(folded.recipe);
  const second = await open(2);
  const again = new Replay(({ source }) => second.get(source)).make(JSON.parse(text));
  expect(again.bytes).toEqual(foldBatchNorm(second.layer('conv'), bn(second)).bias.bytes);
});

test('a tensor of another shape is refused', async () => {
  const made = (await open(1)).get('conv.bias').reshape([2, 2]);
  const other = new Replay(() => weight(new Float32Array(6), [6]));
  expect(() => other.make(made.recipe!)).toThrow(/expected shape \[4\], as the engine was built from, given \[6\]/);
});

test('elements of no file have no recipe', async () => {
  const own = weight(Float32Array.of(1, 2), [2], 'float32', 'conv.weight');
  expect(own.recipe).toBeUndefined();
  expect(Weight.concat([own, own.as('float16').as('float32')]).recipe).toBeUndefined();
});
