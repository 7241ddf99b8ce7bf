import { checkUsable } from '../dsl/recording.js';
import { Tensor, type TensorSource } from '../dsl/tensor.js';
import { show } from '../errors/error.js';
import { refuse, refusing } from '../errors/refusal.js';
import { resolveAxis } from '../layers/shared/axes.js';
import { type DimLike, DimValue, resolveDims } from '../layers/shared/dim-value.js';
import type { Named } from '../layers/shared/parameters.js';
import { type Dim, formatShape, isStatic } from '../values/dim.js';
import { mostPositions } from './results.js';

export interface RepeatInterleaveOptions extends Named {
  /** Negative from the end. Default: all elements are treated as one row. */
  axis?: number | undefined;
  /** The sum of `repeats`, where they are a tensor. */
  outputSize?: DimLike | undefined;
}

/** Times that each element of an axis comes, as a tensor of known total: element j of the result is the first whose end is beyond j. */
function spread(x: Tensor, axis: number, repeats: Tensor, options: RepeatInterleaveOptions, method: string): Tensor {
  const { outputSize, name } = options;
  const { network: net } = x;
  const [size] = repeats.shape;
  const fits =
    repeats.rank === 1 && (size === 1 || !isStatic(size!) || !isStatic(x.shape[axis]!) || size === x.shape[axis]);
  if (!fits) {
    refuse(method, 'ERR_SHAPE', `expected one per element of axis ${axis} of ${x}, given ${repeats}`, {
      option: 'repeats',
    });
  }
  if (repeats.dtype !== 'int32' && repeats.dtype !== 'int64') {
    refuse(method, 'ERR_DTYPE', `expected int32 or int64, given ${repeats}`, {
      option: 'repeats',
      actual: repeats.dtype,
    });
  }
  if (outputSize === undefined) {
    refuse(method, 'ERR_PARAMETER', 'expected their sum, as repeats is a tensor, given none', { option: 'outputSize' });
  }
  const all = size === 1 ? repeats.expand([x.dim(axis)]) : repeats;
  const ends = all.cast('int32').cumsum();
  const positions = net.arange(outputSize).unsqueeze(1);
  const before = positions.ge(ends).cast('int32').sum({ axis: 1 });
  return x.gather(before.minimum(x.dim(axis).sub(1)), { axis, name });
}

/** One axis or several, each once, in the caller's order. */
function axesIn(given: unknown, rank: number, what: string, method: string): number[] {
  const list: unknown[] = Array.isArray(given) ? given : [given];
  const axes = list.map((axis) => resolveAxis(axis as number, rank, refusing(method), what));
  if (new Set(axes).size !== axes.length) {
    refuse(method, 'ERR_AXIS', `expected each axis once, given ${show(given)}`, { option: what });
  }
  return axes;
}

/** Axes in a new order: those of `source` go to the places of `destination`, the others keep their order. */
function moved(rank: number, source: readonly number[], destination: readonly number[]): number[] {
  const others = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !source.includes(axis));
  return Array.from({ length: rank }, (_, place) => {
    const i = destination.indexOf(place);
    return i < 0 ? others.shift()! : source[i]!;
  });
}

const methods = {
  /**
   * Repeats each element of an axis: [a, b] twice is [a, a, b, b], like PyTorch's repeat_interleave. Without `axis`, all
   * elements are treated as one row. TensorRT kinds: unsqueeze, slice, shuffle; for a list, gather; for a tensor, also
   * cumulative, fill, element_wise, reduce.
   *
   * @param repeats a size for all elements, one number per element, or a rank-1 tensor of int32 or int64 with
   *   `outputSize`. Where the sum of such a tensor is another, what lies beyond it is undefined
   *
   * @throws ERR_AXIS, ERR_SHAPE, ERR_PARAMETER, ERR_DTYPE
   */
  repeatInterleave(
    this: TensorSource,
    repeats: DimLike | readonly number[] | Tensor,
    options: RepeatInterleaveOptions = {},
  ): Tensor {
    const method = 'repeatInterleave';
    const given = this.tensor();
    const { axis, name } = options;
    const x = axis === undefined && given.rank !== 1 ? given.reshape([-1]) : given;
    const at = resolveAxis(axis ?? 0, x.rank, refusing(method));
    if (repeats instanceof Tensor) {
      checkUsable(x.network, repeats, method);
      return spread(x, at, repeats, options, method);
    }
    const list = Array.isArray(repeats) ? (repeats as readonly number[]) : [repeats as DimLike];
    if (list.length === 1) {
      const [times] = resolveDims(x.network, list, 'repeats', method) as [Dim];
      const sizes = x.shape.map((dim) => new DimValue(dim));
      const wide = x.unsqueeze(at + 1).expand([...sizes.slice(0, at + 1), new DimValue(times), ...sizes.slice(at + 1)]);
      const size = x.dim(at).mul(new DimValue(times));
      return wide.reshape([...sizes.slice(0, at), size, ...sizes.slice(at + 1)], { name, zeroIsPlaceholder: false });
    }
    const known = resolveDims(x.network, list, 'repeats', method);
    if (x.shape[at] !== known.length || !known.every(isStatic)) {
      const expected = `numbers for each element along axis ${axis ?? 0} of ${x}`;
      refuse(method, 'ERR_SHAPE', `expected ${expected}, given ${formatShape(known)}`, { option: 'repeats' });
    }
    const total = known.reduce<number>((sum, times) => sum + (times as number), 0);
    if (total > mostPositions) {
      const times = x.network.constant(known as number[], { dtype: 'int32' });
      return spread(x, at, times, { name, outputSize: total }, method);
    }
    const from = known.flatMap((times, i) => Array<number>(times as number).fill(i));
    return x.gather(Int32Array.from(from), { axis: at, name });
  },
  /**
   * Moves axes to other places; the others keep their order, like PyTorch's movedim and NumPy's moveaxis. TensorRT kind:
   * shuffle.
   *
   * @throws ERR_AXIS where an axis is out of range or given twice; ERR_PARAMETER where the two differ in number
   */
  movedim(
    this: TensorSource,
    source: number | readonly number[],
    destination: number | readonly number[],
    options: Named = {},
  ): Tensor {
    const method = 'movedim';
    const x = this.tensor();
    const [from, to] = [axesIn(source, x.rank, 'source', method), axesIn(destination, x.rank, 'destination', method)];
    if (from.length !== to.length) {
      const given = `${show(source)} to ${show(destination)}`;
      refuse(method, 'ERR_PARAMETER', `expected as many places as axes, given ${given}`, { option: 'destination' });
    }
    return x.permute(moved(x.rank, from, to), options);
  },
};

export { methods as orderMethods };
export type OrderMethods = typeof methods;
