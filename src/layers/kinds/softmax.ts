import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { requireFront, resolveAxis, wrapAxis } from '../shared/axes.js';
import { floats, requireDType } from '../shared/dtypes.js';
import { type Named, wholeNumber } from '../shared/parameters.js';

export const softmax = defineLayer({
  kind: 'softmax',
  params: z.strictObject({ axis: wholeNumber }),
  infer({ input, params, fail }) {
    const { dtype, shape } = input(0);
    requireDType(dtype, floats, fail);
    resolveAxis(params.axis, shape.length, fail);
    requireFront([params.axis], fail);
    return { dtype, shape };
  },
  cpu(g, { input, params: { axis } }) {
    return g.op('Softmax', [input(0)], { axis });
  },
});

export interface SoftmaxOptions extends Named {
  /** Default −1. */
  axis?: number | undefined;
}

const methods = {
  /**
   * `exp(x) / Σ exp(x)` along `axis` (default −1), of floats of rank 1 or more. TensorRT kind: softmax.
   * @throws ERR_AXIS where the tensor has no such axis; ERR_DTYPE
   */
  softmax(this: TensorSource, options: SoftmaxOptions = {}): Tensor {
    const x = this.tensor();
    return x.network.record(softmax, {
      method: 'softmax',
      name: options.name,
      inputs: [x],
      params: { axis: wrapAxis(options.axis ?? -1, x.rank) },
    })[0]!;
  },
};

export { methods as softmaxMethods };
export type SoftmaxMethods = typeof methods;
