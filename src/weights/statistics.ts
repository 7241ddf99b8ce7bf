import { convertElements } from './convert.js';
import { weightBytes } from './dtype.js';
import type { Weight } from './weight.js';

/** Of all elements; min, max and mean of those that are not NaN, null where there are none. */
export interface WeightStatistics {
  min: number | null;
  max: number | null;
  mean: number | null;
  nan: number;
}

/** Elements converted at a time: even, so that packed types divide at bytes. */
const step = 1 << 20;

/** The elements as doubles, a block at a time, so that no copy of the whole is made. */
export function* doubleBlocks(weight: Weight): Iterable<Float64Array> {
  const { bytes, dtype, size, label } = weight;
  for (let at = 0; at < size; at += step) {
    const count = Math.min(step, size - at);
    const part = bytes.subarray(weightBytes(dtype, at), weightBytes(dtype, at + count));
    yield new Float64Array(convertElements(part, dtype, 'float64', count, label).buffer);
  }
  weight.check();
}

/** Statistics in double precision; 64-bit integers are rounded to it. */
export function statistics(weight: Weight): WeightStatistics {
  let min = Infinity;
  let max = -Infinity;
  let nan = 0;
  let sum = 0;
  for (const block of doubleBlocks(weight)) {
    for (const value of block) {
      if (Number.isNaN(value)) nan++;
      else {
        if (value < min) min = value;
        if (value > max) max = value;
        sum += value;
      }
    }
  }
  const count = weight.size - nan;
  return count === 0 ? { min: null, max: null, mean: null, nan } : { min, max, mean: sum / count, nan };
}

/** How two weights of one shape differ. NaN equals NaN. */
export interface WeightDifference {
  /** Elements that are not equal. */
  count: number;
  /** Largest absolute difference; Infinity where only one side is NaN or infinite. */
  maxAbs: number;
}

/** Compares elements as doubles; the shapes must be equal. */
export function difference(a: Weight, b: Weight): WeightDifference {
  let count = 0;
  let maxAbs = 0;
  const others = doubleBlocks(b)[Symbol.iterator]();
  for (const block of doubleBlocks(a)) {
    const other = others.next().value as Float64Array;
    for (let i = 0; i < block.length; i++) {
      const [x, y] = [block[i]!, other[i]!];
      if (x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
      count++;
      const gap = Math.abs(x - y);
      maxAbs = Number.isNaN(gap) ? Infinity : Math.max(maxAbs, gap);
    }
  }
  return { count, maxAbs };
}
