import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { encodeElements } from '../../src/values/elements.js';
import { binding } from '../../src/weights/binding.js';
import { type WeightDType, weight } from '../../src/weights/index.js';
import { failure } from './helpers.js';

/** SHA-256 of what NumPy, PyTorch and ml_dtypes make of the inputs below; see fixtures/conversions.py. */
const hashes = JSON.parse(readFileSync(new URL('fixtures/conversions.json', import.meta.url), 'utf8')) as Record<
  string,
  string
>;

const low = [0, 1, 0x0fff, 0x1000, 0x1001, 0x2fff, 0x3000, 0x3001, 0x7fff, 0x8000, 0x8001, 0xffff];
const ties = Uint32Array.from(
  { length: 65536 * low.length },
  (_, i) => (Math.floor(i / low.length) << 16) | low[i % low.length]!,
);
const sample = Uint32Array.from({ length: 1 << 22 }, (_, i) => Math.imul(i, 2654435761));
const bits32 = new Uint32Array(ties.length + sample.length);
bits32.set(ties);
bits32.set(sample, ties.length);
const float32 = new Float32Array(bits32.buffer);
const half = Uint16Array.from({ length: 65536 }, (_, i) => i);
const byte = Uint8Array.from({ length: 256 }, (_, i) => i);
const nibbles = Uint8Array.from({ length: 128 }, (_, i) => ((2 * i) & 15) | (((2 * i + 1) & 15) << 4));
const float64 = new Float64Array([
  ...Float64Array.from(float32.subarray(0, 1 << 20), (x) => x * 1.0000000001),
  1e300,
  -1e-300,
  5e-324,
  Infinity,
  NaN,
]);
const int64 = BigInt64Array.from(
  { length: 1 << 18 },
  (_, i) => BigInt.asIntN(64, BigInt(i) * 6364136223846793005n) >> BigInt(i % 64),
);

const inputs: Record<string, () => ReturnType<typeof weight>> = {
  float32: () => weight(float32),
  float16: () => weight(half, [65536], 'float16'),
  bfloat16: () => weight(half, [65536], 'bfloat16'),
  float8e4m3: () => weight(byte, [256], 'float8e4m3'),
  float8e5m2: () => weight(byte, [256], 'float8e5m2'),
  float8e8m0: () => weight(byte, [256], 'float8e8m0'),
  float4e2m1: () => weight(nibbles, [256], 'float4e2m1'),
  int4: () => weight(nibbles, [256], 'int4'),
  float64: () => weight(float64),
  int64: () => weight(int64),
};

/** Bits of infinity and of the one NaN the hashes were made with; e4m3 has NaN 0x7f only. */
const nan: Record<string, { above: number; one: number; mask: number }> = {
  float32: { above: 0x7f800000, one: 0x7fc00000, mask: 0x7fffffff },
  float16: { above: 0x7c00, one: 0x7e00, mask: 0x7fff },
  bfloat16: { above: 0x7f80, one: 0x7fc0, mask: 0x7fff },
  float8e4m3: { above: 0x7e, one: 0x7f, mask: 0x7f },
  float8e5m2: { above: 0x7c, one: 0x7e, mask: 0x7f },
};

/** Numbers only for dtypes without NaN, and powers of two for those that hold nothing else. */
function fitting(source: ReturnType<typeof weight>, to: string): ReturnType<typeof weight> {
  if (!['int4', 'float4e2m1', 'float8e8m0'].includes(to)) return source;
  const numbers = (source.data as Float32Array).map((x) => (Number.isNaN(x) ? 0 : x));
  return weight(to === 'float8e8m0' ? numbers.map((x) => Math.min(Math.abs(x), 2 ** 127)) : numbers);
}

function digest(bytes: Uint8Array, dtype: string): string {
  const copy = bytes.slice();
  if (dtype === 'float64') {
    const values = new Float64Array(copy.buffer);
    for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) values[i] = Number.NaN;
  } else if (nan[dtype]) {
    const { above, one, mask } = nan[dtype];
    const units =
      dtype === 'float32' ? new Uint32Array(copy.buffer) : dtype.endsWith('16') ? new Uint16Array(copy.buffer) : copy;
    for (let i = 0; i < units.length; i++) if ((units[i]! & mask) > above) units[i] = one;
  }
  return createHash('sha256').update(copy).digest('hex');
}

test.each(Object.keys(hashes))('%s gives the bits that NumPy and PyTorch give', (pair) => {
  const [from, to] = pair.split(' ') as [string, WeightDType];
  const source = fitting(inputs[from]!(), to);
  expect(digest(source.as(to, { overflow: 'infinity' }).bytes, to)).toBe(hashes[pair]);
});

// What the sections above hold to PyTorch, ONNX and ml_dtypes holds for constants too.
test.each(['float16', 'bfloat16', 'float8e4m3', 'float4e2m1', 'float8e8m0'] as const)(
  'a constant of %s has the bits of the same weight converted',
  (dtype) => {
    const source = fitting(weight(float32.subarray(0, ties.length)), dtype);
    const converted = source.as(dtype, { overflow: 'infinity' }).bytes;
    const encoded = encodeElements(dtype, source.data as Float32Array);
    expect(digest(new Uint8Array(encoded.buffer), dtype)).toBe(digest(converted, dtype));
  },
);

// 65520 is halfway between 65504 and 65536, and rounds to even, which float16 does not have.
test.each([
  ['float32', 'float16', [1, 65519, 65520], '65520', '65504'],
  ['float32', 'bfloat16', [-3.3895313892515355e38, -3.4e38], '-3.3999999521443642e+38', '3.3895313892515355e+38'],
  ['float32', 'float8e5m2', [61439, 61440], '61440', '57344'],
  [
    'float64',
    'float32',
    [3.4028235677973362e38, 3.4028235677973366e38],
    '3.4028235677973366e+38',
    '3.4028234663852886e+38',
  ],
  ['float64', 'float16', [1e300], '1e+300', '65504'],
  ['int64', 'float16', [65519, -65520], '-65520', '65504'],
] as const)(
  '%s beyond %s is refused when it is read, or infinite as in PyTorch',
  async (from, to, values, given, top) => {
    const all = weight(
      from === 'int64'
        ? BigInt64Array.from(values, BigInt)
        : from === 'float32'
          ? Float32Array.from(values)
          : Float64Array.from(values),
    );
    const last = values.length - 1;
    const narrow = all.as(to);
    for (const read of [
      () => narrow.data,
      () => narrow.reshape([-1, 1]).data,
      () => narrow.transpose(),
      () => narrow.as('float64'),
    ]) {
      const error = await failure(read);
      expect([error.code, error.source?.file]).toEqual(['ERR_WEIGHTS_CONVERT', import.meta.filename]);
      expect(error.message).toContain(
        `weight: element ${last} is ${given}, expected at most ${top} in magnitude for ${to}; with overflow 'infinity' it becomes infinite`,
      );
    }
    const infinite = all.as(to, { overflow: 'infinity' }).as('float64').data;
    expect(Math.abs(infinite[last] as number)).toBe(Infinity);
    expect([...infinite.subarray(0, last)].every((x) => Number.isFinite(x))).toBe(true);
  },
);

test('the first overflow of many blocks is named, and infinity is none', async () => {
  const values = new Float32Array(3_000_000).fill(Infinity, 0, 5).fill(1e6, 2_500_000);
  expect((await failure(() => weight(values).as('float16').data)).message).toContain('element 2500000 is 1000000');
  expect(weight(values.subarray(0, 5)).as('float16').data[4]).toBe(0x7c00);
  const [error] = [await failure(() => weight(values).as('float16', { overflow: 'wrap' as never }))];
  expect([error!.code, error!.message.split('\n')[0]]).toEqual([
    'ERR_INPUT',
    "overflow: expected 'refuse' or 'infinity', given 'wrap'",
  ]);
});

// Fewer elements than a vector has take the scalar code, which machines without AVX2 run.
test.each(['float32 float16', 'float32 bfloat16', 'float16 float32'])('%s without vectors gives the same', (pair) => {
  const [from, to] = pair.split(' ') as [WeightDType, WeightDType];
  const source = inputs[from]!().bytes.subarray(0, 4 * 65536 * low.length);
  const sizes: Record<string, number> = { float32: 4, float16: 2, bfloat16: 2 };
  const count = source.length / sizes[from]!;
  const whole = new Uint8Array(count * sizes[to]!);
  binding().convert(source, from, whole, to, count);
  const parts = new Uint8Array(whole.length);
  for (let i = 0; i < count; i += 7) {
    const n = Math.min(7, count - i);
    const input = source.subarray(i * sizes[from]!, (i + n) * sizes[from]!);
    binding().convert(input, from, parts.subarray(i * sizes[to]!, (i + n) * sizes[to]!), to, n);
  }
  expect(Buffer.compare(parts, whole)).toBe(0);
});

test('NaN stays NaN with its sign, infinities stay where there are any', () => {
  const source = weight(new Float32Array(new Uint32Array([0x7f800001, 0xffc12345, 0x7f800000, 0xff800000]).buffer));
  const hex = (dtype: WeightDType) => [...source.as(dtype).data].map((b) => Number(b).toString(16));
  expect(hex('float16')).toEqual(['7e00', 'fe00', '7c00', 'fc00']);
  expect(hex('bfloat16')).toEqual(['7fc0', 'ffc0', '7f80', 'ff80']);
  expect(hex('float8e4m3')).toEqual(['7f', 'ff', '7e', 'fe']);
  const powers = weight(new Float32Array([NaN, Infinity, 0]));
  expect([...powers.as('float8e8m0').data]).toEqual([255, 254, 0]);
  expect(hex('float8e5m2')).toEqual(['7f', 'ff', '7c', 'fc']);
});

test('integers convert where they fit, and are refused where not', async () => {
  const w = weight(new BigInt64Array([-1n, 127n, -128n]));
  expect([...w.as('int8').data]).toEqual([-1, 127, -128]);
  expect([...w.as('int32').data]).toEqual([-1, 127, -128]);
  expect([...weight(new Float32Array([0, -0, 3])).as('int64').data]).toEqual([0n, 0n, 3n]);
  expect([...weight(new Uint8Array([0, 1, 7])).as('bool').data]).toEqual([0, 1, 1]);
  expect([...weight(new Int8Array([-8, 7, 1])).as('int4').data]).toEqual([0x78, 0x01]);
  const misfits: [ReturnType<typeof weight>, WeightDType, number][] = [
    [w, 'uint8', 0],
    [weight(new BigInt64Array([1n, 1n << 40n])), 'int32', 1],
    [weight(new Float32Array([1, 2, 2.5])), 'int32', 2],
    [weight(new Float32Array([1, 2 ** 31])), 'int32', 1],
    [weight(new Float64Array([2 ** 63])), 'int64', 0],
    [weight(new Float32Array([NaN])), 'int8', 0],
    [weight(new Float32Array([Infinity])), 'uint64', 0],
    [weight(new BigUint64Array([2n ** 63n])), 'int64', 0],
    [weight(new Int8Array([1, 8])), 'int4', 1],
    [weight(new Float32Array(3_000_000).fill(1).fill(0.5, 2_500_000)), 'int8', 2_500_000],
  ];
  for (const [source, to, index] of misfits) {
    const error = await failure(() => source.as(to));
    expect(error.code).toBe('ERR_WEIGHTS_CONVERT');
    expect(error.message.split('\n')[0]).toBe(`weight: element ${index} does not fit ${to} exactly`);
  }
  const odd: [number, WeightDType][] = [
    [NaN, 'float4e2m1'],
    [NaN, 'int4'],
    [-1, 'float8e8m0'],
  ];
  for (const [value, to] of odd) {
    const error = await failure(() => weight(new Float32Array([1, value])).as(to));
    expect([error.code, error.message]).toEqual([
      'ERR_WEIGHTS_CONVERT',
      expect.stringContaining('element 1 does not fit'),
    ]);
  }
  expect((await failure(() => w.as('float' as never))).code).toBe('ERR_WEIGHTS_DTYPE');
});

test('the addon refuses what does not fit together', () => {
  const native = binding();
  const bytes = new Uint8Array(8);
  expect(() => native.convert(bytes, 'float32', bytes, 'float16', 2)).toThrow();
  expect(() => native.convert(bytes, 'float32', new Uint8Array(4), 'float16', 3)).toThrow();
  expect(() => native.convert(bytes, 'float32', new Uint8Array(4), 'float16', -1)).toThrow();
  expect(() => native.convert(bytes, 'floats', bytes, 'float16', 2)).toThrow();
  expect(() => native.convert([] as never, 'float32', bytes, 'float16', 0)).toThrow();
  expect(() => native.convert(bytes, 'float32', bytes, 'float32', 2 ** 60)).toThrow();
  expect(() => native.mapFile(5 as never)).toThrow();
});
