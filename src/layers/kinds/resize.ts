import { z } from 'zod';
import { defineLayer, type Fail, type InferredValue } from '../../dsl/define-layer.js';
import { Tensor, type TensorSource } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import { type Dim, formatShape, isStatic, isStaticShape, isUnknown, type Shape, unknownDim } from '../../values/dim.js';
import type { DType } from '../../values/dtype.js';
import { type DimLike, resolveDims } from '../shared/dim-value.js';
import { floats, indexTypes, requireDType } from '../shared/dtypes.js';
import { float32Number, type Named, nonNegative } from '../shared/parameters.js';
import { recordGather } from '../shared/record-gather.js';
import { resizeOnCpu } from '../shared/resize-cpu.js';
import { knownNumbers, type Sampling, taps } from '../shared/resize-positions.js';
import {
  factorless,
  growsExactly,
  nearestScale,
  resizableAxes,
  scaledDim,
  smallImage,
  steadyScale,
} from '../shared/resize-scales.js';
import { shapeTensor } from '../shared/shape-tensor.js';
import { requireRank } from '../shared/shapes.js';

/** TensorRT's InterpolationMode. */
const resizeModes = ['nearest', 'linear', 'cubic'] as const;
/** TensorRT's InterpolationMode. @useDeclaredType */
export type ResizeMode = (typeof resizeModes)[number];
/** TensorRT's ResizeCoordinateTransformation. */
const coordinateTransformations = ['align_corners', 'asymmetric', 'half_pixel'] as const;
/** TensorRT's ResizeCoordinateTransformation. @useDeclaredType */
export type CoordinateTransformation = (typeof coordinateTransformations)[number];
/** TensorRT's ResizeSelector. */
const resizeSelectors = ['formula', 'upper'] as const;
/** TensorRT's ResizeSelector. @useDeclaredType */
export type ResizeSelector = (typeof resizeSelectors)[number];
/** TensorRT's ResizeRoundMode. */
const resizeRoundings = ['half_up', 'half_down', 'floor', 'ceil'] as const;
/** TensorRT's ResizeRoundMode. @useDeclaredType */
export type ResizeRounding = (typeof resizeRoundings)[number];

export const resize = defineLayer({
  kind: 'resize',
  params: z.strictObject({
    mode: z.enum(resizeModes),
    coordinateTransformation: z.enum(coordinateTransformations),
    selector: z.enum(resizeSelectors),
    nearestRounding: z.enum(resizeRoundings),
    cubicCoeff: float32Number,
    excludeOutside: z.boolean(),
    /** One of the two, or neither if input 1 gives the sizes. */
    scales: z.array(float32Number).max(8).nullable(),
    sizes: z.array(nonNegative).max(8).nullable(),
    /** PyTorch's factors, of which `scales` are what TensorRT gets. */
    factors: z.array(z.number()).max(8).nullable().default(null),
  }),
  infer({ input, inputs, params: p, fail }) {
    const { dtype, shape } = input(0);
    const dtypes: readonly DType[] = p.mode === 'nearest' ? [...floats, 'int8'] : floats;
    requireDType(dtype, dtypes, fail);
    requireRank(shape, 1, 8, fail);
    const given = [p.scales, p.sizes, inputs[1]].filter((v) => v).length;
    if (given !== 1) fail('ERR_PARAMETER', `expected either scales or sizes, given ${given === 0 ? 'none' : 'both'}`);
    const list = p.scales ?? p.sizes;
    if (list && list.length !== shape.length) {
      fail('ERR_PARAMETER', `expected ${shape.length} numbers, given [${list.join(', ')}]`, {
        option: p.scales ? 'scales' : 'sizes',
        expected: shape.length,
        actual: list.length,
      });
    }
    if (p.scales?.some((scale) => scale <= 0)) {
      fail('ERR_PARAMETER', `expected positive numbers, given [${p.scales.join(', ')}]`, { option: 'scales' });
    }
    const result = inputs[1]
      ? fromTensor(inputs[1], shape.length, fail)
      : (p.sizes ?? shape.map((dim, axis) => scaledDim(dim, p.scales![axis]!)));
    const first = result.findIndex((dim, i) => dim !== shape[i] && isStatic(dim) && isStatic(shape[i]!));
    if (first >= 0 && shape.length - first > resizableAxes[p.mode]) {
      fail(
        'ERR_SHAPE',
        `mode ${p.mode} resizes the last ${resizableAxes[p.mode]} axes only, ${formatShape(shape)} to ${formatShape(result)} changes axis ${first}`,
        { expected: resizableAxes[p.mode], actual: shape.length - first },
      );
    }
    return { dtype, shape: result };
  },
  cpu(g, { input, inputs, params: p, inputTypes, outputTypes }) {
    const { dtype, shape: from } = inputTypes[0]!;
    const x = dtype === 'float16' ? g.cast(input(0), 'float32') : input(0);
    const sizes = inputs[1] ? g.cast(inputs[1], 'int64') : null;
    const result = resizeOnCpu(g, x, p, { from, to: outputTypes[0]!.shape, sizes });
    return dtype === 'float16' ? g.cast(result, dtype) : result;
  },
});

function fromTensor({ dtype, shape, contents }: InferredValue, rank: number, fail: Fail): Dim[] {
  requireDType(dtype, indexTypes, fail, 'sizes');
  if (shape.length !== 1 || shape[0] !== rank) {
    fail('ERR_SHAPE', `expected a tensor of shape [${rank}], given ${formatShape(shape)}`, {
      option: 'sizes',
      expected: [rank],
      actual: shape,
    });
  }
  return Array.from({ length: rank }, (_, i) => {
    const dim = contents?.[i];
    return dim === undefined || isUnknown(dim) ? unknownDim('resize') : dim;
  });
}

export interface ResizeOptions extends Named {
  /** Default `nearest`. `linear` resizes up to 3 trailing axes, `cubic` 2. */
  mode?: ResizeMode | undefined;
  /** How output positions map to the input. Default `asymmetric`, as in TensorRT. */
  coordinateTransformation?: CoordinateTransformation | undefined;
  /** What an axis of size 1 in the result reads: the position from the formula, or the first element. Default `formula`. */
  selector?: ResizeSelector | undefined;
  /** Of positions between elements in mode `nearest`. Default `floor`. */
  nearestRounding?: ResizeRounding | undefined;
  /** The coefficient A of mode `cubic` (Keys, 1981). Default −0.75. */
  cubicCoeff?: number | undefined;
  /** Whether elements beyond the border get no weight in mode `cubic`. Default false. */
  excludeOutside?: boolean | undefined;
  /** One factor per axis; the size is `⌊size · scale⌋`. */
  scales?: readonly number[] | undefined;
  /** One size per axis: whole numbers, names and expressions of dynamic dims; or a rank-1 tensor of int32 or int64. */
  sizes?: readonly DimLike[] | Tensor | undefined;
}

function record(x: Tensor, options: ResizeOptions & { method: string; factors?: readonly number[] }): Tensor {
  const { method, name, sizes, scales, factors } = options;
  const dims = sizes instanceof Tensor || sizes === undefined ? sizes : resolveDims(x.network, sizes, 'sizes', method);
  const tensor =
    dims === undefined || dims instanceof Tensor
      ? dims
      : isStaticShape(dims)
        ? undefined
        : shapeTensor(x.network, dims, method);
  return x.network.record(resize, {
    method,
    name,
    inputs: tensor ? [x, tensor] : [x],
    params: {
      mode: options.mode ?? 'nearest',
      coordinateTransformation: options.coordinateTransformation ?? 'asymmetric',
      selector: options.selector ?? 'formula',
      nearestRounding: options.nearestRounding ?? 'floor',
      cubicCoeff: options.cubicCoeff ?? -0.75,
      excludeOutside: options.excludeOutside ?? false,
      scales: scales === undefined ? null : Array.isArray(scales) ? [...scales] : (scales as never),
      sizes: tensor || dims === undefined ? null : (dims as number[]),
      factors: factors ? [...factors] : null,
    },
  })[0]!;
}

/** PyTorch's mode → number of spatial axes and TensorRT's mode. */
const interpolations = {
  nearest: [0, 'nearest'],
  'nearest-exact': [0, 'nearest'],
  linear: [1, 'linear'],
  bilinear: [2, 'linear'],
  trilinear: [3, 'linear'],
  bicubic: [2, 'cubic'],
} as const;

export interface InterpolateOptions extends Named {
  /** Sizes of the spatial axes; one number for all. */
  size?: DimLike | readonly DimLike[] | undefined;
  /**
   * Factors of the spatial axes, in place of sizes; one number for all. A size is `⌊size · factor⌋` in float64, and positions
   * follow from the factor, as in PyTorch without `recompute_scale_factor`. TensorRT computes a dynamic size in float32, so
   * it can be one larger there, such as 57 for 100 · 0.57.
   */
  scaleFactor?: number | readonly number[] | undefined;
  /** Default `nearest`. */
  mode?: keyof typeof interpolations | undefined;
  /** Whether corner elements keep their place (linear and cubic modes). Default false. */
  alignCorners?: boolean | undefined;
}

/** Whether sizes or elements by these factors are rounded. What is no factor at all, the schema refuses. */
const rounds = (factors: readonly number[]): boolean =>
  !factors.every(growsExactly) &&
  factors.every((factor) => typeof factor === 'number' && factor > 0 && factor < 2 ** 31);

/** Sizes as far as they are known, and the numbers by which an axis grows without its factor counting. */
function byFactors(shape: Shape, factors: readonly number[], mode: keyof typeof interpolations) {
  const [, kind] = interpolations[mode];
  const to = shape.map((dim, axis) => (isStatic(dim) ? Math.floor(dim * factors[axis]!) : undefined));
  const isSmall = kind !== 'nearest' || !(to[2]! + to[3]! > smallImage);
  return { to, but: isSmall ? factorless(kind, mode === 'nearest', shape.length) : [] };
}

/** Scales that make TensorRT give PyTorch's sizes and elements, beside the factors themselves. */
function scaling(shape: Shape, factors: readonly number[], mode: keyof typeof interpolations) {
  if (!rounds(factors)) return { scales: factors };
  const { to, but } = byFactors(shape, factors, mode);
  const scales = factors.map((factor, axis) => {
    const [from, size] = [shape[axis]!, to[axis]];
    if (!isStatic(from) || size === undefined) return factor;
    const grown = but.find((times) => size === from * times);
    if (grown !== undefined) return grown;
    if (interpolations[mode][1] !== 'nearest') return steadyScale(from, size, factor);
    return nearestScale(from, size, factor, mode === 'nearest' ? 0 : 0.5);
  });
  return { scales, factors };
}

/**
 * The elements that PyTorch picks by factors, along each axis that changes; none where sizes are dynamic. TensorRT 10.6
 * rounds beside some boundaries otherwise, and leaves an axis that keeps its size as it is.
 */
function picked(shape: Shape, factors: readonly number[], mode: 'nearest' | 'nearest-exact', how: Sampling) {
  const spatial = shape.slice(2);
  if (!isStaticShape(spatial) || spatial.includes(0) || !rounds(factors)) return [];
  const { to, but } = byFactors(shape, factors, mode);
  return spatial.flatMap((from: number, i) => {
    const [axis, size, factor] = [i + 2, to[i + 2]!, factors[i + 2]!];
    const index = taps(knownNumbers('float32'), { from: [from], to: [size], by: { factor, but } }, how)[0]!.index;
    return size === from && index.every((at, k) => at === k) ? [] : [{ axis, index }];
  });
}

const methods = {
  /**
   * Resizes the trailing axes (float32, float16, bfloat16; int8 too in mode `nearest`). TensorRT kind: resize.
   * @throws ERR_PARAMETER where not exactly one of scales and sizes is given; ERR_SHAPE where the mode cannot resize an axis
   */
  resize(this: TensorSource, options: ResizeOptions): Tensor {
    return record(this.tensor(), { ...options, method: 'resize' });
  },
  /**
   * Resizes the spatial axes of a [batch, channels, ...spatial] tensor, like PyTorch's interpolate without
   * antialiasing. TensorRT kinds: resize; gather in the modes `nearest` and `nearest-exact` by fractional factors of known sizes.
   *
   * @throws ERR_PARAMETER, ERR_SHAPE, ERR_RANK, ERR_DTYPE
   */
  interpolate(this: TensorSource, options: InterpolateOptions): Tensor {
    const method = 'interpolate';
    const x = this.tensor();
    const { size, scaleFactor, mode = 'nearest', alignCorners = false, name } = options;
    if (!Object.hasOwn(interpolations, mode)) {
      refuse(method, 'ERR_PARAMETER', `expected ${Object.keys(interpolations).join(', ')}, given ${String(mode)}`, {
        option: 'mode',
      });
    }
    if ((size === undefined) === (scaleFactor === undefined)) {
      const given = size === undefined ? 'neither' : 'both';
      refuse(method, 'ERR_PARAMETER', `expected size or scaleFactor, given ${given}`);
    }
    const [axes, resizeMode] = interpolations[mode];
    const spatial = x.rank - 2;
    if (spatial < 1 || (axes !== 0 && axes !== spatial)) {
      const expected = axes === 0 ? 'rank 3 or more' : `rank ${axes + 2}`;
      const other = Object.entries(interpolations).find(([, [n, kind]]) => n === spatial && kind === resizeMode)?.[0];
      const remedy = other ? `; rank ${x.rank} takes ${other}` : '';
      refuse(method, 'ERR_RANK', `mode ${mode}: expected ${expected}, given ${formatShape(x.shape)}${remedy}`, {
        actual: x.rank,
      });
    }
    if (alignCorners && resizeMode === 'nearest') {
      refuse(method, 'ERR_PARAMETER', `mode ${mode} has no such choice`, { option: 'alignCorners' });
    }
    const spread = <T>(value: T | readonly T[] | undefined): T[] | undefined =>
      value === undefined ? undefined : Array.isArray(value) ? [...value] : Array(spatial).fill(value);
    const [sizes, scales] = [spread(size), spread(scaleFactor)];
    for (const [what, list] of Object.entries({ size: sizes, scaleFactor: scales })) {
      if (list && list.length !== spatial) {
        refuse(method, 'ERR_PARAMETER', `expected one number or ${spatial}, given [${list.join(', ')}]`, {
          option: what,
        });
      }
    }
    for (const [axis, from] of x.shape.slice(2).entries()) {
      const given = scales ? scales[axis]! : sizes![axis];
      if (from === 0 || typeof given !== 'number' || given < 0) continue;
      const to = scales ? Number(from) * given : given;
      if (!(to < 1) || (scales && given === 0)) continue;
      refuse(
        method,
        'ERR_SHAPE',
        `nothing would be left of axis ${axis + 2} of ${formatShape(x.shape)}, given ${given}`,
        {
          option: scales ? 'scaleFactor' : 'size',
        },
      );
    }
    const form = {
      mode: resizeMode,
      coordinateTransformation: mode === 'nearest' ? 'asymmetric' : alignCorners ? 'align_corners' : 'half_pixel',
      nearestRounding: mode === 'nearest-exact' ? 'half_up' : 'floor',
    } as const;
    const factors = scales && [1, 1, ...scales];
    if (factors && (mode === 'nearest' || mode === 'nearest-exact') && floats.includes(x.dtype)) {
      const how = { ...form, selector: 'formula', cubicCoeff: 0, excludeOutside: false } as const;
      const picks = picked(x.shape, factors, mode, how);
      const last = picks.at(-1);
      if (last) {
        return picks.reduce(
          (from, one) => recordGather(from, one.index, one.axis, { method, name: one === last ? name : undefined }),
          x,
        );
      }
    }
    return record(x, {
      method,
      name,
      ...form,
      ...(sizes && { sizes: [...x.shape.slice(0, 2), ...sizes] }),
      ...(factors && scaling(x.shape, factors, mode)),
    });
  },
};

export { methods as resizeMethods };
export type ResizeMethods = typeof methods;
