import type { Pace } from '../../pace.js';

const run = 4096;

/** Sorts by a number, in place where it is sorted already, and rests in between. */
export async function sortBy<T>(items: T[], key: (item: T) => number, pace: Pace): Promise<T[]> {
  let sorted = true;
  for (let i = 1; sorted && i < items.length; i++) {
    sorted = key(items[i - 1]!) <= key(items[i]!);
    if (pace.due()) await pace.rest();
  }
  if (sorted) return items;
  let from: T[] = [];
  for (let i = 0; i < items.length; i += run) {
    from.push(...items.slice(i, i + run).sort((a, b) => key(a) - key(b)));
    if (pace.due(run)) await pace.rest();
  }
  for (let width = run; width < items.length; width *= 2) {
    const merged: T[] = [];
    for (let begin = 0; begin < from.length; begin += 2 * width) {
      const [middle, end] = [Math.min(begin + width, from.length), Math.min(begin + 2 * width, from.length)];
      for (let a = begin, b = middle; a < middle || b < end; ) {
        if (pace.due()) await pace.rest();
        merged.push(b >= end || (a < middle && key(from[a]!) <= key(from[b]!)) ? from[a++]! : from[b++]!);
      }
    }
    from = merged;
  }
  return from;
}
