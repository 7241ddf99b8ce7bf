import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import { Tensor, type TensorSource } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import { countOf, formatShape } from '../../values/dim.js';
import type { WeightLike } from '../../values/weight.js';
import { floats, requireDType } from '../shared/dtypes.js';
import { type ConstantData, toLiteral } from '../shared/literal.js';
import { type Named, nonNegative } from '../shared/parameters.js';
import { liftRank } from '../shared/record-shuffle.js';
import { broadcastDim } from '../shared/shapes.js';

export const parametricRelu = defineLayer({
  kind: 'parametric_relu',
  params: z.strictObject({
    /** Dims of a known slope; null if it is a tensor. */
    slopeShape: z.array(nonNegative).nullable(),
  }),
  infer({ input, weights, params: { slopeShape }, fail }) {
    const { dtype, shape } = input(0);
    requireDType(dtype, floats, fail);
    const slope = weights.slope ?? input(1);
    requireDType(slope.dtype, [dtype], fail, 'slope');
    const dims = weights.slope ? slopeShape! : slope.shape;
    if (weights.slope && countOf(slopeShape!) !== countOf(weights.slope.shape)) {
      fail('ERR_SHAPE', `expected ${countOf(slopeShape!)} elements, given ${formatShape(weights.slope.shape)}`, {
        option: 'slope',
      });
    }
    if (dims.length !== shape.length || dims.some((dim, i) => dim !== 1 && broadcastDim(dim, shape[i]!) !== shape[i])) {
      fail('ERR_SHAPE', `expected a shape that broadcasts to ${formatShape(shape)}, given ${formatShape(dims)}`, {
        option: 'slope',
        expected: shape,
        actual: dims,
      });
    }
    return { dtype, shape };
  },
  cpu(g, { input, weights, params: { slopeShape }, outputTypes }) {
    const { dtype } = outputTypes[0]!;
    const x = input(0);
    const slope = weights.slope
      ? g.op('Reshape', [weights.slope, g.constant('int64', [slopeShape!.length], slopeShape!)], { allowzero: 1 })
      : input(1);
    const zero = g.constant(dtype, [], [0]);
    return g.op('Where', [g.op('Less', [x, zero]), g.op('Mul', [x, slope]), x]);
  },
});

export interface PReluOptions extends Named {
  /** As PyTorch's PReLU.weight: one slope, or one per channel (axis 1). */
  weight?: WeightLike | undefined;
  /** Slopes of a shape that broadcasts to the tensor's, from the right: a number, numbers, a weight, or a tensor. */
  slope?: ConstantData | Tensor | undefined;
}

const method = 'prelu';

const methods = {
  /**
   * `x < 0 ? slope·x : x`, of floats; the slope has the tensor's dtype. TensorRT kind: parametric_relu.
   * @throws ERR_SHAPE where the slopes do not broadcast to the tensor; ERR_DTYPE; ERR_INPUT unless one of weight and slope is given
   */
  prelu(this: TensorSource, options: PReluOptions): Tensor {
    const x = this.tensor();
    const { weight, slope = weight, name } = options ?? {};
    if (slope === undefined || (weight && slope !== weight)) {
      refuse(
        method,
        'ERR_INPUT',
        `expected one of weight and slope, given ${Object.keys(options ?? {}).join(', ') || 'none'}`,
      );
    }
    if (slope instanceof Tensor) {
      return x.network.record(parametricRelu, {
        method,
        name,
        inputs: [x, liftRank(slope, x.rank, method)],
        params: { slopeShape: null },
      })[0]!;
    }
    const literal = toLiteral(slope, { dtype: x.dtype }, method);
    const own = countOf(literal.shape) === 1 ? [] : [...literal.shape];
    // PyTorch's vector applies to axis 1.
    const trailing = weight && own.length === 1 ? Array(Math.max(0, x.rank - 2)).fill(1) : [];
    const leading = Array(Math.max(0, x.rank - own.length - trailing.length)).fill(1);
    return x.network.record(parametricRelu, {
      method,
      name,
      inputs: [x],
      weights: { slope: literal.weight },
      params: { slopeShape: [...leading, ...own, ...trailing] },
    })[0]!;
  },
};

export { methods as parametricReluMethods };
export type ParametricReluMethods = typeof methods;
