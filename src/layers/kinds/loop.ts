import { z } from 'zod';
import { type CpuValue, defineLayer, type Fail, type InferredValue } from '../../dsl/define-layer.js';
import type { Body, Network } from '../../dsl/network.js';
import { Tensor } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import { type Dim, formatShape, isStatic, isUnknown, type Shape, unknownDim } from '../../values/dim.js';
import type { ValueType } from '../../values/spec.js';
import { wrapAxis } from '../shared/axes.js';
import { scalar } from '../shared/constants.js';
import { type DimLike, resolveDim } from '../shared/dim-value.js';
import { indexTypes, requireDType } from '../shared/dtypes.js';
import { isEntries } from '../shared/entries.js';
import { flipped, type LoopWriter, resized, stoppedLoop } from '../shared/loop-cpu.js';
import { type Named, nonNegative } from '../shared/parameters.js';
import { shapeTensor } from '../shared/shape-tensor.js';

/**
 * Inputs: the trip count (or null), the initial states, the tensors iterated over, and one length for each collected
 * output (or null for the trip count). Body `body`: states and slices → next states, collected values. Body `while`,
 * if there is a condition: states → bool. Outputs: last states, collected outputs.
 */
export const loop = defineLayer({
  kind: 'loop',
  params: z.strictObject({
    states: nonNegative,
    iterators: z.array(z.strictObject({ axis: nonNegative, reverse: z.boolean() })),
    outputs: z.array(z.strictObject({ axis: nonNegative, reverse: z.boolean() })),
  }),
  bodyInputs(role, { states, iterators }, inputs, fail) {
    const given = (i: number) => inputs[i] ?? fail('ERR_INPUT', `input ${i} is missing`);
    const initial = Array.from({ length: states }, (_, i) => typeOf(given(1 + i)));
    if (role === 'while') return initial;
    return [...initial, ...iterators.map(({ axis }, i) => sliceType(given(1 + states + i), axis))];
  },
  infer({ inputs, bodies, params: { states, iterators, outputs }, fail }): InferredValue[] {
    const [count] = inputs;
    const initial = inputs.slice(1, 1 + states) as InferredValue[];
    const iterated = inputs.slice(1 + states, 1 + states + iterators.length) as InferredValue[];
    const lengths = inputs.slice(1 + states + iterators.length);
    const results = bodies.body ?? [];
    if (states + outputs.length === 0) fail('ERR_OUTPUT', 'expected a state or an output, given neither');
    if (results.length !== states + outputs.length) {
      const expected = `expected ${states + outputs.length} outputs of the body, one for each state and collected output`;
      fail('ERR_OUTPUT', `${expected}, given ${results.length}`, { actual: results.length });
    }
    const most = 1 + states + iterators.length + outputs.length;
    if (inputs.length > most) fail('ERR_INPUT', `expected at most ${most} inputs, given ${inputs.length}`);
    if (bodies.while && bodies.while.length !== 1)
      fail('ERR_OUTPUT', `expected one output of the condition, given ${bodies.while.length}`, { option: 'while' });
    if (count) requireScalar(count, indexTypes, 'count', fail);
    if (bodies.while) requireScalar(bodies.while[0]!, ['bool'], 'while', fail);
    for (const [i, { shape }] of iterated.entries())
      requireEnough(shape, iterators[i]!.axis, count?.contents?.[0], fail);
    if (!count && !bodies.while)
      fail('ERR_PARAMETER', 'expected count, while or something to iterate over, given none');
    if (!count && iterators.some((it) => it.reverse)) {
      fail('ERR_PARAMETER', 'reverse counts down from the trip count, which a loop with while alone does not have', {
        option: 'iterate',
      });
    }
    const last = initial.map((from, i) => {
      requireInvariant(from, results[i]!, i, fail);
      return { dtype: from.dtype, shape: from.shape };
    });
    const collected = outputs.map(({ axis }, i) => {
      const { dtype, shape } = results[states + i]!;
      if (axis > shape.length) {
        fail('ERR_AXIS', `expected an axis from 0 to ${shape.length} for ${formatShape(shape)}, given ${axis}`, {
          option: 'outputs',
        });
      }
      const length =
        lengths[i] ??
        count ??
        fail('ERR_PARAMETER', 'a loop with while alone needs their length', { option: 'outputs' });
      if (lengths[i]) requireScalar(length, indexTypes, 'length', fail);
      return { dtype, shape: shape.toSpliced(axis, 0, length.contents?.[0] ?? unknownDim('trips')) };
    });
    return [...last, ...collected];
  },
  cpu(g, layer) {
    const { inputs, bodies, outputTypes } = layer;
    const { states, iterators, outputs } = layer.params;
    const count = inputs[0] ? g.cast(inputs[0], 'int64') : null;
    const initial = inputs.slice(1, 1 + states) as CpuValue[];
    const iterated = inputs.slice(1 + states, 1 + states + iterators.length) as CpuValue[];
    const loopOf: LoopWriter = (trips, start, state, { collects, watched }) => {
      const types = bodies.body!.inputTypes.slice(0, states);
      const body = g.body([...counters, ...(watched ? [going] : []), ...types], (b, [trip, go, ...values]) => {
        const slices = iterated.map((x, i) => {
          const { axis, reverse } = iterators[i]!;
          const one = b.constant('int64', [], [1]);
          const index = reverse ? b.op('Sub', [b.op('Sub', [count!, one]), trip!]) : trip!;
          return b.op('Gather', [x, index], { axis });
        });
        const results = bodies.body!.write(b, [...values.slice(watched ? 1 : 0), ...slices]);
        const next = bodies.while ? bodies.while.write(b, results.slice(0, states))[0]! : go!;
        return [next, ...(watched ? [next] : []), ...(collects ? results : results.slice(0, states))];
      });
      const first = watched ? [start!, ...state] : state;
      return g.ops('Loop', [trips, start, ...first], { body }, first.length + (collects ? outputs.length : 0));
    };
    const start = bodies.while ? bodies.while.write(g, initial)[0]! : null;
    const known = layer.inputTypes[0]?.contents?.[0];
    const isBounded = iterators.length > 0 || (known !== undefined && isStatic(known));
    const lengths = inputs.slice(1 + states + iterators.length).map((length) => length && g.cast(length, 'int64'));
    const results = isBounded
      ? loopOf(count, start, initial, { collects: true, watched: false })
      : stoppedLoop(g, loopOf, count, start, initial, lengths);
    return results.map((value, i) => {
      if (i < states) return value;
      const { axis, reverse } = outputs[i - states]!;
      const length = lengths[i - states] ?? null;
      const type = outputTypes[i]!;
      const whole = length || bodies.while ? resized(g, value, (length ?? count)!, type) : value;
      const { length: rank } = type.shape;
      const perm = Array.from({ length: rank - 1 }, (_, k) => k + 1).toSpliced(axis, 0, 0);
      const ordered = reverse ? flipped(g, whole) : whole;
      return axis === 0 ? ordered : g.op('Transpose', [ordered], { perm });
    });
  },
});

const typeOf = ({ dtype, shape }: ValueType): ValueType => ({ dtype, shape });

/** The slice of an iterated tensor that one iteration gets. */
const sliceType = ({ dtype, shape }: ValueType, axis: number): ValueType => ({
  dtype,
  shape: shape.filter((_, i) => i !== axis),
});

const going: ValueType = { dtype: 'bool', shape: [] };
const counters: readonly ValueType[] = [{ dtype: 'int64', shape: [] }, going];

function requireScalar(value: InferredValue, dtypes: readonly ValueType['dtype'][], what: string, fail: Fail): void {
  requireDType(value.dtype, dtypes, fail, what);
  if (value.shape.length > 0) fail('ERR_RANK', `expected rank 0, given ${formatShape(value.shape)}`, { option: what });
}

function requireEnough(shape: Shape, axis: number, count: Dim | undefined, fail: Fail): void {
  const size = shape[axis];
  if (size === undefined) {
    fail('ERR_AXIS', `expected an axis below ${shape.length} for ${formatShape(shape)}, given ${axis}`, {
      option: 'iterate',
    });
  } else if (isStatic(size) && count !== undefined && isStatic(count) && count > size) {
    fail('ERR_SHAPE', `${count} iterations run past axis ${axis} of ${formatShape(shape)}`, {
      option: 'iterate',
      expected: `<= ${size}`,
      actual: count,
    });
  }
}

/** A state keeps its dtype and shape. Data-dependent sizes may turn out equal. */
function requireInvariant(from: InferredValue, to: InferredValue, index: number, fail: Fail): void {
  const fits = (a: Dim, b: Dim) => a === b || isUnknown(a) || isUnknown(b);
  const { length } = from.shape;
  if (from.dtype === to.dtype && to.shape.length === length && to.shape.every((d, i) => fits(d, from.shape[i]!)))
    return;
  const [expected, actual] = [from, to].map(({ dtype, shape }) => `${dtype}${formatShape(shape)}`);
  fail(
    'ERR_SHAPE',
    `state ${index}: expected the next value to be ${expected}, as the initial one is, given ${actual}`,
    {
      expected,
      actual,
    },
  );
}

/**
 * The number of iterations: a number, a dynamic dim or an expression of dims, or an int32 or int64 tensor of rank 0. If
 * outputs are collected, an input's range goes into the build's profile.
 */
export type LoopCount = DimLike | Tensor;

/** A tensor to iterate over. */
export interface LoopIterate {
  /** Every iteration sees one slice of it. */
  tensor: Tensor;
  /** The axis to slice along; slices do not have it. Default 0. */
  axis?: number;
  /** From slice count − 1 down to 0. Default false. */
  reverse?: boolean;
}

/** A value that every iteration contributes to. */
export interface LoopCollect {
  /** The tensor of the body that is collected. */
  tensor: Tensor;
  /** Where the axis of iterations goes in the result. Default 0. */
  axis?: number;
  /** Last iteration first. Default false. */
  reverse?: boolean;
  /**
   * Size of that axis. Default: the trip count. Needed where `while` alone ends the loop; where fewer iterations run, the
   * rest of the output is undefined.
   */
  length?: LoopCount;
}

/** A tensor for each entry. */
export type LoopTensors<T> = { [K in keyof T]: Tensor };
type Nothing = Record<never, never>;

export interface LoopOptions<S, I> extends Named {
  /**
   * Most iterations that run. The CPU backend runs at most 1,000,000 of a loop whose number only the run knows, and fails
   * with ERR_CPU_BACKEND if it would go on. Default: the size of the first tensor in `iterate`, along its axis; without one, no limit. With
   * `iterate` and outputs, a tensor that only the run knows must equal the number of slices on TensorRT 10.6: it fails otherwise.
   */
  count?: LoopCount | undefined;
  /** Checked before each iteration: a bool of rank 0, computed only from the states. The loop ends when it is false. */
  while?: ((state: LoopTensors<S>) => Tensor) | undefined;
  /** Initial values of the states passed from one iteration to the next. */
  state?: S | undefined;
  /** Tensors of which every iteration sees one slice. */
  iterate?: I | undefined;
}

/** The body's return value: the next value of every state, and values to collect. */
export type LoopStep<S, O> = (keyof S extends never
  ? { state?: Record<never, never> | undefined }
  : { state: LoopTensors<S> }) & {
  outputs?: O | undefined;
};

/** The states after the last iteration, and the collected values. */
export interface LoopResult<S, O> {
  /** The states after the last iteration. */
  state: LoopTensors<S>;
  /** The collected values. */
  outputs: LoopTensors<O>;
}

/** Entries of tensors, or of objects with a tensor. */
function entriesOf<T extends { tensor: Tensor }>(given: unknown, what: string): [string, T][] {
  if (given === undefined) return [];
  if (!isEntries(given))
    return refuse('loop', 'ERR_PARAMETER', `expected an object, given ${String(given)}`, { option: what });
  return Object.entries(given).map(([name, value]) => {
    const entry = (value instanceof Tensor ? { tensor: value } : value) as T;
    if (!isEntries(entry) || !(entry.tensor instanceof Tensor)) {
      return refuse('loop', 'ERR_INPUT', `${what}.${name}: expected a tensor, given ${String(value)}`);
    }
    return [name, entry];
  });
}

type Slices = [name: string, of: Required<LoopIterate>][];
type Fields = readonly { name: string; tensor: Tensor }[];

function countTensor(net: Network, count: LoopCount, what: string): Tensor {
  if (count instanceof Tensor) return count;
  const dim = resolveDim(net, count, what, 'loop');
  return isStatic(dim) ? scalar(net, 'int32', dim, 0, 'loop') : shapeTensor(net, [dim], 'loop').reshape([]);
}

/** The trip count implied by the iterated tensors. */
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

/** TensorRT-RTX 1.7 requires as many slices as iterations, so the remainder is cut off. */
function cut({ tensor, axis }: LoopIterate & { axis: number }, count: Dim | undefined): Tensor {
  const size = tensor.shape[axis];
  if (size === undefined || count === undefined || size === count) return tensor;
  return isStatic(size) && isStatic(count) && count > size ? tensor : tensor.narrow(axis, 0, count);
}

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
   * @param body is called once, to record one iteration
   * @returns the states after the last iteration (the initial ones where none ran), and the outputs
   * @throws ERR_SHAPE where a state changes its shape or a tensor has too few slices; ERR_OUTPUT where the body returns
   * other states; ERR_PARAMETER, ERR_INPUT, ERR_RANK, ERR_DTYPE, ERR_AXIS
   */
  loop<
    S extends Record<string, Tensor> = Nothing,
    I extends Record<string, Tensor | LoopIterate> = Nothing,
    O extends Record<string, Tensor | LoopCollect> = Nothing,
  >(
    this: Network,
    options: LoopOptions<S, I>,
    body: (values: LoopTensors<S> & LoopTensors<I>) => LoopStep<S, O>,
  ): LoopResult<S, O> {
    if (!isEntries(options as unknown) || typeof body !== 'function') {
      refuse('loop', 'ERR_PARAMETER', `expected options and a function, given ${String(options)} and ${String(body)}`, {
        option: isEntries(options) ? 'body' : undefined,
      });
    }
    const scope = <T>(record: () => T): T => this.scope(options.name ?? 'loop', record);
    const state: Fields = entriesOf(options.state, 'state').map(([name, { tensor }]) => ({ name, tensor }));
    const iterate: Slices = entriesOf<LoopIterate>(options.iterate, 'iterate').map(([name, given]) => {
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
    const slices = iterate.map(([name, { axis }], i) => ({ name, type: sliceType(iterated[i]!, axis) }));

    const bodies: Record<string, Body> = {};
    const condition = options.while;
    if (condition !== undefined) {
      if (typeof condition !== 'function') {
        refuse('loop', 'ERR_PARAMETER', `expected a function, given ${String(condition)}`, { option: 'while' });
      }
      bodies.while = scope(() =>
        this.nest(states, (parameters) => [condition(zip(stateNames, parameters) as LoopTensors<S>)]),
      );
    }
    let collected: [string, LoopCollect][] = [];
    bodies.body = scope(() =>
      this.nest([...states, ...slices], (parameters) => {
        const step = body(zip(names, parameters) as LoopTensors<S> & LoopTensors<I>) as {
          state?: unknown;
          outputs?: unknown;
        };
        if (!isEntries(step))
          refuse('loop', 'ERR_OUTPUT', `expected the body to return { state, outputs }, given ${String(step)}`);
        collected = entriesOf<LoopCollect>(step.outputs, 'outputs');
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
      state: zip(stateNames, results) as LoopTensors<S>,
      outputs: zip(outputNames, results.slice(state.length)) as LoopTensors<O>,
    };
  },
};

export { methods as loopMethods };
export type LoopMethods = typeof methods;
