import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { unknownDim } from '../../values/dim.js';
import { requireDType } from '../shared/dtypes.js';
import { requireRank } from '../shared/shapes.js';
import type { IndexOptions } from './topk.js';

export const nonZero = defineLayer({
  kind: 'non_zero',
  params: z.strictObject({ indices: z.enum(['int32', 'int64']) }),
  infer({ input, params: { indices }, fail }) {
    const { dtype, shape } = input(0);
    requireDType(dtype, ['float32', 'float16', 'bfloat16', 'int32', 'int64', 'bool'], fail);
    requireRank(shape, 1, 8, fail);
    return { dtype: indices, shape: [shape.length, unknownDim('non_zero')] };
  },
  cpu(g, { input, params: { indices }, inputTypes }) {
    const { dtype } = inputTypes[0]!;
    const x = dtype === 'float16' ? g.cast(input(0), 'bool') : input(0);
    const found = g.op('NonZero', [x]);
    return indices === 'int64' ? found : g.cast(found, indices);
  },
});

const methods = {
  /**
   * Positions of the elements that are not 0, in order: [rank, n], one column per element. n depends on the data.
   * PyTorch's nonzero returns the transpose. TensorRT kind: non_zero; TensorRT-RTX 1.7.1 has the layer but cannot build
   * it.
   *
   * @throws ERR_RANK for a scalar; ERR_DTYPE
   */
  nonZero(this: TensorSource, options: IndexOptions = {}): Tensor {
    const { indices = 'int32', name } = options;
    const x = this.tensor();
    return x.network.record(nonZero, { method: 'nonZero', name, inputs: [x], params: { indices } })[0]!;
  },
};

export { methods as nonZeroMethods };
export type NonZeroMethods = typeof methods;
