import { formatShape, type Shape } from '../dsl/dim.js';
import { type Chain, Tensor } from '../dsl/tensor.js';
import type { WeightLike } from '../dsl/weight.js';
import { floats, type Named, refuse } from '../layers/common.js';
import { type Cell, cellOfKernel, cellsOf, type RecurrentWeight, type RecurrentWeights } from './recurrent-weights.js';

export interface RecurrentOptions extends Named, RecurrentWeights {
  /** Initial hidden state, [layers · directions, batch, state] (without batch for an input of rank 2). Default: zeros. */
  hidden?: Tensor;
  /** Whether the input is [batch, sequence, features] instead of [sequence, batch, features]. Default false. */
  batchFirst?: boolean;
}

export interface LstmOptions extends RecurrentOptions {
  /** Initial cell state, [layers · directions, batch, hidden]. Default: zeros. */
  cell?: Tensor;
  /** TensorFlow's and sampleCharRNN's layout instead of PyTorch's: [input + hidden, 4 · hidden], input rows first. */
  kernel?: WeightLike;
  /** Of `kernel`, [4 · hidden]. */
  bias?: RecurrentWeight;
  /**
   * Order of the gates along the weights: i input, f forget, g cell (also written c), o output. Default: PyTorch's and
   * Keras's `ifgo`, with `kernel` TensorFlow's `icfo`.
   */
  gates?: string;
}

export interface GruOptions extends RecurrentOptions {
  /** Order of the gates along the weights: r reset, z update, n new. Default: PyTorch's `rzn`. */
  gates?: string;
}

export interface RnnOptions extends RecurrentOptions {
  /** Default `tanh`. */
  nonlinearity?: 'tanh' | 'relu';
}

export interface RecurrentResult {
  /** The last layer's hidden states, [sequence, batch, directions · state] (batch first as the input is). */
  output: Tensor;
  /** Every layer's state after its last step, [layers · directions, batch, state]. */
  hidden: Tensor;
}

type States = Record<string, Tensor>;
/** One step of a cell: gates of the input and of the state, and the states, to the next states. */
type Step = (cell: Cell, fromInput: Tensor, fromState: Tensor, states: States) => States;

/** A number that is multiplied with a matrix of weights. */
function project(x: Tensor, weight: Cell['ih'], bias: RecurrentWeight | undefined, transposed: boolean): Tensor {
  if (!transposed) return x.linear({ weight, ...(bias && { bias }) });
  const product = x.matmul(weight);
  return bias ? product.add(bias) : product;
}

/** Parts of the gates by letter. */
function gatesOf(x: Tensor, cell: Cell, order: string): Record<string, Tensor> {
  const parts = x.split(cell.size, { axis: -1 });
  return Object.fromEntries([...order].map((gate, i) => [gate, parts[i]!]));
}

function gateOrder(given: unknown, letters: string, method: string): string {
  const order = String(given).replace('c', 'g');
  if ([...order].sort().join('') === [...letters].sort().join('')) return order;
  return refuse(
    method,
    'ERR_PARAMETER',
    `gates: expected the letters of ${letters} in some order, given ${String(given)}`,
  );
}

/** Zeros, or the part of a given initial state that is for one layer and direction. */
function initialState(x: Tensor, given: Tensor | undefined, index: number, batch: Shape, size: number): Tensor {
  if (given) return given.select(0, index);
  const zeros = x.network.constant(0, { dtype: x.dtype, shape: [...batch.map(() => 1), size] });
  return batch.every((dim) => dim === 1) ? zeros : zeros.expand([...batch, size]);
}

/** What all recurrent modules have in common: layers, directions, initial states. */
function recurrent(
  self: Chain,
  method: string,
  options: RecurrentOptions & { cell?: Tensor },
  cells: readonly Cell[][],
  stateNames: readonly string[],
  step: Step,
): RecurrentResult & { cell?: Tensor } {
  const x = self.tensor();
  const { network: net } = x;
  const { batchFirst = false } = options;
  if (x.rank !== 2 && x.rank !== 3) {
    refuse(method, 'ERR_RANK', `expected [sequence, batch, features] or [sequence, features], given ${x}`);
  }
  if (!floats.includes(x.dtype)) {
    refuse(method, 'ERR_DTYPE', `expected ${floats.join(', ')}, given ${x}`, { expected: floats, actual: x.dtype });
  }
  const given: Record<string, Tensor | undefined> = { hidden: options.hidden, cell: options.cell };
  const count = cells.flat().length;
  for (const [name, state] of Object.entries(given)) {
    if (state === undefined) continue;
    if (!(state instanceof Tensor) || state.rank !== x.rank || state.shape[0] !== count) {
      const expected = x.rank === 3 ? `[${count}, batch, size]` : `[${count}, size]`;
      const actual = state instanceof Tensor ? formatShape(state.shape) : String(state);
      refuse(method, 'ERR_SHAPE', `${name}: expected ${expected}, given ${actual}`, { expected, actual });
    }
  }
  const axis = batchFirst && x.rank === 3 ? 1 : 0;
  const batch = x.shape.slice(0, -1).filter((_, i) => i !== axis);
  const last: Record<string, Tensor[]> = Object.fromEntries(stateNames.map((name) => [name, []]));
  let sequence = x;
  let index = 0;
  for (const directions of cells) {
    const outputs = directions.map((cell, direction) => {
      const reverse = direction === 1;
      const gates = project(sequence, cell.ih, cell.biasIh, cell.transposed);
      const sizes: Record<string, number> = {
        hidden: cell.hr ? (cell.hr.shape[0] as number) : cell.size,
        cell: cell.size,
      };
      const state = Object.fromEntries(
        stateNames.map((name) => [name, initialState(x, given[name], index, batch, sizes[name]!)]),
      );
      index++;
      const result = net.loop(
        { state, iterate: { fromInput: { tensor: gates, axis, reverse } } },
        ({ fromInput, ...states }: States) => {
          const fromState = project(states.hidden!, cell.hh, cell.biasHh, cell.transposed);
          const next = step(cell, fromInput!, fromState, states);
          return { state: next, outputs: { sequence: { tensor: next.hidden!, axis, reverse } } };
        },
      );
      for (const name of stateNames) last[name]!.push(result.state[name]!);
      return result.outputs.sequence;
    });
    sequence = outputs.length === 1 ? outputs[0]! : outputs[0]!.concat(outputs.slice(1), { axis: -1 });
  }
  const stacked = (states: readonly Tensor[]): Tensor => {
    const [first, ...others] = states.map((state) => state.unsqueeze(0)) as [Tensor, ...Tensor[]];
    return others.length === 0 ? first : first.concat(others, { axis: 0 });
  };
  return {
    output: sequence,
    hidden: stacked(last.hidden!),
    ...(last.cell && { cell: stacked(last.cell) }),
  };
}

const projected = (cell: Cell, hidden: Tensor): Tensor => (cell.hr ? hidden.linear({ weight: cell.hr }) : hidden);

const methods = {
  /**
   * Long short-term memory over a sequence of floats, as torch.nn.LSTM: several layers, both directions, projections.
   * `x.lstm(w.layer('lstm'))`; layers and directions follow from the names of the weights. Each is one TensorRT loop over
   * the gates of the whole sequence, which one matrix multiplication computes ahead.
   * i, f, o = σ(…), g = tanh(…), cell' = f·cell + i·g, hidden' = o·tanh(cell'). TensorRT kinds: loop, matrix_multiply and others.
   * @throws ERR_WEIGHTS_NAME where weights are missing or unknown; ERR_SHAPE, ERR_RANK, ERR_DTYPE, ERR_PARAMETER, ERR_INPUT
   */
  lstm(this: Chain, options: LstmOptions): RecurrentResult & { cell: Tensor } {
    const method = 'lstm';
    const { kernel, bias, gates = kernel === undefined ? 'ifgo' : 'icfo' } = options ?? {};
    const order = gateOrder(gates, 'ifgo', method);
    const cells = kernel === undefined ? cellsOf(options ?? {}, 4, method) : [[cellOfKernel(kernel, bias, 4, method)]];
    const record = () =>
      recurrent(this, method, options, cells, ['hidden', 'cell'], (cell, fromInput, fromState, states) => {
        const { i, f, g, o } = gatesOf(fromInput.add(fromState), cell, order) as Record<'i' | 'f' | 'g' | 'o', Tensor>;
        const next = f.sigmoid().mul(states.cell!).add(i.sigmoid().mul(g.tanh()));
        return { hidden: projected(cell, o.sigmoid().mul(next.tanh())), cell: next };
      });
    return this.tensor().network.scope(options.name ?? method, record) as RecurrentResult & { cell: Tensor };
  },
  /**
   * Gated recurrent units over a sequence of floats, as torch.nn.GRU; see `lstm`.
   * r, z = σ(…), n = tanh(Wn·x + bn + r·(Rn·hidden + cn)), hidden' = (1 − z)·n + z·hidden.
   * TensorRT kinds: loop, matrix_multiply and others.
   * @throws see `lstm`
   */
  gru(this: Chain, options: GruOptions): RecurrentResult {
    const method = 'gru';
    const order = gateOrder(options?.gates ?? 'rzn', 'rzn', method);
    const cells = cellsOf(options ?? {}, 3, method);
    const record = () =>
      recurrent(this, method, options, cells, ['hidden'], (cell, fromInput, fromState, { hidden }) => {
        const [x, h] = [gatesOf(fromInput, cell, order), gatesOf(fromState, cell, order)];
        const gate = (name: string) => x[name]!.add(h[name]!).sigmoid();
        const next = x.n!.add(gate('r').mul(h.n!)).tanh();
        return { hidden: next.add(gate('z').mul(hidden!.sub(next))) };
      });
    return this.tensor().network.scope(options.name ?? method, record);
  },
  /**
   * A plain recurrent network over a sequence of floats, as torch.nn.RNN; see `lstm`. hidden' = tanh(W·x + b + R·hidden + c).
   * TensorRT kinds: loop, matrix_multiply and others.
   * @throws see `lstm`
   */
  rnn(this: Chain, options: RnnOptions): RecurrentResult {
    const method = 'rnn';
    const { nonlinearity = 'tanh' } = options ?? {};
    if (nonlinearity !== 'tanh' && nonlinearity !== 'relu') {
      refuse(method, 'ERR_PARAMETER', `nonlinearity: expected tanh or relu, given ${String(nonlinearity)}`);
    }
    const cells = cellsOf(options ?? {}, 1, method);
    const record = () =>
      recurrent(this, method, options, cells, ['hidden'], (_, fromInput, fromState) => ({
        hidden: fromInput.add(fromState)[nonlinearity](),
      }));
    return this.tensor().network.scope(options.name ?? method, record);
  },
};

export { methods as recurrentMethods };
export type RecurrentMethods = typeof methods;
