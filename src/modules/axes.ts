import { Tensor, type TensorSource } from '../dsl/tensor.js';
import { show } from '../errors/error.js';
import { refuse, refusing } from '../errors/refusal.js';
import { axisList, resolveAxes, resolveAxis } from '../layers/shared/axes.js';
import { type DimLike, DimValue, resolveDims } from '../layers/shared/dim-value.js';
import type { Named } from '../layers/shared/parameters.js';
import type { Tensors } from '../layers/shared/parts.js';
import { liftRank } from '../layers/shared/record-shuffle.js';
import { type Dim, floorDivDims, formatShape, isStatic, mulDims } from '../values/dim.js';
import { maxRank } from '../values/spec.js';

/** Sizes in a form that layers accept, even if one has no name. */
const valuesOf = (shape: readonly Dim[]): DimValue[] => shape.map((dim) => new DimValue(dim));

/** The shape repeated along each axis; there are at least as many repeats as axes. */
function repeated(x: Tensor, repeats: readonly Dim[], method: string, options: Named): Tensor {
  if (repeats.length > maxRank) {
    refuse(method, 'ERR_RANK', `expected at most ${maxRank}, given ${formatShape(repeats)}`, { option: 'repeats' });
  }
  if (repeats.length === 0) return x.identity(options);
  const wide = liftRank(x, repeats.length, method);
  const size = repeats.map((times, axis) => wide.dim(axis).mul(new DimValue(times)));
  return wide.slice({ ...options, start: repeats.map(() => 0), size, mode: 'wrap' });
}

function rolled(x: Tensor, shifts: readonly Dim[], axes: readonly number[], options: Named): Tensor {
  if (axes.some((axis) => x.shape[axis] === 0)) return x.identity(options);
  const start = axes.map((axis, i) => {
    const dim = x.shape[axis]!;
    const shift = shifts[i]!;
    return new DimValue(isStatic(dim) && isStatic(shift) ? (((-shift % dim) + dim) % dim) + 0 : mulDims(shift, -1));
  });
  const size = axes.map((axis) => x.dim(axis));
  return x.slice({ ...options, axes, start, size, mode: 'wrap' });
}

/** Side of the squares of pixels that are exchanged with channels. */
function checkFactor(x: Tensor, factor: number, method: string): void {
  if (x.rank < 3 || x.rank + 2 > maxRank) {
    refuse(method, 'ERR_RANK', `expected rank 3 [channels, height, width] to ${maxRank - 2}, given ${x}`);
  }
  if (!Number.isInteger(factor) || factor < 1) {
    refuse(method, 'ERR_PARAMETER', `expected a whole number from 1, given ${show(factor)}`, { option: 'factor' });
  }
}

/** A reshape checks a dynamic size at run time. */
function divided(x: Tensor, axis: number, by: number, method: string): Dim {
  const dim = x.shape[axis]!;
  if (isStatic(dim) && dim % by !== 0) {
    refuse(method, 'ERR_SHAPE', `expected a multiple of ${by} along axis ${axis}, given ${x}`, { actual: dim });
  }
  return floorDivDims(dim, by);
}

/** Options of `unbind`. */
export interface UnbindOptions<Count extends number = number> {
  /** Default 0. */
  axis?: number | undefined;
  /** The number of slices, if it is known: then the result is a tuple, `const [q, k, v] = qkv.unbind({ count: 3 })`. */
  count?: Count | undefined;
}

export interface RollOptions extends Named {
  /** One axis or several. Default: all elements are treated as one row. */
  axes?: number | readonly number[] | undefined;
}

const methods = {
  /**
   * The slices of an axis (default 0), each without that axis, like PyTorch's unbind. TensorRT kinds: slice, squeeze.
   *
   * @throws ERR_SHAPE where the axis has no known size, or another than `count`; ERR_AXIS
   */
  unbind<Count extends number = number>(this: TensorSource, options: UnbindOptions<Count> = {}): Tensors<Count> {
    const method = 'unbind';
    const { axis = 0, count } = options;
    const x = this.tensor();
    const at = resolveAxis(axis, x.rank, refusing(method));
    const size = x.shape[at]!;
    if (!isStatic(size)) return refuse(method, 'ERR_SHAPE', `expected a known size along axis ${axis}, given ${x}`);
    if (count !== undefined && count !== size) {
      const given = `${size} along axis ${axis} of ${x}`;
      refuse(method, 'ERR_SHAPE', `expected ${show(count)} slices, given ${given}`, { option: 'count', actual: size });
    }
    const slices = size === 0 ? [] : x.split(1, { axis: at }).map((part) => part.squeeze(at));
    return slices as Tensor[] as Tensors<Count>;
  },
  /**
   * Repeats the whole tensor the given number of times along each axis, like PyTorch's repeat. More repeats than axes
   * add axes in front. TensorRT kind: slice (WRAP).
   *
   * @param repeats whole numbers or sizes, one per axis
   *
   * @throws ERR_SHAPE where there are fewer repeats than axes; ERR_RANK
   */
  repeat(this: TensorSource, repeats: readonly DimLike[], options: Named = {}): Tensor {
    const method = 'repeat';
    const x = this.tensor();
    const times = resolveDims(x.network, repeats, 'repeats', method);
    if (times.length < x.rank) {
      const expected = `at least ${x.rank}, one per axis of ${formatShape(x.shape)}`;
      refuse(method, 'ERR_SHAPE', `expected ${expected}, given ${formatShape(times)}`, {
        option: 'repeats',
        expected: x.rank,
      });
    }
    return repeated(x, times, method, options);
  },
  /**
   * Same as `repeat`, but fewer repeats than axes apply to the last axes, like PyTorch's and NumPy's tile. TensorRT
   * kind: slice (WRAP).
   */
  tile(this: TensorSource, repeats: readonly DimLike[], options: Named = {}): Tensor {
    const x = this.tensor();
    const times = resolveDims(x.network, repeats, 'repeats', 'tile');
    return repeated(x, [...Array(Math.max(0, x.rank - times.length)).fill(1), ...times], 'tile', options);
  },
  /**
   * Moves elements along axes by `shifts`, like PyTorch's roll. Those that leave at the end come in at the front.
   * Without `axes`, all elements are treated as one row. TensorRT kinds: slice (WRAP), shuffle.
   *
   * @param shifts whole numbers or sizes (`x.dim(2).div(2)`), one per axis
   *
   * @throws ERR_PARAMETER where shifts and axes differ in number; ERR_AXIS
   */
  roll(this: TensorSource, shifts: DimLike | readonly DimLike[], options: RollOptions = {}): Tensor {
    const method = 'roll';
    const x = this.tensor();
    const { axes, name } = options;
    const list = [shifts].flat() as DimLike[];
    const over = axes === undefined ? [0] : axisList(axes, x.rank);
    const isShift = (by: DimLike) => typeof by !== 'number' || Number.isSafeInteger(by);
    if (!list.every(isShift) || !Array.isArray(over) || list.length !== over.length) {
      const given = `${show(shifts)} for axes ${axes === undefined ? 'all' : show(axes)}`;
      refuse(method, 'ERR_PARAMETER', `expected a whole number per axis, given ${given}`, {
        option: 'shifts',
        actual: shifts,
      });
    }
    const by = resolveDims(x.network, list, 'shifts', method, Number.MIN_SAFE_INTEGER);
    if (axes !== undefined) {
      resolveAxes(over, x.rank, refusing(method));
      return rolled(x, by, over, { name });
    }
    return rolled(x.reshape([-1]), by, [0], {}).reshape(valuesOf(x.shape), { name, zeroIsPlaceholder: false });
  },
  /**
   * Repeats axes of size 1 until the shape is that of `other`, like PyTorch's expand_as; see `expand`. TensorRT kind:
   * slice.
   */
  expandAs(this: TensorSource, other: Tensor, options: Named = {}): Tensor {
    if (!(other instanceof Tensor)) {
      refuse('expandAs', 'ERR_INPUT', `expected a tensor, given ${show(other)}`, { option: 'other' });
    }
    return this.expand(valuesOf(other.shape), options);
  },
  /**
   * [..., c·factor², h, w] → [..., c, h·factor, w·factor], like PyTorch's pixel_shuffle (Shi et al., 2016). TensorRT
   * kind: shuffle.
   *
   * @throws ERR_SHAPE where factor² does not divide the channels (a run fails where they are dynamic); ERR_RANK, ERR_PARAMETER
   */
  pixelShuffle(this: TensorSource, factor: number, options: Named = {}): Tensor {
    const method = 'pixelShuffle';
    const x = this.tensor();
    checkFactor(x, factor, method);
    const n = x.rank - 3;
    const lead = x.shape.slice(0, n);
    const [h, w] = [x.dim(-2), x.dim(-1)];
    const channels = new DimValue(divided(x, n, factor ** 2, method));
    const reshape = [...valuesOf(lead), channels, factor, factor, h, w];
    const secondTranspose = [...lead.keys(), n, n + 3, n + 1, n + 4, n + 2];
    return x
      .shuffle({ reshape, secondTranspose, zeroIsPlaceholder: false })
      .reshape([...valuesOf(lead), channels, h.mul(factor), w.mul(factor)], { ...options, zeroIsPlaceholder: false });
  },
  /**
   * [..., c, h·factor, w·factor] → [..., c·factor², h, w], like PyTorch's pixel_unshuffle. TensorRT kind: shuffle.
   *
   * @throws ERR_SHAPE where the factor does not divide height and width (a run fails where they are dynamic); ERR_RANK, ERR_PARAMETER
   */
  pixelUnshuffle(this: TensorSource, factor: number, options: Named = {}): Tensor {
    const method = 'pixelUnshuffle';
    const x = this.tensor();
    checkFactor(x, factor, method);
    const n = x.rank - 3;
    const lead = x.shape.slice(0, n);
    const [h, w] = [n + 1, n + 2].map((axis) => new DimValue(divided(x, axis, factor, method))) as [DimValue, DimValue];
    const channels = x.dim(n);
    const reshape = [...valuesOf(lead), channels, h, factor, w, factor];
    const secondTranspose = [...lead.keys(), n, n + 2, n + 4, n + 1, n + 3];
    return x
      .shuffle({ reshape, secondTranspose, zeroIsPlaceholder: false })
      .reshape([...valuesOf(lead), channels.mul(factor ** 2), h, w], { ...options, zeroIsPlaceholder: false });
  },
};

export { methods as axesMethods };
export type AxesMethods = typeof methods;
