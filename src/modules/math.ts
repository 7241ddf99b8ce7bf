import { Tensor, type TensorSource } from '../dsl/tensor.js';
import { refuse, refusing } from '../errors/refusal.js';
import { resolveAxis } from '../layers/shared/axes.js';
import { type Liftable, lift } from '../layers/shared/lift.js';
import type { Named } from '../layers/shared/parameters.js';
import { isFloat } from '../values/dtype.js';
import { inFloat32, widened } from './in-float32.js';
import { named } from './results.js';

/** Whether numbers are below 0, or the zero that is. */
const isNegative = (x: Tensor): Tensor => x.lt(0).logicalOr(x.reciprocal().lt(0));

/** The angle in the first quadrant, then in that of the signs. */
function angle(y: Tensor, x: Tensor, last: Named): Tensor {
  const [height, width] = [y.abs(), x.abs()];
  const atInfinity = height.add(width).eq(Number.POSITIVE_INFINITY).logicalAnd(height.eq(width));
  const atZero = height.add(width).eq(0);
  const first = height.div(width).maskedFill(atInfinity, 1).maskedFill(atZero, 0).atan();
  const half = first.neg().add(Math.PI).where(isNegative(x), first);
  return half.neg().where(isNegative(y), half, last);
}

export interface CumprodOptions extends Named {
  /** Negative from the end. Default −1. */
  axis?: number | undefined;
}

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
  /**
   * The angle of the point (other, this) in radians, from −π to π, like PyTorch's atan2: of floats, computed in float32;
   * integers become float32. Zeros and infinities have the angles of C's atan2. TensorRT kinds: unary (ATAN, ABS, NEG,
   * RECIP), element_wise, select, cast.
   *
   * @throws ERR_DTYPE where two floats differ; ERR_SHAPE where the operands do not broadcast
   */
  atan2(this: TensorSource, other: Liftable, options: Named = {}): Tensor {
    const method = 'atan2';
    const given = this.tensor();
    const dtype = other instanceof Tensor && isFloat(other.dtype) ? other.dtype : 'float32';
    const y = isFloat(given.dtype) ? given : given.cast(dtype);
    const x = lift(other instanceof Tensor && !isFloat(other.dtype) ? other.cast(y.dtype) : other, y, method);
    // Operands that do not fit are refused as those of other operations are.
    if (x.dtype !== y.dtype || x.network !== y.network) return y.div(x, options);
    return inFloat32(y, method, options, (wide, last) => angle(wide, widened(x), last));
  },
  /**
   * `a + weight·(end − a)`, like PyTorch's lerp, of floats, computed in float32. From a weight of 0.5 on it starts at the
   * end, so that a weight of 1 gives exactly that. TensorRT kinds: element_wise; where the weight is a tensor, select.
   *
   * @throws ERR_DTYPE, ERR_SHAPE; ERR_VALUE where a number has no place in the dtype
   */
  lerp(this: TensorSource, end: Liftable, weight: Liftable, options: Named = {}): Tensor {
    const method = 'lerp';
    const a = this.tensor();
    const b = lift(end, a, method);
    const share = typeof weight === 'number' ? weight : lift(weight, a, method);
    for (const one of [b, share])
      if (one instanceof Tensor && (one.dtype !== a.dtype || one.network !== a.network)) return a.sub(one, options);
    return inFloat32(a, method, options, (start, last) => {
      const to = widened(b);
      const way = to.sub(start);
      if (typeof share === 'number') {
        return Math.abs(share) < 0.5 ? start.add(way.mul(share), last) : to.sub(way.mul(1 - share), last);
      }
      const part = widened(share);
      const fromEnd = to.sub(way.mul(part.neg().add(1)));
      return start.add(way.mul(part)).where(part.abs().lt(0.5), fromEnd, last);
    });
  },
  /**
   * Running products along an axis (default −1), like PyTorch's cumprod, of floats (in float32) and of int32 and int64,
   * which keep their dtype. TensorRT kind: loop.
   *
   * @throws ERR_AXIS, ERR_DTYPE, ERR_RANK
   */
  cumprod(this: TensorSource, options: CumprodOptions = {}): Tensor {
    const method = 'cumprod';
    const { axis = -1, name } = options;
    const x = this.tensor();
    if (x.rank === 0) refuse(method, 'ERR_RANK', `expected rank 1 or more, given ${x}`);
    const at = resolveAxis(axis, x.rank, refusing(method));
    const along = (values: Tensor, last: Named): Tensor => {
      const one = values.select(at, 0).onesLike();
      const { outputs } = values.network.loop(
        { state: { product: one }, iterate: { x: { tensor: values, axis: at } } },
        ({ product, x: factor }) => {
          const next = product.mul(factor);
          return { state: { product: next }, outputs: { all: { tensor: next, axis: at } } };
        },
      );
      return named(outputs.all, last);
    };
    if (isFloat(x.dtype)) return inFloat32(x, method, { name }, along);
    if (x.dtype === 'int32' || x.dtype === 'int64') return along(x, { name });
    return refuse(method, 'ERR_DTYPE', `expected floats, int32 or int64, given ${x}`, { actual: x.dtype });
  },
  /** Whether a float is neither infinite nor NaN; the result is bool. TensorRT kinds: unary (ISINF, ISNAN, NOT), element_wise (OR). */
  isfinite(this: TensorSource, options?: Named): Tensor {
    const x = this.tensor();
    return x.isinf().logicalOr(x.isnan()).logicalNot(options);
  },
};

export { methods as mathMethods };
export type MathMethods = typeof methods;
