import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { floats, requireDType } from '../shared/dtypes.js';
import { float32Number, type Named } from '../shared/parameters.js';
import { requireRank } from '../shared/shapes.js';

const within = (low: number, high: number) =>
  float32Number.refine((v) => v >= Math.fround(low) && v <= Math.fround(high), {
    params: { expected: `a number from ${low} to ${high}` },
  });

export const lrn = defineLayer({
  kind: 'lrn',
  params: z.strictObject({
    window: z
      .int()
      .refine((v) => v % 2 === 1 && v >= 1 && v <= 15, { params: { expected: 'an odd number from 1 to 15' } }),
    alpha: within(-1e20, 1e20),
    beta: within(0.01, 1e5),
    k: within(1e-5, 1e10),
  }),
  infer({ input, fail }) {
    const { dtype, shape } = input(0);
    requireDType(dtype, floats, fail);
    requireRank(shape, 4, 4, fail);
    return { dtype, shape };
  },
  cpu(g, { input, params: p, outputTypes }) {
    // onnxruntime's LRN rejects an alpha of 0 or less, so the mean square is computed by pooling along the channels.
    const x = g.cast(input(0), 'float32');
    const number = (v: number) => g.constant('float32', [], [v]);
    const axis = g.constant('int64', [1], [1]);
    const reach = (p.window - 1) / 2;
    const pooled = g.op('AveragePool', [g.op('Unsqueeze', [g.op('Mul', [x, x]), axis])], {
      kernel_shape: [p.window, 1, 1],
      pads: [reach, 0, 0, reach, 0, 0],
      count_include_pad: 1,
    });
    const weighed = g.op('Mul', [g.op('Squeeze', [pooled, axis]), number(p.alpha)]);
    const y = g.op('Div', [x, g.op('Pow', [g.op('Add', [weighed, number(p.k)]), number(p.beta)])]);
    return g.cast(y, outputTypes[0]!.dtype);
  },
});

export interface LocalResponseNormOptions extends Named {
  /** Number of neighbouring channels, odd, at most 15. */
  size: number;
  /** Default 1e-4. */
  alpha?: number | undefined;
  /** Default 0.75. */
  beta?: number | undefined;
  /** Default 1. */
  k?: number | undefined;
}

const methods = {
  /**
   * `x / (k + alpha/size · Σ x²)^beta`, with the sum over `size` channels around each one, of a tensor of floats
   * [batch, channels, height, width]. The formula is that of PyTorch's LocalResponseNorm. TensorRT kind: lrn.
   *
   * @throws ERR_PARAMETER beyond TensorRT's ranges: alpha −1e20 … 1e20, beta 0.01 … 1e5, k 1e-5 … 1e10; ERR_RANK,
   *   ERR_DTYPE
   */
  localResponseNorm(this: TensorSource, options: LocalResponseNormOptions): Tensor {
    const { size, alpha = 1e-4, beta = 0.75, k = 1, name } = options ?? {};
    return this.tensor().network.record(lrn, {
      method: 'localResponseNorm',
      name,
      inputs: [this.tensor()],
      params: { window: size, alpha, beta, k },
    })[0]!;
  },
};

export { methods as lrnMethods };
export type LrnMethods = typeof methods;
