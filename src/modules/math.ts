import type { Tensor, TensorSource } from '../dsl/tensor.js';
import type { Named } from '../layers/shared/parameters.js';

const methods = {
  /** `1 / √x`, of floats. TensorRT kind: unary (SQRT, RECIP). */
  rsqrt(this: TensorSource, options?: Named): Tensor {
    return this.sqrt().reciprocal(options);
  },
  /** Logarithm to the base 2, of floats. TensorRT kinds: unary (LOG), element_wise (PROD). */
  log2(this: TensorSource, options?: Named): Tensor {
    return this.log().mul(Math.LOG2E, options);
  },
  /**
   * `log(1 + x)` without its loss of precision near 0, of floats: `log(u) · (x / (u − 1))` for u = 1 + x (Kahan; Higham,
   * Accuracy and Stability of Numerical Algorithms, 1.14.1). TensorRT kinds: element_wise, unary (LOG), select.
   */
  log1p(this: TensorSource, options?: Named): Tensor {
    const x = this.tensor();
    const u = x.add(1);
    const log = u.log();
    const same = u.eq(1).logicalOr(u.eq(Number.POSITIVE_INFINITY));
    return x.div(u.sub(1)).mul(log).maskedFill(same, x, options);
  },
  /** Whether a float is neither infinite nor NaN; the result is bool. TensorRT kinds: unary (ISINF, ISNAN, NOT), element_wise (OR). */
  isfinite(this: TensorSource, options?: Named): Tensor {
    const x = this.tensor();
    return x.isinf().logicalOr(x.isnan()).logicalNot(options);
  },
};

export { methods as mathMethods };
export type MathMethods = typeof methods;
