import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { wrapAxis } from '../shared/axes.js';
import { floats, requireDType } from '../shared/dtypes.js';
import { type Named, nonNegative } from '../shared/parameters.js';
import { requireRank } from '../shared/shapes.js';

export const cumulative = defineLayer({
  kind: 'cumulative',
  params: z.strictObject({
    operation: z.enum(['sum']),
    axis: nonNegative,
    exclusive: z.boolean(),
    reverse: z.boolean(),
  }),
  infer({ input, params: { axis }, fail }) {
    const { dtype, shape } = input(0);
    requireDType(dtype, [...floats, 'int32', 'int64'], fail);
    requireRank(shape, 1, 8, fail);
    if (axis >= shape.length) {
      fail('ERR_AXIS', `expected one from ${-shape.length} to ${shape.length - 1}, given ${axis}`, {
        option: 'axis',
        actual: axis,
      });
    }
    return { dtype, shape };
  },
  cpu(g, { input, params: { axis, exclusive, reverse }, inputTypes }) {
    const { dtype } = inputTypes[0]!;
    // onnxruntime has no kernel for float16.
    const x = dtype === 'float16' ? g.cast(input(0), 'float32') : input(0);
    const sum = g.op('CumSum', [x, g.constant('int64', [], [axis])], { exclusive, reverse });
    return dtype === 'float16' ? g.cast(sum, dtype) : sum;
  },
});

export interface CumulativeOptions extends Named {
  /** Negative from the end. Default −1. */
  axis?: number | undefined;
  /** Whether an element's own value is left out of its sum. Default false. */
  exclusive?: boolean | undefined;
  /** Whether sums run from the last element. Default false. */
  reverse?: boolean | undefined;
}

const methods = {
  /**
   * Running sums along an axis (float32, float16, bfloat16, int32, int64). TensorRT kind: cumulative (SUM); before
   * TensorRT 10.9, a loop.
   *
   * @throws ERR_AXIS, ERR_DTYPE, ERR_RANK
   */
  cumsum(this: TensorSource, options: CumulativeOptions = {}): Tensor {
    const { axis = -1, exclusive = false, reverse = false, name } = options;
    const x = this.tensor();
    const params = { operation: 'sum' as const, axis: wrapAxis(axis, x.rank), exclusive, reverse };
    return x.network.record(cumulative, { method: 'cumsum', name, inputs: [x], params })[0]!;
  },
};

export { methods as cumulativeMethods };
export type CumulativeMethods = typeof methods;
