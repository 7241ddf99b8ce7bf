import { z } from 'zod';
import { type CpuGraph, type CpuValue, defineLayer } from '../../dsl/define-layer.js';
import { Tensor, type TensorSource } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import { countOf, formatShape, isStatic, isStaticShape } from '../../values/dim.js';
import { encodeElements } from '../../values/elements.js';
import type { WeightLike } from '../../values/weight.js';
import { axisList, requireFront, resolveAxes } from '../shared/axes.js';
import { floats, requireDType, requireInputsDType } from '../shared/dtypes.js';
import { float32Number, type Named, nonNegative, positive, wholeNumber } from '../shared/parameters.js';
import { broadcastDim, requireRank } from '../shared/shapes.js';

export const normalization = defineLayer({
  kind: 'normalization',
  params: z.strictObject({
    axes: z.array(wholeNumber).min(1),
    groups: positive,
    eps: float32Number,
    /** Dims of scale and bias: those of the input, or ones. */
    shape: z.array(nonNegative).min(1).max(8),
  }),
  infer({ input, inputs, weights, params: p, fail }) {
    const { dtype, shape } = input(0);
    requireDType(dtype, floats, fail);
    requireRank(shape, 1, 8, fail);
    const axes = resolveAxes(p.axes, shape.length, fail);
    requireFront(p.axes, fail);
    for (const [role, index, option] of [
      ['scale', 1, 'weight'],
      ['bias', 2, 'bias'],
    ] as const) {
      const given = weights[role] ?? inputs[index] ?? fail('ERR_INPUT', `${option} is missing`);
      requireInputsDType(option, given.dtype, dtype, fail);
      const count = isStaticShape(given.shape) ? countOf(given.shape) : undefined;
      if (count !== undefined && count !== countOf(p.shape)) {
        const expected = p.shape.filter((size) => size !== 1);
        fail('ERR_SHAPE', `expected ${formatShape(expected)}, given ${formatShape(given.shape)}`, {
          option,
          expected,
          actual: given.shape,
        });
      }
    }
    if (
      p.shape.length !== shape.length ||
      p.shape.some((dim, i) => dim !== 1 && broadcastDim(dim, shape[i]!) === undefined)
    ) {
      fail('ERR_SHAPE', `expected a shape that broadcasts to ${formatShape(shape)}, given ${formatShape(p.shape)}`, {
        options: ['weight', 'bias'],
      });
    }
    if (p.groups > 1) {
      const channels = shape[1]!;
      if (!isStatic(channels) || channels % p.groups !== 0) {
        fail(
          'ERR_SHAPE',
          `expected a divisor of the ${channels} channels of ${formatShape(shape)}, given ${p.groups}`,
          { option: 'groups', actual: p.groups },
        );
      }
      const spatial = shape.map((_, i) => i).slice(2);
      if (String(axes) !== String(spatial)) {
        fail('ERR_AXIS', `expected those after the channels, ${spatial}, for ${p.groups} groups, given ${axes}`, {
          option: 'axes',
        });
      }
    }
    return { dtype, shape };
  },
  cpu(g, { input, inputs, weights, params: p, outputTypes }) {
    const wide = (value: CpuValue) => g.cast(value, 'float32');
    const dims = g.constant('int64', [p.shape.length], p.shape);
    const coefficient = (role: string, index: number) =>
      g.op('Reshape', [wide(weights[role] ?? inputs[index]!), dims], { allowzero: 1 });
    const x = wide(input(0));
    const normalized =
      p.groups === 1
        ? normalize(g, x, p.axes, p.eps)
        : g.op('Reshape', [
            normalize(g, g.op('Reshape', [x, g.constant('int64', [3], [0, p.groups, -1])]), [2], p.eps),
            g.op('Shape', [x]),
          ]);
    const scaled = g.op('Mul', [normalized, coefficient('scale', 1)]);
    return g.cast(g.op('Add', [scaled, coefficient('bias', 2)]), outputTypes[0]!.dtype);
  },
});

function normalize(g: CpuGraph, x: CpuValue, axes: readonly number[], eps: number): CpuValue {
  const over = g.constant('int64', [axes.length], axes);
  const mean = (value: CpuValue) => g.op('ReduceMean', [value, over], { keepdims: 1 });
  const centered = g.op('Sub', [x, mean(x)]);
  const variance = mean(g.op('Mul', [centered, centered]));
  return g.op('Div', [centered, g.op('Sqrt', [g.op('Add', [variance, g.constant('float32', [], [eps])])])]);
}

export interface InstanceNormOptions extends Named {
  /** Default: ones. */
  weight?: WeightLike | Tensor | undefined;
  /** Default: zeros. */
  bias?: WeightLike | Tensor | undefined;
  /** Added to the variance. Default 1e-5. */
  eps?: number | undefined;
}

export interface LayerNormOptions extends InstanceNormOptions {
  /** The last dims of the input, over which it is normalized. Default: the shape of the weight, else the last dim. */
  normalizedShape?: number | readonly number[] | undefined;
  /** In place of `normalizedShape`: the axes, of which `weight` and `bias` have the sizes. */
  axes?: readonly number[] | undefined;
}

export interface GroupNormOptions extends InstanceNormOptions {
  /** Number of groups the channels are divided into. */
  groups?: number | undefined;
  /** Same as `groups`, by PyTorch's name. */
  numGroups?: number | undefined;
}

function record(
  x: Tensor,
  method: string,
  shape: readonly number[],
  params: { axes: readonly number[]; groups?: number },
  { weight, bias, eps = 1e-5, name }: InstanceNormOptions,
): Tensor {
  const same = (value: number): WeightLike => ({
    dtype: x.dtype,
    shape: [...shape],
    data: encodeElements(x.dtype, Array(countOf(shape)).fill(value)),
  });
  const given = { scale: weight ?? same(1), bias: bias ?? same(0) };
  const tensor = (value: unknown) => (value instanceof Tensor ? value : null);
  return x.network.record(normalization, {
    method,
    name,
    inputs: [x, tensor(given.scale), tensor(given.bias)],
    weights: Object.fromEntries(Object.entries(given).filter(([, value]) => !(value instanceof Tensor))),
    params: { groups: 1, ...params, axes: [...params.axes], eps, shape: [...shape] },
  })[0]!;
}

/** Sizes along `axes`, ones elsewhere. */
function sizesAlong(x: Tensor, method: string, axes: readonly number[]): number[] {
  return x.shape.map((dim, axis) => {
    if (!axes.includes(axis)) return 1;
    if (!isStatic(dim))
      refuse(method, 'ERR_SHAPE', `expected a known size along axis ${axis}, given ${formatShape(x.shape)}`);
    return dim as number;
  });
}

const trailing = (rank: number, count: number): number[] => Array.from({ length: count }, (_, i) => rank - count + i);

const methods = {
  /**
   * Normalizes over the last dims: `(x − mean) / √(variance + eps) · weight + bias`, of floats of rank 1 or more.
   * TensorRT kind: normalization.
   * @throws ERR_SHAPE where normalizedShape, weight or bias do not fit the input; ERR_DTYPE, ERR_AXIS
   */
  layerNorm(this: TensorSource, options: LayerNormOptions = {}): Tensor {
    const x = this.tensor();
    const { normalizedShape, weight, bias } = options;
    const expected = normalizedShape === undefined ? undefined : [normalizedShape].flat();
    const count = (expected ?? weight?.shape ?? bias?.shape ?? [0]).length;
    if (expected && String(expected) !== String(x.shape.slice(x.rank - count))) {
      refuse(
        'layerNorm',
        'ERR_SHAPE',
        `expected the last dims of ${formatShape(x.shape)}, given ${formatShape(expected)}`,
        { option: 'normalizedShape', expected: x.shape, actual: expected },
      );
    }
    const axes = options.axes ? axisList(options.axes, x.rank) : trailing(x.rank, Math.min(count, x.rank));
    return record(x, 'layerNorm', sizesAlong(x, 'layerNorm', axes), { axes }, options);
  },
  /**
   * Normalizes each channel of each sample over the axes after the second, of floats of rank 3 or more; `weight` and
   * `bias` have one element per channel. The statistics are those of the input; for stored statistics see `batchNorm`.
   * TensorRT kind: normalization.
   *
   * @throws ERR_SHAPE where weight or bias do not fit the channels; ERR_RANK, ERR_DTYPE; ERR_PARAMETER where the
   *   layer's weights hold statistics, which PyTorch would use instead
   */
  instanceNorm(this: TensorSource, options: InstanceNormOptions = {}): Tensor {
    const x = this.tensor();
    if ((options as { running_mean?: unknown } | null)?.running_mean !== undefined) {
      refuse('instanceNorm', 'ERR_PARAMETER', 'expected no running_mean: by stored statistics batchNorm normalizes');
    }
    if (x.rank < 3) refuse('instanceNorm', 'ERR_RANK', `expected rank 3 or more, given ${x}`);
    return record(
      x,
      'instanceNorm',
      sizesAlong(x, 'instanceNorm', [1]),
      { axes: trailing(x.rank, x.rank - 2) },
      options,
    );
  },
  /**
   * Normalizes groups of channels of each sample, of floats of rank 3 or more; `weight` and `bias` have one element per
   * channel. TensorRT kind: normalization.
   * @throws ERR_SHAPE where groups do not divide the channels, or weight or bias do not fit them; ERR_RANK, ERR_DTYPE
   */
  groupNorm(this: TensorSource, options: GroupNormOptions): Tensor {
    const x = this.tensor();
    const { groups = options?.numGroups } = options ?? {};
    if (groups === undefined) refuse('groupNorm', 'ERR_PARAMETER', 'expected groups, the number of groups, given none');
    if (x.rank < 3) refuse('groupNorm', 'ERR_RANK', `expected rank 3 or more, given ${x}`);
    // A single group covers all channels, and TensorRT requires them among the axes.
    const axes = trailing(x.rank, groups === 1 ? x.rank - 1 : x.rank - 2);
    return record(x, 'groupNorm', sizesAlong(x, 'groupNorm', [1]), { axes, groups }, options ?? {});
  },
};

export { methods as normalizationMethods };
export type NormalizationMethods = typeof methods;
