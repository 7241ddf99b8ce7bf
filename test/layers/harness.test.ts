import { expect, test } from 'vitest';
import type { Stored } from './fixture.js';
import { expectClose, expectMostlyClose } from './harness.js';

const float32 = (...elements: number[]) =>
  ({ dtype: 'float32', shape: [elements.length], data: Float32Array.from(elements) }) as Stored;
const ones = Array<number>(10).fill(1);
const exact = { atol: 0.001, rtol: 0 };

test('elements are close within the tolerance, and the largest share of it is told', () => {
  expect(expectClose(float32(1, 2.0005), float32(1, 2), exact)).toBeCloseTo(0.5, 2);
  expect(() => expectClose(float32(1, 2.002), float32(1, 2), exact)).toThrow(/element 1 of \[2\]: 2.00/);
  expect(() => expectClose(float32(1, Number.NaN), float32(1, 2), exact)).toThrow(/element 1/);
  expect(
    expectClose(float32(Number.NaN, Number.POSITIVE_INFINITY), float32(Number.NaN, Number.POSITIVE_INFINITY)),
  ).toBe(0);
  expect(() => expectClose(float32(1), float32(1, 2))).toThrow();
});

test('of elements that are mostly close, one in ten may be off and two may not', () => {
  expectMostlyClose(float32(...ones.with(3, 2)), float32(...ones), exact);
  expect(() => expectMostlyClose(float32(...ones.with(3, 2).with(4, 2)), float32(...ones), exact)).toThrow(/share of/);
  expect(() => expectMostlyClose(float32(...ones.map(() => Number.NaN)), float32(...ones), exact)).toThrow(/share of/);
});
