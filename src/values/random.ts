import type { DType, TypedArray } from './dtype.js';
import { encodeElements } from './elements.js';

/** The least and the most that random elements are. */
export type Range = readonly [number, number];

const ranges: Readonly<Partial<Record<DType, Range>>> = { bool: [0, 1], uint8: [0, 8], int4: [-8, 7] };
const floats: ReadonlySet<DType> = new Set<DType>([
  'float32',
  'float16',
  'bfloat16',
  'float8e4m3',
  'float4e2m1',
  'float8e8m0',
]);

/** −4 to 4 for floats, −8 to 8 for integers, without what the dtype does not hold. */
export const defaultRange = (dtype: DType): Range => ranges[dtype] ?? (floats.has(dtype) ? [-4, 4] : [-8, 8]);

/**
 * Random elements of a dtype, uniform in `range`; floats are rounded to the dtype. The same seed and name give the same elements,
 * whatever else is drawn.
 */
export function randomElements(
  dtype: DType,
  count: number,
  [least, most]: Range,
  seed: number,
  name: string,
): TypedArray {
  const next = generator(seed, name);
  const whole = !floats.has(dtype);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    values[i] = whole ? least + Math.floor(next() * (most - least + 1)) : least + next() * (most - least);
  }
  return encodeElements(dtype, values);
}

/** Numbers from 0 to below 1 (mulberry32), from a hash of the seed and the name (FNV-1a). */
function generator(seed: number, name: string): () => number {
  let state = 0x811c9dc5;
  for (const letter of `${seed}/${name}`) state = Math.imul(state ^ letter.codePointAt(0)!, 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
