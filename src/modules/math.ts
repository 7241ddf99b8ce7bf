import type { Chain, Tensor } from '../dsl/tensor.js';
import type { Named } from '../layers/common.js';

const methods = {
  /** `1 / √x`, of floats. TensorRT kind: unary (SQRT, RECIP). */
  rsqrt(this: Chain, options?: Named): Tensor {
    return this.sqrt().reciprocal(options);
  },
};

export { methods as rsqrtMethods };
export type RsqrtMethods = typeof methods;
