import { describe, expect, test } from 'vitest';
import { compare, defaultTolerances, type Elements } from '../../src/testing/compare.js';
import type { DType } from '../../src/values/dtype.js';
import { decodeElements, encodeElements } from '../../src/values/elements.js';
import { randomElements } from '../../src/values/random.js';

const of = (dtype: DType, shape: number[], values: (number | bigint)[]): Elements => ({
  dtype,
  shape,
  data: encodeElements(dtype, values),
});
const differ = (got: Elements, wanted: Elements) => compare('y', got, wanted, defaultTolerances);
const wide = (dtype: DType, change = 0) => of(dtype, [2, 3], [100, -100, 100, -100, 100, -100 + change]);

describe('an output and what was wanted:', () => {
  test('the difference is measured against the rms of all elements', () => {
    expect(differ(wide('float32', 0.9e-3), wide('float32'))).toBeUndefined();
    expect(differ(wide('float32', 1.1e-3), wide('float32'))).toMatchObject({
      wrong: 1,
      count: 6,
      worst: { index: [1, 2], wanted: -100 },
    });
    expect(differ(wide('float16', 0.125), wide('float16'))).toBeUndefined();
    expect(differ(wide('float16', 0.25), wide('float16'))).toBeDefined();
    expect(differ(wide('bfloat16', 1), wide('bfloat16'))).toBeUndefined();
    expect(differ(wide('bfloat16', 2), wide('bfloat16'))).toBeDefined();
  });

  test('the text has the index of the worst element, both values, what is allowed and how many differ', () => {
    const got = of('float32', [2, 3], [1, 1, 1, 1, 4, 1.5]);
    const wanted = of('float32', [2, 3], [1, 1, 1, 1, 1, 1]);
    expect(differ(got, wanted)!.text).toBe(
      'y float32[2, 3]: element [1, 1] is 4, expected 1 ± 0.00001 (0.00001 of the rms, 1); 2 of 6 differ',
    );
  });

  test('integers and bool are exact, int64 beyond 2^53 too', () => {
    expect(differ(of('int32', [2], [1e6, 3]), of('int32', [2], [1e6, 4]))!.text).toBe(
      'y int32[2]: element [1] is 3, expected 4; 1 of 2 differ',
    );
    const [a, b] = [2n ** 60n, 2n ** 60n + 1n];
    expect(differ(of('int64', [1], [a]), of('int64', [1], [a]))).toBeUndefined();
    expect(differ(of('int64', [1], [a]), of('int64', [1], [b]))).toMatchObject({ worst: { got: a, wanted: b } });
    expect(differ(of('bool', [2], [1, 0]), of('bool', [2], [1, 1]))).toBeDefined();
  });

  test('NaN and infinities must match, and do not spoil the rms', () => {
    const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];
    const special = of('float32', [4], [nan, inf, -inf, 100]);
    expect(differ(special, special)).toBeUndefined();
    expect(differ(of('float32', [4], [nan, inf, -inf, 101]), special)).toMatchObject({ wrong: 1, allowed: 1e-3 });
    expect(differ(of('float32', [4], [0, inf, -inf, 100]), special)).toMatchObject({ worst: { index: [0] } });
    expect(differ(of('float32', [4], [nan, -inf, -inf, 100]), special)).toMatchObject({ worst: { index: [1] } });
    expect(differ(of('float32', [2], [1, nan]), of('float32', [2], [5, 1]))).toMatchObject({ worst: { index: [1] } });
  });

  test('dtype and shape', () => {
    expect(differ(of('float32', [2], [1, 1]), of('float32', [1, 2], [1, 1]))!.text).toBe(
      'y is float32[2], expected float32[1, 2]',
    );
    expect(differ(of('float16', [1], [1]), of('float32', [1], [1]))!.text).toMatch(/float16\[1\], expected float32/);
    expect(differ(of('float32', [0, 3], []), of('float32', [0, 3], []))).toBeUndefined();
  });

  test('an element of a rank 0 tensor', () => {
    expect(differ(of('int32', [], [1]), of('int32', [], [2]))!.text).toBe(
      'y int32[]: element [] is 1, expected 2; 1 of 1 differ',
    );
  });
});

describe('random elements', () => {
  test('are the same for the same seed and name, and others for others', () => {
    const draw = (seed: number, name: string) => [...randomElements('float32', 8, [-1, 1], seed, name)];
    expect(draw(1, 'x')).toEqual(draw(1, 'x'));
    expect(draw(1, 'x')).not.toEqual(draw(2, 'x'));
    expect(draw(1, 'x')).not.toEqual(draw(1, 'y'));
    expect(draw(1, 'x')).toEqual([...randomElements('float32', 9, [-1, 1], 1, 'x')].slice(0, 8));
  });

  test.each(['float32', 'float16', 'bfloat16', 'int8', 'int32', 'int64', 'uint8', 'bool'] as const)(
    '%s fill their range',
    (dtype) => {
      const range = dtype === 'bool' ? ([0, 1] as const) : ([2, 5] as const);
      const values = [...decodeElements(dtype, randomElements(dtype, 4000, range, 3, 'x'), 4000)];
      expect(Math.min(...values)).toBeGreaterThanOrEqual(range[0]);
      expect(Math.max(...values)).toBeLessThanOrEqual(range[1]);
      const mean = values.reduce((a, b) => a + b) / values.length;
      expect(Math.abs(mean - (range[0] + range[1]) / 2)).toBeLessThan(0.1);
      if (!dtype.includes('float')) expect(new Set(values).size).toBe(range[1] - range[0] + 1);
    },
  );
});
