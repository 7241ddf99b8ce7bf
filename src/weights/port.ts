import { show } from '../dsl/errors.js';
import { bytesOf, shapeText, type WeightDType, weightBits } from './dtype.js';
import { refusal } from './format-error.js';
import { Weight, weight } from './weight.js';

/** Batch norm as PyTorch stores it; `layer('bn1')` of a store gives it. */
export interface BatchNormWeights {
  /** gamma; 1 by default */
  weight?: Weight;
  /** beta; 0 by default */
  bias?: Weight;
  running_mean?: Weight;
  running_var?: Weight;
}

/**
 * Batch norm at inference as one scale and shift per channel, for a Scale layer: scale = γ / √(σ² + eps),
 * shift = β − μ · scale (Ioffe & Szegedy 2015, algorithm 2). Computed in double, given in float32.
 * @param options.eps as in the model; PyTorch's default 1e-5
 * @throws ERR_WEIGHTS_SHAPE; ERR_WEIGHTS_NAME where the running statistics are absent
 */
export function batchNormScale(bn: BatchNormWeights, options: { eps?: number } = {}): { scale: Weight; shift: Weight } {
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
 * @param options.eps as in the model; PyTorch's default 1e-5
 * @param options.axis the weight's axis of output channels: 0, or 1 for a transposed convolution without groups
 * @throws ERR_WEIGHTS_SHAPE where the channels differ
 */
export function foldBatchNorm(
  layer: { weight: Weight; bias?: Weight },
  bn: BatchNormWeights,
  options: { eps?: number; axis?: number } = {},
): { weight: Weight; bias: Weight } {
  const { weight: kernel, bias } = projection('foldBatchNorm', 'a layer', layer);
  const { scale, shift } = coefficients('foldBatchNorm', bn, options?.eps);
  const axis = axisOf(kernel, options?.axis ?? 0);
  const channels = scale.length;
  if (kernel.shape[axis] !== channels) {
    throw refusal(
      'ERR_WEIGHTS_SHAPE',
      `${kernel.label}: expected ${channels} output channels on axis ${axis}, as the batch norm has, given shape ${shapeText(kernel.shape)}`,
      { expected: channels, actual: kernel.shape[axis] },
    );
  }
  if (bias) expectShape(bias, [channels]);
  const values = doubles(kernel);
  const inner = kernel.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  for (let i = 0; i < values.length; i++) values[i]! *= scale[Math.floor(i / inner) % channels]!;
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

/** One projection of an attention block. */
export interface Projection {
  weight: Weight;
  bias?: Weight;
}

/** How a fused query-key-value projection is laid out. */
export interface QkvOptions {
  /** The weight's axis of outputs: 0 for a Linear (`in_proj_weight`), 1 for GPT-2's Conv1D (`c_attn`). */
  axis?: number;
  /** Outputs of query, key and value; thirds by default (grouped-query attention has fewer keys and values). */
  sizes?: readonly [number, number, number];
  /** Number of heads, where each head's q, k and v lie together (GPT-NeoX, BLOOM) instead of all queries first. */
  interleavedHeads?: number;
}

/**
 * Splits a fused query-key-value projection. Without interleaving and along axis 0 the parts are views.
 * @throws ERR_WEIGHTS_SHAPE
 */
export function splitQkv(fused: Projection, options: QkvOptions = {}): { q: Projection; k: Projection; v: Projection } {
  const { weight: whole, bias } = projection('splitQkv', 'a fused projection', fused);
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
  const weights = cut(whole, axis);
  const biases = bias ? cut(bias, 0) : [];
  const part = (i: number): Projection =>
    biases[i] ? { weight: weights[i]!, bias: biases[i] } : { weight: weights[i]! };
  return { q: part(0), k: part(1), v: part(2) };
}

/** Orders of the gates of recurrent layers: PyTorch's, TensorFlow's and Keras's, ONNX's. `c` is PyTorch's g. */
export const gateOrders = {
  lstm: { pytorch: 'ifco', tensorflow: 'icfo', keras: 'ifco', onnx: 'iofc' },
  gru: { pytorch: 'rzn', keras: 'zrn', onnx: 'zrn' },
} as const;

/**
 * Reorders the gates of an LSTM's or GRU's weight or bias.
 * @param from letters of the gates as they lie along `axis`, e.g. `gateOrders.lstm.pytorch`
 * @param to the same letters in the wanted order
 * @throws ERR_WEIGHTS_SHAPE where the axis does not divide, ERR_WEIGHTS_NAME where the orders differ in letters
 */
export function reorderGates(gates: Weight, from: string, to: string, axis = 0): Weight {
  expectWeight('reorderGates', gates);
  if (
    typeof from !== 'string' ||
    typeof to !== 'string' ||
    new Set(from).size !== from.length ||
    [...from].sort().join() !== [...to].sort().join()
  ) {
    throw refusal(
      'ERR_WEIGHTS_NAME',
      `Gate orders: expected the same distinct letters, given ${show(from)} and ${show(to)}`,
    );
  }
  const size = gates.shape[axisOf(gates, axis)]! / from.length;
  const parts = gates.split(
    Array.from(from, () => size),
    axis,
  );
  return joined(
    [...to].map((gate) => parts[from.indexOf(gate)]!),
    axisOf(gates, axis),
    gates.name,
  );
}

/** An LSTM layer as PyTorch stores it (`weight_ih_l0` and so on), gates i, f, g, o along axis 0. */
export interface LstmWeights {
  /** [4·hidden, input] */
  weight_ih: Weight;
  /** [4·hidden, hidden] */
  weight_hh: Weight;
  /** [4·hidden] */
  bias_ih?: Weight;
  bias_hh?: Weight;
}

/** Which layer of an LSTM of several is meant. */
export interface LstmOptions {
  /** 0 by default: `weight_ih_l0` */
  layer?: number;
  /** The other direction of a bidirectional one: `weight_ih_l0_reverse` */
  reverse?: boolean;
}

/**
 * A PyTorch LSTM layer as TensorFlow's BasicLSTMCell and sampleCharRNN hold it: a kernel [input + hidden, 4·hidden]
 * with gates i, c, f, o along its columns, and one bias. TensorFlow's forget bias is not subtracted.
 * @param weights `w.layer('lstm')` of torch.nn.LSTM, whose names end in the layer (`weight_ih_l0`), or the four without
 * @throws ERR_WEIGHTS_NAME where a weight is absent, ERR_WEIGHTS_SHAPE where the gates do not fit
 */
export function lstmToTensorFlow(
  weights: LstmWeights | Readonly<Record<string, Weight | undefined>>,
  options: LstmOptions = {},
): { kernel: Weight; bias: Weight } {
  const { pytorch, tensorflow } = gateOrders.lstm;
  const layer = lstmLayer(weights, options ?? {});
  const turn = (w: Weight) => reorderGates(w, pytorch, tensorflow).transpose();
  const gates = layer.weight_hh.shape[0] ?? 0;
  const sum = new Float64Array(gates);
  for (const bias of [layer.bias_ih, layer.bias_hh]) {
    if (!bias) continue;
    expectShape(bias, [gates]);
    for (const [i, b] of doubles(bias).entries()) sum[i]! += b;
  }
  const bias = rounded(sum, [gates], layer.weight_hh.dtype, 'bias');
  return {
    kernel: joined([turn(layer.weight_ih), turn(layer.weight_hh)], 0, 'kernel'),
    bias: reorderGates(bias, pytorch, tensorflow),
  };
}

/**
 * The inverse: PyTorch's layer from a TensorFlow kernel and bias. All of the bias is in `bias_ih`.
 * @param forgetBias what TensorFlow's cell adds to the forget gate (1 by default there, nothing in sampleCharRNN)
 */
export function lstmFromTensorFlow(
  cell: { kernel: Weight; bias?: Weight },
  options: { forgetBias?: number } = {},
): LstmWeights {
  const { pytorch, tensorflow } = gateOrders.lstm;
  const { kernel } = cell ?? {};
  expectWeight('lstmFromTensorFlow: kernel', kernel);
  const hidden = (kernel.shape[1] ?? 0) / 4;
  const input = (kernel.shape[0] ?? 0) - hidden;
  const [ih, hh] = kernel.split([input, hidden]);
  const turn = (w: Weight) => reorderGates(w.transpose(), tensorflow, pytorch);
  const layer: LstmWeights = { weight_ih: turn(ih!), weight_hh: turn(hh!) };
  if (!cell.bias) return layer;
  const values = doubles(reorderGates(cell.bias, tensorflow, pytorch));
  for (let i = hidden; i < 2 * hidden; i++) values[i]! += options.forgetBias ?? 0;
  return { ...layer, bias_ih: rounded(values, [4 * hidden], cell.bias.dtype, cell.bias.name) };
}

function lstmLayer(
  weights: LstmWeights | Readonly<Record<string, Weight | undefined>>,
  { layer = 0, reverse = false }: LstmOptions,
): LstmWeights {
  const all = Object.entries(typeof weights === 'object' && weights !== null ? weights : {});
  const given = new Map(all.filter((item): item is [string, Weight] => item[1] instanceof Weight));
  const suffix = `_l${layer}${reverse ? '_reverse' : ''}`;
  const named = (name: string) => given.get(name + suffix) ?? (layer === 0 && !reverse ? given.get(name) : undefined);
  const [weight_ih, weight_hh] = [named('weight_ih'), named('weight_hh')];
  if (!weight_ih || !weight_hh) {
    throw refusal(
      'ERR_WEIGHTS_NAME',
      `lstmToTensorFlow: expected weight_ih${suffix} and weight_hh${suffix}, given ${[...given.keys()].join(', ') || show(weights)}`,
    );
  }
  return { weight_ih, weight_hh, bias_ih: named('bias_ih'), bias_hh: named('bias_hh') };
}

function expectWeight(what: string, value: unknown): asserts value is Weight {
  if (!(value instanceof Weight)) throw refusal('ERR_INPUT', `${what}: expected a weight, given ${show(value)}`);
}

/** A weight and its bias, if it has one. */
function projection(caller: string, what: string, given: unknown): Projection {
  const { weight: whole, bias } = (typeof given === 'object' && given !== null ? given : {}) as Partial<Projection>;
  if (!(whole instanceof Weight) || !(bias === undefined || bias instanceof Weight))
    throw refusal('ERR_INPUT', `${caller}: expected { weight, bias? } as ${what}, given ${show(given)}`);
  return bias ? { weight: whole, bias } : { weight: whole };
}

/** Counted from the end where negative. @throws ERR_WEIGHTS_SHAPE */
function axisOf(w: Weight, axis: number): number {
  const at = axis < 0 ? axis + w.shape.length : axis;
  if (Number.isInteger(at) && at >= 0 && at < w.shape.length) return at;
  throw refusal('ERR_WEIGHTS_SHAPE', `${w.label} of shape ${shapeText(w.shape)} has no axis ${show(axis)}`);
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

// A copy that may be written to, also where the weight is float64 already.
const doubles = (w: Weight): Float64Array => Float64Array.from(w.as('float64').data as Float64Array);

/** Doubles as a weight, rounded to `dtype`. */
const rounded = (values: Float64Array, shape: readonly number[], dtype: WeightDType, name: string): Weight =>
  weight(values, shape, 'float64', name).as(dtype);

function expectShape(w: Weight, shape: readonly number[]): void {
  if (w.shape.length === shape.length && w.shape.every((d, i) => d === shape[i])) return;
  throw refusal('ERR_WEIGHTS_SHAPE', `${w.label}: expected shape ${shapeText(shape)}, given ${shapeText(w.shape)}`, {
    expected: shape,
    actual: w.shape,
  });
}

/** Concatenates along an axis; dtypes (of at least 8 bits) and other axes must be equal. */
export function joined(parts: readonly Weight[], axis: number, name = parts?.[0]?.name ?? 'joined'): Weight {
  if (!Array.isArray(parts) || !parts.every((part) => part instanceof Weight))
    throw refusal('ERR_INPUT', `joinWeights: expected a list of weights, given ${show(parts)}`);
  const [first] = parts as readonly Weight[];
  const rest = (w: Weight) => shapeText([w.dtype, ...w.shape.filter((_, i) => i !== axis)]);
  const odd = parts.find((w) => axis >= w.shape.length || rest(w) !== rest(first!) || weightBits[w.dtype] < 8);
  if (!first || odd) {
    throw refusal(
      'ERR_WEIGHTS_SHAPE',
      `Cannot join ${parts.map(String).join(' and ') || 'nothing'} along axis ${axis}`,
    );
  }
  const outer = first.shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const bytes = parts.map((w) => bytesOf(w.data));
  const out = new Uint8Array(bytes.reduce((sum, b) => sum + b.length, 0));
  for (let row = 0, at = 0; row < outer; row++) {
    for (const part of bytes) {
      const size = part.length / outer;
      out.set(part.subarray(row * size, (row + 1) * size), at);
      at += size;
    }
  }
  const total = parts.reduce((sum, w) => sum + w.shape[axis]!, 0);
  const shape = first.shape.map((d, i) => (i === axis ? total : d));
  return new Weight(name, first.dtype, shape, { read: () => out, check: () => {} }, first.file);
}
