import type { InferredValue } from '../../dsl/define-layer.js';
import type { Body, Network } from '../../dsl/network.js';
import { Tensor } from '../../dsl/tensor.js';
import { type Dim, formatShape, isStatic } from '../../values/dim.js';
import { scalar } from '../kinds/constant.js';
import { loop } from '../kinds/loop.js';
import { wrapAxis } from './axes.js';
import { type DimLike, resolveDim } from './dim-value.js';
import type { Named } from './parameters.js';
import { refuse } from './refuse.js';
import { shapeTensor } from './shape-tensor.js';

/**
 * A number of iterations: a number, a dynamic dim or an expression of such, or an int32 or int64 tensor of rank 0. Where
 * outputs are collected, the range of an input goes into the build's profile.
 */
export type Count = DimLike | Tensor;

/** A tensor to iterate over. */
export interface Iterate {
  tensor: Tensor;
  /** The axis the slices come from; each slice has one axis less. Default 0. */
  axis?: number;
  /** From slice count − 1 down to 0. Default false. */
  reverse?: boolean;
}

/** A value of which every iteration contributes one. */
export interface Collect {
  tensor: Tensor;
  /** Where the axis of iterations goes in the result. Default 0. */
  axis?: number;
  /** Last iteration first. Default false. */
  reverse?: boolean;
  /**
   * Size of that axis. Default: the trip count. Needed where `while` alone ends the loop; where fewer iterations run, the
   * rest of the output is undefined.
   */
  length?: Count;
}

type Tensors<T> = { [K in keyof T]: Tensor };
type Nothing = Record<never, never>;

export interface LoopOptions<S, I> extends Named {
  /**
   * Most iterations that run. Default: the size of the first tensor in `iterate`, along its axis; without one, no limit. With
   * `iterate` and outputs, a tensor that only the run knows must equal the number of slices on TensorRT 10.6: it fails otherwise.
   */
  count?: Count;
  /** Looked at before each iteration: a bool of rank 0, computed from the states alone; the loop ends where it is false. */
  while?: (state: Tensors<S>) => Tensor;
  /** Initial values of what an iteration hands to the next. */
  state?: S;
  /** Tensors of which every iteration sees one slice. */
  iterate?: I;
}

/** What the body returns: the next value of every state, and values to collect. */
export type LoopStep<S, O> = (keyof S extends never ? { state?: Nothing } : { state: Tensors<S> }) & { outputs?: O };

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Tensor);

/** Entries of tensors, or of objects with a tensor. */
function entriesOf<T extends { tensor: Tensor }>(given: unknown, what: string): [string, T][] {
  if (given === undefined) return [];
  if (!isRecord(given))
    return refuse('loop', 'ERR_PARAMETER', `expected an object, given ${String(given)}`, { option: what });
  return Object.entries(given).map(([name, value]) => {
    const entry = (value instanceof Tensor ? { tensor: value } : value) as T;
    if (!isRecord(entry) || !(entry.tensor instanceof Tensor)) {
      return refuse('loop', 'ERR_INPUT', `${what}.${name}: expected a tensor, given ${String(value)}`);
    }
    return [name, entry];
  });
}

type Slices = [name: string, of: Required<Iterate>][];
type Fields = readonly { name: string; tensor: Tensor }[];

function countTensor(net: Network, count: Count, what: string): Tensor {
  if (count instanceof Tensor) return count;
  const dim = resolveDim(net, count, what, 'loop');
  return isStatic(dim) ? scalar(net, 'int32', dim, 0, 'loop') : shapeTensor(net, [dim], 'loop').reshape([]);
}

/** The trip count that the tensors iterated over give. */
function sizeOf(iterate: Slices): Dim | undefined {
  const [first] = iterate;
  const dim = first?.[1].tensor.shape[first[1].axis];
  for (const [name, { tensor, axis }] of iterate) {
    const size = tensor.shape[axis];
    if (size !== undefined && dim !== undefined && isStatic(size) && isStatic(dim) && size !== dim) {
      const message = `iterate.${name}: expected ${dim} slices, as ${first![0]} has, given ${formatShape(tensor.shape)} along axis ${axis}; say count`;
      refuse('loop', 'ERR_SHAPE', message, { expected: dim, actual: size });
    }
  }
  return dim;
}

/** TensorRT 1.7's RTX wants as many slices as iterations; what is left over is cut off. */
function cut({ tensor, axis }: Iterate & { axis: number }, count: Dim | undefined): Tensor {
  const size = tensor.shape[axis];
  if (size === undefined || count === undefined || size === count) return tensor;
  return isStatic(size) && isStatic(count) && count > size ? tensor : tensor.narrow(axis, 0, count);
}

const withoutAxis = (tensor: Tensor, axis: number): InferredValue => ({
  dtype: tensor.dtype,
  shape: tensor.shape.filter((_, i) => i !== axis),
});

const zip = (names: readonly string[], tensors: readonly Tensor[]): Record<string, Tensor> =>
  Object.fromEntries(names.map((name, i) => [name, tensors[i]!]));

/** Next states in the order of the initial ones. */
function nextStates(given: unknown, names: readonly string[]): Tensor[] {
  const next = entriesOf(given ?? {}, 'state');
  const odd = [...names, ...next.map(([name]) => name)].find(
    (name) => !names.includes(name) || !next.some(([given]) => given === name),
  );
  if (odd !== undefined) {
    const given = next.map(([name]) => name).join(', ') || 'none';
    refuse('loop', 'ERR_OUTPUT', `expected the body to return ${names.join(', ') || 'none'}, given ${given}`, {
      option: 'state',
      expected: names,
      actual: odd,
    });
  }
  return names.map((name) => next.find(([given]) => given === name)![1].tensor);
}

const methods = {
  /**
   * A loop that reads like code: `state` is passed from iteration to iteration, `iterate` gives each iteration one
   * slice of a tensor, and `outputs` collects a value per iteration.
   * ```ts
   * const { state, outputs } = net.loop(
   *   { state: { sum: zero }, iterate: { x } },
   *   ({ sum, x }) => ({ state: { sum: sum.add(x) }, outputs: { sums: sum } }),
   * );
   * ```
   * The loop ends after `count` iterations, before the first for which `while` is false, or at the end of the `iterate`
   * tensors. The body may use any tensor defined before. States keep their dtype and shape. An output has the shape of
   * the collected value, and one axis more for the iterations. TensorRT kind: loop.
   *
   * @param body is called once, to record one iteration
   *
   * @returns the states after the last iteration (the initial ones where none ran), and the outputs
   *
   * @throws ERR_SHAPE where a state changes its shape or a tensor has too few slices; ERR_OUTPUT where the body returns
   *   other states; ERR_PARAMETER, ERR_INPUT, ERR_RANK, ERR_DTYPE, ERR_AXIS
   */
  loop<
    S extends Record<string, Tensor> = Nothing,
    I extends Record<string, Tensor | Iterate> = Nothing,
    O extends Record<string, Tensor | Collect> = Nothing,
  >(
    this: Network,
    options: LoopOptions<S, I>,
    body: (values: Tensors<S> & Tensors<I>) => LoopStep<S, O>,
  ): { state: Tensors<S>; outputs: Tensors<O> } {
    if (!isRecord(options as unknown) || typeof body !== 'function') {
      refuse('loop', 'ERR_PARAMETER', `expected options and a function, given ${String(options)} and ${String(body)}`, {
        option: isRecord(options) ? 'body' : undefined,
      });
    }
    const scope = <T>(record: () => T): T => this.scope(options.name ?? 'loop', record);
    const state: Fields = entriesOf(options.state, 'state').map(([name, { tensor }]) => ({ name, tensor }));
    const iterate: Slices = entriesOf<Iterate>(options.iterate, 'iterate').map(([name, given]) => {
      const { tensor, axis = 0, reverse = false } = given;
      return [name, { tensor, axis: wrapAxis(axis, tensor.rank), reverse }];
    });
    const stateNames = state.map(({ name }) => name);
    const names = [...stateNames, ...iterate.map(([name]) => name)];
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) {
      refuse('loop', 'ERR_DUPLICATE_NAME', `'${twice}' names both a state and a tensor to iterate over`);
    }

    const count = options.count ?? sizeOf(iterate);
    const trips = count === undefined ? null : scope(() => countTensor(this, count, 'count'));
    const iterated = scope(() => iterate.map(([, of]) => cut(of, trips?.contents?.[0])));
    const states = state.map(({ name, tensor: { dtype, shape } }) => ({ name, type: { dtype, shape } }));
    const slices = iterate.map(([name, { axis }], i) => ({ name, type: withoutAxis(iterated[i]!, axis) }));

    const bodies: Record<string, Body> = {};
    const condition = options.while;
    if (condition !== undefined) {
      if (typeof condition !== 'function') {
        refuse('loop', 'ERR_PARAMETER', `expected a function, given ${String(condition)}`, { option: 'while' });
      }
      bodies.while = scope(() =>
        this.nest(states, (parameters) => [condition(zip(stateNames, parameters) as Tensors<S>)]),
      );
    }
    let collected: [string, Collect][] = [];
    bodies.body = scope(() =>
      this.nest([...states, ...slices], (parameters) => {
        const step = body(zip(names, parameters) as Tensors<S> & Tensors<I>) as { state?: unknown; outputs?: unknown };
        if (!isRecord(step))
          refuse('loop', 'ERR_OUTPUT', `expected the body to return { state, outputs }, given ${String(step)}`);
        collected = entriesOf<Collect>(step.outputs, 'outputs');
        return [...nextStates(step.state, stateNames), ...collected.map(([, { tensor }]) => tensor)];
      }),
    );
    const lengths = collected.map(([name, { length }]) =>
      length === undefined ? null : scope(() => countTensor(this, length, `outputs.${name}.length`)),
    );
    const results = this.record(loop, {
      method: 'loop',
      name: options.name,
      inputs: [trips, ...state.map(({ tensor }) => tensor), ...iterated, ...lengths],
      params: {
        states: state.length,
        iterators: iterate.map(([, { axis, reverse }]) => ({ axis, reverse })),
        outputs: collected.map(([, { tensor, axis = 0, reverse = false }]) => ({
          axis: wrapAxis(axis, tensor.rank + 1),
          reverse,
        })),
      },
      bodies,
    });
    const outputNames = collected.map(([name]) => name);
    return {
      state: zip(stateNames, results) as Tensors<S>,
      outputs: zip(outputNames, results.slice(state.length)) as Tensors<O>,
    };
  },
};

export { methods as loopMethods };
export type LoopMethods = typeof methods;
