import { show } from '../../errors/error.js';
import { shapeText, type WeightDType } from '../dtype.js';
import { refusal } from '../format-error.js';
import { Weight } from '../weight.js';
import { axisOf, doubles, expectShape, expectWeight, recipes, rounded } from './checks.js';

/** Orders of the gates of recurrent layers: PyTorch's, TensorFlow's and Keras's, ONNX's. `c` is PyTorch's g. */
export const gateOrders = {
  lstm: { pytorch: 'ifco', tensorflow: 'icfo', keras: 'ifco', onnx: 'iofc' },
  gru: { pytorch: 'rzn', keras: 'zrn', onnx: 'zrn' },
} as const;

/**
 * Reorders the gates of an LSTM's or GRU's weight or bias.
 * @param from letters of the gates as they lie along `axis`, e.g. `gateOrders.lstm.pytorch`
 * @param to the same letters in the wanted order
 * @throws ERR_WEIGHTS_SHAPE if the axis does not divide, ERR_WEIGHTS_NAME if the orders have different letters
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
  const at = axisOf(gates, axis);
  const size = gates.shape[at]! / from.length;
  const parts = gates.split(
    Array.from(from, () => size),
    axis,
  );
  return Weight.concat(
    [...to].map((gate) => parts[from.indexOf(gate)]!),
    { axis: at, name: gates.name },
  );
}

/** An LSTM layer as PyTorch stores it (`weight_ih_l0` and so on), gates i, f, g, o along axis 0. */
export interface LstmWeights {
  /** [4·hidden, input] */
  weight_ih: Weight;
  /** [4·hidden, hidden] */
  weight_hh: Weight;
  /** [4·hidden] */
  bias_ih?: Weight | undefined;
  /** [4·hidden] */
  bias_hh?: Weight | undefined;
}

/** An LSTM layer as TensorFlow's BasicLSTMCell and sampleCharRNN hold it. */
export interface TensorFlowLstm {
  /** [input + hidden, 4·hidden], with gates i, c, f, o along its columns. */
  kernel: Weight;
  /** [4·hidden] */
  bias?: Weight | undefined;
}

/** Which layer of a multi-layer LSTM. */
export interface LstmLayerOptions {
  /** 0 by default: `weight_ih_l0` */
  layer?: number | undefined;
  /** The other direction of a bidirectional one: `weight_ih_l0_reverse` */
  reverse?: boolean | undefined;
}

/**
 * A PyTorch LSTM layer as TensorFlow's BasicLSTMCell and sampleCharRNN hold it: a kernel [input + hidden, 4·hidden]
 * with gates i, c, f, o along its columns, and one bias. TensorFlow's forget bias is not subtracted.
 * @param weights `w.layer('lstm')` of torch.nn.LSTM, whose names end in the layer (`weight_ih_l0`), or the four without
 * @throws ERR_WEIGHTS_NAME if a weight is missing, ERR_WEIGHTS_SHAPE if the gates do not fit
 */
export function lstmToTensorFlow(
  weights: LstmWeights | Readonly<Record<string, Weight | undefined>>,
  options: LstmLayerOptions = {},
): Required<TensorFlowLstm> {
  const { pytorch, tensorflow } = gateOrders.lstm;
  const layer = lstmLayer(weights, options ?? {});
  const turn = (w: Weight) => reorderGates(w, pytorch, tensorflow).transpose();
  const gates = layer.weight_hh.shape[0] ?? 0;
  const bias = addBiases(layer, gates, layer.weight_hh.dtype);
  return {
    kernel: Weight.concat([turn(layer.weight_ih), turn(layer.weight_hh)], { name: 'kernel' }),
    bias: reorderGates(bias, pytorch, tensorflow),
  };
}

/** @internal The biases of an LSTM as one, zeros if there are none. */
export function addBiases(
  { bias_ih, bias_hh }: Pick<LstmWeights, 'bias_ih' | 'bias_hh'>,
  gates: number,
  dtype: WeightDType,
): Weight {
  const sum = new Float64Array(gates);
  for (const bias of [bias_ih, bias_hh]) {
    if (!bias) continue;
    expectShape(bias, [gates]);
    for (const [i, b] of doubles(bias).entries()) sum[i]! += b;
  }
  return rounded(sum, [gates], dtype, 'bias', recipes('addBiases', { bias_ih, bias_hh }, { gates, dtype })());
}

/** Options of `lstmFromTensorFlow`. */
export interface LstmFromTensorFlowOptions {
  /** What TensorFlow's cell adds to the forget gate: 1 by default there, nothing in sampleCharRNN. Default 0. */
  forgetBias?: number | undefined;
}

/**
 * The inverse: PyTorch's layer from a TensorFlow kernel and bias. All of the bias is in `bias_ih`.
 */
export function lstmFromTensorFlow(cell: TensorFlowLstm, options: LstmFromTensorFlowOptions = {}): LstmWeights {
  const { pytorch, tensorflow } = gateOrders.lstm;
  const { kernel } = cell ?? {};
  expectWeight('lstmFromTensorFlow: kernel', kernel);
  const hidden = (kernel.shape[1] ?? 0) / 4;
  const input = (kernel.shape[0] ?? 0) - hidden;
  const [ih, hh] = kernel.split([input, hidden]);
  const turn = (w: Weight) => reorderGates(w.transpose(), tensorflow, pytorch);
  const layer: LstmWeights = { weight_ih: turn(ih!), weight_hh: turn(hh!) };
  if (!cell.bias) return layer;
  return { ...layer, bias_ih: addForgetBias(reorderGates(cell.bias, tensorflow, pytorch), options.forgetBias ?? 0) };
}

/** @internal A bias with gates i, f, g, o, of which the second gets `forgetBias` added. */
export function addForgetBias(bias: Weight, forgetBias: number): Weight {
  const values = doubles(bias);
  const hidden = values.length / 4;
  for (let i = hidden; i < 2 * hidden; i++) values[i]! += forgetBias;
  return rounded(values, bias.shape, bias.dtype, bias.name, recipes('addForgetBias', { bias }, { forgetBias })());
}

function lstmLayer(
  weights: LstmWeights | Readonly<Record<string, Weight | undefined>>,
  { layer = 0, reverse = false }: LstmLayerOptions,
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
  // The gates of a GRU, or the states of an LSTM that projects them, would only be shuffled.
  const [rows, hidden] = weight_hh.shape;
  if (weight_hh.shape.length !== 2 || rows !== 4 * hidden! || weight_ih.shape[0] !== rows) {
    const is = rows === 3 * hidden! ? ', as a GRU has it' : '';
    throw refusal(
      'ERR_WEIGHTS_SHAPE',
      `lstmToTensorFlow: ${weight_hh.label}: expected shape [4 · hidden, hidden] beside weight_ih of as many rows, given ${shapeText(weight_hh.shape)}${is} beside ${shapeText(weight_ih.shape)}`,
    );
  }
  return { weight_ih, weight_hh, bias_ih: named('bias_ih'), bias_hh: named('bias_hh') };
}
