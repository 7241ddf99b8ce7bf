import { show } from '../errors/error.js';
import { mostCompared, nearest } from '../errors/nearest.js';
import { refusal } from './format-error.js';

/** Shapes that a network expects, by tensor name; `-1` matches any size. */
export type Expected = Readonly<Record<string, readonly number[]>>;

/** How a store differs from what was expected. */
export interface WeightsReport {
  /** `nearest` is empty if nothing is close. If very many are missing, only the first have it. */
  missing: { name: string; nearest: string[] }[];
  /** Tensors of another shape than expected. */
  misshapen: { name: string; expected: readonly number[]; actual: readonly number[] }[];
  /** In the file, but not expected. */
  unused: string[];
}

/** The most pairs of names to compare: a few seconds' worth. With a forgotten scope, every name is missing. */
const mostPairs = 200_000;

/** @internal @throws ERR_INPUT if the expectations are not shapes */
export function problems(shapes: ReadonlyMap<string, readonly number[]>, expected: Expected): WeightsReport {
  const report: WeightsReport = { missing: [], misshapen: [], unused: [] };
  if (typeof expected !== 'object' || expected === null)
    throw refusal('ERR_INPUT', `Expected shapes by tensor name, given ${show(expected)}`);
  const wanted = new Map(Object.entries(expected));
  let pairs = 0;
  for (const [name, shape] of wanted) {
    if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size))) {
      const hint = name === 'ignore' ? '; options are the second argument: strict(undefined, { ignore })' : '';
      throw refusal('ERR_INPUT', `Expected the shape of '${name}', given ${show(shape)}${hint}`);
    }
    const actual = shapes.get(name);
    if (!actual) {
      report.missing.push({ name, nearest: pairs < mostPairs ? nearest(name, shapes.keys()) : [] });
      pairs += Math.min(shapes.size, mostCompared);
    } else if (actual.length !== shape.length || shape.some((d, i) => d !== -1 && d !== actual[i])) {
      report.misshapen.push({ name, expected: shape, actual });
    }
  }
  for (const name of shapes.keys()) if (!wanted.has(name)) report.unused.push(name);
  return report;
}
