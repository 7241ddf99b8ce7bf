import { z } from 'zod';
import { defineLayer, type Fail } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { type Dim, formatShape, isStatic, type Shape } from '../../values/dim.js';
import { wrapAxis } from '../shared/axes.js';
import { indexTypes, requireDType } from '../shared/dtypes.js';
import { requireWithin } from '../shared/known-indices.js';
import { constantTensor, type Liftable } from '../shared/lift.js';
import { type Named, nonNegative } from '../shared/parameters.js';
import { requireRank } from '../shared/shapes.js';

/** TensorRT's ScatterMode. */
const scatterModes = ['element', 'nd'] as const;
/** TensorRT's ScatterMode. @useDeclaredType */
export type ScatterMode = (typeof scatterModes)[number];

export const scatter = defineLayer({
  kind: 'scatter',
  params: z.strictObject({ mode: z.enum(scatterModes), axis: nonNegative }),
  infer({ input, params: { mode, axis }, fail }) {
    const [data, indices, updates] = [input(0), input(1), input(2)];
    requireDType(indices.dtype, indexTypes, fail, 'indices');
    requireRank(data.shape, 1, 8, fail);
    if (updates.dtype !== data.dtype) {
      fail('ERR_DTYPE', `expected the dtype of the data, ${data.dtype}, given ${updates.dtype}`, {
        option: 'updates',
        expected: data.dtype,
        actual: updates.dtype,
      });
    }
    const expected = mode === 'element' ? elementUpdates() : ndUpdates(data.shape, indices.shape, fail);
    requireSame(expected, updates.shape, fail);
    const depth = mode === 'nd' ? (indices.shape.at(-1) as number) : 0;
    requireWithin(indices, mode === 'nd' ? data.shape.slice(0, depth) : [data.shape[axis]!], fail);
    return { dtype: data.dtype, shape: data.shape };

    function elementUpdates(): Shape {
      requireRank(indices.shape, data.shape.length, data.shape.length, fail, 'indices');
      if (axis >= data.shape.length) {
        fail('ERR_AXIS', `expected one from 0 to ${data.shape.length - 1}, given ${axis}`, {
          option: 'axis',
          actual: axis,
        });
      }
      for (const [i, dim] of indices.shape.entries()) {
        const size = data.shape[i]!;
        if (i !== axis && isStatic(dim) && isStatic(size) && dim > size) {
          fail(
            'ERR_SHAPE',
            `indices ${formatShape(indices.shape)} exceed the data ${formatShape(data.shape)} at axis ${i}`,
          );
        }
      }
      return indices.shape;
    }
  },
  cpu(g, { input, params: { mode, axis }, inputTypes }) {
    if (mode === 'element') return g.op('ScatterElements', [input(0), input(1), input(2)], { axis });
    const wide = inputTypes[1]!.dtype === 'int64' ? input(1) : g.cast(input(1), 'int64');
    return g.op('ScatterND', [input(0), wide, input(2)]);
  },
});

function ndUpdates(data: Shape, indices: Shape, fail: Fail): Shape {
  requireRank(indices, 1, 8, fail, 'indices');
  const depth = indices.at(-1)!;
  if (!isStatic(depth) || depth < 1 || depth > data.length) {
    fail('ERR_SHAPE', `expected a static last dim from 1 to ${data.length}, given ${formatShape(indices)}`, {
      option: 'indices',
      actual: depth,
    });
  }
  return [...indices.slice(0, -1), ...data.slice(depth as number)];
}

function requireSame(expected: Shape, updates: Shape, fail: Fail): void {
  const differs = (dim: Dim, i: number) => isStatic(dim) && isStatic(updates[i]!) && dim !== updates[i];
  if (expected.length !== updates.length || expected.some(differs)) {
    fail('ERR_SHAPE', `expected ${formatShape(expected)}, given ${formatShape(updates)}`, {
      option: 'updates',
      expected,
      actual: updates,
    });
  }
}

export interface ScatterOptions extends Named {
  /**
   * `element`: updates[i][j] goes to index indices[i][j] of `axis`, as PyTorch's scatter does; `nd`: the last axis of the
   * indices holds whole positions, as ONNX's ScatterND. Default `element`.
   */
  mode?: ScatterMode | undefined;
  /** The axis the indices count along in mode `element`; negative from the end. Default 0. */
  axis?: number | undefined;
}

const methods = {
  /**
   * This tensor with `updates` written at `indices` (int32 or int64; a tensor or numbers). If one element is written
   * twice, the result is undefined. Shape of the updates: in mode `element`, that of the indices; in mode `nd`, the
   * indices' without the last dim, then the dims of this tensor that no index counts along. TensorRT kind: scatter.
   *
   * @throws ERR_SHAPE, ERR_RANK, ERR_AXIS, ERR_DTYPE; ERR_VALUE where known indices are beyond their axis
   */
  scatter(this: TensorSource, indices: Liftable, updates: Liftable, options: ScatterOptions = {}): Tensor {
    const method = 'scatter';
    const { mode = 'element', axis = 0, name } = options;
    const x = this.tensor();
    const inputs = [
      x,
      constantTensor(x.network, indices, 'int32', method),
      constantTensor(x.network, updates, x.dtype, method),
    ];
    const params = { mode, axis: mode === 'nd' ? 0 : wrapAxis(axis, x.rank) };
    return x.network.record(scatter, { method, name, inputs, params })[0]!;
  },
};

export { methods as scatterMethods };
export type ScatterMethods = typeof methods;
