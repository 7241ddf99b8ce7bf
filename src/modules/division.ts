import { Tensor, type TensorSource } from '../dsl/tensor.js';
import { type Liftable, lift } from '../layers/shared/lift.js';
import type { Named } from '../layers/shared/parameters.js';
import { liftRank } from '../layers/shared/record-shuffle.js';
import { isFloat } from '../values/dtype.js';
import { named } from './results.js';

// Exponents of float32's normal numbers, but for the largest, whose inverse is not normal.
const [least, most] = [-126, 126];
const powers = Float32Array.from({ length: most - least + 1 }, (_, i) => 2 ** (i + least));
const inverses = powers.toReversed();

/** Bits by which whole numbers below 2²⁶ may be shifted within int64. */
const word = 36;
const shifts = BigInt64Array.from({ length: word }, (_, i) => 1n << BigInt(i));
/** Most whole words by which exponents of a dtype differ. */
const wordsOf = (x: Tensor): number => (x.dtype === 'float16' ? 1 : Math.floor((most - least) / word));

const whole = (a: Tensor, b: Tensor | number | bigint): Tensor => a.elementWise(b, { operation: 'div' });
const restOfWhole = (a: Tensor, b: Tensor | number): Tensor => a.sub(whole(a, b).mul(b));

/**
 * `a − b·trunc(a / b)` of float32, exactly for quotients of any size, like C's fmod. Both are scaled by powers of two to whole
 * numbers, and those are divided as by hand: bring down a word, keep the rest. Every operation but the logarithm is exact, and
 * the logarithm may be off by one.
 */
function restOfFloats(a: Tensor, b: Tensor, words: number): Tensor {
  const net = a.network;
  const [sizeA, sizeB] = [a.abs(), b.abs()];
  const exponentOf = (size: Tensor) =>
    size.log().mul(Math.LOG2E).floor().cast('int32').maximum(least).minimum(most).sub(least);
  const exponentB = exponentOf(sizeB);
  const exponentA = exponentOf(sizeA).maximum(exponentB);
  const [up, down] = [net.constant(powers), net.constant(inverses)];
  const scaled = (size: Tensor, exponent: Tensor) =>
    size
      .mul(down.gather(exponent))
      .mul(2 ** 24)
      .cast('int64');
  const divisor = scaled(sizeB, exponentB).maximum(1);
  const apart = exponentA.sub(exponentB);
  const shift = net.constant(shifts).gather(restOfWhole(apart, word));
  let rest = restOfWhole(scaled(sizeA, exponentA).mul(shift), divisor);
  for (let i = 1; i <= words; i++) {
    const longer = restOfWhole(rest.mul(2 ** word), divisor);
    rest = longer.where(apart.gt(i * word - 1), rest);
  }
  const size = rest
    .cast('float32')
    .mul(2 ** -24)
    .mul(up.gather(exponentB));
  const signed = size.neg().where(a.lt(0), size);
  const known = sizeA.lt(Number.POSITIVE_INFINITY).logicalAnd(sizeB.gt(0));
  return a.where(sizeA.lt(sizeB), signed).where(known, Number.NaN);
}

const truncated = (x: Tensor, options?: Named): Tensor => x.ceil().where(x.lt(0), x.floor(), options);

/** A power of two from 1 divides floats without rounding. */
const dividesExactly = (b: Liftable): boolean => typeof b === 'number' && b >= 1 && Number.isInteger(Math.log2(b));

interface Division {
  a: Tensor;
  b: Tensor;
  /** `a − b·trunc(a / b)`. */
  rest: Tensor;
  /** The result in the caller's dtype. */
  finish(result: Tensor, options?: Named): Tensor;
}

/** Floats are divided in float32. */
function dividing(x: Tensor, given: Liftable, method: string): Division {
  const by = lift(given, x, method);
  // Operands that do not fit are refused as those of other operations are.
  if (by.dtype !== x.dtype || by.network !== x.network) x.elementWise(by, { operation: 'div' });
  const wide = (tensor: Tensor) => (tensor.dtype === 'float32' ? tensor : tensor.cast('float32'));
  const [a, b] = [wide(liftRank(x, by.rank, method)), wide(liftRank(by, x.rank, method))];
  const rest = dividesExactly(given) ? a.sub(truncated(a.div(b)).mul(b)) : restOfFloats(a, b, wordsOf(x));
  const finish = (result: Tensor, options: Named = {}) =>
    x.dtype === 'float32' ? named(result, options) : result.cast(x.dtype, options);
  return { a, b, rest, finish };
}

/** Whether a rest that is not 0 has another sign than the divisor, so that the quotient was rounded up. */
const isOpposite = (rest: Tensor, b: Tensor): Tensor => rest.lt(0).logicalXor(b.lt(0)).logicalAnd(rest.ne(0));

function remainder(x: Tensor, given: Liftable, method: string, options?: Named): Tensor {
  if (!isFloat(x.dtype)) {
    const b = lift(given, x, method);
    return x.sub(x.elementWise(b, { operation: 'floor_div' }).mul(b), options);
  }
  const { b, rest, finish } = dividing(x, given, method);
  return finish(rest.add(b).where(isOpposite(rest, b), rest), options);
}

const methods = {
  /**
   * `⌊a / b⌋`, like PyTorch's floor_divide and Python's `//`: of the exact quotient, so that 0.7 by 0.1 gives 6. TensorRT
   * kinds: element_wise (FLOOR_DIV) of integers; of floats, which it would divide with a rounding, those of `fmod`.
   * `elementWise({ operation: 'floor_div' })` is TensorRT's own.
   *
   * @throws see `elementWise`
   */
  floorDiv(this: TensorSource, b: Liftable, options?: Named): Tensor {
    const x = this.tensor();
    if (!isFloat(x.dtype)) return x.elementWise(b, { ...options, operation: 'floor_div' });
    const division = dividing(x, b, 'floorDiv');
    const { a, b: by, rest, finish } = division;
    const quotient = a.div(by);
    const near = a.sub(rest).div(by);
    const floor = near.sub(1).where(isOpposite(rest, by), near).round();
    const signed = quotient.mul(0).where(floor.eq(0), floor);
    return finish(quotient.where(by.eq(0), signed), options);
  },
  /**
   * `a − b·trunc(a / b)`, exactly: the remainder has the sign of `a`, like `torch.fmod`, C's fmod and the `%` of C and
   * JavaScript. Of floats and integers. TensorRT kinds: element_wise, of floats also unary, cast, gather, select.
   *
   * @throws see `elementWise`
   */
  fmod(this: TensorSource, b: Liftable, options?: Named): Tensor {
    const x = this.tensor();
    if (isFloat(x.dtype)) {
      const { rest, finish } = dividing(x, b, 'fmod');
      return finish(rest, options);
    }
    const by = lift(b, x, 'fmod');
    return x.sub(x.elementWise(by, { operation: 'div' }).mul(by), options);
  },
  /**
   * `a − b·⌊a / b⌋`, exactly: the remainder has the sign of `b`, like `torch.remainder` and Python's `%`. Of floats and
   * integers. TensorRT kinds: element_wise, of floats also unary, cast, gather, select.
   *
   * @throws see `elementWise`
   */
  remainder(this: TensorSource, b: Liftable, options?: Named): Tensor {
    return remainder(this.tensor(), b, 'remainder', options);
  },
  /** Same as `remainder`. TensorRT kinds: element_wise, of floats also unary, cast, gather, select. */
  mod(this: TensorSource, b: Liftable, options?: Named): Tensor {
    return remainder(this.tensor(), b, 'mod', options);
  },
  /**
   * `a / b` as floats, like PyTorch's true_divide and `/`: integers are converted to float32 first, or to the dtype of a
   * float on the other side. TensorRT kinds: cast, element_wise (DIV).
   *
   * @throws see `elementWise`
   */
  trueDivide(this: TensorSource, b: Liftable, options?: Named): Tensor {
    const x = this.tensor();
    const other = b instanceof Tensor && isFloat(b.dtype) ? b.dtype : 'float32';
    const a = isFloat(x.dtype) ? x : x.cast(other);
    return a.div(b instanceof Tensor && !isFloat(b.dtype) ? b.cast(a.dtype) : b, options);
  },
  /**
   * The whole number next to x toward 0, like PyTorch's trunc; integers stay as they are. TensorRT kinds: unary (CEIL,
   * FLOOR), element_wise (LESS), select.
   */
  trunc(this: TensorSource, options?: Named): Tensor {
    const x = this.tensor();
    return isFloat(x.dtype) ? truncated(x, options) : x.identity(options);
  },
};

export { methods as divisionMethods };
export type DivisionMethods = typeof methods;
