import type { DType, TypedArray } from '../values/dtype.js';
import { isFloat } from '../values/dtype.js';
import { decodeElements } from '../values/elements.js';
import { indexOf } from '../values/index-of.js';

/** Elements as they travel: float16 and bfloat16 as their bits. */
export interface Elements {
  dtype: DType;
  shape: readonly number[];
  data: TypedArray;
}

/** Allowed differences as a share of the reference's root mean square, by dtype; other dtypes are compared exactly. */
export type Tolerances = Readonly<Partial<Record<DType, number>>>;

export const defaultTolerances: Tolerances = { float32: 1e-5, float16: 2e-3, bfloat16: 1.6e-2 };

/** How an output differs from what was wanted. */
export interface Difference {
  /** The output. */
  output: string;
  /** In words. */
  text: string;
  /** Elements beyond the tolerance, of `count`; absent if dtype or shape differ. */
  wrong?: number | undefined;
  /** Number of elements. */
  count?: number | undefined;
  /** The element that is furthest off: its index along each axis, and both values. NaN against a number is further than any number. */
  worst?: { index: readonly number[]; got: number | bigint; wanted: number | bigint } | undefined;
  /** The largest difference that would have passed. */
  allowed?: number | undefined;
}

/** Compares an output with what was wanted: dtype, shape, and every element. NaN equals NaN, an infinity itself. Undefined if they agree. */
export function compare(
  output: string,
  got: Elements,
  wanted: Elements,
  tolerances: Tolerances,
): Difference | undefined {
  const [is, was] = [shown(got), shown(wanted)];
  if (is !== was) return { output, text: `${output} is ${is}, expected ${was}` };
  const count = wanted.shape.reduce((a, b) => a * b, 1);
  const [ours, theirs] = [numbers(got, count), numbers(wanted, count)];
  const tolerance = tolerances[wanted.dtype] ?? 0;
  const rms = tolerance > 0 ? rootMeanSquare(theirs) : 0;
  const allowed = tolerance * rms;
  let [wrong, worst, most] = [0, -1, -1];
  for (let i = 0; i < count; i++) {
    const distance = distanceOf(ours[i]!, theirs[i]!);
    if (distance <= allowed) continue;
    wrong++;
    if (distance > most) [worst, most] = [i, distance];
  }
  if (wrong === 0) return undefined;
  const index = indexOf(worst, wanted.shape);
  const [a, b] = [ours[worst]!, theirs[worst]!];
  const margin = tolerance > 0 ? ` ± ${plain(allowed)} (${plain(tolerance)} of the rms, ${plain(rms)})` : '';
  const text = `${output} ${was}: element [${index.join(', ')}] is ${a}, expected ${b}${margin}; ${wrong} of ${count} differ`;
  return { output, text, wrong, count, worst: { index, got: a, wanted: b }, allowed };
}

const shown = ({ dtype, shape }: Elements) => `${dtype}[${shape.join(', ')}]`;
const plain = (value: number) => String(Number(value.toPrecision(3)));

/** Integers as they are: as float32 they would be rounded. */
function numbers({ dtype, data }: Elements, count: number): ArrayLike<number | bigint> {
  return isFloat(dtype) || dtype === 'int4' ? decodeElements(dtype, data, count) : (data as ArrayLike<number | bigint>);
}

/** 0 for equal elements, infinite where only one is NaN or an infinity. */
function distanceOf(a: number | bigint, b: number | bigint): number {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  const distance = Math.abs(Number(a) - Number(b));
  return Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance || Number.MIN_VALUE;
}

/** Of the finite elements; 0 if there are none. */
function rootMeanSquare(values: ArrayLike<number | bigint>): number {
  let [sum, count] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i]);
    if (!Number.isFinite(value)) continue;
    sum += value * value;
    count++;
  }
  return count > 0 ? Math.sqrt(sum / count) : 0;
}
