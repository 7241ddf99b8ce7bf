import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bits, type DType } from '../../src/values/dtype.js';
import { carries, decodeElements, encodeElements } from '../../src/values/elements.js';

/** Written by ../cpu/fixtures/make.py from numpy and ml_dtypes. */
const formats = JSON.parse(readFileSync(new URL('../cpu/fixtures/formats.json', import.meta.url), 'utf8')) as Record<
  string,
  { decoded: string; given: string; codes: string }
>;
const floats = (text: string) => new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);
const shorts = (text: string) => new Uint16Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);

/** Codes one per entry, as `dtype` travels. */
const travel = (dtype: DType, codes: Uint16Array) => {
  if (bits[dtype] === 16) return codes;
  if (bits[dtype] === 8) return Uint8Array.from(codes);
  return Uint8Array.from(
    { length: Math.ceil(codes.length / 2) },
    (_, i) => codes[2 * i]! | ((codes[2 * i + 1] ?? 0) << 4),
  );
};

describe.each(Object.entries(formats))('%s', (name, { decoded, given, codes }) => {
  const dtype = name as DType;
  it('decodes every code as numpy does', () => {
    const all = Uint16Array.from({ length: 2 ** bits[dtype] }, (_, i) => i);
    const values = decodeElements(dtype, travel(dtype, all), all.length);
    const canonical = values.map((v) => (Number.isNaN(v) ? Number.NaN : v));
    expect(createHash('sha256').update(new Uint8Array(canonical.buffer)).digest('hex')).toBe(decoded);
  });

  it('encodes to nearest even as numpy does', () => {
    expect(encodeElements(dtype, floats(given))).toEqual(travel(dtype, shorts(codes)));
  });
});

it('keeps NaN', () => {
  for (const dtype of ['float16', 'bfloat16', 'float8e4m3', 'float8e8m0'] as const) {
    expect(decodeElements(dtype, encodeElements(dtype, [Number.NaN]), 1)[0]).toBeNaN();
  }
});

it('takes whole numbers in range for integers', () => {
  expect(encodeElements('int8', [-128, 127n, true])).toEqual(Int8Array.of(-128, 127, 1));
  expect(encodeElements('int4', [-8, 7, -1])).toEqual(Uint8Array.of(0x78, 0x0f));
  expect(decodeElements('int4', Uint8Array.of(0x78, 0x0f), 3)).toEqual(Float32Array.of(-8, 7, -1));
  expect(encodeElements('int64', [2n ** 63n - 1n, -5])).toEqual(BigInt64Array.of(2n ** 63n - 1n, -5n));
  expect(encodeElements('bool', [true, 0])).toEqual(Uint8Array.of(1, 0));
  for (const [dtype, value] of [
    ['int8', 128],
    ['uint8', -1],
    ['int32', 0.5],
    ['int32', Number.NaN],
    ['int64', 2n ** 63n],
    ['int64', 1.5],
    ['int4', 8],
    ['bool', 2],
  ] as const) {
    expect(() => encodeElements(dtype, [value])).toThrow(expect.objectContaining({ code: 'ERR_VALUE' }));
  }
});

it('knows the array of a dtype', () => {
  expect(carries('bfloat16', new Uint16Array(1))).toBe(true);
  expect(carries('float32', new Float64Array(1))).toBe(false);
  expect(carries('uint8', Buffer.alloc(1))).toBe(true);
});
