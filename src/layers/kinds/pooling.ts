import { z } from 'zod';
import { type CpuGraph, type CpuValue, defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import type { DType } from '../../values/dtype.js';
import { floats, requireDType } from '../shared/dtypes.js';
import { overOneAxis } from '../shared/one-axis.js';
import { float32Number, type Named, type PerAxis, perAxis, requirePerAxis } from '../shared/parameters.js';
import { requireRank } from '../shared/shapes.js';
import { type PaddingOptions, paddingParams, resolvePadding, window, windowSize } from '../shared/window.js';

const types = { max: 'max', average: 'average', maxAverageBlend: 'max_average_blend' } as const;
export type PoolingType = keyof typeof types;

const maxTypes: readonly DType[] = [...floats, 'int8'];

export interface PoolingOptions extends PaddingOptions, Named {
  /** Window size: a number for all spatial axes, or one per axis, which says how many there are (2 or 3). */
  kernel: PerAxis;
  /** Default: the window size. */
  stride?: PerAxis | undefined;
  /** Short for `paddingMode: 'explicit_round_up'`. Keeps a last window that starts in the padding, while PyTorch drops it. */
  ceilMode?: boolean | undefined;
}

export interface AveragePoolingOptions extends PoolingOptions {
  /** Whether padding counts in an average. PyTorch's default, true; TensorRT's `averageCountExcludesPadding` is its opposite. */
  countIncludePad?: boolean | undefined;
}

export interface BlendPoolingOptions extends AveragePoolingOptions {
  /** Share of the average in `maxAverageBlend`, from 0 to 1: `(1 − blendFactor)·max + blendFactor·average`. Default 0. */
  blendFactor?: number | undefined;
}

const params = z.strictObject({
  type: z.enum(Object.values(types) as [string, ...string[]]),
  kernel: window,
  stride: window,
  averageCountExcludesPadding: z.boolean(),
  blendFactor: float32Number.refine((v) => v >= 0 && v <= 1, { params: { expected: 'a number from 0 to 1' } }),
  ...paddingParams,
});
type Parsed = z.output<typeof params>;

export const pooling = defineLayer({
  kind: 'pooling',
  params,
  infer({ input, params: p, fail }) {
    const { dtype, shape } = input(0);
    const axes = p.kernel.length;
    requireDType(dtype, p.type === 'max' ? maxTypes : floats, fail);
    if (axes < 2) fail('ERR_PARAMETER', `expected 2 or 3 sizes, given [${p.kernel.join(', ')}]`, { option: 'kernel' });
    requireRank(shape, axes + 2, axes + 2, fail);
    requirePerAxis(p, ['stride', 'prePadding', 'postPadding'], axes, fail);
    if (p.paddingMode.startsWith('explicit')) {
      for (const name of ['prePadding', 'postPadding'] as const) {
        const list = p[name];
        if (list.some((pad, i) => pad >= p.kernel[i]!)) {
          fail(
            'ERR_PARAMETER',
            `expected less than the window [${p.kernel.join(', ')}] along each axis, given [${list.join(', ')}]`,
            { option: name, expected: p.kernel, actual: list },
          );
        }
      }
    }
    const spatial = p.kernel.map((k, i) => windowSize(shape[i + 2]!, i, k, p, fail));
    return { dtype, shape: [shape[0]!, shape[1]!, ...spatial] };
  },
  cpu(g, { input, params: p, outputTypes }) {
    return g.cast(pool(g, g.cast(input(0), 'float32'), p), outputTypes[0]!.dtype);
  },
});

function pool(g: CpuGraph, x: CpuValue, p: Parsed): CpuValue {
  if (p.type === 'max_average_blend') {
    const share = (v: number) => g.constant('float32', [], [v]);
    const max = pool(g, x, { ...p, type: 'max' });
    const average = pool(g, x, { ...p, type: 'average' });
    return g.op('Add', [g.op('Mul', [share(1 - p.blendFactor), max]), g.op('Mul', [share(p.blendFactor), average])]);
  }
  return p.paddingMode === 'explicit_round_up' ? poolRoundedUp(g, x, p) : poolPlain(g, x, p);
}

function poolPlain(g: CpuGraph, x: CpuValue, p: Parsed): CpuValue {
  const explicit = p.paddingMode.startsWith('explicit');
  return g.op(p.type === 'max' ? 'MaxPool' : 'AveragePool', [x], {
    kernel_shape: p.kernel,
    strides: p.stride,
    ...(p.type === 'average' && { count_include_pad: !p.averageCountExcludesPadding }),
    ...(explicit ? { pads: [...p.prePadding, ...p.postPadding] } : { auto_pad: p.paddingMode.toUpperCase() }),
  });
}

/**
 * ONNX's ceil_mode drops a last window that starts in the padding. Rounding up equals rounding down with stride − 1 more
 * elements: −∞ for a maximum; zeros for an average, which never count because TensorRT counts only the padded input.
 */
function poolRoundedUp(g: CpuGraph, x: CpuValue, p: Parsed): CpuValue {
  const axes = p.kernel.length;
  const extra = p.stride.map((s) => s - 1);
  const none = p.kernel.map(() => 0);
  const plain = { ...p, paddingMode: 'explicit_round_down', prePadding: none, postPadding: none } as Parsed;
  // The sum of one operand keeps onnxruntime from moving the padding into a pool, which rejects padding as large as its window.
  const pad = (value: CpuValue, pre: readonly number[], post: readonly number[], fill: number) => {
    const pads = g.constant('int64', [2 * axes + 4], [0, 0, ...pre, 0, 0, ...post]);
    return g.op('Sum', [g.op('Pad', [value, pads, g.constant('float32', [], [fill])])]);
  };
  const beyond = p.postPadding.map((post, i) => post + extra[i]!);
  if (p.type === 'max') return poolPlain(g, pad(x, p.prePadding, beyond, -Infinity), plain);
  const total = poolPlain(g, pad(x, p.prePadding, beyond, 0), plain);
  const ones = g.op('Expand', [g.constant('float32', [], [1]), g.op('Shape', [x])]);
  const padded = pad(ones, p.prePadding, p.postPadding, p.averageCountExcludesPadding ? 0 : 1);
  return g.op('Div', [total, poolPlain(g, pad(padded, none, extra, 0), plain)]);
}

function record(
  self: TensorSource,
  method: string,
  axes: number | undefined,
  type: PoolingType,
  given: BlendPoolingOptions,
): Tensor {
  const options = given ?? {};
  const x = self.tensor();
  const rank = axes ?? (Array.isArray(options.kernel) ? options.kernel.length : x.rank - 2);
  const kernel = options.kernel === undefined ? [] : perAxis(options.kernel, rank, 1);
  const { prePadding, postPadding, paddingMode } = resolvePadding(options, rank);
  return x.network.record(pooling, {
    method,
    name: options.name,
    inputs: [x],
    params: {
      type: types[type] ?? type,
      kernel,
      stride: options.stride === undefined ? kernel : perAxis(options.stride, rank, 1),
      averageCountExcludesPadding: !(options.countIncludePad ?? true),
      blendFactor: options.blendFactor ?? 0,
      prePadding,
      postPadding,
      paddingMode: options.paddingMode ?? (options.ceilMode ? 'explicit_round_up' : paddingMode),
    },
  })[0]!;
}

export interface PoolOptions extends BlendPoolingOptions {
  type: PoolingType;
}

const methods = {
  /**
   * Pools windows of a [batch, channels, (depth,) height, width] tensor of floats (or int8, for `max`): the maximum,
   * the average, or a blend. If `kernel` is one number, all axes after the second are pooled. Padding must be smaller
   * than the window. TensorRT kind: pooling.
   *
   * @throws ERR_RANK, ERR_DTYPE, ERR_PARAMETER; ERR_SHAPE where the window is larger than the padded input
   */
  pool(this: TensorSource, options: PoolOptions): Tensor {
    return record(this, 'pool', undefined, options?.type, options);
  },
  /** Maximum of each window; see `pool`. TensorRT kind: pooling (MAX). */
  maxPool(this: TensorSource, options: PoolingOptions): Tensor {
    return record(this, 'maxPool', undefined, 'max', options);
  },
  /** Average of each window; see `pool`. TensorRT kind: pooling (AVERAGE). */
  avgPool(this: TensorSource, options: AveragePoolingOptions): Tensor {
    return record(this, 'avgPool', undefined, 'average', options);
  },
  /** Maximum of each window of a [batch, channels, length] tensor; see `pool`. TensorRT kinds: unsqueeze, pooling (MAX), squeeze. */
  maxPool1d(this: TensorSource, options: PoolingOptions): Tensor {
    const method = 'maxPool1d';
    return overOneAxis(this, method, options, (x, wide) => record(x, method, 2, 'max', wide));
  },
  /** Average of each window of a [batch, channels, length] tensor; see `pool`. TensorRT kinds: unsqueeze, pooling (AVERAGE), squeeze. */
  avgPool1d(this: TensorSource, options: AveragePoolingOptions): Tensor {
    const method = 'avgPool1d';
    return overOneAxis(this, method, options, (x, wide) => record(x, method, 2, 'average', wide));
  },
  /** Maximum of each window of a [batch, channels, height, width] tensor; see `pool`. TensorRT kind: pooling (MAX). */
  maxPool2d(this: TensorSource, options: PoolingOptions): Tensor {
    return record(this, 'maxPool2d', 2, 'max', options);
  },
  /** Average of each window of a [batch, channels, height, width] tensor; see `pool`. TensorRT kind: pooling (AVERAGE). */
  avgPool2d(this: TensorSource, options: AveragePoolingOptions): Tensor {
    return record(this, 'avgPool2d', 2, 'average', options);
  },
  /** Maximum of each window of a [batch, channels, depth, height, width] tensor; see `pool`. TensorRT kind: pooling (MAX). */
  maxPool3d(this: TensorSource, options: PoolingOptions): Tensor {
    return record(this, 'maxPool3d', 3, 'max', options);
  },
  /** Average of each window of a [batch, channels, depth, height, width] tensor; see `pool`. TensorRT kind: pooling (AVERAGE). */
  avgPool3d(this: TensorSource, options: AveragePoolingOptions): Tensor {
    return record(this, 'avgPool3d', 3, 'average', options);
  },
};

export { methods as poolingMethods };
export type PoolingMethods = typeof methods;
