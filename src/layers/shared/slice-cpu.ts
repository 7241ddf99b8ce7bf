import type { CpuGraph, CpuValue } from '../../dsl/define-layer.js';
import { type Dim, isStatic } from '../../values/dim.js';
import type { DType } from '../../values/dtype.js';
import { cpuWhere } from './cpu-where.js';
import type { SampleMode } from './slice-bounds.js';

/** One of start, size and stride: known numbers, or a rank-1 value of int64. */
export type Part = readonly number[] | CpuValue;

interface CpuSlice {
  x: CpuValue;
  dtype: DType;
  shape: readonly Dim[];
  start: Part;
  size: Part;
  stride: Part;
  mode: SampleMode;
  fill: CpuValue | null;
}

const int64 = (g: CpuGraph, ...values: number[]) => g.constant('int64', [values.length], values);
const scalar = (g: CpuGraph, value: number) => g.constant('int64', [], [value]);
const isKnown = (part: Part): part is readonly number[] => typeof part !== 'string';
const at = (g: CpuGraph, part: Part, axis: number) =>
  isKnown(part) ? scalar(g, part[axis]!) : g.op('Gather', [part, scalar(g, axis)]);

/** Slices axis by axis; with ONNX's Slice if possible, else with Gather at computed positions. */
export function cpuSlice(g: CpuGraph, slice: CpuSlice): CpuValue {
  const { x, shape, start, size, stride, mode, fill } = slice;
  if (mode === 'fill' && shape.includes(0)) {
    return g.op('Expand', [fill!, isKnown(size) ? int64(g, ...size) : size]);
  }
  if (mode === 'strict_bounds' && isKnown(start) && isKnown(size) && isKnown(stride) && !stride.includes(0)) {
    return plainSlice(g, x, start, size, stride);
  }
  let result = x;
  let outside: CpuValue | null = null;
  for (const [axis, dim] of shape.entries()) {
    const whole =
      isKnown(start) &&
      isKnown(size) &&
      isKnown(stride) &&
      start[axis] === 0 &&
      stride[axis] === 1 &&
      size[axis] === dim;
    if (whole) continue;
    const positions = positionsOf(g, slice, axis);
    const length = isStatic(dim) ? scalar(g, dim) : g.op('Gather', [g.op('Shape', [x]), scalar(g, axis)]);
    const inside = bring(g, positions, length, mode);
    result = g.op('Gather', [result, inside], { axis });
    if (mode === 'fill') {
      const moved = g.op('Not', [g.op('Equal', [inside, positions])]);
      const spread = g.op('Reshape', [moved, int64(g, ...shape.map((_, i) => (i === axis ? -1 : 1)))]);
      outside = outside === null ? spread : g.op('Or', [outside, spread]);
    }
  }
  return outside === null ? g.op('Identity', [result]) : cpuWhere(g, outside, fill!, result, slice.dtype);
}

function plainSlice(
  g: CpuGraph,
  x: CpuValue,
  start: readonly number[],
  size: readonly number[],
  stride: readonly number[],
): CpuValue {
  if (start.length === 0) return g.op('Identity', [x]);
  // A negative end would count from the back; the smallest integer means before the first element.
  const end = start.map((from, i) => from + size[i]! * stride[i]!).map((to) => (to < 0 ? -(2 ** 31) : to));
  return g.op('Slice', [
    x,
    int64(g, ...start),
    int64(g, ...end),
    int64(g, ...start.map((_, i) => i)),
    int64(g, ...stride),
  ]);
}

/** start, start + stride, … along one axis. */
function positionsOf(g: CpuGraph, { start, size, stride }: CpuSlice, axis: number): CpuValue {
  if (isKnown(start) && isKnown(size) && isKnown(stride) && size[axis]! <= 64) {
    return int64(g, ...Array.from({ length: size[axis]! }, (_, i) => start[axis]! + i * stride[axis]!));
  }
  const steps = g.op('Range', [scalar(g, 0), at(g, size, axis), scalar(g, 1)]);
  return g.op('Add', [g.op('Mul', [steps, at(g, stride, axis)]), at(g, start, axis)]);
}

/** Positions mapped into 0 … length − 1 according to the mode. */
function bring(g: CpuGraph, positions: CpuValue, length: CpuValue, mode: SampleMode): CpuValue {
  const last = g.op('Sub', [length, scalar(g, 1)]);
  switch (mode) {
    case 'strict_bounds':
      return positions;
    case 'wrap':
      return g.op('Mod', [positions, length]);
    case 'clamp':
    case 'fill':
      return g.op('Max', [g.op('Min', [positions, last]), scalar(g, 0)]);
    case 'reflect': {
      const period = g.op('Max', [g.op('Mul', [last, scalar(g, 2)]), scalar(g, 1)]);
      const folded = g.op('Sub', [g.op('Mod', [positions, period]), last]);
      return g.op('Sub', [last, g.op('Abs', [folded])]);
    }
  }
}
