import { z } from 'zod';
import { defineLayer, type Fail, type InferredValue } from '../../dsl/define-layer.js';
import { type Chain, Tensor } from '../../dsl/tensor.js';
import { show } from '../../errors/error.js';
import {
  addDims,
  ceilDivDims,
  type Dim,
  divideExactly,
  floorDivDims,
  formatShape,
  isStatic,
  isStaticShape,
  minDims,
  subDims,
  unknownDim,
} from '../../values/dim.js';
import { axisList, resolveAxis } from '../shared/axes.js';
import { type DimLike, resolveDims } from '../shared/dim-value.js';
import { requireDType } from '../shared/dtypes.js';
import { type Named, nonNegative, wholeNumber } from '../shared/parameters.js';
import { refuse, refusing } from '../shared/refuse.js';
import { shapeTensor } from '../shared/shape-tensor.js';
import { checkBounds, type Known, known, pick, type SampleMode, sampleModes } from '../shared/slice-bounds.js';
import { cpuSlice, type Part } from '../shared/slice-cpu.js';
import { concatenation } from './concatenation.js';
import { constantTensor, type Liftable, lift } from './constant.js';
import { gather } from './gather.js';
import { liftRank } from './shuffle.js';
import { recordSqueeze } from './squeeze.js';

const parts = ['start', 'size', 'stride'] as const;

export const slice = defineLayer({
  kind: 'slice',
  params: z.strictObject({
    /** null where input 1, 2 or 3 says it. */
    start: z.array(wholeNumber).max(8).nullable(),
    size: z.array(nonNegative).max(8).nullable(),
    stride: z.array(wholeNumber).max(8).nullable(),
    mode: z.enum(sampleModes),
  }),
  infer({ input, inputs, params, fail }): InferredValue {
    const x = input(0);
    const { dtype, shape, contents } = x;
    const [start, size, stride] = parts.map((what, i) =>
      known(what, params[what], inputs[i + 1], shape.length, fail),
    ) as [Known, Known, Known];
    const fill = inputs[4];
    if ((params.mode === 'fill') !== Boolean(fill)) {
      fail('ERR_INPUT', `expected a value in mode fill and in no other, the mode is ${params.mode}`, {
        option: 'fill',
      });
    }
    if (fill) {
      requireDType(fill.dtype, [dtype], fail, 'fill');
      if (fill.shape.length > 0)
        fail('ERR_RANK', `expected a scalar, given ${formatShape(fill.shape)}`, { option: 'fill' });
    }
    for (const [axis, dim] of shape.entries()) {
      checkBounds(axis, dim, [start[axis], size[axis], stride[axis]], params.mode, fail);
    }
    const result = shape.map((_, axis) => size[axis] ?? unknownDim('slice'));
    const picked =
      contents && params.mode === 'strict_bounds' ? pick(contents, start[0], size[0], stride[0]) : undefined;
    return picked ? { dtype, shape: result, contents: picked } : { dtype, shape: result };
  },
  cpu(g, { input, inputs, params, inputTypes }) {
    const part = (what: (typeof parts)[number], i: number): Part => params[what] ?? g.cast(inputs[i]!, 'int64');
    return cpuSlice(g, {
      x: input(0),
      ...inputTypes[0]!,
      start: part('start', 1),
      size: part('size', 2),
      stride: part('stride', 3),
      mode: params.mode,
      fill: inputs[4] ?? null,
    });
  },
});

/** Whole numbers, names and expressions of dynamic dims, one per axis; or a rank-1 tensor of int32 or int64. */
export type SlicePart = readonly DimLike[] | Tensor;

export interface SliceOptions extends Named {
  /** First position along each axis. Negative ones count from the end in mode `strict_bounds`, and lie outside in the others. Default: the first that the stride can start from. */
  start?: SlicePart;
  /** Sizes of the result. Default: up to the end. */
  size?: SlicePart;
  /** Step along each axis; may be negative, or 0 to repeat. Default 1. */
  stride?: SlicePart;
  /** The axes that start, size and stride tell of; the others stay whole. Default: all. */
  axes?: readonly number[];
  /** What lies outside the input. Default `strict_bounds`: an error. */
  mode?: SampleMode;
  /** Value of what lies outside in mode `fill`: a number, or a scalar tensor of the input's dtype. Default 0. */
  fill?: Liftable;
}

/** A list of the axes' values as TensorRT takes them: numbers, or a tensor. */
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
  // The caller's values and those of whole axes, put into the order of the axes.
  const rest = shapeTensor(network, whole, method);
  const wide = given.dtype === 'int32' ? given.cast('int64') : given;
  const both = network.record(concatenation, { method, inputs: [wide, rest], params: { axis: 0 } })[0]!;
  const order = whole.map((_, axis) => (axes.includes(axis) ? axes.indexOf(axis) : axes.length + axis));
  return network.record(gather, {
    method,
    inputs: [both, constantTensor(network, order, 'int32', method)],
    params: { mode: 'default', axis: 0, elementWiseDims: 0 },
  })[0]!;
}

/** Records a slice; every method that takes parts of a tensor ends here. */
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
  const list = (what: (typeof parts)[number], atLeast: number): readonly Dim[] | Tensor | undefined => {
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
      ? start.map((dim, i) => (isNegative(dim) ? addDims(dims[i]!, dim) : dim))
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
  return network.record(slice, {
    method,
    name,
    inputs: [x, tensor(given.start), tensor(given.size), tensor(given.stride), value],
    params: { start: numbers(given.start), size: numbers(given.size), stride: numbers(given.stride), mode },
  })[0]!;
}

const isNegative = (dim: Dim): boolean => isStatic(dim) && dim < 0;

/** How many steps stay within the axis. */
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

const methods = {
  /**
   * Part of this tensor: along each axis the elements `start + i·stride`, for i from 0 to `size − 1`. TensorRT kind:
   * slice.
   *
   * @throws ERR_SHAPE where it reads outside in mode `strict_bounds`; ERR_PARAMETER, ERR_AXIS, ERR_DTYPE
   */
  slice(this: Chain, options: SliceOptions): Tensor {
    return recordSlice(this.tensor(), { ...options, method: 'slice' });
  },
  /**
   * `length` elements of an axis, from `start` on, like PyTorch's narrow. TensorRT kind: slice.
   * @throws see `slice`
   */
  narrow(this: Chain, axis: number, start: DimLike, length: DimLike, options: Named = {}): Tensor {
    return recordSlice(this.tensor(), { ...options, axes: [axis], start: [start], size: [length], method: 'narrow' });
  },
  /**
   * The slice at one index of an axis, without that axis, like PyTorch's select. The index may be a scalar tensor of
   * int32 or int64. TensorRT kinds: slice and squeeze, or gather.
   *
   * @throws ERR_SHAPE where the index is outside
   */
  select(this: Chain, axis: number, index: DimLike | Tensor, options: Named = {}): Tensor {
    const method = 'select';
    const x = this.tensor();
    if (index instanceof Tensor) return x.gather(index, { ...options, axis });
    const at = resolveAxis(axis, x.rank, refusing(method));
    return recordSqueeze(recordSlice(x, { axes: [at], start: [index], size: [1], method }), [at], method, options);
  },
  /**
   * Consecutive parts along an axis (default 0), like PyTorch's split. TensorRT kind: slice.
   *
   * @param sizes their sizes; or one size for all, where the last part may be smaller
   *
   * @throws ERR_SHAPE where the sizes do not add up to the axis, or the number of parts is not known
   */
  split(this: Chain, sizes: number | readonly DimLike[], options: { axis?: number } = {}): Tensor[] {
    return splitInto(this.tensor(), sizes, options.axis ?? 0, 'split');
  },
  /**
   * `count` consecutive parts along an axis (default 0), all of one size but the last, like PyTorch's chunk. If there
   * are fewer elements there are fewer parts, but an empty axis gives `count`. TensorRT kind: slice.
   *
   * @throws ERR_SHAPE where a dynamic axis is not known to divide
   */
  chunk(this: Chain, count: number, options: { axis?: number } = {}): Tensor[] {
    const method = 'chunk';
    const x = this.tensor();
    const { axis = 0 } = options;
    const at = resolveAxis(axis, x.rank, refusing(method));
    if (!Number.isInteger(count) || count < 1 || count > mostParts) {
      refuse(method, 'ERR_PARAMETER', `expected a whole number from 1 to ${mostParts}, given ${show(count)}`, {
        option: 'count',
      });
    }
    const dim = x.shape[at]!;
    if (dim === 0) return splitInto(x, Array(count).fill(0), at, method);
    if (isStatic(dim)) return splitInto(x, Math.ceil(dim / count), at, method);
    const part = divideExactly(dim, count);
    if (part === undefined) {
      return refuse(
        method,
        'ERR_SHAPE',
        `dim '${dim}' is not known to be a multiple of ${count}; use split with sizes`,
      );
    }
    return splitInto(x, Array(count).fill(part), at, method);
  },
  /** The elements in reverse along `axes` (one or several). TensorRT kind: slice. @throws ERR_AXIS */
  flip(this: Chain, axes: number | readonly number[], options: Named = {}): Tensor {
    const x = this.tensor();
    const list = axisList(axes, x.rank);
    if (!Array.isArray(list))
      refuse('flip', 'ERR_AXIS', `expected an axis or a list of axes, given ${show(axes)}`, { option: 'axes' });
    return recordSlice(x, { ...options, axes: list, stride: list.map(() => -1), method: 'flip' });
  },
  /**
   * Repeats axes of size 1, and adds axes in front, until the shape is `dims`, like PyTorch's expand. −1 keeps a dim. A
   * dynamic dim is repeated if it is 1 at run time. TensorRT kind: slice, with stride 0.
   *
   * @throws ERR_SHAPE where a dim of another size than 1 would change
   */
  expand(this: Chain, dims: readonly DimLike[] | Tensor, options: Named = {}): Tensor {
    return expandTo(this.tensor(), dims, options);
  },
};

/** Each part is a layer. */
const mostParts = 65_536;

function splitInto(x: Tensor, sizes: number | readonly DimLike[], axis: number, method: string): Tensor[] {
  const { network } = x;
  const at = resolveAxis(axis, x.rank, refusing(method));
  const dim = x.shape[at]!;
  if (typeof sizes === 'number' && (!Number.isInteger(sizes) || sizes < 1)) {
    refuse(method, 'ERR_PARAMETER', `expected a whole number from 1, given ${sizes}`, { option: 'sizes' });
  }
  if (typeof sizes === 'number' && !isStatic(dim)) {
    return refuse(method, 'ERR_SHAPE', `axis ${at} is dynamic ('${dim}'): give all sizes`);
  }
  if (typeof sizes === 'number' && (dim as number) / sizes > mostParts) {
    refuse(method, 'ERR_PARAMETER', `${sizes} makes more than ${mostParts} parts of ${dim}`, { option: 'sizes' });
  }
  const list =
    typeof sizes === 'number'
      ? Array.from({ length: Math.max(1, Math.ceil((dim as number) / sizes)) }, (_, i) =>
          Math.min(sizes, (dim as number) - i * sizes),
        )
      : resolveDims(network, sizes, 'sizes', method);
  const total = list.reduce(addDims, 0);
  if (total !== dim && isStatic(subDims(total, dim))) {
    refuse(method, 'ERR_SHAPE', `expected ${dim} in all along axis ${at}, given [${list.join(', ')}]`, {
      option: 'sizes',
      expected: dim,
      actual: total,
    });
  }
  let start: Dim = 0;
  return list.map((size) => {
    const part = recordSlice(x, { axes: [at], start: [start], size: [size], method });
    start = addDims(start, size);
    return part;
  });
}

function expandTo(x: Tensor, given: readonly DimLike[] | Tensor, { name }: Named): Tensor {
  const method = 'expand';
  const { network } = x;
  if (given instanceof Tensor) {
    const [rank] = given.shape;
    if (given.rank !== 1 || rank === undefined || !isStatic(rank) || rank < x.rank) {
      return refuse(
        method,
        'ERR_SHAPE',
        `expected a tensor of shape [n] with n from ${x.rank}, given ${formatShape(given.shape)}`,
        { option: 'dims' },
      );
    }
    const lifted = liftRank(x, rank, method);
    return recordSlice(lifted, { name, start: zerosOf(lifted), size: given, stride: stridesOf(lifted, given), method });
  }
  const target = resolveDims(network, given, 'dims', method, -1);
  if (target.length < x.rank) {
    refuse(method, 'ERR_SHAPE', `expected at least ${x.rank}, given ${formatShape(target)}`, { option: 'dims' });
  }
  const lifted = liftRank(x, target.length, method);
  const dims = target.map((dim, axis) => (dim === -1 ? lifted.shape[axis]! : dim));
  for (const [axis, dim] of dims.entries()) {
    const from = lifted.shape[axis]!;
    if (isStatic(from) && from !== 1 && from !== dim) {
      refuse(
        method,
        'ERR_SHAPE',
        `${formatShape(x.shape)} does not expand to ${formatShape(target)}: axis ${axis} has ${from}`,
        {
          expected: from,
          actual: dim,
        },
      );
    }
  }
  return recordSlice(lifted, { name, start: zerosOf(lifted), size: dims, stride: stridesOf(lifted, dims), method });
}

const zerosOf = (x: Tensor): number[] => x.shape.map(() => 0);

/** 0 where an axis repeats, else 1; for a dynamic axis the smaller of 1 and its size less 1. */
const stridesOf = (x: Tensor, to: readonly Dim[] | Tensor): Dim[] =>
  x.shape.map((dim, axis) => {
    if (isStatic(dim)) return dim === 1 ? 0 : 1;
    return !(to instanceof Tensor) && to[axis] === dim ? 1 : minDims(1, subDims(dim, 1));
  });

export { methods as sliceMethods };
export type SliceMethods = typeof methods;
