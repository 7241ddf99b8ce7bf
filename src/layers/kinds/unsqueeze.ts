import { z } from 'zod';
import { defineLayer, type InferredValue } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import type { Dim } from '../../values/dim.js';
import { axisList, resolveAxes } from '../shared/axes.js';
import { type Named, nonNegative } from '../shared/parameters.js';
import { recordUnsqueeze } from '../shared/unit-axes.js';

export const unsqueeze = defineLayer({
  kind: 'unsqueeze',
  takesNarrow: true,
  params: z.strictObject({ axes: z.array(nonNegative).max(8) }),
  infer({ input, params, fail }): InferredValue {
    const { dtype, shape, contents } = input(0);
    const rank = shape.length + params.axes.length;
    const added = new Set(resolveAxes(params.axes, rank, fail));
    const rest = [...shape];
    const result: Dim[] = Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : rest.shift()!));
    return contents && rank === 1 ? { dtype, shape: result, contents } : { dtype, shape: result };
  },
  cpu: (g, { input, params: { axes } }) => g.op('Unsqueeze', [input(0), g.constant('int64', [axes.length], axes)]),
});

const methods = {
  /**
   * Inserts axes of size 1. TensorRT kind: unsqueeze.
   * @param axes one axis or several, as counted in the result, negative from its end
   * @throws ERR_AXIS where an axis is out of range or given twice
   */
  unsqueeze(this: TensorSource, axes: number | readonly number[], options: Named = {}): Tensor {
    const x = this.tensor();
    const count = Array.isArray(axes) ? axes.length : 1;
    return recordUnsqueeze(x, axisList(axes, x.rank + count), 'unsqueeze', options);
  },
};

export { methods as unsqueezeMethods };
export type UnsqueezeMethods = typeof methods;
