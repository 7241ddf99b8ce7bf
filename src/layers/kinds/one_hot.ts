import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import { formatShape, isStatic } from '../../values/dim.js';
import type { DType } from '../../values/dtype.js';
import { wrapAxis } from '../shared/axes.js';
import { cpuWhere } from '../shared/cpu-where.js';
import { type DimLike, DimValue, resolveDim } from '../shared/dim-value.js';
import { indexTypes, requireDType } from '../shared/dtypes.js';
import { constantTensor, type Liftable } from '../shared/lift.js';
import { type Named, nonNegative, positive } from '../shared/parameters.js';

export const oneHot = defineLayer({
  kind: 'one_hot',
  params: z.strictObject({ depth: positive, axis: nonNegative }),
  infer({ input, params: { depth, axis }, fail }) {
    const [indices, values] = [input(0), input(1)];
    requireDType(indices.dtype, indexTypes, fail, 'indices');
    requireDType(values.dtype, ['float32', 'float16', 'bfloat16', 'int32', 'int64', 'bool'], fail, 'values');
    if (values.shape.length !== 1 || values.shape[0] !== 2) {
      fail('ERR_SHAPE', `expected [off, on] of shape [2], given [${values.shape.join(', ')}]`, {
        option: 'values',
        expected: [2],
        actual: values.shape,
      });
    }
    const rank = indices.shape.length;
    if (axis > rank)
      fail('ERR_AXIS', `expected one from ${-rank - 1} to ${rank}, given ${axis}`, { option: 'axis', actual: axis });
    return { dtype: values.dtype, shape: [...indices.shape.slice(0, axis), depth, ...indices.shape.slice(axis)] };
  },
  // onnxruntime's OneHot does not accept scalars and supports few dtypes.
  cpu(g, { input, params: { depth, axis }, inputTypes, outputTypes }) {
    const rank = inputTypes[0]!.shape.length;
    const classes = g.constant(
      'int64',
      Array.from({ length: rank + 1 }, (_, i) => (i === axis ? depth : 1)),
      Array.from({ length: depth }, (_, i) => i),
    );
    const indices = g.op('Unsqueeze', [g.cast(input(0), 'int64'), g.constant('int64', [1], [axis])]);
    const [off, on] = [0, 1].map((i) => g.op('Gather', [input(1), g.constant('int64', [], [i])]));
    return cpuWhere(g, g.op('Equal', [indices, classes]), on!, off!, outputTypes[0]!.dtype);
  },
});

export interface OneHotOptions extends Named {
  /** Where the new axis goes in the result, negative from its end. Default −1. */
  axis?: number | undefined;
  /** `[off, on]`: two numbers, or a tensor of shape [2] whose dtype the result has. Default `[0, 1]`. */
  values?: Liftable | undefined;
  /** dtype of the result if `values` are numbers. Default float32. */
  dtype?: DType | undefined;
}

/** TensorRT needs the depth at build time. If it is dynamic, every index is compared with every class instead. */
function compared(indices: Tensor, values: Tensor, depth: DimValue, axis: number, { name }: Named): Tensor {
  const net = indices.network;
  const shape = Array.from({ length: indices.rank + 1 }, (_, i) => (i === axis ? depth : 1));
  const classes = net.arange(depth, { dtype: indices.dtype }).reshape(shape);
  const [off, on] = values.split(1) as [Tensor, Tensor];
  return on.where(indices.unsqueeze(axis).eq(classes), off, { name });
}

const methods = {
  /**
   * Adds an axis of size `depth`, with `on` at the index given by this int32 or int64 tensor and `off` elsewhere: [...]
   * → [..., depth]. TensorRT kind: one_hot; for a dynamic depth, fill, element_wise (EQUAL) and select.
   *
   * @param depth a number, or a size (`x.dim(1)`)
   *
   * @throws ERR_PARAMETER where the depth is no positive number; ERR_AXIS, ERR_DTYPE, ERR_SHAPE
   */
  oneHot(this: TensorSource, depth: DimLike, options: OneHotOptions = {}): Tensor {
    const method = 'oneHot';
    const { axis = -1, values: given = [0, 1], dtype = 'float32', name } = options;
    const indices = this.tensor();
    const values = constantTensor(indices.network, given, dtype, method);
    const at = wrapAxis(axis, indices.rank + 1);
    const size = typeof depth === 'number' ? depth : resolveDim(indices.network, depth, 'depth', method, 1);
    if (!isStatic(size)) {
      if (!indexTypes.includes(indices.dtype)) {
        const expected = indexTypes.join(', ');
        refuse(method, 'ERR_DTYPE', `expected ${expected}, given ${indices.dtype}`, {
          option: 'indices',
          actual: indices.dtype,
        });
      }
      if (String(values.shape) !== '2') {
        refuse(method, 'ERR_SHAPE', `expected [off, on] of shape [2], given ${formatShape(values.shape)}`, {
          option: 'values',
        });
      }
      return compared(indices, values, new DimValue(size), at, options);
    }
    return indices.network.record(oneHot, {
      method,
      name,
      inputs: [indices, values],
      params: { depth: size, axis: at },
    })[0]!;
  },
};

export { methods as oneHotMethods };
export type OneHotMethods = typeof methods;
