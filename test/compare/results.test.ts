import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compareResults } from '../../src/compare/results.js';
import { defaultThresholds, toleranceOf } from '../../src/compare/thresholds.js';
import { refusal } from '../refusal.js';

const f32 = (...values: number[]) =>
  ({ dtype: 'float32', shape: [values.length], data: new Float32Array(values) }) as const;

test('figures are those of numpy', () => {
  const { shape, a, b, expected } = JSON.parse(
    readFileSync(new URL('fixtures/statistics.json', import.meta.url), 'utf8'),
  );
  const tensor = (values: number[]) => ({ dtype: 'float32', shape, data: new Float32Array(values) }) as const;
  const { agrees, outputs } = compareResults({ y: tensor(a) }, { y: tensor(b) }, { thresholds: {} });
  const [y] = outputs;
  expect(agrees).toBe(true);
  for (const name of ['max', 'mean', 'rms', 'relative', 'cosine'] as const)
    expect(y![name]).toBeCloseTo(expected[name], 12);
  const { p50, p90, p99, p999 } = y!.quantiles!;
  expect([p50, p90, p99, p999]).toEqual(expected.quantiles);
  expect(y!.worst!.index).toEqual(expected.at);
  expect(y!.histogram!.map(({ count }) => count)).toEqual(expected.counts);
  expect(y!.histogram!.slice(1).map(({ from }) => from)).toEqual(expected.edges.slice(0, -1));
  expect(y!.histogram!.at(-1)!.to).toBe(expected.edges.at(-1));
});

test('NaN and infinities are found, named and counted', () => {
  const a = {
    dtype: 'float32',
    shape: [2, 3],
    data: new Float32Array([1, Number.NaN, 3, Infinity, 5, -Infinity]),
  } as const;
  const same = compareResults({ y: a }, { y: a }).outputs[0]!;
  expect(same).toMatchObject({ agrees: true, different: 0, oddPairs: 0 });
  expect(same.notFinite!.b).toEqual({
    nan: { count: 1, first: [0, 1] },
    infinity: { count: 1, first: [1, 0] },
    negativeInfinity: { count: 1, first: [1, 2] },
  });
  const b = { ...a, data: new Float32Array([1, Number.NaN, Number.NaN, Infinity, 5, Infinity]) };
  const other = compareResults({ y: a }, { y: b }, { thresholds: {} }).outputs[0]!;
  expect(other).toMatchObject({ agrees: false, oddPairs: 2, max: 0, firstOdd: { index: [0, 2], a: 3, b: Number.NaN } });
  expect(other.reasons).toEqual(['2 of 6 elements are not finite on one side: A has 3, B NaN at [0, 2]']);
});

test('integers have to be equal, 64-bit ones to the last bit', () => {
  const big = (value: bigint) => ({ dtype: 'int64', shape: [1], data: new BigInt64Array([value]) }) as const;
  const [y] = compareResults({ y: big(2n ** 60n) }, { y: big(2n ** 60n + 1n) }).outputs;
  expect(y).toMatchObject({ agrees: false, max: 1, thresholds: { max: 0 } });
  expect(compareResults({ y: big(2n ** 60n) }, { y: big(2n ** 60n) }).agrees).toBe(true);
  const bool = (...data: number[]) => ({ dtype: 'bool', shape: [2], data: new Uint8Array(data) }) as const;
  expect(compareResults({ y: bool(0, 1) }, { y: bool(1, 1) }).agrees).toBe(false);
});

test('float16 against float32 has the tolerance of float16', () => {
  const half = { dtype: 'float16', shape: [2], data: new Uint16Array([0x3c00, 0x4001]) } as const;
  expect(compareResults({ y: f32(1, 2) }, { y: half }).outputs[0]).toMatchObject({
    agrees: true,
    b: { dtype: 'float16' },
    max: 2 ** -9,
    thresholds: defaultThresholds(['float16', 'float32'], {}),
  });
  expect(compareResults({ y: f32(1, 2) }, { y: f32(1, 2 + 2 ** -9) }).agrees).toBe(false);
});

test('outputs that one side lacks, and other shapes, differ', () => {
  const { agrees, outputs } = compareResults({ x: f32(1), y: f32(1) }, { y: f32(1, 2), z: f32(1) });
  expect(agrees).toBe(false);
  expect(outputs.map(({ output, reasons }) => [output, ...reasons])).toEqual([
    ['x', 'only A has it'],
    ['y', 'A is [1], B is [2]'],
    ['z', 'only B has it'],
  ]);
});

test('every threshold counts, for all outputs or for one', () => {
  const [a, b] = [{ y: f32(3, 4) }, { y: f32(3, 4.5) }];
  const agrees = (thresholds: object) => compareResults(a, b, { thresholds }).agrees;
  expect([agrees({ max: 0.5 }), agrees({ max: 0.49 })]).toEqual([true, false]);
  expect([agrees({ mean: 0.25 }), agrees({ mean: 0.24 })]).toEqual([true, false]);
  expect([agrees({ rms: 0.36 }), agrees({ rms: 0.35 })]).toEqual([true, false]);
  expect([agrees({ relative: 0.15 }), agrees({ relative: 0.14 })]).toEqual([true, false]);
  expect([agrees({ cosine: 0.998 }), agrees({ cosine: 0.9999 })]).toEqual([true, false]);
  expect(compareResults(a, b, { thresholds: { max: 0 }, outputThresholds: { y: { max: 1 } } }).agrees).toBe(true);
  expect(
    compareResults({ y: f32(0, 0) }, { y: f32(0, 1) }, { thresholds: { relative: 1 } }).outputs[0]!.reasons[0],
  ).toMatch('A is all zeros');
});

test('the tolerance follows dtype and depth', () => {
  expect(toleranceOf({ layers: 4, terms: 0, roundoff: 2 ** -11 })).toBe(4 * 2 * 2 ** -11);
  expect(toleranceOf({ layers: 1, terms: 100, roundoff: 2 ** -24 })).toBeCloseTo(4 * 11 * 2 ** -24, 15);
  expect(compareResults({ y: f32(1) }, { y: f32(1 + 2 ** -10) }, { precision: 'tf32', depth: 4 }).agrees).toBe(true);
});

test('refuses what it cannot compare', () => {
  const refused = (code: string, call: () => unknown, text: RegExp) => {
    const error = refusal(call);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(text);
  };
  refused('ERR_INPUT', () => compareResults({ y: 1 } as never, { y: f32(1) }), /'y': expected a tensor/);
  refused(
    'ERR_PARAMETER',
    () => compareResults({}, {}, { thresholds: { max: -1 } }),
    /max: expected a number of at least 0/,
  );
  refused('ERR_PARAMETER', () => compareResults({}, {}, { depths: 1 } as never), /there is no option 'depths'/);
  refused('ERR_PARAMETER', () => compareResults({}, {}, { precision: 'int2' as never }), /expected one of/);
});
