import { z } from 'zod';
import { defineLayer, type InferredValue } from '../../dsl/define-layer.js';
import { Tensor, type TensorSource } from '../../dsl/tensor.js';
import { show } from '../../errors/error.js';
import { refuse, refusing } from '../../errors/refusal.js';
import {
  addDims,
  type Dim,
  divideExactly,
  formatShape,
  isStatic,
  minDims,
  subDims,
  unknownDim,
} from '../../values/dim.js';
import { axisList, resolveAxis } from '../shared/axes.js';
import { type DimLike, resolveDims } from '../shared/dim-value.js';
import { requireDType } from '../shared/dtypes.js';
import { type Named, nonNegative, wholeNumber } from '../shared/parameters.js';
import type { PartsOf, Tensors } from '../shared/parts.js';
import { liftRank } from '../shared/record-shuffle.js';
import { recordSlice, type SliceOptions } from '../shared/record-slice.js';
import {
  checkBounds,
  type KnownBounds,
  known,
  pick,
  type SlicePartName,
  sampleModes,
  sliceParts,
} from '../shared/slice-bounds.js';
import { cpuSlice, type Part } from '../shared/slice-cpu.js';
import { recordSqueeze } from '../shared/unit-axes.js';

export const slice = defineLayer({
  kind: 'slice',
  params: z.strictObject({
    /** null if input 1, 2 or 3 gives it. */
    start: z.array(wholeNumber).max(8).nullable(),
    size: z.array(nonNegative).max(8).nullable(),
    stride: z.array(wholeNumber).max(8).nullable(),
    mode: z.enum(sampleModes),
  }),
  infer({ input, inputs, params, fail }): InferredValue {
    const x = input(0);
    const { dtype, shape, contents } = x;
    const [start, size, stride] = sliceParts.map((what, i) =>
      known(what, params[what], inputs[i + 1], shape.length, fail),
    ) as [KnownBounds, KnownBounds, KnownBounds];
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
    const part = (what: SlicePartName, i: number): Part => params[what] ?? g.cast(inputs[i]!, 'int64');
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

/** Options of `split` and `chunk`. */
export interface SplitOptions {
  /** Default 0. */
  axis?: number | undefined;
}

function chunked(x: Tensor, count: number, options: SplitOptions): Tensor[] {
  const method = 'chunk';
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
      `dim '${dim}' of axis ${at} is not known to be a multiple of ${count}; split takes sizes: x.split([…], { axis: ${at} })`,
    );
  }
  return splitInto(x, Array(count).fill(part), at, method);
}

const methods = {
  /**
   * Part of this tensor: along each axis the elements `start + i·stride`, for i from 0 to `size − 1`. TensorRT kind:
   * slice.
   *
   * @throws ERR_SHAPE where it reads outside in mode `strict_bounds`; ERR_PARAMETER, ERR_AXIS, ERR_DTYPE
   */
  slice(this: TensorSource, options: SliceOptions): Tensor {
    return recordSlice(this.tensor(), { ...options, method: 'slice' });
  },
  /**
   * `length` elements of an axis, from `start` on, like PyTorch's narrow. TensorRT kind: slice.
   * @throws see `slice`
   */
  narrow(this: TensorSource, axis: number, start: DimLike, length: DimLike, options: Named = {}): Tensor {
    return recordSlice(this.tensor(), { ...options, axes: [axis], start: [start], size: [length], method: 'narrow' });
  },
  /**
   * The slice at one index of an axis, without that axis, like PyTorch's select. The index may be a scalar tensor of
   * int32 or int64. TensorRT kinds: slice and squeeze, or gather.
   *
   * @throws ERR_SHAPE where the index is outside
   */
  select(this: TensorSource, axis: number, index: DimLike | Tensor, options: Named = {}): Tensor {
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
  split<const Sizes extends number | readonly DimLike[]>(
    this: TensorSource,
    sizes: Sizes,
    options: SplitOptions = {},
  ): PartsOf<Sizes> {
    return splitInto(this.tensor(), sizes, options.axis ?? 0, 'split') as PartsOf<Sizes>;
  },
  /**
   * `count` consecutive parts along an axis (default 0), all of one size but the last, like PyTorch's chunk. If there
   * are fewer elements there are fewer parts (the type has `count` all the same), but an empty axis gives `count`.
   * TensorRT kind: slice.
   *
   * @throws ERR_SHAPE where a dynamic axis is not known to divide
   */
  chunk<Count extends number>(this: TensorSource, count: Count, options: SplitOptions = {}): Tensors<Count> {
    return chunked(this.tensor(), count, options) as Tensors<Count>;
  },
  /** The elements in reverse along `axes` (one or several). TensorRT kind: slice. @throws ERR_AXIS */
  flip(this: TensorSource, axes: number | readonly number[], options: Named = {}): Tensor {
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
  expand(this: TensorSource, dims: readonly DimLike[] | Tensor, options: Named = {}): Tensor {
    return expandTo(this.tensor(), dims, options);
  },
};

/** Limit on the parts, each of which is a layer. */
const mostParts = 65_536;

function splitInto(x: Tensor, sizes: number | readonly DimLike[], axis: number, method: string): Tensor[] {
  const { network } = x;
  const at = resolveAxis(axis, x.rank, refusing(method));
  const dim = x.shape[at]!;
  if (typeof sizes === 'number' && (!Number.isInteger(sizes) || sizes < 1)) {
    refuse(method, 'ERR_PARAMETER', `expected a whole number from 1, given ${sizes}`, { option: 'sizes' });
  }
  if (typeof sizes === 'number' && !isStatic(dim)) {
    return refuse(
      method,
      'ERR_SHAPE',
      `expected all sizes along axis ${at}, which is dynamic ('${dim}'), given ${sizes}; a size may be x.dim(${at}).sub(${sizes})`,
    );
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

/** 0 if an axis repeats, else 1; for a dynamic axis, the smaller of 1 and its size minus 1. */
const stridesOf = (x: Tensor, to: readonly Dim[] | Tensor): Dim[] =>
  x.shape.map((dim, axis) => {
    if (isStatic(dim)) return dim === 1 ? 0 : 1;
    return !(to instanceof Tensor) && to[axis] === dim ? 1 : minDims(1, subDims(dim, 1));
  });

export { methods as sliceMethods };
export type SliceMethods = typeof methods;
