import type { Tensor, TensorSource } from '../dsl/tensor.js';
import { show } from '../errors/error.js';
import { refuse } from '../errors/refusal.js';
import { floats } from '../layers/shared/dtypes.js';
import { type Named, type PerAxis, perAxis } from '../layers/shared/parameters.js';
import { type Dim, formatShape, isStatic } from '../values/dim.js';

export interface GlobalPoolOptions extends Named {
  /** Whether to keep the pooled axes with size 1. Default true. */
  keepDims?: boolean | undefined;
}

export interface AdaptivePoolOptions extends Named {
  /** Height and width of the result, or one number for both. Default 1. */
  outputSize?: PerAxis | undefined;
}

const methods = {
  /**
   * Mean over all axes after the second, which stay with size 1 unless `keepDims` is false; of floats of rank 3 or more.
   * TensorRT kind: reduce (AVG).
   * @throws ERR_RANK, ERR_DTYPE
   */
  globalAvgPool(this: TensorSource, options: GlobalPoolOptions = {}): Tensor {
    const x = this.tensor();
    const { keepDims = true, name } = options;
    if (x.rank < 3) refuse('globalAvgPool', 'ERR_RANK', `expected rank 3 or more, given ${x}`);
    return x.mean({ axes: x.shape.map((_, i) => i).slice(2), keepDims, name });
  },
  /**
   * Averages a [batch, channels, height, width] tensor of floats to `outputSize` (default 1), like PyTorch's adaptive
   * pool: element i is the mean of positions ⌊i·size / out⌋ to ⌈(i + 1)·size / out⌉ − 1. TensorRT kinds: reduce (AVG)
   * for size 1, pooling (AVERAGE) where the sizes divide, else matrix_multiply by known averages.
   *
   * @throws ERR_SHAPE where height or width is dynamic, but for size 1; ERR_PARAMETER, ERR_RANK, ERR_DTYPE
   */
  adaptiveAvgPool2d(this: TensorSource, options: AdaptivePoolOptions = {}): Tensor {
    const method = 'adaptiveAvgPool2d';
    const x = this.tensor();
    const { outputSize = 1, name } = options;
    if (x.rank !== 4) refuse(method, 'ERR_RANK', `expected rank 4, given ${x}`, { expected: 4, actual: x.rank });
    const [height, width, ...more] = perAxis(outputSize, 2, 1) as [number, number];
    if (more.length > 0 || ![height, width].every((size) => Number.isInteger(size) && size >= 1)) {
      refuse(method, 'ERR_PARAMETER', `expected one or two whole numbers from 1, given ${show(outputSize)}`, {
        option: 'outputSize',
      });
    }
    if (height === 1 && width === 1) return x.globalAvgPool({ name });
    const [h, w] = x.shape.slice(2) as [Dim, Dim];
    if (!isStatic(h) || !isStatic(w) || h === 0 || w === 0) {
      return refuse(
        method,
        'ERR_SHAPE',
        `expected a known height and width for outputSize ${show(outputSize)}, given ${formatShape(x.shape)}`,
        { actual: x.shape },
      );
    }
    if (h % height === 0 && w % width === 0) return x.avgPool2d({ kernel: [h / height, w / width], name });
    if (!floats.includes(x.dtype)) {
      refuse(method, 'ERR_DTYPE', `expected ${floats.join(', ')}, given ${x}`, { expected: floats, actual: x.dtype });
    }
    const { network: net } = x;
    const rows =
      h === height
        ? x
        : net.constant([[averages(h, height)]], { dtype: x.dtype }).matmul(x, w === width ? { name } : {});
    return w === width ? rows : rows.matmul([[averages(w, width)]], { transposeB: true, name });
  },
};

/** A matrix [out, size] that averages positions over PyTorch's adaptive windows. */
const averages = (size: number, out: number): number[][] =>
  Array.from({ length: out }, (_, i) => {
    const [from, to] = [Math.floor((i * size) / out), Math.ceil(((i + 1) * size) / out)];
    return Array.from({ length: size }, (_, at) => (at >= from && at < to ? 1 / (to - from) : 0));
  });

export { methods as poolingModuleMethods };
export type PoolingModuleMethods = typeof methods;
