import { show } from '../../errors/error.js';
import { shapeText } from '../dtype.js';
import { refusal } from '../format-error.js';
import { contiguousStrides } from '../rearrange.js';
import { Weight } from '../weight.js';
import { axisOf, doubles, expectShape, expectWeight, type Projection, projection, rounded } from './checks.js';

/** Batch norm as PyTorch stores it: `layer('bn1')` of a store. */
export interface BatchNormWeights {
  /** gamma; 1 by default */
  weight?: Weight;
  /** beta; 0 by default */
  bias?: Weight;
  running_mean?: Weight;
  running_var?: Weight;
}

export interface BatchNormScaleOptions {
  /** As in the model. Default 1e-5, as PyTorch's. */
  eps?: number;
}

export interface FoldBatchNormOptions extends BatchNormScaleOptions {
  /** The weight's axis of output channels: 0, the default, or 1 for a transposed convolution. */
  axis?: number;
  /** Of a transposed convolution, whose weight [in, out / groups, …] has a part of them in each. Default 1. */
  groups?: number;
}

/**
 * Batch norm at inference as one scale and shift per channel, for a Scale layer: scale = γ / √(σ² + eps),
 * shift = β − μ · scale (Ioffe & Szegedy 2015, algorithm 2). Computed in double, returned as float32.
 * @throws ERR_WEIGHTS_SHAPE; ERR_WEIGHTS_NAME if the running statistics are missing
 */
export function batchNormScale(
  bn: BatchNormWeights,
  options: BatchNormScaleOptions = {},
): { scale: Weight; shift: Weight } {
  const { scale, shift, name } = coefficients('batchNormScale', bn, options?.eps);
  const shape = [scale.length];
  return {
    scale: rounded(scale, shape, 'float32', `${name}.scale`),
    shift: rounded(shift, shape, 'float32', `${name}.shift`),
  };
}

/**
 * Folds a batch norm that follows a convolution or linear layer into it: W' = W · scale, b' = b · scale + shift along
 * the output channels, so that TensorRT runs one layer. Computed in double, rounded to the layer's dtype.
 * @throws ERR_WEIGHTS_SHAPE if the channels differ
 */
export function foldBatchNorm(
  layer: Projection,
  bn: BatchNormWeights,
  options: FoldBatchNormOptions = {},
): { weight: Weight; bias: Weight } {
  const { weight: kernel, bias } = projection('foldBatchNorm', 'a layer', layer);
  const { scale, shift } = coefficients('foldBatchNorm', bn, options?.eps);
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
  const values = doubles(kernel);
  const inner = kernel.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const groupSize = groups > 1 ? rows * perGroup * inner : values.length;
  for (let i = 0; i < values.length; i++) {
    const group = Math.floor(i / groupSize);
    values[i]! *= scale[group * perGroup + (Math.floor(i / inner) % perGroup)]!;
  }
  const offsets = (bias ? doubles(bias) : new Float64Array(channels)).map((b, i) => b * scale[i]! + shift[i]!);
  return {
    weight: rounded(values, kernel.shape, kernel.dtype, kernel.name),
    bias: rounded(
      offsets,
      [channels],
      bias?.dtype ?? kernel.dtype,
      bias?.name ?? kernel.name.replace(/weight$/, 'bias'),
    ),
  };
}

/** A layer whose weight is a direction and a length, as `torch.nn.utils.weight_norm` stores it. */
export interface WeightNormWeights {
  /** The length: of size 1 along the axes that it is taken over. */
  weight_g?: Weight;
  /** The direction. */
  weight_v?: Weight;
  /** The length, as `torch.nn.utils.parametrizations.weight_norm` names it: `layer('conv.parametrizations.weight')`. */
  original0?: Weight;
  /** The direction by its name there. */
  original1?: Weight;
  bias?: Weight;
}

/**
 * The weight that a weight norm stands for: g · v / ‖v‖ (Salimans & Kingma 2016), the norm over the axes along which g has
 * size 1. Computed in double, rounded to the direction's dtype.
 * @param layer `layer('conv')` of a store; its bias is passed on
 * @throws ERR_WEIGHTS_NAME if there is no weight norm, ERR_WEIGHTS_SHAPE if length and direction do not fit
 */
export function foldWeightNorm(layer: WeightNormWeights | Readonly<Record<string, Weight | undefined>>): {
  weight: Weight;
  bias?: Weight;
} {
  const { weight_g: g, weight_v: v, original0, original1, bias } = (layer ?? {}) as WeightNormWeights;
  const [length, direction] = [g ?? original0, v ?? original1];
  if (!length || !direction) {
    const given = Object.keys(layer ?? {}).join(', ') || show(layer);
    throw refusal(
      'ERR_WEIGHTS_NAME',
      `foldWeightNorm: expected weight_g and weight_v (or original0 and original1), given ${given}`,
    );
  }
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
  const lengths = doubles(length);
  const values = doubles(direction);
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
  const factors = squares.map((sum, i) => lengths[i]! / Math.sqrt(sum));
  for (let i = 0; i < values.length; i++) values[i]! *= factors[places[i]!]!;
  const name = direction.name.replace(/(?:_v|\.original1)$/, '').replace('.parametrizations.', '.');
  const weight = rounded(values, shape, direction.dtype, name);
  return bias ? { weight, bias } : { weight };
}

function coefficients(
  caller: string,
  bn: BatchNormWeights,
  eps = 1e-5,
): { scale: Float64Array; shift: Float64Array; name: string } {
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
  const means = doubles(mean);
  const gamma = bn.weight && doubles(bn.weight);
  const beta = bn.bias && doubles(bn.bias);
  const scale = doubles(variance).map((v, i) => (gamma?.[i] ?? 1) / Math.sqrt(v + eps));
  const shift = scale.map((s, i) => (beta?.[i] ?? 0) - means[i]! * s);
  return { scale, shift, name: mean.name.replace(/\.?running_mean$/, '') };
}
