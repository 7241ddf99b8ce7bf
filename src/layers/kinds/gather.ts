import { z } from 'zod';
import { type CpuGraph, type CpuValue, defineLayer, type Fail, type InferredValue } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import { type Dim, formatShape, isStatic, type Shape } from '../../values/dim.js';
import type { WeightLike } from '../../values/weight.js';
import { wrapAxis } from '../shared/axes.js';
import { indexTypes, requireDType } from '../shared/dtypes.js';
import { fromEnd, requireWithin } from '../shared/known-indices.js';
import { constantTensor, type Liftable } from '../shared/lift.js';
import { type Named, nonNegative } from '../shared/parameters.js';
import { broadcastDim, requireRank } from '../shared/shapes.js';

/** TensorRT's GatherMode. */
const gatherModes = ['default', 'element', 'nd'] as const;
/** TensorRT's GatherMode. @useDeclaredType */
export type GatherMode = (typeof gatherModes)[number];

export const gather = defineLayer({
  kind: 'gather',
  params: z.strictObject({ mode: z.enum(gatherModes), axis: nonNegative, elementWiseDims: nonNegative }),
  infer({ input, params, fail }): InferredValue {
    const [data, indices] = [input(0), input(1)];
    requireDType(indices.dtype, indexTypes, fail, 'indices');
    requireRank(data.shape, 1, 8, fail);
    const dims = { default: defaultShape, element: elementShape, nd: ndShape }[params.mode];
    const shape = dims(data.shape, indices.shape, params, fail);
    requireWithin(indices, indexed(data.shape, indices.shape, params), fail);
    const contents = params.mode === 'default' && data.shape.length === 1 && pickContents(data, indices);
    return contents ? { dtype: data.dtype, shape, contents } : { dtype: data.dtype, shape };
  },
  cpu(g, { input, params: { mode, axis, elementWiseDims }, inputTypes }) {
    const [data, indices] = [input(0), input(1)];
    if (mode === 'element') return g.op('GatherElements', [data, indices], { axis });
    if (mode === 'nd') {
      const wide = inputTypes[1]!.dtype === 'int64' ? indices : g.cast(indices, 'int64');
      return g.op('GatherND', [data, wide], { batch_dims: elementWiseDims });
    }
    if (elementWiseDims === 0) return g.op('Gather', [data, indices], { axis });
    return batchedGather(g, data, indices, axis, inputTypes[0]!.shape, inputTypes[1]!.shape);
  },
});

interface GatherParams {
  mode: GatherMode;
  axis: number;
  elementWiseDims: number;
}

/** Sizes of the axes that the indices refer to, in turn. */
const indexed = (data: Shape, indices: Shape, { mode, axis, elementWiseDims: batch }: GatherParams): Shape =>
  mode === 'nd' ? data.slice(batch, batch + (indices.at(-1) as number)) : [data[axis]!];

function requireAxis({ axis, elementWiseDims }: GatherParams, rank: number, fail: Fail): void {
  if (axis >= rank || axis < elementWiseDims) {
    fail('ERR_AXIS', `expected one from ${elementWiseDims} to ${rank - 1}, given ${axis}`, {
      option: 'axis',
      actual: axis,
    });
  }
}

function defaultShape(data: Shape, indices: Shape, params: GatherParams, fail: Fail): Dim[] {
  const { axis, elementWiseDims: batch } = params;
  requireAxis(params, data.length, fail);
  if (batch > 1)
    fail('ERR_PARAMETER', `expected 0 or 1 in mode default, given ${batch}`, { option: 'elementWiseDims' });
  if (batch === 0) return [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)];
  requireRank(indices, 1, 8, fail, 'indices');
  const first = broadcastDim(data[0]!, indices[0]!);
  if (first === undefined) return mismatch(data, indices, 0, fail);
  return [first, ...data.slice(1, axis), ...indices.slice(1), ...data.slice(axis + 1)];
}

function elementShape(data: Shape, indices: Shape, params: GatherParams, fail: Fail): Dim[] {
  requireAxis(params, data.length, fail);
  if (params.elementWiseDims !== 0) fail('ERR_PARAMETER', 'expected 0 in mode element', { option: 'elementWiseDims' });
  requireRank(indices, data.length, data.length, fail, 'indices');
  for (const [i, dim] of indices.entries()) {
    if (i !== params.axis && isStatic(dim) && isStatic(data[i]!) && dim !== data[i]) mismatch(data, indices, i, fail);
  }
  return [...indices];
}

function ndShape(data: Shape, indices: Shape, { elementWiseDims: batch }: GatherParams, fail: Fail): Dim[] {
  requireRank(indices, batch + 1, 8, fail, 'indices');
  if (batch >= data.length) {
    fail('ERR_PARAMETER', `expected at most ${data.length - 1}, given ${batch}`, { option: 'elementWiseDims' });
  }
  for (let i = 0; i < batch; i++) {
    if (isStatic(data[i]!) && isStatic(indices[i]!) && data[i] !== indices[i]) mismatch(data, indices, i, fail);
  }
  const depth = indices.at(-1)!;
  if (!isStatic(depth) || depth < 1 || batch + depth > data.length) {
    fail('ERR_SHAPE', `expected a static last dim from 1 to ${data.length - batch}, given ${formatShape(indices)}`, {
      option: 'indices',
      actual: depth,
    });
  }
  return [...indices.slice(0, -1), ...data.slice(batch + (depth as number))];
}

const mismatch = (data: Shape, indices: Shape, axis: number, fail: Fail): never =>
  fail(
    'ERR_SHAPE',
    `indices ${formatShape(indices)} do not fit the data ${formatShape(data)}: axis ${axis} has ${indices[axis]} and ${data[axis]}`,
    { expected: data[axis], actual: indices[axis] },
  );

/** Elements picked from a shape tensor by known indices. */
function pickContents(data: InferredValue, indices: InferredValue): Dim[] | undefined {
  const { contents } = data;
  if (!contents || !indices.contents || indices.shape.length > 1) return undefined;
  const picked = indices.contents.map((i) => (isStatic(i) ? contents.at(i) : undefined));
  return picked.some((dim) => dim === undefined) ? undefined : (picked as Dim[]);
}

/** ONNX's Gather has no batch axis, so this uses GatherND along the second axis, between two transposes. */
function batchedGather(g: CpuGraph, x: CpuValue, indices: CpuValue, axis: number, data: Shape, at: Shape): CpuValue {
  const int64 = (...values: number[]) => g.constant('int64', [values.length], values);
  const head = (value: CpuValue) => g.op('Slice', [g.op('Shape', [value]), int64(0), int64(1)]);
  const both = g.op('Max', [head(x), head(indices)]);
  const spread = (value: CpuValue, rank: number) =>
    g.op('Expand', [
      value,
      g.op('Concat', [both, ...(rank > 1 ? [int64(...Array(rank - 1).fill(1))] : [])], { axis: 0 }),
    ]);
  const rank = data.length;
  const others = Array.from({ length: rank - 1 }, (_, i) => i + 1).filter((i) => i !== axis);
  const moved = g.op('Transpose', [spread(x, rank)], { perm: [0, axis, ...others] });
  const tuples = g.op('Unsqueeze', [g.cast(spread(indices, at.length), 'int64'), int64(-1)]);
  const gathered = g.op('GatherND', [moved, tuples], { batch_dims: 1 });
  // [batch, ...indices, ...others] → [batch, ...others before axis, ...indices, ...others after]
  const inner = at.length - 1;
  const order = [0];
  for (let i = 0; i < axis - 1; i++) order.push(1 + inner + i);
  for (let i = 0; i < inner; i++) order.push(1 + i);
  for (let i = axis - 1; i < others.length; i++) order.push(1 + inner + i);
  return g.op('Transpose', [gathered], { perm: order });
}

export interface GatherOptions extends Named {
  /** The axis of the data that the indices count along; negative from the end. Default 0; without meaning in mode `nd`. */
  axis?: number | undefined;
  /**
   * `default`: each index picks a slice, as PyTorch's index_select and NumPy's take do. `element`: each index picks one
   * element, as PyTorch's gather does. `nd`: the last axis of the indices holds whole positions, as ONNX's GatherND.
   */
  mode?: GatherMode | undefined;
  /** Leading axes that data and indices share. Default 0. */
  elementWiseDims?: number | undefined;
}

function record(x: Tensor, indices: Liftable, options: GatherOptions & { method: string }): Tensor {
  const { method, name, axis = 0, mode = 'default', elementWiseDims = 0 } = options;
  const at = mode === 'nd' ? 0 : wrapAxis(axis, x.rank);
  const counted = mode === 'default' ? fromEnd(indices, x.shape[at], x, method) : indices;
  return x.network.record(gather, {
    method,
    name,
    inputs: [x, constantTensor(x.network, counted, 'int32', method)],
    params: { mode, axis: at, elementWiseDims },
  })[0]!;
}

export interface EmbeddingOptions extends Named {
  /** The table, [count, features]. */
  weight: Tensor | WeightLike;
}

const methods = {
  /**
   * Picks elements or slices by int32 or int64 indices: a tensor, or numbers. Negative indices count from the end of an
   * axis; on a dynamic axis, only numbers in mode `default` may be negative. Shape of the result: in mode `default`,
   * the data's with the dim of `axis` replaced by the dims of the indices; in mode `element`, that of the indices; in
   * mode `nd`, the indices' without the last dim, then the dims of the data that no index counts along. TensorRT kind:
   * gather.
   *
   * @throws ERR_AXIS, ERR_SHAPE, ERR_RANK, ERR_PARAMETER; ERR_DTYPE where indices are no int32 or int64; ERR_VALUE
   *   where known ones are beyond their axis
   */
  gather(this: TensorSource, indices: Liftable, options: GatherOptions = {}): Tensor {
    return record(this.tensor(), indices, { ...options, method: 'gather' });
  },
  /**
   * The slices of `axis` at `indices` (rank 1), like PyTorch's index_select. TensorRT kind: gather (DEFAULT).
   *
   * @throws ERR_RANK where the indices have another rank; see `gather`
   */
  indexSelect(this: TensorSource, axis: number, indices: Liftable, options: Named = {}): Tensor {
    const method = 'indexSelect';
    const x = this.tensor();
    const counted = fromEnd(indices, x.shape[wrapAxis(axis, x.rank)], x, method);
    const index = constantTensor(x.network, counted, 'int32', method);
    if (index.rank !== 1)
      refuse(method, 'ERR_RANK', `expected rank 1, given ${formatShape(index.shape)}`, { option: 'indices' });
    return record(x, index, { ...options, axis, method });
  },
  /**
   * The rows of a table at this tensor's int32 or int64 indices: [...] → [..., features], like PyTorch's embedding.
   * TensorRT kind: gather (DEFAULT).
   */
  embedding(this: TensorSource, options: EmbeddingOptions): Tensor {
    const method = 'embedding';
    const indices = this.tensor();
    const { weight, name } = options;
    const table = constantTensor(indices.network, weight, undefined, method);
    return record(table, indices, { name, method });
  },
};

export { methods as gatherMethods };
export type GatherMethods = typeof methods;
