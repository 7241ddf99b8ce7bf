import { formatShape, isStatic } from '../dsl/dim.js';
import type { Chain, Tensor } from '../dsl/tensor.js';
import { type Named, type PerAxis, perAxis, refuse } from '../layers/common.js';

const methods = {
  /**
   * Mean over all axes after the second, which stay with size 1 unless `keepDims` is false; of floats of rank 3 or more.
   * TensorRT kind: reduce (AVG).
   * @throws ERR_RANK, ERR_DTYPE
   */
  globalAvgPool(this: Chain, options: { keepDims?: boolean } & Named = {}): Tensor {
    const x = this.tensor();
    const { keepDims = true, name } = options;
    if (x.rank < 3) refuse('globalAvgPool', 'ERR_RANK', `expected rank 3 or more, given ${x}`);
    return x.mean({ axes: x.shape.map((_, i) => i).slice(2), keepDims, name });
  },
  /**
   * Averages a [batch, channels, height, width] tensor of floats down to `outputSize` (default 1), which divides the height
   * and width. TensorRT kinds: reduce (AVG) for size 1, else pooling (AVERAGE).
   * @throws ERR_SHAPE where a size does not divide; ERR_RANK, ERR_DTYPE
   */
  adaptiveAvgPool2d(this: Chain, options: { outputSize?: PerAxis } & Named = {}): Tensor {
    const method = 'adaptiveAvgPool2d';
    const x = this.tensor();
    const { outputSize = 1, name } = options;
    if (x.rank !== 4) refuse(method, 'ERR_RANK', `expected rank 4, given ${x}`, { expected: 4, actual: x.rank });
    const sizes = perAxis(outputSize, 2, 1);
    if (sizes.length === 2 && sizes.every((size) => size === 1)) return x.globalAvgPool({ name });
    const spatial = x.shape.slice(2);
    const kernel = spatial.map((dim, i) => (isStatic(dim) ? dim / sizes[i]! : Number.NaN));
    if (sizes.length !== 2 || !kernel.every((k) => Number.isInteger(k) && k >= 1)) {
      refuse(
        method,
        'ERR_SHAPE',
        `outputSize: expected one or two divisors of the height and width, ${formatShape(spatial)}, given ${formatShape(sizes)}`,
        { expected: spatial, actual: sizes },
      );
    }
    return x.avgPool2d({ kernel, name });
  },
};

export { methods as poolingModuleMethods };
export type PoolingModuleMethods = typeof methods;
