import type { CpuGraph, CpuValue } from '../../dsl/define-layer.js';
import { type Dim, divideExactly, isStatic, type Shape } from '../../values/dim.js';
import {
  asFloat64,
  type By,
  float64,
  isPyTorch,
  knownNumbers,
  precisionOf,
  type Sampling,
  type Tap,
  taps,
  writtenNumbers,
} from './resize-positions.js';
import { factorless, growsExactly, resizableAxes, smallImage, steadyScale } from './resize-scales.js';

/** TensorRT's ResizeRoundMode → ONNX's nearest_mode. */
const roundings = {
  half_up: 'round_prefer_ceil',
  half_down: 'round_prefer_floor',
  floor: 'floor',
  ceil: 'ceil',
} as const;

/** Sizes of an axis, or int64 of rank 0. */
interface ResizedAxis {
  axis: number;
  from: number | CpuValue;
  to: number | CpuValue;
  by: By;
  /** See `Sizes`. */
  total?: CpuValue;
}

/** A resize's parameters. */
export interface Resize extends Sampling {
  /** TensorRT's, in float32. */
  scales: readonly number[] | null;
  /** PyTorch's, in float64. */
  factors: readonly number[] | null;
}

interface Shapes {
  from: Shape;
  to: Shape;
  /** int64; given where the sizes are another tensor's elements. */
  sizes: CpuValue | null;
}

/**
 * onnxruntime's Resize is fast, and right in float32 where its positions are: it divides by a float32 scale, copies what keeps
 * its size, and mode cubic takes it several times as long as a sum of gathered elements. All else is written as that sum.
 */
export function resizeOnCpu(g: CpuGraph, x: CpuValue, p: Resize, { from, to, sizes }: Shapes): CpuValue {
  const rank = from.length;
  const aligned = p.coordinateTransformation === 'align_corners';
  const scaleOf = (axis: number): number | undefined => (p.factors ?? p.scales)?.[axis];
  const isKnown = (axis: number) => isStatic(from[axis]!) && isStatic(to[axis]!);
  const but = p.factors ? factorless(p.mode, p.coordinateTransformation === 'asymmetric', rank) : [];
  // Undefined where only the run knows.
  const isSmall = p.mode === 'linear' || but.length === 0 ? true : isSmallImage(to);
  const changed = from.flatMap((dim, axis) => {
    const copies = aligned || (scaleOf(axis) ?? 1) === 1 || (but.length > 0 && isSmall === true);
    return (dim === to[axis] && copies) || axis < rank - resizableAxes[p.mode] ? [] : [axis];
  });
  if (changed.length === 0) return x;

  const native = (graph: CpuGraph) => resizedByRuntime(graph, x, p, { from, to, sizes }, changed);
  if (p.mode !== 'cubic') {
    const rounds = isPyTorch(p) && (p.factors !== null || p.scales === null);
    const growsWhole = changed.every((axis) => {
      const times = divideExactly(to[axis]!, from[axis]!);
      return (
        times !== undefined && isStatic(times) && (scaleOf(axis) ?? times) === times && (!rounds || growsExactly(times))
      );
    });
    const computesSizes = p.scales !== null && !changed.every(isKnown);
    const changesSize = changed.some((axis) => from[axis] !== to[axis]);
    if (growsWhole) return native(g);
    if (!computesSizes && (aligned || (p.mode === 'linear' && changesSize))) return native(g);
  }

  const sizeAfter = (axis: number): CpuValue => {
    const dim = to[axis]!;
    if (isStatic(dim)) return int64(g, dim);
    return sizes ? element(g, sizes, axis) : scaledSize(g, sizeBefore(axis), byOf(axis)!);
  };
  const sizeBefore = (axis: number): CpuValue =>
    isStatic(from[axis]!) ? int64(g, from[axis]!) : element(g, g.op('Shape', [x]), axis);
  const byOf = (axis: number): By => {
    const scale = scaleOf(axis);
    if (scale === undefined) return null;
    return p.factors ? { factor: scale, but: isSmall === false ? [] : but } : { scale };
  };
  const total = isSmall === undefined ? g.op('Add', [sizeAfter(2), sizeAfter(3)]) : undefined;
  const axes = changed
    .toSorted((a, b) => growth(from[a]!, to[a]!) - growth(from[b]!, to[b]!) || b - a)
    .map((axis): ResizedAxis => {
      const by = byOf(axis);
      const [a, b] = [from[axis]!, to[axis]!];
      if (!total && isStatic(a) && isStatic(b)) return { axis, from: a, to: b, by };
      return { axis, from: sizeBefore(axis), to: sizeAfter(axis), by, total };
    });
  if (p.mode === 'cubic' || p.scales || changed.every(isKnown)) return resample(g, x, rank, axes, p);
  return g.op('If', [allGrowExactly(g, axes, isPyTorch(p))], {
    then_branch: g.body([], (graph) => [native(graph)]),
    else_branch: g.body([], (graph) => [resample(graph, x, rank, axes, p)]),
  });
}

/** Resizes one axis after the other. */
function resample(g: CpuGraph, x: CpuValue, rank: number, axes: readonly ResizedAxis[], how: Sampling): CpuValue {
  return axes.reduce((value, one) => {
    const parts = tapsOf(g, one, how, rank - one.axis).map(({ index, weight }) => {
      const part = g.op('Gather', [value, index], { axis: one.axis });
      return weight ? g.op('Mul', [part, weight]) : part;
    });
    return parts.reduce((a, b) => g.op('Add', [a, b]));
  }, x);
}

/** Indices are int64, weights float32 of `rank` axes, the first of which is resized. */
function tapsOf(g: CpuGraph, { from, to, by, total }: ResizedAxis, how: Sampling, rank: number): Tap<CpuValue>[] {
  const precision = precisionOf(how, by);
  const ones = Array<number>(rank - 1).fill(1);
  if (typeof from === 'number' && typeof to === 'number') {
    return taps(knownNumbers(precision), { from: [from], to: [to], by }, how).map(({ index, weight }) => ({
      index: g.constant('int64', [to], index),
      ...(weight && { weight: g.constant('float32', [to, ...ones], weight) }),
    }));
  }
  const n = writtenNumbers(g, precision);
  const real = (size: number | CpuValue) =>
    typeof size === 'number' ? n.number(size) : precision === 'float64' ? asFloat64(g, size) : g.cast(size, 'float32');
  const given = { from: real(from), to: real(to), by, ...(total && { total: real(total) }) };
  return taps(n, given, how).map(({ index, weight }) => ({
    index: g.cast(index, 'int64'),
    ...(weight && { weight: g.op('Reshape', [weight, g.constant('int64', [rank], [-1, ...ones])]) }),
  }));
}

const isSmallImage = ([, , height, width]: Shape): boolean | undefined =>
  isStatic(height!) && isStatic(width!) ? height + width <= smallImage : undefined;

/** Axes that shrink come first, so that the others have less to read. */
const growth = (from: Dim, to: Dim): number => (isStatic(from) && isStatic(to) ? to / Math.max(from, 1) : 1);

const int64 = (g: CpuGraph, value: number): CpuValue => g.constant('int64', [], [value]);

const element = (g: CpuGraph, list: CpuValue, index: number): CpuValue => g.op('Gather', [list, int64(g, index)]);

/** `⌊size · scale⌋`, in float64 as PyTorch or in float32 as TensorRT. */
function scaledSize(g: CpuGraph, size: CpuValue, by: NonNullable<By>): CpuValue {
  const product =
    'factor' in by
      ? g.op('Mul', [asFloat64(g, size), float64(g, by.factor)])
      : g.op('Mul', [g.cast(size, 'float32'), g.constant('float32', [], [by.scale])]);
  return g.cast(g.op('Floor', [product]), 'int64');
}

/** Whether sizes that only the run knows grow by whole numbers, for which `growsExactly` holds where PyTorch rounds. */
function allGrowExactly(g: CpuGraph, axes: readonly ResizedAxis[], rounds: boolean): CpuValue {
  const conditions = axes.flatMap((axis) => {
    const [from, to] = [axis.from, axis.to].map((size) => (typeof size === 'number' ? int64(g, size) : size));
    const rest = g.op('Mod', [to!, g.op('Max', [from!, int64(g, 1)])]);
    const whole = g.op('Equal', [rest, int64(g, 0)]);
    if (!rounds) return [whole];
    const ratio = g.op('Div', [g.cast(from!, 'float32'), g.cast(to!, 'float32')]);
    const product = g.op('Mul', [asFloat64(g, ratio), asFloat64(g, to!)]);
    return [whole, g.op('GreaterOrEqual', [product, asFloat64(g, from!)])];
  });
  return conditions.reduce((a, b) => g.op('And', [a, b]));
}

function resizedByRuntime(g: CpuGraph, x: CpuValue, p: Resize, shapes: Shapes, changed: readonly number[]): CpuValue {
  const { from, to, sizes } = shapes;
  const rank = from.length;
  const first = changed[0]!;
  const axes = p.mode === 'nearest' ? changed : Array.from({ length: rank - first }, (_, i) => first + i);
  const scaleOf = (axis: number): number => {
    const [a, b] = [from[axis]!, to[axis]!];
    if (!changed.includes(axis)) return 1;
    return isStatic(a) && isStatic(b) ? steadyScale(a, b, p.scales![axis]!) : p.scales![axis]!;
  };
  // Where corners are aligned, positions follow from the sizes.
  const aligned = p.coordinateTransformation === 'align_corners' && axes.every((axis) => isStatic(to[axis]!));
  const byScale = p.scales !== null && !aligned;
  const lengths = (): CpuValue =>
    sizes
      ? g.op('Gather', [sizes, g.constant('int64', [axes.length], axes)])
      : g.constant(
          'int64',
          [axes.length],
          axes.map((axis) => to[axis] as number),
        );
  const halfPixel = p.selector === 'upper' ? 'pytorch_half_pixel' : 'half_pixel';
  const resized = (value: CpuValue, along: readonly number[]) =>
    g.op(
      'Resize',
      [
        value,
        null,
        byScale ? g.constant('float32', [axes.length], axes.map(scaleOf)) : null,
        byScale ? null : lengths(),
      ],
      {
        mode: p.mode,
        axes: along,
        coordinate_transformation_mode:
          p.coordinateTransformation === 'half_pixel' ? halfPixel : p.coordinateTransformation,
        nearest_mode: roundings[p.nearestRounding],
      },
    );
  if (p.mode === 'nearest') return resized(x, axes);
  return merged(g, x, first, (flat) =>
    resized(
      flat,
      axes.map((_, i) => 2 + i),
    ),
  );
}

/** onnxruntime interpolates the last axes of [batch, channels, ...], so all axes before them are merged. */
function merged(g: CpuGraph, x: CpuValue, first: number, resized: (x: CpuValue) => CpuValue): CpuValue {
  const list = (...values: number[]) => g.constant('int64', [values.length], values);
  const shape = g.op('Shape', [x]);
  const flat = g.op('Reshape', [
    x,
    g.op('Concat', [list(-1, 1), g.op('Slice', [shape, list(first), list(8)])], { axis: 0 }),
  ]);
  const result = resized(flat);
  const [head, tail] = [
    g.op('Slice', [shape, list(0), list(first)]),
    g.op('Slice', [g.op('Shape', [result]), list(2), list(8)]),
  ];
  return g.op('Reshape', [result, g.op('Concat', [head, tail], { axis: 0 })]);
}
