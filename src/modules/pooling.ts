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
   * for size 1, pooling (AVERAGE) where known sizes divide, else matrix_multiply by averages, which are computed at run
   * time along a dynamic axis.
   *
   * @throws ERR_SHAPE where height or width is 0, but for size 1; ERR_PARAMETER, ERR_RANK, ERR_DTYPE
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
    if (h === 0 || w === 0) {
      refuse(method, 'ERR_SHAPE', `expected elements to average, given ${formatShape(x.shape)}`, { actual: x.shape });
    }
    if (isStatic(h) && isStatic(w) && h % height === 0 && w % width === 0) {
      return x.avgPool2d({ kernel: [h / height, w / width], name });
    }
    if (!floats.includes(x.dtype)) {
      refuse(method, 'ERR_DTYPE', `expected ${floats.join(', ')}, given ${x}`, { expected: floats, actual: x.dtype });
    }
    const rows = h === height ? x : averages(x, 2, height).matmul(x, w === width ? { name } : {});
    return w === width ? rows : rows.matmul(averages(x, 3, width), { transposeB: true, name });
  },
};

/** A matrix [1, 1, out, size] that averages positions of an axis over PyTorch's adaptive windows. */
function averages(x: Tensor, axis: number, out: number): Tensor {
  const { network: net, dtype } = x;
  const size = x.shape[axis]!;
  if (!isStatic(size)) return dynamicAverages(x, axis, out);
  const rows = Array.from({ length: out }, (_, i) => {
    const [from, to] = [Math.floor((i * size) / out), Math.ceil(((i + 1) * size) / out)];
    return Array.from({ length: size }, (_, at) => (at >= from && at < to ? 1 / (to - from) : 0));
  });
  return net.constant([[rows]], { dtype });
}

function dynamicAverages(x: Tensor, axis: number, out: number): Tensor {
  const { network: net, dtype } = x;
  const size = x.dim(axis);
  const index = net.constant(
    Array.from({ length: out }, (_, i) => [i]),
    { dtype: 'int64' },
  );
  const from = index.mul(size).floorDiv(out);
  const to = index
    .add(1)
    .mul(size)
    .add(out - 1)
    .floorDiv(out);
  const at = net.arange(size, { dtype: 'int64' }).unsqueeze(0);
  const within = at.ge(from).logicalAnd(at.lt(to));
  const share = to.sub(from).cast('float32').reciprocal();
  return within.cast('float32').mul(share).cast(dtype).unsqueeze([0, 1]);
}

export { methods as poolingModuleMethods };
export type PoolingModuleMethods = typeof methods;
