import { show } from '../dsl/errors.js';
import { refusal } from './format-error.js';
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

/** @internal @throws ERR_INPUT where the expectations are no shapes */
export function problems(
  entries: ReadonlyMap<string, { shape: readonly number[] }>,
  expected: Expected,
): WeightsReport {
  const report: WeightsReport = { missing: [], misshapen: [], unused: [] };
  if (typeof expected !== 'object' || expected === null)
    throw refusal('ERR_INPUT', `Expected shapes by tensor name, given ${show(expected)}`);
  const wanted = new Map(Object.entries(expected));
  for (const [name, shape] of wanted) {
    if (!Array.isArray(shape)) throw refusal('ERR_INPUT', `Expected the shape of '${name}', given ${show(shape)}`);
    const actual = entries.get(name)?.shape;
    if (!actual) report.missing.push({ name, nearest: nearest(name, entries.keys()) });
    else if (actual.length !== shape.length || shape.some((d, i) => d !== -1 && d !== actual[i])) {
      report.misshapen.push({ name, expected: shape, actual });
    }
  }
  for (const name of entries.keys()) if (!wanted.has(name)) report.unused.push(name);
  return report;
}
