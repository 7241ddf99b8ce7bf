import { nearest } from './nearest.js';

/** Shapes that a network expects, by tensor name; `-1` matches any size. */
export type Expected = Readonly<Record<string, readonly number[]>>;

/** How a store differs from what was expected. */
export interface WeightsReport {
  missing: { name: string; nearest: string[] }[];
  misshapen: { name: string; expected: readonly number[]; actual: readonly number[] }[];
  /** In the file, but not expected. */
  unused: string[];
}

/** @internal */
export function problems(
  entries: ReadonlyMap<string, { shape: readonly number[] }>,
  expected: Expected,
): WeightsReport {
  const report: WeightsReport = { missing: [], misshapen: [], unused: [] };
  const wanted = new Map(Object.entries(expected));
  for (const [name, shape] of wanted) {
    const actual = entries.get(name)?.shape;
    if (!actual) report.missing.push({ name, nearest: nearest(name, entries.keys()) });
    else if (actual.length !== shape.length || shape.some((d, i) => d !== -1 && d !== actual[i])) {
      report.misshapen.push({ name, expected: shape, actual });
    }
  }
  for (const name of entries.keys()) if (!wanted.has(name)) report.unused.push(name);
  return report;
}
