import { expect, it } from 'vitest';
import type { DType, TypedArray } from '../../src/values/dtype.js';
import { Result } from '../../src/values/result.js';

it.each<[DType, TypedArray, number[]]>([
  ['float16', Uint16Array.of(0x3c00, 0xfc00, 0x0001), [1, -Infinity, 2 ** -24]],
  ['bfloat16', Uint16Array.of(0x3f80, 0xc020, 0x7f80), [1, -2.5, Infinity]],
  ['float8e4m3', Uint8Array.of(0x38, 0x7e, 0x81), [1, 448, -(2 ** -9)]],
  ['int64', BigInt64Array.of(-3n, 2n ** 40n, 0n), [-3, 2 ** 40, 0]],
  ['int4', Uint8Array.of(0x8f, 0x07), [-1, -8, 7]],
  ['bool', Uint8Array.of(1, 0, 1), [1, 0, 1]],
])('%s to float32', (dtype, data, expected) => {
  const result = new Result(dtype, [3], data);
  expect(Array.from(result.toFloat32())).toEqual(expected);
  expect(result.data).toBe(data);
});

it('hands float32 out as it is', () => {
  const data = Float32Array.of(1, 2);
  expect(new Result('float32', [2], data).toFloat32()).toBe(data);
});
