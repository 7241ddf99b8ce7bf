import { z } from 'zod';
import { defineLayer, type InferredValue } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { addDims, type Dim, maxDims, minDims, mulDims } from '../../values/dim.js';
import type { DType } from '../../values/dtype.js';
import { axisList, requireFront, resolveAxes, wrapAxis } from '../shared/axes.js';
import { cpuReduceIntegers } from '../shared/cpu-integers.js';
import { floats, requireDType } from '../shared/dtypes.js';
import { type Named, wholeNumber } from '../shared/parameters.js';

/** TensorRT's ReduceOperation, and the ONNX operator that computes the same. */
const onnxOperators = {
  sum: 'ReduceSum',
  prod: 'ReduceProd',
  max: 'ReduceMax',
  min: 'ReduceMin',
  avg: 'ReduceMean',
} as const;
/** TensorRT's ReduceOperation. @useDeclaredType */
export type ReduceOperation = keyof typeof onnxOperators;
const operations = Object.keys(onnxOperators) as [ReduceOperation, ...ReduceOperation[]];

const dtypes: readonly DType[] = [...floats, 'int32', 'int64', 'int8'];

/** Folds the known elements of a shape tensor. */
const folds: Partial<Record<ReduceOperation, (a: Dim, b: Dim) => Dim>> = {
  sum: addDims,
  prod: mulDims,
  max: maxDims,
  min: minDims,
};

export const reduce = defineLayer({
  kind: 'reduce',
  params: z.strictObject({ operation: z.enum(operations), axes: z.array(wholeNumber), keepDims: z.boolean() }),
  infer({ input, params: { operation, axes, keepDims }, fail }): InferredValue {
    const { dtype, shape, contents } = input(0);
    requireDType(dtype, operation === 'avg' ? floats : dtypes, fail);
    if (axes.length === 0 && shape.length > 0)
      fail('ERR_PARAMETER', 'expected at least one axis, given []', { option: 'axes' });
    const reduced = new Set(resolveAxes(axes, shape.length, fail));
    requireFront(axes, fail);
    const kept = shape.map((dim, axis) => (reduced.has(axis) ? 1 : dim));
    const result = keepDims ? kept : kept.filter((_, axis) => !reduced.has(axis));
    const fold = folds[operation];
    return contents?.length && fold && reduced.size === 1 && shape.length === 1
      ? { dtype, shape: result, contents: [contents.reduce(fold)] }
      : { dtype, shape: result };
  },
  cpu(g, { input, params: { operation, axes, keepDims }, inputTypes, outputTypes }) {
    const { dtype } = outputTypes[0]!;
    if (axes.length === 0) return g.op('Identity', [input(0)]);
    // onnxruntime rounds float16 at every step and cannot sum int8.
    const wide = dtype === 'float16' ? 'float32' : dtype === 'int8' ? 'int32' : undefined;
    const x = wide ? g.cast(input(0), wide) : input(0);
    const held = wide ?? dtype;
    if (operation !== 'avg' && (held === 'int32' || held === 'int64')) {
      const kept = cpuReduceIntegers(g, operation, x, held, inputTypes[0]!.shape, axes);
      const result = keepDims ? kept : g.op('Squeeze', [kept, g.constant('int64', [axes.length], axes)]);
      return wide ? g.cast(result, dtype) : result;
    }
    const over = g.constant('int64', [axes.length], axes);
    const result = g.op(onnxOperators[operation], [x, over], { keepdims: keepDims });
    // The mean of nothing is NaN, but onnxruntime returns 0.
    if (operation === 'avg' && axes.some((axis) => inputTypes[0]!.shape[axis] === 0)) {
      const zero = g.constant(wide ?? dtype, [], [0]);
      return g.cast(g.op('Div', [g.op('Mul', [result, zero]), zero]), dtype);
    }
    return wide ? g.cast(result, dtype) : result;
  },
});

export interface ReduceOptions extends Named {
  /** The axes to reduce, or one, negative from the end. Default: all. */
  axes?: number | readonly number[] | undefined;
  /** One axis to reduce, in addition to `axes` if both are given. */
  axis?: number | undefined;
  /** Whether to keep reduced axes with size 1. Default false. */
  keepDims?: boolean | undefined;
}

/** The axes given in the options, counted from the front. Axes out of range are left for the layer to refuse. */
export function reducedAxes(x: Tensor, { axis, axes }: ReduceOptions): number[] {
  if (axis === undefined && axes === undefined) return x.shape.map((_, i) => i);
  const list = axisList(axes ?? [], x.rank);
  return axis !== undefined && Array.isArray(list) ? [...list, wrapAxis(axis, x.rank)] : list;
}

function reduceBy(self: TensorSource, method: string, operation: ReduceOperation, options: ReduceOptions = {}): Tensor {
  const x = self.tensor();
  return x.network.record(reduce, {
    method,
    name: options.name,
    inputs: [x],
    params: { operation, axes: reducedAxes(x, options), keepDims: options.keepDims ?? false },
  })[0]!;
}

export interface ReduceByOptions extends ReduceOptions {
  /** What is computed along the axes. */
  operation: ReduceOperation;
}

const methods = {
  /** Any reduction by TensorRT's name. TensorRT kind: reduce. */
  reduce(this: TensorSource, options: ReduceByOptions): Tensor {
    return reduceBy(this, 'reduce', options?.operation, options);
  },
  /**
   * Sum over `axes` (default all) of floats, int32, int64, int8. TensorRT kind: reduce (SUM).
   * @throws ERR_AXIS where an axis is out of range or given twice
   */
  sum(this: TensorSource, options?: ReduceOptions): Tensor {
    return reduceBy(this, 'sum', 'sum', options);
  },
  /** Product over `axes` (default all); see `sum`. TensorRT kind: reduce (PROD). */
  prod(this: TensorSource, options?: ReduceOptions): Tensor {
    return reduceBy(this, 'prod', 'prod', options);
  },
  /** Largest element along `axes` (default all); see `sum`. TensorRT kind: reduce (MAX). */
  max(this: TensorSource, options?: ReduceOptions): Tensor {
    return reduceBy(this, 'max', 'max', options);
  },
  /** Smallest element along `axes` (default all); see `sum`. TensorRT kind: reduce (MIN). */
  min(this: TensorSource, options?: ReduceOptions): Tensor {
    return reduceBy(this, 'min', 'min', options);
  },
  /** Mean over `axes` (default all), of floats; see `sum`. TensorRT kind: reduce (AVG). */
  mean(this: TensorSource, options?: ReduceOptions): Tensor {
    return reduceBy(this, 'mean', 'avg', options);
  },
};

export { methods as reduceMethods };
export type ReduceMethods = typeof methods;
