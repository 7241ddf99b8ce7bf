import { show } from '../../errors/error.js';
import { shapeText, type WeightDType } from '../dtype.js';
import { refusal } from '../format-error.js';
import { contiguousStrides } from '../rearrange.js';
import { Weight } from '../weight.js';
import { axisOf, expectShape, expectWeight, finite, type Projection, projection, recipes, rounded } from './checks.js';

/** Batch norm as PyTorch stores it: `layer('bn1')` of a store. */
export interface BatchNormWeights {
  /** gamma; 1 by default */
  weight?: Weight | undefined;
  /** beta; 0 by default */
  bias?: Weight | undefined;
  /** Mean of each channel. */
  running_mean?: Weight | undefined;
  /** Variance of each channel. */
  running_var?: Weight | undefined;
}

/** Options of `batchNormScale`. */
export interface BatchNormScaleOptions {
  /** As in the model. Default 1e-5, as PyTorch's. */
  eps?: number | undefined;
}

/** Options of `foldBatchNorm`. */
export interface FoldBatchNormOptions extends BatchNormScaleOptions {
  /** The weight's axis of output channels: 0, the default, or 1 for a transposed convolution. */
  axis?: number | undefined;
  /** Of a transposed convolution, whose weight [in, out / groups, …] has a part of them in each. Default 1. */
  groups?: number | undefined;
}

/**
 * Batch norm at inference as one scale and shift per channel, for a Scale layer: scale = γ / √(σ² + eps),
 * shift = β − μ · scale (Ioffe & Szegedy 2015, algorithm 2). Computed in double from the file's elements, returned as
 * float32.
 * @throws ERR_WEIGHTS_SHAPE; ERR_WEIGHTS_NAME if the running statistics are missing; ERR_VALUE if an element is not
 *   finite, or running_var + eps not positive; ERR_WEIGHTS_CONVERT if a result is beyond float32
 */
export function batchNormScale(
  bn: BatchNormWeights,
  options: BatchNormScaleOptions = {},
): { scale: Weight; shift: Weight } {
  return batchNormIn('float32', bn, options?.eps);
}

/** @internal `batchNormScale` in another dtype. */
export function batchNormIn(
  dtype: WeightDType,
  bn: BatchNormWeights,
  given?: number,
): { scale: Weight; shift: Weight } {
  const { scale, shift, name, eps } = coefficients('batchNormScale', bn, given);
  const shape = [scale.length];
  const recipe = recipes('batchNorm', statisticsOf(bn), { eps, dtype });
  return {
    scale: rounded(scale, shape, dtype, `${name}.scale`, recipe('scale')),
    shift: rounded(shift, shape, dtype, `${name}.shift`, recipe('shift')),
  };
}

/**
 * Folds a batch norm that follows a convolution or linear layer into it: W' = W · scale, b' = b · scale + shift along
 * the output channels, so that TensorRT runs one layer. Computed in double from the file's elements, also of weights that
 * `as` has rounded, and rounded once, to the layer's dtype.
 * @throws ERR_WEIGHTS_SHAPE if the channels differ; ERR_WEIGHTS_NAME if the running statistics are missing; ERR_VALUE if an
 *   element is not finite, or running_var + eps not positive; ERR_WEIGHTS_CONVERT if a result is beyond the layer's dtype
 */
export function foldBatchNorm(
  layer: Projection,
  bn: BatchNormWeights,
  options: FoldBatchNormOptions = {},
): { weight: Weight; bias: Weight } {
  const { weight: kernel, bias } = projection('foldBatchNorm', 'a layer', layer);
  const { scale, shift, eps } = coefficients('foldBatchNorm', bn, options?.eps);
  const axis = axisOf(kernel, options?.axis ?? 0);
  const groups = axis === 1 ? (options?.groups ?? 1) : 1;
  const channels = scale.length;
  const perGroup = kernel.shape[axis]!;
  const rows = kernel.shape[0]! / groups;
  if (perGroup * groups !== channels || !Number.isInteger(rows)) {
    const shared = groups > 1 ? ` in ${groups} groups` : '';
    const hint =
      axis === 1 && groups === 1 && channels % perGroup === 0 ? `; for ${channels / perGroup} groups, say so` : '';
    throw refusal(
      'ERR_WEIGHTS_SHAPE',
      `${kernel.label}: expected ${channels} output channels on axis ${axis}${shared}, as the batch norm has, given shape ${shapeText(kernel.shape)}${hint}`,
      { expected: channels, actual: perGroup * groups },
    );
  }
  if (bias) expectShape(bias, [channels]);
  const values = finite('foldBatchNorm', kernel);
  const inner = kernel.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const groupSize = groups > 1 ? rows * perGroup * inner : values.length;
  for (let i = 0; i < values.length; i++) {
    const group = Math.floor(i / groupSize);
    values[i]! *= scale[group * perGroup + (Math.floor(i / inner) % perGroup)]!;
  }
  const offsets = (bias ? finite('foldBatchNorm', bias) : new Float64Array(channels)).map(
    (b, i) => b * scale[i]! + shift[i]!,
  );
  const { weight: gamma, bias: beta, running_mean, running_var } = statisticsOf(bn);
  const of = { weight: kernel, bias, gamma, beta, running_mean, running_var };
  const recipe = recipes('foldBatchNorm', of, { eps, axis, groups });
  return {
    weight: rounded(values, kernel.shape, kernel.dtype, kernel.name, recipe('weight')),
    bias: rounded(
      offsets,
      [channels],
      bias?.dtype ?? kernel.dtype,
      bias?.name ?? kernel.name.replace(/weight$/, 'bias'),
      recipe('bias'),
    ),
  };
}

/** A layer whose weight is a direction and a length, as `torch.nn.utils.weight_norm` stores it. */
export interface WeightNormWeights {
  /** The length: of size 1 along the axes that it is taken over. */
  weight_g?: Weight | undefined;
  /** The direction. */
  weight_v?: Weight | undefined;
  /** The length, as `torch.nn.utils.parametrizations.weight_norm` names it. */
  'parametrizations.weight.original0'?: Weight | undefined;
  /** The direction by its name there. */
  'parametrizations.weight.original1'?: Weight | undefined;
  /** The length in `layer('conv.parametrizations.weight')`. */
  original0?: Weight | undefined;
  /** The direction there. */
  original1?: Weight | undefined;
  /** Returned as it is. */
  bias?: Weight | undefined;
}

/**
 * The weight that a weight norm stands for: g · v / ‖v‖ (Salimans & Kingma 2016), the norm over the axes along which g has
 * size 1. Computed in double from the file's elements, rounded to the direction's dtype.
 * @param layer `layer('conv')` of a store, from before or after PyTorch 2.0; its bias is passed on
 * @throws ERR_WEIGHTS_NAME if there is no weight norm, ERR_WEIGHTS_SHAPE if length and direction do not fit; ERR_VALUE if an
 *   element is not finite, or a direction all 0; ERR_WEIGHTS_CONVERT if a result is beyond the direction's dtype
 */
export function foldWeightNorm(layer: WeightNormWeights | Readonly<Record<string, Weight | undefined>>): {
  weight: Weight;
  bias?: Weight;
} {
  const given = (layer ?? {}) as Record<string, Weight | undefined>;
  const [g, v] = weightNormNames.find(([g, v]) => given[g] && given[v]) ?? [];
  if (g === undefined) {
    const names = Object.keys(given).join(', ') || show(layer);
    const known = weightNormNames.map((pair) => pair.join(' and ')).join(', or ');
    throw refusal('ERR_WEIGHTS_NAME', `foldWeightNorm: expected ${known}, given ${names}`);
  }
  const [length, direction, bias] = [given[g]!, given[v!]!, given.bias];
  for (const part of [length, direction, bias]) if (part) expectWeight('foldWeightNorm', part);
  const { shape } = direction;
  const sizes = length.shape.length === 0 ? shape.map(() => 1) : length.shape;
  if (sizes.length !== shape.length || sizes.some((d, i) => d !== 1 && d !== shape[i])) {
    throw refusal(
      'ERR_WEIGHTS_SHAPE',
      `${length.label}: expected the sizes of ${shapeText(shape)} or 1, given ${shapeText(length.shape)}`,
      { expected: shape, actual: length.shape },
    );
  }
  const lengths = finite('foldWeightNorm', length);
  const values = finite('foldWeightNorm', direction);
  const strides = contiguousStrides(shape);
  const steps = contiguousStrides(sizes);
  /** Of each element, which length it has. */
  const places = Uint32Array.from(values, (_, i) =>
    shape.reduce(
      (sum, d, axis) => (sizes[axis] === 1 ? sum : sum + (Math.floor(i / strides[axis]!) % d) * steps[axis]!),
      0,
    ),
  );
  const squares = new Float64Array(lengths.length);
  for (const [i, value] of values.entries()) squares[places[i]!]! += value * value;
  const none = squares.indexOf(0);
  if (none >= 0 && values.length > 0)
    throw refusal(
      'ERR_VALUE',
      `foldWeightNorm: ${direction.label}: expected a direction, all elements of ${none} are 0`,
    );
  const factors = squares.map((sum, i) => lengths[i]! / Math.sqrt(sum));
  for (let i = 0; i < values.length; i++) values[i]! *= factors[places[i]!]!;
  const name = direction.name.replace(/(?:_v|\.original1)$/, '').replace('.parametrizations.', '.');
  const recipe = recipes('foldWeightNorm', { original0: length, original1: direction });
  const weight = rounded(values, shape, direction.dtype, name, recipe());
  return bias ? { weight, bias } : { weight };
}

/** What PyTorch names length and direction. */
const weightNormNames = [
  ['weight_g', 'weight_v'],
  ['parametrizations.weight.original0', 'parametrizations.weight.original1'],
  ['original0', 'original1'],
] as const;

function coefficients(
  caller: string,
  bn: BatchNormWeights,
  eps = 1e-5,
): { scale: Float64Array; shift: Float64Array; name: string; eps: number } {
  if (typeof bn !== 'object' || bn === null)
    throw refusal('ERR_INPUT', `${caller}: expected the weights of a batch norm, given ${show(bn)}`);
  const { running_mean: mean, running_var: variance } = bn;
  if (!mean || !variance) {
    const given = Object.values(bn).map((w) => (w instanceof Weight ? w.label : show(w)));
    throw refusal(
      'ERR_WEIGHTS_NAME',
      `${caller}: expected a batch norm with running_mean and running_var, given ${given.join(', ') || 'nothing'}`,
    );
  }
  for (const part of [mean, variance, bn.weight, bn.bias]) if (part) expectWeight(`${caller}: batch norm`, part);
  for (const part of [variance, bn.weight, bn.bias]) if (part) expectShape(part, [mean.size]);
  if (typeof eps !== 'number') throw refusal('ERR_INPUT', `${caller}: eps: expected a number, given ${show(eps)}`);
  const [means, variances] = [finite(caller, mean), finite(caller, variance)];
  const gamma = bn.weight && finite(caller, bn.weight);
  const beta = bn.bias && finite(caller, bn.bias);
  const bad = variances.findIndex((v) => !(v + eps > 0));
  if (bad >= 0)
    throw refusal(
      'ERR_VALUE',
      `${caller}: ${variance.label}: expected running_var + eps above 0, given ${variances[bad]} + ${eps} at ${bad}`,
    );
  const scale = variances.map((v, i) => (gamma?.[i] ?? 1) / Math.sqrt(v + eps));
  const shift = scale.map((s, i) => (beta?.[i] ?? 0) - means[i]! * s);
  return { scale, shift, name: mean.name.replace(/\.?running_mean$/, ''), eps };
}

/** The weights that `coefficients` reads. */
const statisticsOf = ({ weight, bias, running_mean, running_var }: BatchNormWeights) => ({
  weight,
  bias,
  running_mean,
  running_var,
});
