import { z } from 'zod';
import { defineLayer, type InferredValue } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { formatShape } from '../../values/dim.js';
import { axisList, resolveAxes } from '../shared/axes.js';
import { type Named, nonNegative } from '../shared/parameters.js';
import { recordSqueeze } from '../shared/unit-axes.js';

export const squeeze = defineLayer({
  kind: 'squeeze',
  takesNarrow: true,
  params: z.strictObject({ axes: z.array(nonNegative).max(8) }),
  infer({ input, params, fail }): InferredValue {
    const { dtype, shape, contents } = input(0);
    const removed = new Set(resolveAxes(params.axes, shape.length, fail));
    for (const axis of removed) {
      if (shape[axis] !== 1) {
        fail('ERR_SHAPE', `axis ${axis} of ${formatShape(shape)}: expected size 1, given ${shape[axis]}`, {
          expected: 1,
          actual: shape[axis],
        });
      }
    }
    const result = shape.filter((_, axis) => !removed.has(axis));
    return contents && result.length <= 1 ? { dtype, shape: result, contents } : { dtype, shape: result };
  },
  cpu: (g, { input, params: { axes } }) => g.op('Squeeze', [input(0), g.constant('int64', [axes.length], axes)]),
});

const methods = {
  /**
   * Removes axes of size 1. TensorRT kind: squeeze.
   * @param axes one axis or several, negative from the end. Default: every axis of size 1
   * @throws ERR_SHAPE where an axis has another size, or a dynamic one
   */
  squeeze(this: TensorSource, axes?: number | readonly number[], options: Named = {}): Tensor {
    const x = this.tensor();
    const given = axes ?? x.shape.flatMap((dim, axis) => (dim === 1 ? [axis] : []));
    return recordSqueeze(x, axisList(given, x.rank), 'squeeze', options);
  },
};

export { methods as squeezeMethods };
export type SqueezeMethods = typeof methods;
