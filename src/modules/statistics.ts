import type { Tensor, TensorSource } from '../dsl/tensor.js';
import { refuse, refusing } from '../errors/refusal.js';
import { type ReduceOptions, reducedAxes } from '../layers/kinds/reduce.js';
import { resolveAxes } from '../layers/shared/axes.js';
import { DimValue } from '../layers/shared/dim-value.js';
import { type Liftable, lift } from '../layers/shared/lift.js';
import type { Named } from '../layers/shared/parameters.js';
import { liftRank } from '../layers/shared/record-shuffle.js';
import { broadcastShapes } from '../layers/shared/shapes.js';
import { volume } from '../values/dim.js';
import { inFloat32, requireFloat, widened } from './in-float32.js';

/** The axes given in the options; all by default. */
function axesOf(x: Tensor, options: ReduceOptions, method: string): number[] {
  const axes = reducedAxes(x, options);
  if (!Array.isArray(axes))
    refuse(method, 'ERR_AXIS', `expected an axis or a list of axes, given ${String(axes)}`, { option: 'axes' });
  return resolveAxes(axes, x.rank, refusing(method));
}

export interface VarianceOptions extends ReduceOptions {
  /** Subtracted from the number of elements in the divisor. Default 1 (Bessel's correction), as in PyTorch; 0 for the mean of squares. */
  correction?: number | undefined;
}

function spread(self: TensorSource, method: string, options: VarianceOptions, root: boolean): Tensor {
  const { correction = 1, keepDims = false } = options;
  if (!Number.isSafeInteger(correction)) {
    refuse(method, 'ERR_PARAMETER', `expected a whole number, given ${String(correction)}`, { option: 'correction' });
  }
  const x = self.tensor();
  const axes = axesOf(x, options, method);
  const count = new DimValue(volume(axes.map((axis) => x.shape[axis]!))).sub(correction).max(0);
  return inFloat32(x, method, options, (wide, last) => {
    const squares = wide.sub(wide.mean({ axes, keepDims: true })).square();
    const sum = squares.sum({ axes, keepDims });
    return root ? sum.div(count).sqrt(last) : sum.div(count, last);
  });
}

export interface NormOptions extends ReduceOptions {
  /** The power. Infinity gives the largest magnitude, −Infinity the smallest, 0 the number of nonzero elements. Default 2. */
  p?: number | undefined;
}

function magnitude(x: Tensor, p: number, over: ReduceOptions, last: Named): Tensor {
  switch (p) {
    case 0:
      return x
        .ne(0)
        .cast(x.dtype)
        .sum({ ...over, ...last });
    case 1:
      return x.abs().sum({ ...over, ...last });
    case 2:
      return x.square().sum(over).sqrt(last);
    case Number.POSITIVE_INFINITY:
      return x.abs().max({ ...over, ...last });
    case Number.NEGATIVE_INFINITY:
      return x.abs().min({ ...over, ...last });
    default:
      return x
        .abs()
        .pow(p)
        .sum(over)
        .pow(1 / p, last);
  }
}

function checkPower(p: unknown, method: string): void {
  if (typeof p !== 'number' || Number.isNaN(p))
    refuse(method, 'ERR_PARAMETER', `expected a number, given ${String(p)}`, { option: 'p' });
}

/** The number of elements that meet the condition. */
function counted(flags: Tensor, x: Tensor, options: ReduceOptions, method: string): Tensor {
  return flags.cast('int32').sum({ axes: axesOf(x, options, method), keepDims: options.keepDims });
}

const isTrue = (x: Tensor): Tensor => (x.dtype === 'bool' ? x : x.ne(0));

export interface NormalizeOptions extends Named {
  /** Default 2. */
  p?: number | undefined;
  /** Default 1. */
  axis?: number | undefined;
  /** Default 1e-12. */
  eps?: number | undefined;
}

export interface CosineSimilarityOptions extends Named {
  /** The axis of the vectors, counted in the broadcast shape. Default 1. */
  axis?: number | undefined;
  /** Least length that a vector is divided by. Default 1e-8. */
  eps?: number | undefined;
}

const methods = {
  /**
   * Variance over `axes` (default all), `Σ (x − mean)² / (n − correction)`, of floats, computed in float32. NaN if
   * there is nothing to divide by. TensorRT kinds: reduce (AVG, SUM), element_wise.
   *
   * @throws ERR_AXIS, ERR_DTYPE, ERR_PARAMETER
   */
  var(this: TensorSource, options: VarianceOptions = {}): Tensor {
    return spread(this, 'var', options, false);
  },
  /**
   * Standard deviation, the square root of `var`. TensorRT kinds: reduce (AVG, SUM), element_wise, unary (SQRT).
   * @throws see `var`
   */
  std(this: TensorSource, options: VarianceOptions = {}): Tensor {
    return spread(this, 'std', options, true);
  },
  /**
   * `(Σ |x|ᵖ)^(1/p)` over `axes` (default all), of floats, computed in float32. TensorRT kinds: reduce, element_wise, unary.
   * @throws ERR_AXIS, ERR_DTYPE, ERR_PARAMETER
   */
  norm(this: TensorSource, options: NormOptions = {}): Tensor {
    const { p = 2, keepDims = false } = options;
    const x = this.tensor();
    checkPower(p, 'norm');
    const axes = axesOf(x, options, 'norm');
    return inFloat32(x, 'norm', options, (wide, last) => magnitude(wide, p, { axes, keepDims }, last));
  },
  /**
   * `x / max(norm, eps)` along `axis` (default 1), like PyTorch's normalize, with the p-norm. `p` is 2 and `eps` 1e-12
   * by default. TensorRT kinds: reduce, element_wise, unary.
   *
   * @throws ERR_AXIS, ERR_DTYPE, ERR_PARAMETER
   */
  normalize(this: TensorSource, options: NormalizeOptions = {}): Tensor {
    const method = 'normalize';
    const { p = 2, axis = 1, eps = 1e-12 } = options;
    const x = this.tensor();
    checkPower(p, method);
    if (typeof eps !== 'number')
      refuse(method, 'ERR_PARAMETER', `expected a number, given ${String(eps)}`, { option: 'eps' });
    const axes = axesOf(x, { axis }, method);
    return inFloat32(x, method, options, (wide, last) =>
      wide.div(magnitude(wide, p, { axes, keepDims: true }, {}).maximum(eps), last),
    );
  },
  /**
   * Cosine of the angle between the vectors of two tensors along `axis`, like PyTorch's cosine_similarity:
   * `Σ a / max(|a|, eps) · b / max(|b|, eps)`, of floats, computed in float32. Operands broadcast. `axis` is 1 and `eps`
   * 1e-8 by default. TensorRT kinds: reduce (SUM), element_wise, unary (SQRT).
   *
   * @throws ERR_AXIS, ERR_DTYPE, ERR_PARAMETER; ERR_SHAPE where the operands do not broadcast
   */
  cosineSimilarity(this: TensorSource, other: Liftable, options: CosineSimilarityOptions = {}): Tensor {
    const method = 'cosineSimilarity';
    const { axis = 1, eps = 1e-8 } = options;
    const x = this.tensor();
    requireFloat(x, method);
    const y = lift(other, x, method, (own) => own);
    if (typeof eps !== 'number')
      refuse(method, 'ERR_PARAMETER', `expected a number, given ${String(eps)}`, { option: 'eps' });
    // Operands that do not fit are refused as those of a product are.
    if (y.dtype !== x.dtype || y.network !== x.network) return x.mul(y);
    const rank = Math.max(x.rank, y.rank);
    const [a, b] = [liftRank(x, rank, method), liftRank(y, rank, method)];
    const shape = broadcastShapes(a.shape, b.shape, refusing(method)).map((dim) => new DimValue(dim));
    const axes = resolveAxes([axis], rank, refusing(method));
    return inFloat32(a, method, options, (wide, last) => {
      const unit = (vector: Tensor) => {
        const all = vector.expand(shape);
        return all.div(magnitude(all, 2, { axes, keepDims: true }, {}).maximum(eps));
      };
      return unit(wide)
        .mul(unit(widened(b)))
        .sum({ axes, ...last });
    });
  },
  /**
   * `log Σ eˣ` over `axes` (default all) without overflow, of floats, computed in float32.
   * TensorRT kinds: reduce (MAX, SUM), unary, element_wise, select, squeeze.
   * @throws ERR_AXIS, ERR_DTYPE
   */
  logSumExp(this: TensorSource, options: ReduceOptions = {}): Tensor {
    const method = 'logSumExp';
    const x = this.tensor();
    const axes = axesOf(x, options, method);
    return inFloat32(x, method, options, (wide, last) => {
      const over = { axes, keepDims: true };
      const top = wide.max(over);
      const shift = top.maskedFill(top.isinf(), 0);
      const log = wide.sub(shift).exp().sum(over).log();
      return options.keepDims ? log.add(shift, last) : log.add(shift).squeeze(axes, last);
    });
  },
  /**
   * Whether any element along `axes` (default all) is true, of bools or of numbers, where anything but 0 is true. False
   * if there are no elements. TensorRT kinds: cast, reduce (SUM), element_wise (GREATER).
   *
   * @throws ERR_AXIS, ERR_DTYPE
   */
  any(this: TensorSource, options: ReduceOptions = {}): Tensor {
    const x = this.tensor();
    return counted(isTrue(x), x, options, 'any').gt(0, { name: options.name });
  },
  /**
   * Whether all elements along `axes` (default all) are true, of bools or of numbers, where anything but 0 is true.
   * True if there are no elements. TensorRT kinds: unary (NOT), cast, reduce (SUM), element_wise (EQUAL).
   *
   * @throws ERR_AXIS, ERR_DTYPE
   */
  all(this: TensorSource, options: ReduceOptions = {}): Tensor {
    const x = this.tensor();
    return counted(isTrue(x).logicalNot(), x, options, 'all').eq(0, { name: options.name });
  },
};

export { methods as statisticsMethods };
export type StatisticsMethods = typeof methods;
