import type { Fail } from '../../dsl/define-layer.js';
import { Tensor } from '../../dsl/tensor.js';
import { refusing } from '../../errors/refusal.js';
import { addDims, ceilDivDims, type Dim, floorDivDims, isStatic, isStaticShape, subDims } from '../../values/dim.js';
import { axisList, resolveAxis } from './axes.js';
import { type DimLike, resolveDims } from './dim-value.js';
import { type Liftable, lift } from './lift.js';
import type { Named } from './parameters.js';
import { recordGather } from './record-gather.js';
import { recordKind } from './record-kind.js';
import { shapeTensor } from './shape-tensor.js';
import type { SampleMode, SlicePartName } from './slice-bounds.js';

/** Whole numbers, names and expressions of dynamic dims, one per axis; or a rank-1 tensor of int32 or int64. */
export type SlicePart = readonly DimLike[] | Tensor;

export interface SliceOptions extends Named {
  /** First position along each axis. Negative ones count from the end in mode `strict_bounds`, and lie outside in other modes. Default: the first that the stride can start from. */
  start?: SlicePart | undefined;
  /** Sizes of the result. Default: all elements up to the end. */
  size?: SlicePart | undefined;
  /** Step along each axis; may be negative, or 0 to repeat. Default 1. */
  stride?: SlicePart | undefined;
  /** The axes that start, size and stride apply to; others are taken whole. Default: all. */
  axes?: readonly number[] | undefined;
  /** How to read outside the input. Default `strict_bounds`: an error. */
  mode?: SampleMode | undefined;
  /** Value outside the input in mode `fill`: a number, or a scalar tensor of the input's dtype. Default 0. */
  fill?: Liftable | undefined;
}

/** Values for all axes in TensorRT's form: numbers, or a tensor. */
function place(
  x: Tensor,
  given: Tensor | readonly Dim[],
  axes: readonly number[],
  whole: readonly Dim[],
  method: string,
): number[] | Tensor {
  const { network } = x;
  if (!(given instanceof Tensor)) {
    const all = whole.map((dim, axis) => (axes.includes(axis) ? given[axes.indexOf(axis)]! : dim));
    return isStaticShape(all) ? [...all] : shapeTensor(network, all, method);
  }
  if (axes.length === x.rank && axes.every((axis, i) => axis === i)) return given;
  // The caller's values and those of whole axes, in the order of the axes.
  const rest = shapeTensor(network, whole, method);
  const wide = given.dtype === 'int32' ? given.cast('int64') : given;
  const both = recordKind(network, 'concatenation', { method, inputs: [wide, rest], params: { axis: 0 } });
  const order = whole.map((_, axis) => (axes.includes(axis) ? axes.indexOf(axis) : axes.length + axis));
  return recordGather(both, order, 0, { method });
}

/** Records a slice. Every method that takes parts of a tensor ends here. */
export function recordSlice(x: Tensor, options: SliceOptions & { method: string }): Tensor {
  const { method, name, mode = 'strict_bounds', fill } = options;
  const { network } = x;
  const fail: Fail = refusing(method);
  const axes = (options.axes ? axisList(options.axes, x.rank) : x.shape.map((_, i) => i)).map((axis) =>
    resolveAxis(axis, x.rank, fail, 'axes'),
  );
  if (new Set(axes).size !== axes.length)
    fail('ERR_AXIS', `expected each axis once, given [${axes.join(', ')}]`, { option: 'axes' });
  const dims = axes.map((axis) => x.shape[axis]!);
  const list = (what: SlicePartName, atLeast: number): readonly Dim[] | Tensor | undefined => {
    const given = options[what];
    if (given === undefined || given instanceof Tensor) return given;
    const resolved = resolveDims(network, given, what, method, atLeast);
    if (resolved.length === axes.length) return resolved;
    return fail('ERR_PARAMETER', `expected one number per axis, ${axes.length}, given [${resolved.join(', ')}]`, {
      option: what,
      expected: axes.length,
      actual: resolved.length,
    });
  };
  const stride = list('stride', -(2 ** 31)) ?? axes.map(() => 1);
  const start =
    list('start', -(2 ** 31)) ??
    dims.map((dim, i) => (!(stride instanceof Tensor) && dim !== 0 && isNegative(stride[i]!) ? subDims(dim, 1) : 0));
  const from =
    mode === 'strict_bounds' && !(start instanceof Tensor)
      ? start.map((dim, i) => (isNegative(dim) ? fromEnd(dims[i]!, dim, axes[i]!, fail) : dim))
      : start;
  const size = list('size', 0) ?? dims.map((dim, i) => remaining(dim, from, stride, i, fail));
  const zeros = x.shape.map(() => 0);
  const given = {
    start: place(x, from, axes, zeros, method),
    size: place(x, size, axes, x.shape, method),
    stride: place(
      x,
      stride,
      axes,
      zeros.map(() => 1),
      method,
    ),
  };
  const filling = mode === 'fill' ? (fill ?? 0) : fill;
  const value = filling === undefined ? null : lift(filling, x, method, 0);
  const numbers = (part: number[] | Tensor) => (part instanceof Tensor ? null : part);
  const tensor = (part: number[] | Tensor) => (part instanceof Tensor ? part : null);
  return recordKind(network, 'slice', {
    method,
    name,
    inputs: [x, tensor(given.start), tensor(given.size), tensor(given.stride), value],
    params: { start: numbers(given.start), size: numbers(given.size), stride: numbers(given.stride), mode },
  });
}

/** A position that counts from the end. */
function fromEnd(size: Dim, given: Dim, axis: number, fail: Fail): Dim {
  const at = addDims(size, given);
  if (isNegative(at)) {
    fail('ERR_SHAPE', `expected ${-(size as number)} to ${(size as number) - 1} along axis ${axis}, given ${given}`, {
      option: 'start',
      expected: size,
      actual: given,
    });
  }
  return at;
}

const isNegative = (dim: Dim): boolean => isStatic(dim) && dim < 0;

/** The number of steps that stay within the axis. */
function remaining(
  dim: Dim,
  starts: Tensor | readonly Dim[],
  strides: Tensor | readonly Dim[],
  i: number,
  fail: Fail,
): Dim {
  if (starts instanceof Tensor || strides instanceof Tensor) {
    return fail('ERR_PARAMETER', 'expected sizes, as start or stride is a tensor', { option: 'size' });
  }
  const [start, stride] = [starts[i]!, strides[i]!];
  if (dim === 0) return 0;
  if (stride === 0) return fail('ERR_PARAMETER', 'expected sizes, as a stride is 0', { option: 'size' });
  const count = isNegative(stride)
    ? addDims(floorDivDims(start, -(stride as number)), 1)
    : ceilDivDims(subDims(dim, start), stride);
  return isStatic(count) ? Math.max(0, count) : count;
}
