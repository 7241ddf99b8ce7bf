import type { CpuGraph, CpuValue } from '../../dsl/define-layer.js';

import { smallImage } from './resize-scales.js';

export interface Sampling {
  mode: 'nearest' | 'linear' | 'cubic';
  coordinateTransformation: 'align_corners' | 'asymmetric' | 'half_pixel';
  selector: 'formula' | 'upper';
  nearestRounding: 'half_up' | 'half_down' | 'floor' | 'ceil';
  cubicCoeff: number;
  excludeOutside: boolean;
}

/** What positions follow from: TensorRT's scale, the sizes, or PyTorch's factor, but for growth by these numbers the sizes. */
export type By = { scale: number } | { factor: number; but: readonly number[] } | null;

/** The sizes of one axis before and after, as numbers of an arithmetic. */
export interface Sizes<T> {
  from: T;
  to: T;
  by: By;
  /** Height and width in sum, where those of `by.but` count only up to `smallImage`. */
  total?: T;
}

/** An element that each output reads, and its weight there; without one it is copied. */
export interface Tap<T> {
  index: T;
  weight?: T;
}

/** Numbers that are known, or operators that compute them in a run. Every operation rounds to the arithmetic's precision. */
export interface Arithmetic<T> {
  number(value: number): T;
  /** 0 to `to` − 1. */
  steps(to: T): T;
  calculate(op: 'Add' | 'Sub' | 'Mul' | 'Div' | 'Min' | 'Max', a: T, b: T): T;
  round(op: 'Floor' | 'Ceil', value: T): T;
  ifEqual(a: T, b: T, then: T, otherwise: T): T;
}

export const knownNumbers = (precision: 'float32' | 'float64'): Arithmetic<readonly number[]> => {
  const rounded = precision === 'float32' ? Math.fround : (v: number) => v;
  const operations = {
    Add: (a: number, b: number) => a + b,
    Sub: (a: number, b: number) => a - b,
    Mul: (a: number, b: number) => a * b,
    Div: (a: number, b: number) => a / b,
    Min: Math.min,
    Max: Math.max,
  };
  /** A list of one stands for each element, as in ONNX. */
  const at = (list: readonly number[], i: number) => list[list.length === 1 ? 0 : i]!;
  const each = (lists: readonly (readonly number[])[], compute: (i: number) => number) =>
    Array.from({ length: lists.some((l) => l.length === 0) ? 0 : Math.max(...lists.map((l) => l.length)) }, (_, i) =>
      rounded(compute(i)),
    );
  return {
    number: (value) => [rounded(value)],
    steps: ([to]) => Array.from({ length: to! }, (_, i) => i),
    calculate: (op, a, b) => each([a, b], (i) => operations[op](at(a, i), at(b, i))),
    round: (op, value) => value.map(op === 'Floor' ? Math.floor : Math.ceil),
    ifEqual: (a, b, then, otherwise) =>
      each([a, b, then, otherwise], (i) => (at(a, i) === at(b, i) ? at(then, i) : at(otherwise, i))),
  };
};

/** Values are of that type; sizes too. */
export const writtenNumbers = (g: CpuGraph, precision: 'float32' | 'float64'): Arithmetic<CpuValue> => {
  const real = (value: CpuValue) => (precision === 'float64' ? asFloat64(g, value) : g.cast(value, 'float32'));
  return {
    number: (value) => (precision === 'float64' ? float64(g, value) : g.constant('float32', [], [value])),
    steps: (to) =>
      real(g.op('Range', [g.constant('int64', [], [0]), g.cast(to, 'int64'), g.constant('int64', [], [1])])),
    calculate: (op, a, b) => g.op(op, [a, b]),
    round: (op, value) => g.op(op, [value]),
    ifEqual: (a, b, then, otherwise) => g.op('Where', [g.op('Equal', [a, b]), then, otherwise]),
  };
};

/** A float64 as an operator's result: constants of that type do not exist, so it is a sum of three float32. */
export function float64(g: CpuGraph, value: number): CpuValue {
  const high = Math.fround(value);
  const middle = Math.fround(value - high);
  return [high, middle, value - high - middle]
    .map((part) => asFloat64(g, g.constant('float32', [], [part])))
    .reduce((a, b) => g.op('Add', [a, b]));
}

/** ONNX's Cast to DOUBLE. */
export const asFloat64 = (g: CpuGraph, value: CpuValue): CpuValue => g.op('Cast', [value], { to: 11 });

/** Whether PyTorch has this form of mode nearest. */
export const isPyTorch = ({ coordinateTransformation: form, nearestRounding: rounding }: Sampling): boolean =>
  (form === 'asymmetric' && rounding === 'floor') || (form === 'half_pixel' && rounding === 'half_up');

/** Positions are computed in float32, as in PyTorch. Where mode nearest has a form that PyTorch lacks, sizes decide exactly. */
export const precisionOf = (how: Sampling, by: By): 'float32' | 'float64' =>
  how.mode === 'nearest' && by === null && !isPyTorch(how) ? 'float64' : 'float32';

/** The elements that an axis of the result reads. */
export function taps<T>(n: Arithmetic<T>, sizes: Sizes<T>, how: Sampling): Tap<T>[] {
  const c = n.number;
  const add = (a: T, b: T) => n.calculate('Add', a, b);
  const sub = (a: T, b: T) => n.calculate('Sub', a, b);
  const mul = (a: T, b: T) => n.calculate('Mul', a, b);
  const last = sub(sizes.from, c(1));
  const inside = (index: T) => n.calculate('Max', n.calculate('Min', index, last), c(0));
  const centers = how.coordinateTransformation === 'half_pixel';
  const at = positions(n, sizes, how);
  if (how.mode === 'nearest') {
    const half = how.nearestRounding === 'half_up' ? 0.5 : how.nearestRounding === 'half_down' ? -0.5 : 0;
    const shift = half - (centers ? 0.5 : 0);
    const down = how.nearestRounding === 'floor' || how.nearestRounding === 'half_up';
    return [{ index: inside(n.round(down ? 'Floor' : 'Ceil', shift === 0 ? at : add(at, c(shift)))) }];
  }
  const position = centers ? sub(at, c(0.5)) : at;
  if (how.mode === 'linear') {
    const clipped = inside(position);
    const base = n.round('Floor', clipped);
    const rest = sub(clipped, base);
    return [
      { index: base, weight: sub(c(1), rest) },
      { index: inside(add(base, c(1))), weight: rest },
    ];
  }
  // Keys' cubic convolution: one polynomial within 1 of the position, another within 2.
  const a = how.cubicCoeff;
  const base = n.round('Floor', position);
  const rest = sub(position, base);
  const near = (d: T) => add(mul(mul(sub(mul(d, c(a + 2)), c(a + 3)), d), d), c(1));
  const far = (d: T) => sub(mul(add(mul(sub(mul(d, c(a)), c(5 * a)), d), c(8 * a)), d), c(4 * a));
  const behind = sub(c(1), rest);
  const weights = [far(add(rest, c(1))), near(rest), near(behind), far(add(behind, c(1)))];
  const all = weights.map((weight, k) => {
    const wanted = add(base, c(k - 1));
    const index = inside(wanted);
    return { index, weight: how.excludeOutside ? n.ifEqual(index, wanted, weight, c(0)) : weight };
  });
  if (!how.excludeOutside) return all;
  const total = all.map(({ weight }) => weight).reduce(add);
  return all.map(({ index, weight }) => ({ index, weight: n.calculate('Div', weight, total) }));
}

/** Positions in the input; of centers of pixels, without the half pixel that is subtracted from them. */
function positions<T>(n: Arithmetic<T>, { from, to, by, total }: Sizes<T>, how: Sampling): T {
  const one = n.number(1);
  const steps = n.steps(to);
  if (how.coordinateTransformation === 'align_corners') {
    const gaps = n.calculate('Max', n.calculate('Sub', to, one), one);
    return n.calculate('Div', n.calculate('Mul', steps, n.calculate('Sub', from, one)), gaps);
  }
  const centers = how.coordinateTransformation === 'half_pixel';
  const given = centers ? n.calculate('Add', steps, n.number(0.5)) : steps;
  const scaled = () => {
    if (by === null && precisionOf(how, by) === 'float64')
      return n.calculate('Div', n.calculate('Mul', given, from), to);
    if (by && 'scale' in by) return n.calculate('Div', given, n.number(by.scale));
    if (!by) return n.calculate('Mul', given, n.calculate('Div', from, to));
    const inverse = n.number(1 / by.factor);
    const times = (k: number) => (k === 1 ? from : n.calculate('Mul', from, n.number(k)));
    const ratio = by.but.reduce((r, k) => n.ifEqual(to, times(k), n.number(1 / k), r), inverse);
    const most = n.number(smallImage);
    const used = total === undefined ? ratio : n.ifEqual(n.calculate('Max', total, most), most, ratio, inverse);
    return n.calculate('Mul', given, used);
  };
  const at = scaled();
  return centers && how.selector === 'upper' ? n.ifEqual(to, one, n.number(0.5), at) : at;
}
