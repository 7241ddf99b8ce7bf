import { z } from 'zod';
import { defineLayer, type Fail, type InferredValue } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { show } from '../../errors/error.js';
import { refuse, refusing } from '../../errors/refusal.js';
import {
  type Dim,
  divideExactly,
  floorDivDims,
  formatShape,
  isStatic,
  isUnknown,
  ratioOfDims,
  type Shape,
  unknownDim,
  volume,
} from '../../values/dim.js';
import { maxRank } from '../../values/spec.js';
import { resolveAxis, wrapAxis } from '../shared/axes.js';
import { type DimLike, DimValue, resolveDims } from '../shared/dim-value.js';
import { movable, requireDType } from '../shared/dtypes.js';
import { type Named, nonNegative } from '../shared/parameters.js';
import { type ReshapeOptions, recordShuffle, type ShuffleOptions } from '../shared/record-shuffle.js';
import type { ReshapeDims } from '../shared/reshape-form.js';

const permutation = z.array(nonNegative).max(8).nullable();

export const shuffle = defineLayer({
  kind: 'shuffle',
  takesNarrow: true,
  params: z.strictObject({
    firstTranspose: permutation,
    /** In TensorRT's form: −1 is inferred, 0 copies if `zeroIsPlaceholder`. */
    reshape: z.array(z.int().min(-1)).max(8).nullable(),
    secondTranspose: permutation,
    zeroIsPlaceholder: z.boolean(),
  }),
  infer({ input, inputs, params: p, fail }): InferredValue {
    const { dtype, shape, contents } = input(0);
    requireDType(dtype, movable, fail);
    const first = permute(shape, p.firstTranspose, 'firstTranspose', fail);
    const target = inputs[1] ? fromTensor(inputs[1], fail) : p.reshape;
    const reshaped = target ? reshapeDims(first, target, p.zeroIsPlaceholder, fail) : first;
    const result = permute(reshaped, p.secondTranspose, 'secondTranspose', fail);
    return contents && result.length <= 1 ? { dtype, shape: result, contents } : { dtype, shape: result };
  },
  cpu(g, { inputs, input, params: p, inputTypes }) {
    let y = input(0);
    if (p.firstTranspose?.length) y = g.op('Transpose', [y], { perm: p.firstTranspose });
    const dims = inputs[1]
      ? inputTypes[1]!.dtype === 'int64'
        ? inputs[1]
        : g.cast(inputs[1], 'int64')
      : p.reshape && g.constant('int64', [p.reshape.length], p.reshape);
    if (dims) y = g.op('Reshape', [y, dims], { allowzero: !p.zeroIsPlaceholder });
    if (p.secondTranspose?.length) y = g.op('Transpose', [y], { perm: p.secondTranspose });
    return y;
  },
});

function permute(shape: Shape, order: readonly number[] | null, what: string, fail: Fail): Shape {
  if (!order) return shape;
  if (order.length !== shape.length || new Set(order).size !== order.length || order.some((i) => i >= order.length)) {
    fail(
      'ERR_AXIS',
      `expected each of the ${shape.length} axes of ${formatShape(shape)} once, given [${order.join(', ')}]`,
      { option: what, expected: shape.length, actual: order },
    );
  }
  return order.map((axis) => shape[axis]!);
}

/** The dims in a shape tensor, as far as they are known. */
function fromTensor({ dtype, shape, contents }: InferredValue, fail: Fail): Dim[] {
  if (dtype !== 'int32' && dtype !== 'int64')
    fail('ERR_DTYPE', `expected a tensor of int32 or int64, given ${dtype}`, { option: 'reshape', actual: dtype });
  const [length, ...others] = shape;
  if (length === undefined || others.length > 0)
    fail('ERR_RANK', `expected a tensor of rank 1, given ${formatShape(shape)}`, { option: 'reshape' });
  if (!isStatic(length!))
    fail('ERR_SHAPE', `expected a tensor of known length, the rank of the result, given [${length}]`, {
      option: 'reshape',
    });
  if ((length as number) > maxRank)
    fail('ERR_RANK', `expected at most ${maxRank} sizes, given ${length}`, { option: 'reshape' });
  return Array.from({ length: length as number }, (_, i) => {
    const dim = contents?.[i];
    return dim === undefined || isUnknown(dim) ? unknownDim('reshape') : dim;
  });
}

/** The number of elements of one shape per element of another; undefined if it depends on dynamic dims. */
function ratioOf(a: Shape, b: Shape): number | undefined {
  const left = [...b];
  const rest = a.filter((dim) => {
    const at = isStatic(dim) ? -1 : left.indexOf(dim);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  const [x, y] = [volume(rest), volume(left)];
  return x === y ? 1 : ratioOfDims(x, y);
}

/**
 * Sizes after TensorRT's reshape.
 * @throws ERR_SHAPE if the number of elements differs, or −1 cannot be inferred
 */
function reshapeDims(from: Shape, target: readonly Dim[], zeroIsPlaceholder: boolean, fail: Fail): Dim[] {
  const describe = `reshape of ${formatShape(from)} to ${formatShape(target)}`;
  const dims = target.map((dim, i) => {
    if (isStatic(dim) && dim < -1) fail('ERR_SHAPE', `${describe}: expected sizes from -1, given ${dim}`);
    if (dim !== 0 || !zeroIsPlaceholder) return dim;
    return from[i] ?? fail('ERR_SHAPE', `${describe}: 0 at index ${i} copies a dim that the input does not have`);
  });
  const total = volume(from);
  const inferred = dims.indexOf(-1);
  if (inferred !== dims.lastIndexOf(-1)) fail('ERR_SHAPE', `${describe}: expected at most one -1`);
  const others = dims.filter((_, i) => i !== inferred);
  const rest = volume(others);
  if (inferred < 0) {
    if ((ratioOf(from, dims) ?? 1) !== 1) {
      fail('ERR_SHAPE', `${describe}: the input has ${total} elements, the result would have ${rest}`, {
        expected: total,
        actual: rest,
      });
    }
    return dims;
  }
  if (rest === 0) fail('ERR_SHAPE', `${describe}: -1 cannot be inferred beside a dim of 0`);
  const count = ratioOf(from, others);
  if (count !== undefined && !Number.isInteger(count)) {
    fail('ERR_SHAPE', `${describe}: the input has ${total} elements, no multiple of ${rest}`, { actual: total });
  }
  return dims.map((dim, i) => (i === inferred ? floorDivDims(total, rest) : dim));
}

function unflatten(x: Tensor, axis: number, given: readonly DimLike[], options: Named): Tensor {
  const method = 'unflatten';
  const at = resolveAxis(axis, x.rank, refusing(method));
  const sizes = resolveDims(x.network, given, 'sizes', method, -1);
  const whole = x.shape[at]!;
  const open = sizes.indexOf(-1);
  const rest = volume(sizes.filter((_, i) => i !== open));
  const last = divideExactly(whole, rest);
  const differs = isStatic(whole) && isStatic(rest) && (open < 0 ? whole !== rest : last === undefined);
  if (sizes.length === 0 || open !== sizes.lastIndexOf(-1) || differs) {
    const expected = `sizes that make up ${whole}, at most one of them -1`;
    refuse(method, 'ERR_SHAPE', `expected ${expected}, given ${formatShape(sizes)}`, {
      option: 'sizes',
      expected: whole,
    });
  }
  const parts = open < 0 ? sizes : sizes.with(open, last ?? floorDivDims(whole, rest));
  const reshape = [...x.shape.slice(0, at), ...parts, ...x.shape.slice(at + 1)].map((dim) => new DimValue(dim));
  return recordShuffle(x, { ...options, reshape, zeroIsPlaceholder: false, method });
}

/** Checks a permutation passed by the caller. */
function permutationOf(x: Tensor, perm: readonly number[], method: string): readonly number[] {
  const axes = Array.isArray(perm) ? perm.map((axis) => wrapAxis(axis, x.rank)) : undefined;
  if (axes?.length === x.rank && x.shape.every((_, axis) => axes.includes(axis))) return axes;
  const expected = `each of the ${x.rank} axes of ${formatShape(x.shape)} once`;
  const given = Array.isArray(perm) ? `[${perm.join(', ')}]` : show(perm);
  return refuse(method, 'ERR_AXIS', `expected ${expected}, given ${given}`, {
    option: 'perm',
    expected: x.rank,
    actual: perm,
  });
}

export interface FlattenOptions extends Named {
  /** The first axis to merge. Default 1. */
  startDim?: number | undefined;
  /** The last one. Default −1. */
  endDim?: number | undefined;
}

const methods = {
  /**
   * The same elements in another shape. TensorRT kind: shuffle.
   *
   * @param dims numbers, −1 for one to infer, 0 to copy the dim at the same index, names and expressions of dynamic
   *   dims (`'batch'`, `x.shape[0]`, `'2*batch'`); or a rank-1 tensor of int32 or int64 of known length
   *
   * @throws ERR_SHAPE where the number of elements differs or a name is unknown; ERR_DTYPE or ERR_RANK for a bad tensor
   */
  reshape(this: TensorSource, dims: ReshapeDims | Tensor, options: ReshapeOptions = {}): Tensor {
    return recordShuffle(this.tensor(), { ...options, reshape: dims ?? (null as never), method: 'reshape' });
  },
  /** Same as `reshape`, under PyTorch's name. TensorRT kind: shuffle. */
  view(this: TensorSource, dims: ReshapeDims | Tensor, options: ReshapeOptions = {}): Tensor {
    return recordShuffle(this.tensor(), { ...options, reshape: dims ?? (null as never), method: 'view' });
  },
  /**
   * Splits one axis into several of the given sizes, like PyTorch's unflatten. One size may be −1. TensorRT kind:
   * shuffle.
   *
   * @throws ERR_SHAPE where the sizes do not make up the axis or a name is unknown; ERR_AXIS
   */
  unflatten(this: TensorSource, axis: number, sizes: readonly DimLike[], options: Named = {}): Tensor {
    return unflatten(this.tensor(), axis, sizes, options);
  },
  /**
   * Reorders the axes: axis `i` of the result is axis `perm[i]` of the input. By default all are reversed, as in NumPy.
   * Two numbers swap two axes, as in PyTorch: `x.transpose(-2, -1)`. TensorRT kind: shuffle.
   *
   * @throws ERR_AXIS where `perm` is no permutation, or an axis is out of range
   */
  transpose(
    this: TensorSource,
    perm?: readonly number[] | number,
    other?: number | Named,
    options: Named = {},
  ): Tensor {
    const method = 'transpose';
    const x = this.tensor();
    const axes = x.shape.map((_, i) => i);
    if (typeof perm === 'number') {
      const fail: Fail = refusing(method);
      const [a, b] = [resolveAxis(perm, x.rank, fail, 'perm'), resolveAxis(other as number, x.rank, fail, 'other')];
      return recordShuffle(x, { ...options, firstTranspose: axes.with(a, b).with(b, a), method });
    }
    if (typeof other === 'number') {
      refuse(method, 'ERR_AXIS', `expected a permutation, or two axes, given ${show(perm)} and ${other}`);
    }
    return recordShuffle(x, { ...other, firstTranspose: permutationOf(x, perm ?? axes.reverse(), method), method });
  },
  /** Same as `transpose`, under PyTorch's name. TensorRT kind: shuffle. */
  permute(this: TensorSource, perm: readonly number[], options: Named = {}): Tensor {
    return recordShuffle(this.tensor(), {
      ...options,
      firstTranspose: permutationOf(this.tensor(), perm, 'permute'),
      method: 'permute',
    });
  },
  /**
   * Merges the axes from `startDim` (default 1) to `endDim` (default −1) into one. A scalar becomes a tensor of one
   * element. TensorRT kind: shuffle.
   *
   * @throws ERR_AXIS where an axis is out of range, or `endDim` comes before `startDim`
   */
  flatten(this: TensorSource, options: FlattenOptions = {}): Tensor {
    const { startDim, endDim = -1, name } = options;
    const x = this.tensor();
    const method = 'flatten';
    if (x.rank === 0) return recordShuffle(x, { name, reshape: [1], method });
    const fail: Fail = refusing(method);
    const start = resolveAxis(startDim ?? 1, x.rank, fail, 'startDim');
    const end = resolveAxis(endDim, x.rank, fail, 'endDim');
    if (end < start)
      fail('ERR_AXIS', `expected an axis from ${start}, given ${endDim}`, { option: 'endDim', actual: endDim });
    const merged = volume(x.shape.slice(start, end + 1));
    const target = [...x.shape.slice(0, start), merged, ...x.shape.slice(end + 1)];
    return recordShuffle(x, { name, reshape: target, zeroIsPlaceholder: false, method });
  },
  /**
   * Transposes, reshapes and transposes again, in one layer. TensorRT kind: shuffle.
   *
   * @throws ERR_AXIS, ERR_SHAPE; see `transpose` and `reshape`
   */
  shuffle(this: TensorSource, options: ShuffleOptions): Tensor {
    return recordShuffle(this.tensor(), { ...options, method: 'shuffle' });
  },
};

export { methods as shuffleMethods };
export type ShuffleMethods = typeof methods;
