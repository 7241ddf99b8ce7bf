import type { Tensor, TensorSource } from '../dsl/tensor.js';
import { show } from '../errors/error.js';
import { refuse } from '../errors/refusal.js';
import type { Named } from '../layers/shared/parameters.js';
import { isStatic } from '../values/dim.js';
import { isFloat } from '../values/dtype.js';
import { mostPositions, named } from './results.js';

export interface AdaptiveMaxPoolOptions extends Named {
  /** Sizes of the result along the last axes, or one number for all; null keeps a size. Default 1. */
  outputSize?: number | readonly (number | null)[] | undefined;
}

/** The positions of each window, the last one repeated where windows differ in length: [out, longest]. */
function windowsOf(x: Tensor, axis: number, out: number): Tensor {
  const { network: net } = x;
  const size = x.shape[axis]!;
  if (isStatic(size) && size + 2 * out <= mostPositions) {
    const bounds = Array.from(
      { length: out },
      (_, i) => [Math.floor((i * size) / out), Math.ceil(((i + 1) * size) / out)] as const,
    );
    const longest = Math.max(...bounds.map(([from, to]) => to - from));
    const at = bounds.flatMap(([from, to]) => Array.from({ length: longest }, (_, i) => Math.min(from + i, to - 1)));
    return net.constant(Int32Array.from(at), { shape: [out, longest] });
  }
  const dim = x.dim(axis);
  const index = net.arange(out).unsqueeze(1);
  const from = index.mul(dim).floorDiv(out);
  const last = index.add(1).mul(dim).sub(1).floorDiv(out);
  return from.add(net.arange(dim.ceilDiv(out).add(1))).minimum(last);
}

function pooled(x: Tensor, axis: number, out: number): Tensor {
  if (out === 1) return x.max({ axis, keepDims: true });
  return x.gather(windowsOf(x, axis, out), { axis }).max({ axis: axis + 1 });
}

function adaptive(self: TensorSource, axes: 1 | 2 | 3, options: AdaptiveMaxPoolOptions): Tensor {
  const method = `adaptiveMaxPool${axes}d`;
  const { outputSize = 1, name } = options;
  const x = self.tensor();
  if (x.rank !== axes + 1 && x.rank !== axes + 2) {
    refuse(method, 'ERR_RANK', `expected rank ${axes + 2} [batch, channels, …] or ${axes + 1}, given ${x}`);
  }
  const sizes: readonly unknown[] = Array.isArray(outputSize) ? outputSize : Array(axes).fill(outputSize);
  const fits = (size: unknown) => size === null || (Number.isSafeInteger(size) && (size as number) >= 1);
  if (sizes.length !== axes || !sizes.every(fits)) {
    const expected = `one number or ${axes}, whole ones from 1, or null`;
    refuse(method, 'ERR_PARAMETER', `expected ${expected}, given ${show(outputSize)}`, { option: 'outputSize' });
  }
  const first = x.rank - axes;
  const spatial = x.shape.slice(first);
  if (spatial.includes(0)) refuse(method, 'ERR_SHAPE', `expected sizes from 1 along the last axes, given ${x}`);
  const out = sizes.map((size, i) => (size === spatial[i] ? null : (size as number | null)));
  const kernel = out.map((size, i) => {
    const dim = spatial[i]!;
    return size === null ? 1 : isStatic(dim) && dim % size === 0 ? dim / size : undefined;
  });
  const whole = kernel.every((size) => size !== undefined);
  if (axes > 1 && x.rank === axes + 2 && isFloat(x.dtype) && whole && out.some((size) => size !== null)) {
    return x.maxPool({ kernel: kernel as number[], name });
  }
  const result = out.reduce<Tensor>((value, size, i) => (size === null ? value : pooled(value, first + i, size)), x);
  return result === x ? x.identity({ name }) : named(result, { name });
}

const methods = {
  /**
   * Largest elements of windows of a [batch, channels, length] tensor (or without a batch) that divide it into
   * `outputSize` (default 1), like PyTorch's adaptive_max_pool1d: element i is the maximum of positions
   * ⌊i·size / out⌋ to ⌈(i + 1)·size / out⌉ − 1. TensorRT kinds: pooling (MAX) or reduce (MAX), gather; for dynamic
   * sizes, also fill, element_wise.
   *
   * @throws ERR_RANK, ERR_PARAMETER, ERR_DTYPE; ERR_SHAPE where a size is 0
   */
  adaptiveMaxPool1d(this: TensorSource, options: AdaptiveMaxPoolOptions = {}): Tensor {
    return adaptive(this, 1, options);
  },
  /** Same as `adaptiveMaxPool1d`, of [batch, channels, height, width]. TensorRT kinds: pooling (MAX) or reduce (MAX), gather. */
  adaptiveMaxPool2d(this: TensorSource, options: AdaptiveMaxPoolOptions = {}): Tensor {
    return adaptive(this, 2, options);
  },
  /** Same as `adaptiveMaxPool1d`, of [batch, channels, depth, height, width]. TensorRT kinds: pooling (MAX) or reduce (MAX), gather. */
  adaptiveMaxPool3d(this: TensorSource, options: AdaptiveMaxPoolOptions = {}): Tensor {
    return adaptive(this, 3, options);
  },
};

export { methods as adaptiveMaxPoolMethods };
export type AdaptiveMaxPoolMethods = typeof methods;
