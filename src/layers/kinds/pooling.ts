import { z } from 'zod';
import { type CpuAttribute, type CpuGraph, type CpuValue, defineLayer, type Fail } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import { addDims, isStatic, type Shape } from '../../values/dim.js';
import type { DType } from '../../values/dtype.js';
import { ceilForm } from '../shared/ceil-mode.js';
import { scalar } from '../shared/constants.js';
import { DimValue } from '../shared/dim-value.js';
import { floats, requireDType } from '../shared/dtypes.js';
import { overOneAxis } from '../shared/one-axis.js';
import { float32Number, type Named, type PerAxis, perAxis, requirePerAxis } from '../shared/parameters.js';
import { recordKind } from '../shared/record-kind.js';
import { recordSlice } from '../shared/record-slice.js';
import { samePadding } from '../shared/same-padding.js';
import { requireRank } from '../shared/shapes.js';
import { shownAxis, shownList } from '../shared/spatial-text.js';
import { type PaddingOptions, paddingParams, resolvePadding, window, windowSize } from '../shared/window.js';

const types = { max: 'max', average: 'average', maxAverageBlend: 'max_average_blend' } as const;
/** TensorRT's PoolingType. @useDeclaredType */
export type PoolingType = keyof typeof types;

const maxTypes: readonly DType[] = [...floats, 'int8'];

export interface PoolingOptions extends PaddingOptions, Named {
  /** Window size: a number for all spatial axes, or one per axis, which says how many there are (2 or 3). */
  kernel: PerAxis;
  /** Default: the window size. */
  stride?: PerAxis | undefined;
  /**
   * Rounds the number of windows up, as PyTorch does: a last window that would start in the padding after an axis is
   * dropped. TensorRT's own rounding, `paddingMode: 'explicit_round_up'`, keeps it.
   */
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
    if (axes < 2)
      fail(
        'ERR_PARAMETER',
        `expected 2 or 3 sizes, given [${p.kernel.join(', ')}]; maxPool1d and avgPool1d pool one axis`,
        { option: 'kernel' },
      );
    requireRank(shape, axes + 2, axes + 2, fail);
    requirePerAxis(p, ['stride', 'prePadding', 'postPadding'], axes, fail);
    if (p.paddingMode.startsWith('explicit')) {
      for (const name of ['prePadding', 'postPadding'] as const) {
        const list = p[name];
        if (list.some((pad, i) => pad >= p.kernel[i]!)) {
          fail(
            'ERR_PARAMETER',
            `expected less than the window ${shownList(p.kernel)} along each axis, given ${shownList(list)}`,
            { option: name, expected: p.kernel, actual: list },
          );
        }
      }
    }
    const spatial = p.kernel.map((k, i) => windowSize(shape[i + 2]!, i, k, p, fail));
    if (p.type !== 'max' && p.paddingMode === 'explicit_round_up') requireAverages(shape.slice(2), spatial, p, fail);
    return { dtype, shape: [shape[0]!, shape[1]!, ...spatial] };
  },
  cpu(g, { input, params: p, inputTypes, outputTypes }) {
    return g.cast(pool(g, g.cast(input(0), 'float32'), inputTypes[0]!.shape, p), outputTypes[0]!.dtype);
  },
});

/** Refuses averages of no element, as TensorRT does: rounding up keeps a last window that lies outside. */
function requireAverages(sizes: Shape, windows: Shape, p: Parsed, fail: Fail): void {
  for (const [i, size] of sizes.entries()) {
    const [count, kernel, stride] = [windows[i]!, p.kernel[i]!, p.stride[i]!];
    if (!isStatic(size) || !isStatic(count)) continue;
    const end = size + p.prePadding[i]! + (p.averageCountExcludesPadding ? 0 : p.postPadding[i]!);
    if ((count - 1) * stride < end) continue;
    const window = `the window of ${kernel} at index ${count - 1} of spatial axis ${shownAxis(i)} has no element to average`;
    fail('ERR_SHAPE', `${window}: ceilMode drops such a window, as PyTorch does`, { option: 'paddingMode' });
  }
}

function pool(g: CpuGraph, x: CpuValue, shape: Shape, p: Parsed): CpuValue {
  if (p.type === 'max_average_blend') {
    const share = (v: number) => g.constant('float32', [], [v]);
    const max = pool(g, x, shape, { ...p, type: 'max' });
    const average = pool(g, x, shape, { ...p, type: 'average' });
    return g.op('Add', [g.op('Mul', [share(1 - p.blendFactor), max]), g.op('Mul', [share(p.blendFactor), average])]);
  }
  if (p.paddingMode === 'explicit_round_up') return poolRoundedUp(g, x, p);
  if (p.paddingMode === 'explicit_round_down') return poolPlain(g, x, p, explicitPads(p));
  const { attributes, pads } = samePadding(g, x, shape, { ...p, dilation: p.kernel.map(() => 1) });
  if (!pads) return poolPlain(g, x, p, attributes);
  const padded = (value: CpuValue, fill: number) =>
    poolPlain(g, g.op('Pad', [value, pads, g.constant('float32', [], [fill])]), p, {});
  if (p.type === 'max') return padded(x, -Infinity);
  return p.averageCountExcludesPadding ? g.op('Div', [padded(x, 0), padded(onesLike(g, x), 0)]) : padded(x, 0);
}

const explicitPads = (p: Parsed) => ({ pads: [...p.prePadding, ...p.postPadding] });

const onesLike = (g: CpuGraph, x: CpuValue): CpuValue =>
  g.op('Expand', [g.constant('float32', [], [1]), g.op('Shape', [x])]);

function poolPlain(g: CpuGraph, x: CpuValue, p: Parsed, padding: Record<string, CpuAttribute>): CpuValue {
  return g.op(p.type === 'max' ? 'MaxPool' : 'AveragePool', [x], {
    kernel_shape: p.kernel,
    strides: p.stride,
    ...(p.type === 'average' && { count_include_pad: !p.averageCountExcludesPadding }),
    ...padding,
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
  // The sum of one operand keeps onnxruntime from moving the padding into a pool, which rejects padding as large as its window.
  const pad = (value: CpuValue, pre: readonly number[], post: readonly number[], fill: number) => {
    const pads = g.constant('int64', [2 * axes + 4], [0, 0, ...pre, 0, 0, ...post]);
    return g.op('Sum', [g.op('Pad', [value, pads, g.constant('float32', [], [fill])])]);
  };
  const beyond = p.postPadding.map((post, i) => post + extra[i]!);
  if (p.type === 'max') return poolPlain(g, pad(x, p.prePadding, beyond, -Infinity), p, {});
  const total = poolPlain(g, pad(x, p.prePadding, beyond, 0), p, {});
  const padded = pad(onesLike(g, x), p.prePadding, p.postPadding, p.averageCountExcludesPadding ? 0 : 1);
  return g.op('Div', [total, poolPlain(g, pad(padded, none, extra, 0), p, {})]);
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
  if (options.kernel === undefined) {
    refuse(method, 'ERR_PARAMETER', 'expected the size of the window, or one per axis, given none', {
      option: 'kernel',
    });
  }
  const rank = axes ?? (Array.isArray(options.kernel) ? options.kernel.length : x.rank - 2);
  const kernel = perAxis(options.kernel, rank, 1);
  if (options.ceilMode && options.paddingMode !== undefined) {
    refuse(method, 'ERR_PARAMETER', `expected one of them, given ${options.paddingMode} beside ceilMode`, {
      options: ['ceilMode', 'paddingMode'],
    });
  }
  const params = {
    type: types[type] ?? type,
    kernel,
    stride: options.stride === undefined ? kernel : perAxis(options.stride, rank, 1),
    averageCountExcludesPadding: !(options.countIncludePad ?? true),
    blendFactor: options.blendFactor ?? 0,
    ...resolvePadding(options, rank),
  };
  const { name } = options;
  return options.ceilMode ? recordCeil(x, method, name, params) : recordPool(x, method, name, params);
}

type Given = z.input<typeof params>;

const recordPool = (x: Tensor, method: string, name: string | undefined, params: Given): Tensor =>
  x.network.record(pooling, { method, name, inputs: [x], params })[0]!;

/** A pool with the windows of PyTorch's `ceil_mode`. */
function recordCeil(x: Tensor, method: string, name: string | undefined, p: Given): Tensor {
  const roundUp = { ...p, paddingMode: 'explicit_round_up' as const };
  // The kind refuses what does not fit.
  if (!fits(x, p)) return recordPool(x, method, name, roundUp);
  const { roundsUp, beyond } = ceilForm(x.shape.slice(2), p);
  if (roundsUp) return recordPool(x, method, name, roundUp);
  const further = { ...p, postPadding: p.postPadding.map((post, i) => post + beyond[i]!) };
  const isZero = (pad: number) => pad === 0;
  const unpadded = p.prePadding.every(isZero) && p.postPadding.every(isZero);
  if (p.type === 'max' || p.averageCountExcludesPadding || unpadded || beyond.every(isZero)) {
    const excludes = p.averageCountExcludesPadding || (unpadded && !beyond.every(isZero));
    return recordPool(x, method, name, { ...further, averageCountExcludesPadding: excludes });
  }
  // The padding counts in these averages, what lies beyond it does not: it becomes part of the input.
  const average = (of: string | undefined) => {
    const padded = recordSlice(x, {
      method,
      axes: p.kernel.map((_, i) => i + 2),
      start: p.prePadding.map((pre) => -pre),
      size: p.kernel.map((_, i) => new DimValue(addDims(x.shape[i + 2]!, p.prePadding[i]! + p.postPadding[i]!))),
      mode: 'fill',
    });
    const none = p.kernel.map(() => 0);
    const inside = { type: 'average', averageCountExcludesPadding: true, prePadding: none, postPadding: [...beyond] };
    return recordPool(padded, method, of, { ...p, ...inside });
  };
  if (p.type === 'average') return average(name);
  const combine = (operation: 'prod' | 'sum', a: Tensor, b: Tensor, of?: string) =>
    recordKind(x.network, 'element_wise', { method, name: of, inputs: [a, b], params: { operation } });
  const share = (of: Tensor, part: number) =>
    combine('prod', of, scalar(x.network, x.dtype, Math.fround(part), x.rank, method));
  const maximum = recordPool(x, method, undefined, { ...further, type: 'max' });
  return combine('sum', share(maximum, 1 - p.blendFactor), share(average(undefined), p.blendFactor), name);
}

/** Whether all parameters are numbers for the axes of this tensor, so that its windows can be counted. */
function fits(x: Tensor, p: Given): boolean {
  const atLeast = (list: readonly number[], least: number) =>
    list.length === x.rank - 2 && list.every((v) => Number.isSafeInteger(v) && v >= least);
  return (
    atLeast(p.kernel, 1) &&
    atLeast(p.stride, 1) &&
    atLeast(p.prePadding, 0) &&
    atLeast(p.postPadding, 0) &&
    p.kernel.every((kernel, i) => Math.max(p.prePadding[i]!, p.postPadding[i]!) < kernel) &&
    params.shape.blendFactor.safeParse(p.blendFactor).success
  );
}

export interface PoolOptions extends BlendPoolingOptions {
  /** What is taken of a window. */
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
