import { z } from 'zod';
import { type CpuGraph, type CpuValue, defineLayer, type Fail, type InferredValue } from '../../dsl/define-layer.js';
import { type Dim, formatShape, isStatic, isUnknown, type Shape, unknownDim } from '../../values/dim.js';
import type { ValueType } from '../../values/spec.js';
import { indexTypes, requireDType } from '../shared/dtypes.js';
import { nonNegative } from '../shared/parameters.js';

/**
 * Inputs: the trip count (or null), the initial states, the tensors iterated over, and one length for each collected
 * output (or null for the trip count). Body `body`: states and slices → next states, collected values. Body `while`,
 * where there is a condition: states → bool. Outputs: last states, collected outputs.
 */
export const loop = defineLayer({
  kind: 'loop',
  params: z.strictObject({
    states: nonNegative,
    iterators: z.array(z.strictObject({ axis: nonNegative, reverse: z.boolean() })),
    outputs: z.array(z.strictObject({ axis: nonNegative, reverse: z.boolean() })),
  }),
  infer({ inputs, bodies, params: { states, iterators, outputs }, fail }): InferredValue[] {
    const [count] = inputs;
    const initial = inputs.slice(1, 1 + states) as InferredValue[];
    const iterated = inputs.slice(1 + states, 1 + states + iterators.length) as InferredValue[];
    const lengths = inputs.slice(1 + states + iterators.length);
    const results = bodies.body ?? [];
    if (states + outputs.length === 0) fail('ERR_OUTPUT', 'expected a state or an output, given neither');
    if (results.length !== states + outputs.length) fail('ERR_INTERNAL', 'the body has another number of outputs');
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
    const body = g.body([...counters, ...bodies.body!.inputTypes.slice(0, states)], (b, [trip, go, ...state]) => {
      const slices = iterated.map((x, i) => {
        const { axis, reverse } = iterators[i]!;
        const one = b.constant('int64', [], [1]);
        const index = reverse ? b.op('Sub', [b.op('Sub', [count!, one]), trip!]) : trip!;
        return b.op('Gather', [x, index], { axis });
      });
      const results = bodies.body!.write(b, [...state, ...slices]);
      const next = bodies.while ? bodies.while.write(b, results.slice(0, states))[0]! : go!;
      return [next, ...results];
    });
    const start = bodies.while ? bodies.while.write(g, initial)[0]! : null;
    const results = g.ops('Loop', [count, start, ...initial], { body }, outputTypes.length);
    return results.map((value, i) => {
      if (i < states) return value;
      const { axis, reverse } = outputs[i - states]!;
      const length = inputs[1 + states + iterators.length + i - states] ?? null;
      const type = outputTypes[i]!;
      const whole = length || bodies.while ? resized(g, value, g.cast((length ?? count)!, 'int64'), type) : value;
      const { length: rank } = type.shape;
      const perm = Array.from({ length: rank - 1 }, (_, k) => k + 1).toSpliced(axis, 0, 0);
      const ordered = reverse ? flipped(g, whole) : whole;
      return axis === 0 ? ordered : g.op('Transpose', [ordered], { perm });
    });
  },
});

const counters: readonly ValueType[] = [
  { dtype: 'int64', shape: [] },
  { dtype: 'bool', shape: [] },
];

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

/** A state keeps its dtype and shape; sizes that only the data tells may turn out the same. */
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

/** Cut, or filled with zeros, to a length along axis 0. */
function resized(g: CpuGraph, value: CpuValue, length: CpuValue, { dtype }: ValueType): CpuValue {
  const int64 = (...values: number[]) => g.constant('int64', [values.length], values);
  const size = g.op('Unsqueeze', [length, int64(0)]);
  const rest = g.op('Slice', [g.op('Shape', [value]), int64(1), int64(2 ** 31 - 1)]);
  const shape = g.op('Concat', [size, rest], { axis: 0 });
  const zeros = g.op('Expand', [g.cast(g.constant('bool', [], [0]), dtype), shape]);
  const filled = g.op('Concat', [value, zeros], { axis: 0 });
  return g.op('Slice', [filled, int64(0), size]);
}

function flipped(g: CpuGraph, value: CpuValue): CpuValue {
  const int64 = (v: number) => g.constant('int64', [1], [v]);
  return g.op('Slice', [value, int64(-1), int64(-(2 ** 53)), int64(0), int64(-1)]);
}
