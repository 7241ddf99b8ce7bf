import { show } from '../errors/error.js';
import { convertElements } from './convert.js';
import { shapeText, type WeightDType, weightBytes } from './dtype.js';
import { refusal } from './format-error.js';
import { Weight } from './weight.js';

/** Of all elements. min, max and mean leave out NaN, and are null if nothing else is there. */
export interface WeightStatistics {
  /** The least; null if there is none. */
  min: number | null;
  /** The most; null if there is none. */
  max: number | null;
  /** The mean; null if there is none. */
  mean: number | null;
  /** Elements that are NaN. */
  nan: number;
}

/** Elements converted at a time: even, so that packed types divide at bytes. */
const step = 1 << 20;

/** The elements as doubles, a block at a time, so that no copy of the whole is made. */
function* doubleBlocks(weight: Weight): Iterable<Float64Array> {
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
  /** Largest absolute difference; Infinity if only one side is NaN or infinite. */
  maxAbs: number;
}

const isWide = (dtype: WeightDType): boolean => dtype === 'int64' || dtype === 'uint64';

/**
 * Compares elements by their values: two of 64-bit integers exactly, all others as doubles.
 * @throws ERR_WEIGHTS_SHAPE if the shapes differ; what reading the elements throws
 */
export function difference(a: Weight, b: Weight): WeightDifference {
  if (!(a instanceof Weight && b instanceof Weight))
    throw refusal('ERR_INPUT', `difference: expected two weights, given ${show(a)} and ${show(b)}`);
  if (shapeText(a.shape) !== shapeText(b.shape)) {
    throw refusal(
      'ERR_WEIGHTS_SHAPE',
      `Expected two weights of one shape, given ${a.label} of ${shapeText(a.shape)} and ${b.label} of ${shapeText(b.shape)}`,
      { expected: a.shape, actual: b.shape },
    );
  }
  return isWide(a.dtype) || isWide(b.dtype) ? wideDifference(a, b) : doubleDifference(a, b);
}

function doubleDifference(a: Weight, b: Weight): WeightDifference {
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
  // Its last block was not asked whether it was the last.
  b.check();
  return { count, maxAbs };
}

/** Elements that compare exactly with each other: JavaScript does between numbers and BigInts. */
const exact = (weight: Weight): ArrayLike<number | bigint> =>
  (isWide(weight.dtype) ? weight : weight.as('float64')).data as ArrayLike<number | bigint>;

function wideDifference(a: Weight, b: Weight): WeightDifference {
  const [xs, ys] = [exact(a), exact(b)];
  let count = 0;
  let maxAbs = 0;
  for (let i = 0; i < xs.length; i++) {
    const [x, y] = [xs[i]!, ys[i]!];
    // biome-ignore lint/suspicious/noDoubleEquals: of a BigInt and a number, by value
    if (x == y) continue;
    count++;
    maxAbs = Math.max(maxAbs, distance(x, y));
  }
  a.check();
  b.check();
  return { count, maxAbs };
}

function distance(x: number | bigint, y: number | bigint): number {
  if (typeof x === 'number' && !Number.isInteger(x)) return Number.isFinite(x) ? Math.abs(x - Number(y)) : Infinity;
  if (typeof y === 'number' && !Number.isInteger(y)) return distance(y, x);
  const gap = BigInt(x) - BigInt(y);
  return Number(gap < 0n ? -gap : gap);
}
