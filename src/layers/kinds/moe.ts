import { z } from 'zod';
import { type CpuGraph, type CpuValue, defineLayer, type Fail, type InferredValue } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { type Dim, formatShape, isStatic } from '../../values/dim.js';
import type { WeightLike } from '../../values/weight.js';
import { floats, indexTypes, requireDType } from '../shared/dtypes.js';
import { constantTensor } from '../shared/lift.js';
import { float32Number, type Named, positive } from '../shared/parameters.js';
import { cpuQuantize } from '../shared/quantization.js';
import { requireRank } from '../shared/shapes.js';

const quantizedTo = ['float8e4m3', 'float4e2m1'] as const;

/** Inputs: tokens, experts, scores; weights of gate, up and down; their biases; the scale of the quantization. */
export const moe = defineLayer({
  kind: 'moe',
  params: z.strictObject({
    activation: z.enum(['silu', 'none']),
    /** null: TensorRT's own (no limit, 1, 0). */
    swiglu: z.strictObject({ limit: float32Number, alpha: float32Number, beta: float32Number }).nullable(),
    quantize: z
      .strictObject({
        to: z.enum(quantizedTo),
        /** null: static. */
        blockShape: z
          .array(z.union([z.literal(-1), positive]))
          .length(4)
          .nullable(),
        scaleType: z.enum(['float8e4m3', 'float8e8m0', 'float32']).nullable(),
      })
      .nullable(),
  }),
  infer({ input, inputs, params: { quantize }, fail }) {
    const [tokens, experts, scores] = [input(0), input(1), input(2)];
    requireDType(tokens.dtype, floats, fail);
    requireDType(experts.dtype, indexTypes, fail, 'experts');
    for (const [i, value] of [tokens, experts, scores].entries())
      requireRank(value.shape, 3, 3, fail, [undefined, 'experts', 'scores'][i]);
    const [batch, count, hidden] = tokens.shape as readonly [Dim, Dim, Dim];
    requireSizes('experts', experts, [batch, count, experts.shape[2]!], fail);
    requireSizes('scores', scores, [batch, count, experts.shape[2]!], fail);
    const [all, , inner] = input(3).shape as readonly [Dim, Dim, Dim];
    const sizes: Record<string, Dim[]> = {
      gate: [all, hidden, inner],
      up: [all, hidden, inner],
      down: [all, inner, hidden],
    };
    for (const [i, [what, shape]] of Object.entries(sizes).entries()) requireSizes(what, input(3 + i), shape, fail);
    const given = inputs.slice(6, 9).filter(Boolean).length;
    if (given % 3 !== 0)
      fail('ERR_INPUT', `expected all three or none, given ${given}`, { options: ['gateBias', 'upBias', 'downBias'] });
    const biases: Record<string, Dim[]> = { gateBias: [all, inner], upBias: [all, inner], downBias: [all, hidden] };
    if (given)
      for (const [i, [what, shape]] of Object.entries(biases).entries()) requireSizes(what, input(6 + i), shape, fail);
    if (Boolean(inputs[9]) !== Boolean(quantize))
      fail('ERR_INPUT', 'expected both a dtype and a scale', { option: 'quantize' });
    return { dtype: tokens.dtype, shape: tokens.shape };
  },
  cpu(g, { input, inputs, outputTypes, params: { activation, swiglu, quantize } }) {
    if (quantize?.blockShape) throw new Error('dynamic quantization within the layer runs on a GPU only');
    const wide = (i: number) => g.cast(input(i), 'float32');
    const axes = (...values: number[]) => g.constant('int64', [values.length], values);
    const experts = g.cast(input(1), 'int64');
    const of = (i: number) => g.op('Gather', [wide(i), experts], { axis: 0 });
    const layer = (x: CpuValue, weight: number, bias: number) => {
      const product = g.op('MatMul', [x, of(weight)]);
      return inputs[bias] ? g.op('Add', [product, g.op('Unsqueeze', [of(bias), axes(3)])]) : product;
    };
    const tokens = g.op('Unsqueeze', [wide(0), axes(2, 3)]);
    const gate = layer(tokens, 3, 6);
    const up = layer(tokens, 4, 7);
    let product = gated(g, gate, up, activation === 'silu', swiglu);
    if (quantize) {
      const scale = wide(9);
      product = g.op('Mul', [
        g.cast(g.cast(cpuQuantize(g, product, scale, quantize.to), quantize.to), 'float32'),
        scale,
      ]);
    }
    const outputs = g.op('Squeeze', [layer(product, 5, 8), axes(3)]);
    const weighted = g.op('Mul', [outputs, g.op('Unsqueeze', [wide(2), axes(3)])]);
    return g.cast(g.op('ReduceSum', [weighted, axes(2)], { keepdims: 0 }), outputTypes[0]!.dtype);
  },
});

function requireSizes(what: string, { shape }: InferredValue, expected: readonly Dim[], fail: Fail): void {
  const differs = (dim: Dim, i: number) => isStatic(dim) && isStatic(expected[i]!) && dim !== expected[i];
  if (shape.length === expected.length && !shape.some(differs)) return;
  fail('ERR_SHAPE', `expected ${formatShape(expected)}, given ${formatShape(shape)}`, {
    option: what,
    expected,
    actual: shape,
  });
}

/** silu(gate) · up; with SwiGLU's parameters, gate · σ(alpha · gate) · (up + beta) of clipped numbers. */
function gated(
  g: CpuGraph,
  gate: CpuValue,
  up: CpuValue,
  active: boolean,
  swiglu: { limit: number; alpha: number; beta: number } | null,
): CpuValue {
  const number = (v: number) => g.constant('float32', [], [v]);
  const { limit, alpha, beta } = swiglu ?? { limit: Number.POSITIVE_INFINITY, alpha: 1, beta: 0 };
  const low = g.op('Min', [gate, number(limit)]);
  const wide = g.op('Max', [g.op('Min', [up, number(limit)]), number(-limit)]);
  const activated = active ? g.op('Mul', [low, g.op('Sigmoid', [g.op('Mul', [low, number(alpha)])])]) : low;
  return g.op('Mul', [activated, g.op('Add', [wide, number(beta)])]);
}

/** A weight of `moe`: a tensor, or known elements. */
export type MoeWeight = Tensor | WeightLike;

export interface MoeOptions extends Named {
  /** The experts of every token, int32 [batch, tokens, chosen]. */
  experts: Tensor;
  /** What each of them counts, [batch, tokens, chosen]. */
  scores: Tensor;
  /** [experts, hidden, inner] */
  gate: MoeWeight;
  /** [experts, hidden, inner] */
  up: MoeWeight;
  /** [experts, inner, hidden] */
  down: MoeWeight;
  /** [experts, inner] */
  gateBias?: MoeWeight | undefined;
  /** [experts, inner] */
  upBias?: MoeWeight | undefined;
  /** [experts, hidden] */
  downBias?: MoeWeight | undefined;
  /** Default `silu`. */
  activation?: 'silu' | 'none' | undefined;
  /** Clips gate (from above) and up (on both sides) at `limit`, and takes gate · σ(alpha · gate) · (up + beta). Defaults: no limit, 1, 0. */
  swiglu?: { limit?: number | undefined; alpha?: number | undefined; beta?: number | undefined } | undefined;
  /**
   * Quantizes what `down` is given: by a scale, or in blocks ([batch, tokens, chosen, inner]) whose scales are quantized by it.
   */
  quantize?:
    | {
        to: (typeof quantizedTo)[number];
        scale: number | Tensor;
        blockShape?: readonly number[] | undefined;
        scaleType?: 'float8e4m3' | 'float8e8m0' | 'float32' | undefined;
      }
    | undefined;
}

const methods = {
  /**
   * A mixture of experts: for every token, the sum over its experts of score · down(silu(gate(x)) · up(x)). Tokens are
   * [batch, tokens, hidden] of float32, float16 or bfloat16. Needs TensorRT 10.16 or later and a GPU of compute
   * capability 10 or 11. TensorRT-RTX 1.7.1 has the layer but cannot build it. The CPU backend agrees with Mixtral's block
   * in transformers and with onnxruntime's MoE; no TensorRT kernel was compared, and `activation: 'none'` and `quantize`
   * were compared with nothing. TensorRT kind: moe.
   *
   * @throws ERR_SHAPE, ERR_RANK, ERR_DTYPE, ERR_INPUT, ERR_PARAMETER
   */
  moe(this: TensorSource, options: MoeOptions): Tensor {
    const method = 'moe';
    const x = this.tensor();
    const { network, dtype } = x;
    const { experts, scores, gate, up, down, gateBias, upBias, downBias, swiglu, quantize } = options;
    const lift = (given: MoeWeight | number | undefined) =>
      given === undefined ? null : constantTensor(network, given, dtype, method);
    return network.record(moe, {
      method,
      name: options.name,
      inputs: [x, experts, scores, ...[gate, up, down, gateBias, upBias, downBias, quantize?.scale].map(lift)],
      params: {
        activation: options.activation ?? 'silu',
        swiglu: swiglu
          ? { limit: swiglu.limit ?? Number.POSITIVE_INFINITY, alpha: swiglu.alpha ?? 1, beta: swiglu.beta ?? 0 }
          : null,
        quantize: quantize
          ? {
              to: quantize.to,
              blockShape: quantize.blockShape ? [...quantize.blockShape] : null,
              scaleType: quantize.blockShape ? (quantize.scaleType ?? 'float8e4m3') : null,
            }
          : null,
      },
    })[0]!;
  },
};

export { methods as moeMethods };
export type MoeMethods = typeof methods;
