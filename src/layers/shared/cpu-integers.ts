import type { CpuGraph, CpuValue } from '../../dsl/define-layer.js';
import { type Dim, isStatic, unknownDim } from '../../values/dim.js';
import type { DType } from '../../values/dtype.js';

// onnxruntime computes sums, products and powers of integers in doubles, which rounds above 2⁵³ and saturates where integers
// wrap. Its quotient of the smallest integer and −1 ends the process. Its Max, Min, Sign, ReduceMax and
// ReduceMin of int64 may take 2³¹ to 2³² for negative. These take operators that are exact.

const list = (g: CpuGraph, ...values: number[]) => g.constant('int64', [values.length], values);

/** One more element at the end of an axis, where it may be empty. */
function notEmpty(
  g: CpuGraph,
  x: CpuValue,
  dtype: DType,
  shape: readonly Dim[],
  axis: number,
  element: number,
): CpuValue {
  const dim = shape[axis]!;
  if (isStatic(dim) && dim > 0) return x;
  const after = shape.map((_, i) => Number(i === axis));
  return g.op('Pad', [x, list(g, ...after.map(() => 0), ...after), g.constant(dtype, [], [element])]);
}

/** The last of the running sums, which are exact. */
function sumAlong(g: CpuGraph, x: CpuValue, dtype: DType, shape: readonly Dim[], axis: number): CpuValue {
  const some = notEmpty(g, x, dtype, shape, axis, 0);
  const sums = g.op('CumSum', [some, g.constant('int64', [], [axis])]);
  return g.op('Gather', [sums, list(g, -1)], { axis });
}

/** Multiplies the first half by the second until one element is left. */
function productAlong(g: CpuGraph, x: CpuValue, dtype: DType, shape: readonly Dim[], axis: number): CpuValue {
  const some = notEmpty(g, x, dtype, shape, axis, 1);
  const open = shape.map(() => unknownDim('product'));
  const body = g.body(
    [
      { dtype: 'int64', shape: [] },
      { dtype: 'bool', shape: [] },
      { dtype, shape: open },
    ],
    (inner, [, , given]) => {
      const [zero, one] = [list(inner, 0), list(inner, 1)];
      const at = list(inner, axis);
      const length = inner.op('Gather', [inner.op('Shape', [given!]), at]);
      const half = inner.op('Div', [inner.op('Add', [length, one]), list(inner, 2)]);
      const first = inner.op('Slice', [given!, zero, half, at]);
      const second = inner.op('Slice', [given!, half, length, at]);
      const missing = inner.op('Sub', [inner.op('Add', [half, half]), length]);
      const none = (count: number) => list(inner, ...Array<number>(count).fill(0));
      const pads = inner.op('Concat', [none(shape.length + axis), missing, none(shape.length - axis - 1)], { axis: 0 });
      const filled = inner.op('Pad', [second, pads, inner.constant(dtype, [], [1])]);
      const goes = inner.op('Squeeze', [inner.op('Greater', [half, one]), zero]);
      return [goes, inner.op('Mul', [first, filled])];
    },
  );
  return g.ops('Loop', [null, g.constant('bool', [], [1]), some], { body }, 1)[0]!;
}

/** The extreme of int64: of the upper halves, then of the lower halves beside it. */
function extremeOver(g: CpuGraph, operation: 'max' | 'min', x: CpuValue, axes: readonly number[]): CpuValue {
  const number = (value: number) => g.constant('int64', [], [value]);
  const [word, half] = [number(2 ** 32), number(2 ** 31)];
  const over = (value: CpuValue) => g.op(operation === 'max' ? 'ReduceMax' : 'ReduceMin', [value, list(g, ...axes)]);
  const lower = g.op('Mod', [x, word]);
  const upper = g.cast(g.op('Div', [g.op('Sub', [x, lower]), word]), 'int32');
  const top = over(upper);
  const none = g.constant('int32', [], [operation === 'max' ? -(2 ** 31) : 2 ** 31 - 1]);
  const beside = g.op('Where', [g.op('Equal', [upper, top]), g.cast(g.op('Sub', [lower, half]), 'int32'), none]);
  const whole = g.op('Mul', [g.cast(top, 'int64'), word]);
  return g.op('Add', [whole, g.op('Add', [g.cast(over(beside), 'int64'), half])]);
}

/** A reduction over axes; sums and products wrap as two's complement. Reduced axes stay with size 1. */
export function cpuReduceIntegers(
  g: CpuGraph,
  operation: 'sum' | 'prod' | 'max' | 'min',
  x: CpuValue,
  dtype: 'int32' | 'int64',
  shape: readonly Dim[],
  axes: readonly number[],
): CpuValue {
  if (operation === 'max' || operation === 'min') {
    if (dtype === 'int64') return extremeOver(g, operation, x, axes);
    return g.op(operation === 'max' ? 'ReduceMax' : 'ReduceMin', [x, list(g, ...axes)]);
  }
  const along = operation === 'sum' ? sumAlong : productAlong;
  return axes.reduce((value, axis) => along(g, value, dtype, shape, axis), x);
}

/** The larger or smaller of two integers. */
export function cpuExtreme(g: CpuGraph, operation: 'max' | 'min', a: CpuValue, b: CpuValue, dtype: DType): CpuValue {
  if (dtype !== 'int64') return g.op(operation === 'max' ? 'Max' : 'Min', [a, b]);
  return g.op('Where', [g.op(operation === 'max' ? 'Greater' : 'Less', [a, b]), a, b]);
}

export function cpuSignOfIntegers(g: CpuGraph, x: CpuValue, dtype: DType): CpuValue {
  if (dtype !== 'int64') return g.op('Sign', [x]);
  const [zero, one, minus] = [0, 1, -1].map((value) => g.constant(dtype, [], [value])) as [string, string, string];
  const below = g.op('Where', [g.op('Less', [x, zero]), minus, zero]);
  return g.op('Where', [g.op('Greater', [x, zero]), one, below]);
}

/** `a / b`, rounded toward zero; the smallest integer by −1 wraps to itself. Division by 0 fails. */
export function cpuDivideIntegers(g: CpuGraph, a: CpuValue, b: CpuValue, dtype: DType): CpuValue {
  const one = g.constant(dtype, [], [1]);
  const negates = g.op('Equal', [b, g.constant(dtype, [], [-1])]);
  const quotient = g.op('Div', [a, g.op('Where', [negates, one, b])]);
  return g.op('Where', [negates, g.op('Neg', [quotient]), quotient]);
}

/** `aᵇ` by repeated squaring, wrapped. A negative power of other numbers than 1 and −1 is 0, as in PyTorch. */
export function cpuPowerOfIntegers(g: CpuGraph, a: CpuValue, b: CpuValue, dtype: DType, rank: number): CpuValue {
  const number = (value: number, graph = g) => graph.constant(dtype, [], [value]);
  // Both operands in the shape of the result.
  const base = g.op('Add', [a, g.op('Mul', [b, number(0)])]);
  const power = g.op('Add', [b, g.op('Mul', [a, number(0)])]);
  const isOdd = (graph: CpuGraph, x: CpuValue) =>
    graph.op('Equal', [graph.op('Mod', [x, number(2, graph)]), number(1, graph)]);
  const remains = (graph: CpuGraph, x: CpuValue) => {
    const flags = graph.cast(graph.op('Greater', [x, number(0, graph)]), 'int32');
    const all = graph.op('Concat', [graph.op('Reshape', [flags, list(graph, -1)]), graph.constant('int32', [1], [0])], {
      axis: 0,
    });
    return graph.cast(graph.op('ReduceMax', [all], { keepdims: false }), 'bool');
  };
  const open = Array.from({ length: rank }, () => unknownDim('power'));
  const type = { dtype, shape: open };
  const body = g.body(
    [{ dtype: 'int64', shape: [] }, { dtype: 'bool', shape: [] }, type, type, type],
    (inner, [, , result, square, left]) => {
      const next = inner.op('Where', [isOdd(inner, left!), inner.op('Mul', [result!, square!]), result!]);
      const rest = inner.op('Div', [left!, number(2, inner)]);
      return [remains(inner, rest), next, inner.op('Mul', [square!, square!]), rest];
    },
  );
  const start = cpuExtreme(g, 'max', power, number(0), dtype);
  const ones = g.op('Add', [g.op('Mul', [power, number(0)]), number(1)]);
  const [result] = g.ops('Loop', [null, remains(g, start), ones, base, start], { body }, 3);
  const sign = g.op('Where', [isOdd(g, power), base, g.op('Mul', [base, base])]);
  const isUnit = g.op('Equal', [g.op('Abs', [base]), number(1)]);
  const inverse = g.op('Where', [isUnit, sign, number(0)]);
  return g.op('Where', [g.op('Less', [power, number(0)]), inverse, result!]);
}
