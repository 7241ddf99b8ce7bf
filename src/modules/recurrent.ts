import { Tensor, type TensorSource } from '../dsl/tensor.js';
import { refuse } from '../errors/refusal.js';
import { floats, indexTypes } from '../layers/shared/dtypes.js';
import { constantTensor, type Liftable } from '../layers/shared/lift.js';
import type { Named } from '../layers/shared/parameters.js';
import { type Dim, formatShape, isStatic, type Shape } from '../values/dim.js';
import {
  type Cell,
  cellOfKernel,
  cellsOf,
  type KernelOptions,
  type RecurrentWeight,
  type RecurrentWeights,
} from './recurrent-weights.js';

export interface RecurrentOptions extends Named, RecurrentWeights, KernelOptions {
  /** Initial hidden state, [layers · directions, batch, state] (without batch for an input of rank 2). Default: zeros. */
  hidden?: Tensor | undefined;
  /** Whether the input is [batch, sequence, features] instead of [sequence, batch, features]. Default false. */
  batchFirst?: boolean | undefined;
  /**
   * The number of steps in each sequence: an int32 or int64 tensor [batch] (a scalar for an input of rank 2), or numbers.
   * After a sequence ends, outputs are 0 and states stay unchanged. The backward direction starts at its last step, as with
   * PyTorch's packed sequences. Default: all steps.
   */
  lengths?: Liftable | undefined;
}

export interface LstmOptions extends RecurrentOptions {
  /** Initial cell state, [layers · directions, batch, hidden]. Default: zeros. */
  cell?: Tensor | undefined;
  /**
   * Order of the gates along the weights: i input, f forget, g cell (also written c), o output. Default: `ifgo`, as in
   * PyTorch and Keras; with only `kernel`, TensorFlow's `icfo`.
   */
  gates?: string | undefined;
}

export interface GruOptions extends RecurrentOptions {
  /** Order of the gates along the weights: r reset, z update, n new. Default: PyTorch's `rzn`, with `kernel` Keras's `zrn`. */
  gates?: string | undefined;
  /**
   * For `kernel`: whether r multiplies R·hidden, as in PyTorch, or hidden itself beforehand. `bias` is [2, 3 · hidden] if true,
   * [3 · hidden] if false. Default true, like Keras's reset_after.
   */
  resetAfter?: boolean | undefined;
}

export interface RnnOptions extends RecurrentOptions {
  /** Default `tanh`. */
  nonlinearity?: 'tanh' | 'relu' | undefined;
}

/** What `gru` and `rnn` return. */
export interface RecurrentResult {
  /** The last layer's hidden states, [sequence, batch, directions · state] (batch first if the input is). */
  output: Tensor;
  /** Every layer's state after its last step, [layers · directions, batch, state]. */
  hidden: Tensor;
}

/** What `lstm` returns. */
export interface LstmResult extends RecurrentResult {
  /** Every layer's cell state after its last step, [layers · directions, batch, hidden]. */
  cell: Tensor;
}

type States = Record<string, Tensor>;
/** One step of a cell: computes the next states from the input's gates and the states. */
type Step = (cell: Cell, fromInput: Tensor, states: States) => States;

/** Multiplies a value with a matrix of weights and adds the bias, if any. */
function project(x: Tensor, weight: Cell['ih'], bias: RecurrentWeight | undefined, transposed: boolean): Tensor {
  if (!transposed) return x.linear({ weight, ...(bias && { bias }) });
  const product = x.matmul(weight);
  return bias ? product.add(bias) : product;
}

/** Gates of the state. */
const gatesOfState = (cell: Cell, hidden: Tensor): Tensor => project(hidden, cell.hh, cell.biasHh, cell.transposed);

/** Splits the gates into parts by letter. */
function gatesOf(x: Tensor, cell: Cell, order: string): Record<string, Tensor> {
  const parts = x.split(cell.size, { axis: -1 });
  return Object.fromEntries([...order].map((gate, i) => [gate, parts[i]!]));
}

function gateOrder(given: unknown, letters: string, method: string): string {
  const order = String(given).replace('c', 'g').replace('h', 'n');
  if ([...order].sort().join('') === [...letters].sort().join('')) return order;
  return refuse(method, 'ERR_PARAMETER', `expected the letters of ${letters} in some order, given ${String(given)}`, {
    option: 'gates',
  });
}

/** Zeros, or one layer and direction's part of a given initial state. */
function initialState(x: Tensor, given: Tensor | undefined, index: number, batch: Shape, size: number): Tensor {
  if (given) return given.select(0, index);
  const zeros = x.network.constant(0, { dtype: x.dtype, shape: [...batch.map(() => 1), size] });
  return batch.every((dim) => dim === 1) ? zeros : zeros.expand([...batch, size]);
}

/** The steps that belong to a sequence: a bool [sequence, batch, 1], or [sequence, 1] without batch. */
function stepsWithin(x: Tensor, given: Liftable, axis: number, batch: Shape, method: string): Tensor {
  const lengths = constantTensor(x.network, given, 'int32', method);
  if (!indexTypes.includes(lengths.dtype)) {
    refuse(method, 'ERR_DTYPE', `expected ${indexTypes.join(', ')}, given ${lengths}`, {
      option: 'lengths',
      actual: lengths.dtype,
    });
  }
  const fits = lengths.rank === batch.length && lengths.shape.every((dim, i) => !differ(dim, batch[i]!));
  if (!fits) {
    refuse(method, 'ERR_SHAPE', `expected ${formatShape(batch)}, given ${formatShape(lengths.shape)}`, {
      option: 'lengths',
      expected: batch,
      actual: lengths.shape,
    });
  }
  const steps = x.network.arange(x.dim(axis), { dtype: lengths.dtype });
  return batch.length === 0 ? steps.unsqueeze(1).lt(lengths) : steps.unsqueeze([1, 2]).lt(lengths.unsqueeze([0, 2]));
}

const differ = (a: Dim, b: Dim): boolean => isStatic(a) && isStatic(b) && a !== b;

/** Shared by all recurrent modules: layers, directions, initial states. */
function recurrent(
  self: TensorSource,
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
      refuse(method, 'ERR_SHAPE', `expected ${expected}, given ${actual}`, { option: name, expected, actual });
    }
  }
  const axis = batchFirst && x.rank === 3 ? 1 : 0;
  const batch = x.shape.slice(0, -1).filter((_, i) => i !== axis);
  const within = options.lengths === undefined ? undefined : stepsWithin(x, options.lengths, axis, batch, method);
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
        {
          state,
          iterate: {
            fromInput: { tensor: gates, axis, reverse },
            ...(within && { within: { tensor: within, reverse } }),
          },
        },
        ({ fromInput, within, ...states }: States) => {
          const next = step(cell, fromInput!, states);
          const hidden = next.hidden!;
          const kept = (name: string) => (within ? next[name]!.where(within, states[name]!) : next[name]!);
          return {
            state: Object.fromEntries(stateNames.map((name) => [name, kept(name)])),
            outputs: { sequence: { tensor: within ? hidden.where(within, 0) : hidden, axis, reverse } },
          };
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

function givenCells(options: RecurrentOptions, gates: number, method: string, biases: 1 | 2 = 1): Cell[][] {
  if (options?.kernel !== undefined) return [[cellOfKernel(options, gates, method, biases)]];
  for (const name of ['recurrentKernel', 'bias'] as const) {
    if (options?.[name] !== undefined)
      refuse(method, 'ERR_INPUT', `expected one beside ${name}, given none`, { option: 'kernel' });
  }
  return cellsOf(options ?? {}, gates, method);
}

interface Gates {
  z: Tensor;
  n: Tensor;
}

/** `n = tanh(xₙ + r · (Rₙ·hidden + cₙ))`, from the input's gates. */
function candidateAfter(x: Record<string, Tensor>, cell: Cell, hidden: Tensor, order: string): Gates {
  const h = gatesOf(gatesOfState(cell, hidden), cell, order);
  const gate = (name: string) => x[name]!.add(h[name]!).sigmoid();
  return { z: gate('z'), n: x.n!.add(gate('r').mul(h.n!)).tanh() };
}

/** `n = tanh(xₙ + Rₙ·(r · hidden))`, as in Cho et al. */
function candidateBefore(x: Record<string, Tensor>, cell: Cell, hidden: Tensor, order: string): Gates {
  const kernel = constantTensor(hidden.network, cell.hh, hidden.dtype, 'gru');
  const parts = gatesOf(kernel, cell, order);
  const gate = (name: string) => x[name]!.add(hidden.matmul(parts[name]!)).sigmoid();
  return { z: gate('z'), n: x.n!.add(gate('r').mul(hidden).matmul(parts.n!)).tanh() };
}

const methods = {
  /**
   * Long short-term memory over a sequence of floats, like torch.nn.LSTM: several layers, both directions, projections.
   * `x.lstm(w.layer('lstm'))` takes the layers and directions from the names of the weights. A single layer in one
   * direction may have TensorFlow's or Keras's layout: `kernel`, `recurrentKernel`, `bias`. Each layer and direction is
   * one TensorRT loop; one matrix multiplication computes the inputs' part of the gates for the whole sequence ahead of
   * it. i, f, o = σ(…), g = tanh(…), cell' = f·cell + i·g, hidden' = o·tanh(cell'). TensorRT kinds: loop,
   * matrix_multiply and others.
   *
   * @throws ERR_WEIGHTS_NAME where weights are missing or unknown; ERR_SHAPE, ERR_RANK, ERR_DTYPE, ERR_PARAMETER,
   *   ERR_INPUT
   */
  lstm(this: TensorSource, options: LstmOptions): LstmResult {
    const method = 'lstm';
    const { kernel, recurrentKernel, gates = kernel && !recurrentKernel ? 'icfo' : 'ifgo' } = options ?? {};
    const order = gateOrder(gates, 'ifgo', method);
    const cells = givenCells(options, 4, method);
    const record = () =>
      recurrent(this, method, options, cells, ['hidden', 'cell'], (cell, fromInput, states) => {
        const sums = fromInput.add(gatesOfState(cell, states.hidden!));
        const { i, f, g, o } = gatesOf(sums, cell, order) as Record<'i' | 'f' | 'g' | 'o', Tensor>;
        const next = f.sigmoid().mul(states.cell!).add(i.sigmoid().mul(g.tanh()));
        return { hidden: projected(cell, o.sigmoid().mul(next.tanh())), cell: next };
      });
    return this.tensor().network.scope(options.name ?? method, record) as LstmResult;
  },
  /**
   * Gated recurrent units over a sequence of floats, like torch.nn.GRU; see `lstm`. r, z = σ(…), n = tanh(Wn·x + bn +
   * r·(Rn·hidden + cn)), or with `resetAfter` false tanh(Wn·x + bn + Rn·(r·hidden)); hidden' = (1 − z)·n + z·hidden.
   * TensorRT kinds: loop, matrix_multiply and others.
   *
   * @throws see `lstm`
   */
  gru(this: TensorSource, options: GruOptions): RecurrentResult {
    const method = 'gru';
    const { kernel, recurrentKernel, resetAfter = true, gates = kernel ? 'zrn' : 'rzn' } = options ?? {};
    if (kernel && !recurrentKernel)
      refuse(method, 'ERR_INPUT', 'expected one beside kernel, given none', { option: 'recurrentKernel' });
    if (typeof resetAfter !== 'boolean' || (!resetAfter && !kernel)) {
      refuse(method, 'ERR_PARAMETER', `expected true, or false beside kernel, given ${String(resetAfter)}`, {
        option: 'resetAfter',
      });
    }
    const order = gateOrder(gates, 'rzn', method);
    const cells = givenCells(options, 3, method, resetAfter ? 2 : 1);
    const record = () =>
      recurrent(this, method, options, cells, ['hidden'], (cell, fromInput, { hidden }) => {
        const x = gatesOf(fromInput, cell, order);
        const step = resetAfter ? candidateAfter : candidateBefore;
        const { z, n } = step(x, cell, hidden!, order);
        return { hidden: n.add(z.mul(hidden!.sub(n))) };
      });
    return this.tensor().network.scope(options.name ?? method, record);
  },
  /**
   * A plain recurrent network over a sequence of floats, like torch.nn.RNN; see `lstm`. hidden' = tanh(W·x + b +
   * R·hidden + c). TensorRT kinds: loop, matrix_multiply and others.
   *
   * @throws see `lstm`
   */
  rnn(this: TensorSource, options: RnnOptions): RecurrentResult {
    const method = 'rnn';
    const { nonlinearity = 'tanh' } = options ?? {};
    if (nonlinearity !== 'tanh' && nonlinearity !== 'relu') {
      refuse(method, 'ERR_PARAMETER', `expected tanh or relu, given ${String(nonlinearity)}`, {
        option: 'nonlinearity',
      });
    }
    const cells = givenCells(options, 1, method);
    const record = () =>
      recurrent(this, method, options, cells, ['hidden'], (cell, fromInput, { hidden }) => ({
        hidden: fromInput.add(gatesOfState(cell, hidden!))[nonlinearity](),
      }));
    return this.tensor().network.scope(options.name ?? method, record);
  },
};

export { methods as recurrentMethods };
export type RecurrentMethods = typeof methods;
