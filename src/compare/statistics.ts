import { indexOf } from '../values/index-of.js';
import type { Elements } from './tensors.js';

/** An element that stands out. */
export interface ElementPair {
  /** Along each axis. */
  index: readonly number[];
  /** The element of A. */
  a: number | bigint;
  /** The element of B. */
  b: number | bigint;
}

/** Elements of one kind that are no numbers. */
export interface Oddity {
  /** How many there are. */
  count: number;
  /** The index of the first, along each axis. */
  first: readonly number[];
}

/** What of one side is not finite; a kind that does not occur is absent. */
export interface NotFinite {
  /** Elements that are NaN. */
  nan?: Oddity | undefined;
  /** Elements that are infinite. */
  infinity?: Oddity | undefined;
  /** Elements that are minus infinity. */
  negativeInfinity?: Oddity | undefined;
}

/** Differences by size: |a − b| from `from` to below `to`, a power of ten apart. The first has those that are equal. */
export interface HistogramBar {
  /** The least difference of the bar. */
  from: number;
  /** The first difference beyond the bar. */
  to: number;
  /** Elements whose difference lies in the bar. */
  count: number;
}

/** The differences of two tensors of one shape; means, quantiles and the cosine of those elements that are finite on both sides. */
export interface Differences {
  /** Number of elements. */
  elements: number;
  /** Elements that are not equal. NaN equals NaN. */
  different: number;
  /** Elements that are finite on one side only, or different infinities or NaN. */
  oddPairs: number;
  /** The first of them. */
  firstOdd?: ElementPair | undefined;
  /** The largest |a − b|, and where it is. */
  max: number;
  /** The element with the largest difference. */
  worst?: ElementPair | undefined;
  /** Mean of |a − b|. */
  mean: number;
  /** Root mean square of a − b. */
  rms: number;
  /** `max` as a share of the root mean square of A; undefined if A is all zeros and B is not. */
  relative?: number | undefined;
  /** Root mean square of A. */
  rmsA: number;
  /** Cosine of the angle between both; 1 if both are all zeros, undefined if only one is. */
  cosine?: number | undefined;
  /** |a − b| below which half, 90 %, 99 % and 99.9 % of the elements are. */
  quantiles: { p50: number; p90: number; p99: number; p999: number };
  /** How many differences there are of each size. */
  histogram: HistogramBar[];
  /** NaN and infinities of each side. */
  notFinite: { a: NotFinite; b: NotFinite };
}

const kinds = ['nan', 'infinity', 'negativeInfinity'] as const;
const kindOf = (value: number): (typeof kinds)[number] =>
  Number.isNaN(value) ? 'nan' : value > 0 ? kinds[1] : kinds[2];

function note(found: NotFinite, value: number, element: number, shape: readonly number[]): void {
  const kind = kindOf(value);
  const known = found[kind];
  if (known) known.count++;
  else found[kind] = { count: 1, first: indexOf(element, shape) };
}

/** Of elements in the order of `shape`. */
export function differencesOf(a: Elements, b: Elements, shape: readonly number[]): Differences {
  const count = a.length;
  const gaps = new Float64Array(count);
  const notFinite: Differences['notFinite'] = { a: {}, b: {} };
  let [finite, different, oddPairs, firstOdd, worst] = [0, 0, 0, -1, -1];
  let [max, sum, squares, aa, bb, ab] = [-1, 0, 0, 0, 0, 0];
  const exact = typeof a[0] === 'bigint';
  for (let i = 0; i < count; i++) {
    const x = Number(a[i]);
    const y = Number(b[i]);
    // Finite numbers alone give 0.
    if (x - x + (y - y) !== 0) {
      if (!Number.isFinite(x)) note(notFinite.a, x, i, shape);
      if (!Number.isFinite(y)) note(notFinite.b, y, i, shape);
      if (Object.is(x, y)) continue;
      different++;
      if (oddPairs++ === 0) firstOdd = i;
      continue;
    }
    const gap = exact ? Math.abs(Number((a[i] as bigint) - (b[i] as bigint))) : Math.abs(x - y);
    gaps[finite++] = gap;
    if (gap > 0) different++;
    if (gap > max) [max, worst] = [gap, i];
    sum += gap;
    squares += gap * gap;
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  const own = gaps.subarray(0, finite).sort();
  const rmsA = finite ? Math.sqrt(aa / finite) : 0;
  const pair = (i: number): ElementPair | undefined =>
    i < 0 ? undefined : { index: indexOf(i, shape), a: a[i]!, b: b[i]! };
  max = Math.max(0, max);
  return {
    elements: count,
    different,
    oddPairs,
    firstOdd: pair(firstOdd),
    max,
    worst: max > 0 ? pair(worst) : undefined,
    mean: finite ? sum / finite : 0,
    rms: finite ? Math.sqrt(squares / finite) : 0,
    relative: max === 0 ? 0 : rmsA > 0 ? max / rmsA : undefined,
    rmsA,
    cosine: aa > 0 && bb > 0 ? Math.min(1, ab / Math.sqrt(aa) / Math.sqrt(bb)) : aa === bb ? 1 : undefined,
    quantiles: { p50: at(own, 0.5), p90: at(own, 0.9), p99: at(own, 0.99), p999: at(own, 0.999) },
    histogram: histogramOf(own),
    notFinite,
  };
}

/** The least element that so large a share is not above. */
const at = (sorted: Float64Array, share: number): number =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;

/** Most bars: what is smaller goes into the lowest. */
const mostBars = 16;

function histogramOf(sorted: Float64Array): HistogramBar[] {
  if (sorted.length === 0) return [];
  const zeros = firstAbove(sorted, 0);
  const bars: HistogramBar[] = [{ from: 0, to: 0, count: zeros }];
  if (zeros === sorted.length) return bars;
  const top = Math.floor(Math.log10(sorted[sorted.length - 1]!)) + 1;
  const bottom = Math.max(Math.floor(Math.log10(sorted[zeros]!)), top - mostBars);
  let below = zeros;
  for (let power = bottom + 1; power <= top; power++) {
    const to = Number(`1e${power}`);
    const end = power === top ? sorted.length : firstFrom(sorted, to);
    bars.push({ from: Number(`1e${power - 1}`), to, count: end - below });
    below = end;
  }
  return bars;
}

const firstFrom = (sorted: Float64Array, value: number): number => search(sorted, (one) => one >= value);
const firstAbove = (sorted: Float64Array, value: number): number => search(sorted, (one) => one > value);

/** The first place where a condition holds that holds for all after it. */
function search(sorted: Float64Array, holds: (value: number) => boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(sorted[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
