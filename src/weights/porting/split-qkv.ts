import { shapeText } from '../dtype.js';
import { refusal } from '../format-error.js';
import { Weight } from '../weight.js';
import { axisOf, expectShape, type Projection, projection } from './checks.js';

/** Layout of a fused query-key-value projection. */
export interface QkvOptions {
  /** The weight's axis of outputs: 0 for a Linear (`in_proj_weight`), 1 for GPT-2's Conv1D (`c_attn`). */
  axis?: number | undefined;
  /** Outputs of query, key and value; thirds by default (grouped-query attention has fewer keys and values). */
  sizes?: readonly [number, number, number] | undefined;
  /** Number of heads, if each head's q, k and v lie together (GPT-NeoX, BLOOM) instead of all queries first. */
  interleavedHeads?: number | undefined;
}

/** The weights of a `torch.nn.MultiheadAttention`. */
export interface AttentionWeights {
  /** [3 · embed, embed] */
  in_proj_weight?: Weight | undefined;
  /** [3 · embed] */
  in_proj_bias?: Weight | undefined;
  /** Separate if keys or values have another size (`kdim`, `vdim`). */
  q_proj_weight?: Weight | undefined;
  /** The keys' weight, where it is not part of `in_proj_weight`. */
  k_proj_weight?: Weight | undefined;
  /** The values' weight, where it is not part of `in_proj_weight`. */
  v_proj_weight?: Weight | undefined;
}

/**
 * Splits a fused query-key-value projection, also that of `w.layer(…)` of a torch.nn.MultiheadAttention. Without interleaving and along axis 0 the parts are views.
 * @throws ERR_WEIGHTS_SHAPE
 */
export function splitQkv(
  fused: Projection | AttentionWeights | Readonly<Record<string, Weight | undefined>>,
  options: QkvOptions = {},
): { q: Projection; k: Projection; v: Projection } {
  const attention = (fused ?? {}) as AttentionWeights;
  const apart = [attention.q_proj_weight, attention.k_proj_weight, attention.v_proj_weight];
  if (apart.every((part) => part instanceof Weight)) {
    const rows = apart.map((part) => part.shape[0] ?? 0);
    return projections(apart, attention.in_proj_bias?.split(rows));
  }
  const { in_proj_weight: weight, in_proj_bias } = attention;
  const given = weight ? { weight, ...(in_proj_bias && { bias: in_proj_bias }) } : fused;
  const { weight: whole, bias } = projection('splitQkv', "a fused projection, or an attention's in_proj_weight", given);
  const { interleavedHeads: heads } = options ?? {};
  const axis = axisOf(whole, options?.axis ?? 0);
  const outputs = whole.shape[axis]!;
  const sizes = options?.sizes ?? [outputs / 3, outputs / 3, outputs / 3];
  const parts = heads ?? 1;
  const fits = (size: number) => Number.isSafeInteger(size) && size >= 0 && size % parts === 0;
  if (sizes.length !== 3 || !sizes.every(fits) || sizes[0] + sizes[1] + sizes[2] !== outputs) {
    const what = options?.sizes ? `sizes ${shapeText(sizes)}` : 'three equal parts';
    throw refusal(
      'ERR_WEIGHTS_SHAPE',
      `splitQkv: ${whole.label} of shape ${shapeText(whole.shape)} has ${outputs} outputs on axis ${axis}, which do not divide into ${what}${heads ? ` of ${heads} heads` : ''}`,
      { expected: sizes, actual: whole.shape },
    );
  }
  if (bias) expectShape(bias, [outputs]);
  const cut = (tensor: Weight, at: number): Weight[] => {
    if (!heads) return tensor.split(sizes, at);
    const { shape } = tensor;
    const perHead = [...shape.slice(0, at), heads, shape[at]! / heads, ...shape.slice(at + 1)];
    const pieces = tensor.reshape(perHead).split(
      sizes.map((size) => size / heads),
      at + 1,
    );
    return pieces.map((piece, i) => piece.reshape(shape.map((d, k) => (k === at ? sizes[i]! : d))));
  };
  return projections(cut(whole, axis), bias && cut(bias, 0));
}

function projections(weights: Weight[], biases?: Weight[]): { q: Projection; k: Projection; v: Projection } {
  const [q, k, v] = weights.map((weight, i) => (biases ? { weight, bias: biases[i]! } : { weight }));
  return { q: q!, k: k!, v: v! };
}
