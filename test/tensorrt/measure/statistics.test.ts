import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { statisticsOf } from '../../../src/tensorrt/measure/statistics.js';
import { warningsOf } from '../../../src/tensorrt/measure/warnings.js';

/** By numpy; trtexec's percentile is numpy's `inverted_cdf`. */
const expected: { n: number; percentiles: Record<string, number>; [name: string]: unknown }[] = JSON.parse(
  readFileSync(new URL('fixtures/statistics.json', import.meta.url), 'utf8'),
);

/** The numbers of fixtures/statistics.py. */
function times(count: number): Float64Array {
  let state = 1;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32) * 10;
  });
}

test.each(expected.map((one) => [one.n, one] as const))('%d times, as numpy has them', (n, { percentiles, ...all }) => {
  const found = statisticsOf(times(n), Object.keys(percentiles).map(Number));
  expect(found.percentiles).toEqual(percentiles);
  for (const name of ['min', 'max', 'median'] as const) expect(found[name], name).toBe(all[name]);
  for (const name of ['mean', 'variation'] as const) expect(found[name], name).toBeCloseTo(all[name] as number, 9);
});

test('the times given stay in their order', () => {
  const given = Float64Array.of(3, 1, 2);
  statisticsOf(given, [50]);
  expect([...given]).toEqual([3, 1, 2]);
});

describe('warnings', () => {
  const of = (...list: number[]) => statisticsOf(Float64Array.from(list), [90]);
  const quiet = { enqueue: of(0.1), toDevice: of(0), compute: of(1, 1, 1), fromDevice: of(0) };
  const settings = { cudaGraph: true, spinWait: true };

  test('none where the GPU computes all the time', () => {
    expect(warningsOf(quiet, settings)).toEqual([]);
    expect(warningsOf({ ...quiet, enqueue: of(0.8) }, settings)).toEqual([]);
  });

  test('bound by enqueuing, by copies each way; unstable', () => {
    expect(warningsOf({ ...quiet, enqueue: of(0.81) }, settings)).toEqual([
      expect.stringMatching(/bound by enqueuing[^;]*$/),
    ]);
    expect(warningsOf({ ...quiet, enqueue: of(0.9) }, { ...settings, cudaGraph: false })).toEqual([
      expect.stringContaining('; cudaGraph may'),
    ]);
    expect(warningsOf({ ...quiet, toDevice: of(1), fromDevice: of(2) }, settings)).toEqual([
      expect.stringContaining('copies to the GPU of inputs'),
      expect.stringContaining('copies from the GPU of outputs'),
    ]);
    expect(warningsOf({ ...quiet, compute: of(1, 1, 1.1) }, settings)).toEqual([
      expect.stringMatching(/unstable.*4\.56 %/),
    ]);
    expect(warningsOf({ ...quiet, compute: of(1, 1, 1.1) }, { ...settings, spinWait: false })).toEqual([
      expect.stringContaining('spinWait'),
    ]);
  });
});
