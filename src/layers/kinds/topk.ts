import { z } from 'zod';
import { type CpuValue, defineLayer } from '../../dsl/define-layer.js';
import { Tensor, type TensorSource } from '../../dsl/tensor.js';
import { refuse, refusing } from '../../errors/refusal.js';
import { type Dim, isStatic, isUnknown, unknownDim } from '../../values/dim.js';
import { resolveAxis, wrapAxis } from '../shared/axes.js';
import { type DimLike, DimValue, resolveDim } from '../shared/dim-value.js';
import { requireDType } from '../shared/dtypes.js';
import { constantTensor } from '../shared/lift.js';
import { type Named, nonNegative, positive } from '../shared/parameters.js';
import { requireRank } from '../shared/shapes.js';
import { recordSqueeze } from '../shared/unit-axes.js';

/** TensorRT's limit on k. */
const maxK = 3840;

export const topk = defineLayer({
  kind: 'topk',
  params: z.strictObject({
    operation: z.enum(['max', 'min']),
    /** null if input 1 gives it. */
    k: positive.max(maxK).nullable(),
    axis: nonNegative,
    indices: z.enum(['int32', 'int64']),
  }),
  infer({ input, inputs, params: p, fail }) {
    const { dtype, shape } = input(0);
    requireDType(dtype, ['float32', 'float16', 'bfloat16', 'int32', 'int64'], fail);
    requireRank(shape, 1, 8, fail);
    if (p.axis >= shape.length || p.axis < shape.length - 4) {
      const from = Math.max(0, shape.length - 4);
      fail('ERR_AXIS', `TensorRT takes one of the last four axes, ${from} to ${shape.length - 1}, given ${p.axis}`, {
        option: 'axis',
        actual: p.axis,
      });
    }
    const size = shape[p.axis]!;
    let k: Dim = p.k ?? unknownDim('topk');
    if (p.k === null) {
      const tensor = inputs[1] ?? fail('ERR_INPUT', 'expected a number or a tensor', { option: 'k' });
      requireDType(tensor.dtype, ['int32'], fail, 'k');
      requireRank(tensor.shape, 0, 0, fail, 'k');
      const known = tensor.contents?.[0];
      if (known !== undefined && !isUnknown(known)) k = known;
    }
    if (isStatic(k) && isStatic(size) && k > size) {
      fail('ERR_PARAMETER', `expected at most the ${size} elements of axis ${p.axis}, given ${k}`, {
        option: 'k',
        expected: size,
        actual: k,
      });
    }
    const result = shape.map((dim, i) => (i === p.axis ? k : dim));
    return [
      { dtype, shape: result },
      { dtype: p.indices, shape: result },
    ];
  },
  cpu(g, { input, inputs, params: p, inputTypes }) {
    const { dtype, shape } = inputTypes[0]!;
    // onnxruntime has no kernel for float16.
    const given = dtype === 'float16' ? g.cast(input(0), 'float32') : input(0);
    // Its kernel divides by the number of rows. If that may be 0, a row is added and cut off again.
    const open = shape.flatMap((dim, axis) => (axis !== p.axis && (dim === 0 || !isStatic(dim)) ? [axis] : []));
    const list = (values: number[]) => g.constant('int64', [values.length], values);
    const after = shape.map((_, axis) => Number(open.includes(axis)));
    const x = open.length > 0 ? g.op('Pad', [given, list([...after.map(() => 0), ...after])]) : given;
    const sizes = open.length > 0 ? g.op('Gather', [g.op('Shape', [given]), list(open)]) : null;
    const cut = (value: CpuValue) =>
      sizes ? g.op('Slice', [value, list(open.map(() => 0)), sizes, list(open)]) : value;
    const k =
      p.k === null
        ? g.op('Reshape', [g.cast(inputs[1]!, 'int64'), g.constant('int64', [1], [1])])
        : g.constant('int64', [1], [p.k]);
    const attributes = { axis: p.axis, largest: p.operation === 'max', sorted: true };
    const [values, indices] = g.ops('TopK', [x, k], attributes, 2).map(cut);
    return [
      dtype === 'float16' ? g.cast(values!, dtype) : values!,
      p.indices === 'int64' ? indices! : g.cast(indices!, 'int32'),
    ];
  },
});

/** dtype of positions. */
export interface IndexOptions extends Named {
  /** dtype of the indices. Default int32; int64 is a cast before TensorRT 10.14. */
  indices?: 'int32' | 'int64' | undefined;
}

export interface TopKOptions extends IndexOptions {
  /** One of the last four axes; default −1. */
  axis?: number | undefined;
  /** The largest elements, or else the smallest. Default true. */
  largest?: boolean | undefined;
}

/** A number, or a tensor if known only at run time. Anything but a number, dim or tensor is left for the schema to refuse. */
function countOf(x: Tensor, k: DimLike | Tensor, method: string): number | Tensor {
  if (typeof k === 'number' || !(k instanceof DimValue || typeof k === 'string')) return k;
  const dim = resolveDim(x.network, k, 'k', method, 1);
  return isStatic(dim) ? dim : constantTensor(x.network, new DimValue(dim), 'int32', method);
}

function record(x: Tensor, given: DimLike | Tensor, options: TopKOptions & { method: string }): [Tensor, Tensor] {
  const { method, name, axis = -1, largest = true, indices = 'int32' } = options;
  const k = countOf(x, given, method);
  return x.network.record(topk, {
    method,
    name,
    inputs: [x, k instanceof Tensor ? k : null],
    params: {
      operation: largest ? 'max' : 'min',
      k: k instanceof Tensor ? null : k,
      axis: wrapAxis(axis, x.rank),
      indices,
    },
  }) as [Tensor, Tensor];
}

export interface ArgOptions extends IndexOptions {
  /** One of the last four axes. Default: the index counts all elements, row by row. */
  axis?: number | undefined;
  /** Whether to keep the axis (every axis, if none is given) with size 1. Default false. */
  keepDims?: boolean | undefined;
}

function arg(self: TensorSource, method: string, largest: boolean, options: ArgOptions): Tensor {
  const { keepDims = false, axis, name, indices } = options;
  const x = self.tensor();
  const flat = axis === undefined && x.rank !== 1;
  const at = wrapAxis(axis ?? 0, x.rank);
  const kept = keepDims && !flat;
  const over = flat ? x.reshape([-1]) : x;
  const [, found] = record(over, 1, { method, largest, axis: at, indices, ...(kept && { name }) });
  if (kept) return found;
  return keepDims ? found.reshape(Array(x.rank).fill(1), { name }) : recordSqueeze(found, [at], method, { name });
}

export interface SortOptions extends IndexOptions {
  /** One of the last four axes; default −1. */
  axis?: number | undefined;
  /** Largest first. Default false. */
  descending?: boolean | undefined;
}

/** TensorRT can sort only as many elements as its topk accepts. */
function sorted(self: TensorSource, method: string, options: SortOptions): [Tensor, Tensor] {
  const { axis = -1, descending = false, name, indices } = options;
  const x = self.tensor();
  const at = resolveAxis(axis, x.rank, refusing(method));
  const size = x.shape[at]!;
  if (isStatic(size) && size > maxK) {
    refuse(method, 'ERR_SHAPE', `axis ${axis}: TensorRT sorts at most ${maxK} elements, given ${size}`, {
      expected: maxK,
      actual: size,
    });
  }
  return record(x, size, { method, name, axis: at, largest: descending, indices });
}

/** What `topk` and `sort` return: the values, and their indices. */
export type TopKResult = [values: Tensor, indices: Tensor];

const methods = {
  /**
   * The `k` largest (or smallest) elements of an axis, best first, and their positions: `[values, indices]`, both with
   * size k along the axis. TensorRT chooses which of equal elements comes first. TensorRT kind: topk.
   *
   * @param k 1 to 3840; a size (`x.dim(0).min(100)`); or a rank-0 int32 tensor, where the range of an input goes into
   *   the build's profile
   *
   * @throws ERR_PARAMETER where k exceeds the axis; ERR_AXIS, ERR_SHAPE, ERR_DTYPE (float32, float16, bfloat16, int32,
   *   int64)
   */
  topk(this: TensorSource, k: DimLike | Tensor, options: TopKOptions = {}): TopKResult {
    return record(this.tensor(), k, { ...options, method: 'topk' });
  },
  /**
   * The elements of an axis in order, smallest first, and their former positions: `[values, indices]`, like PyTorch's
   * sort. At most 3840 elements. TensorRT chooses the order of equal ones. TensorRT kind: topk.
   *
   * @throws ERR_SHAPE where the axis is longer; see `topk`
   */
  sort(this: TensorSource, options: SortOptions = {}): TopKResult {
    return sorted(this, 'sort', options);
  },
  /** The positions that sort the elements of an axis; see `sort`. TensorRT kind: topk. */
  argsort(this: TensorSource, options: SortOptions = {}): Tensor {
    return sorted(this, 'argsort', options)[1];
  },
  /**
   * Index of the largest element of an axis, or of all elements without `axis`, like PyTorch's argmax. TensorRT chooses
   * among equal elements. TensorRT kinds: topk (MAX), squeeze, shuffle.
   *
   * @throws see `topk`
   */
  argmax(this: TensorSource, options: ArgOptions = {}): Tensor {
    return arg(this, 'argmax', true, options);
  },
  /** Index of the smallest element; see `argmax`. TensorRT kinds: topk (MIN), squeeze, shuffle. @throws see `topk` */
  argmin(this: TensorSource, options: ArgOptions = {}): Tensor {
    return arg(this, 'argmin', false, options);
  },
};

export { methods as topkMethods };
export type TopkMethods = typeof methods;
