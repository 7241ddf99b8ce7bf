import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Network } from '../../dsl/network.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { refusing } from '../../errors/refusal.js';
import { resolveAxis } from '../shared/axes.js';
import { type DimLike, DimValue, resolveDims } from '../shared/dim-value.js';
import type { Named } from '../shared/parameters.js';
import { shapeTensor } from '../shared/shape-tensor.js';

export const shape = defineLayer({
  kind: 'shape',
  takesNarrow: true,
  takesUint8: true,
  params: z.strictObject({}),
  infer({ input }) {
    const { shape } = input(0);
    return { dtype: 'int64', shape: [shape.length], contents: shape };
  },
  cpu: (g, { input }) => g.op('Shape', [input(0)]),
});

const methods = {
  /**
   * The size of an axis, for arithmetic (negative axes count from the end): `x.reshape([x.dim(0).mul(2), -1])`. Dynamic
   * sizes stay symbolic. TensorRT kind: shape, if it is computed at run time.
   *
   * @throws ERR_AXIS
   */
  dim(this: TensorSource, axis: number): DimValue {
    const x = this.tensor();
    const at = resolveAxis(axis, x.rank, refusing('dim'));
    return new DimValue(x.shape[at]!);
  },
  /** The sizes of this tensor as an int64 tensor of shape [rank], for arithmetic at run time. TensorRT kind: shape. */
  shapeTensor(this: TensorSource, options: Named = {}): Tensor {
    const x = this.tensor();
    return x.network.record(shape, { method: 'shapeTensor', name: options.name, inputs: [x], params: {} })[0]!;
  },
};

const networkMethods = {
  /**
   * Sizes as an int64 tensor of shape [n], to compute with at run time: `net.dims([x.dim(0).mul(2), 3])`. Dynamic dims are
   * taken from the shapes of other tensors. TensorRT kinds: shape, gather, element_wise, concatenation, constant.
   * @throws ERR_SHAPE for what is no dim, or has a name that no tensor here has
   */
  dims(this: Network, dims: readonly DimLike[]): Tensor {
    return shapeTensor(this, resolveDims(this, dims, 'dims', 'dims', -(2 ** 31)), 'dims');
  },
};

export { methods as shapeMethods, networkMethods as shapeNetworkMethods };
export type ShapeMethods = typeof methods;
export type ShapeNetworkMethods = typeof networkMethods;
