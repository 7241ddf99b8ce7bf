import { type Fail, TensorRTError } from '../errors/error.js';
import { bits, byteLength, type DType, dtypes, type TypedArray, viewAs } from './dtype.js';

/** One element, as callers write it. */
export type Scalar = number | bigint | boolean;

export const isScalar = (value: unknown): value is Scalar =>
  typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';

interface FloatFormat {
  mantissa: number;
  bias: number;
  /** Bits of the largest magnitude; larger values saturate to it. */
  largest: number;
  nan: number;
}

/**
 * IEEE 754 binary16, bfloat16 and the OCP 8-bit and MX formats (OFP8 1.0, MX 1.0). float16 and bfloat16 overflow to
 * infinity; the narrow formats saturate, as in TensorRT's and ONNX's casts. `native/weights` rounds in the same way.
 */
const formats: Partial<Record<DType, FloatFormat>> = {
  float16: { mantissa: 10, bias: 15, largest: 0x7c00, nan: 0x7e00 },
  bfloat16: { mantissa: 7, bias: 127, largest: 0x7f80, nan: 0x7fc0 },
  float8e4m3: { mantissa: 3, bias: 7, largest: 0x7e, nan: 0x7f },
  float4e2m1: { mantissa: 1, bias: 1, largest: 7, nan: 0 },
};

const integerRanges: Partial<Record<DType, readonly [number, number]>> = {
  int64: [-(2 ** 63), 2 ** 63 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int8: [-128, 127],
  int4: [-8, 7],
  uint8: [0, 255],
  bool: [0, 1],
};

function halfToEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}

const exponentView = new DataView(new ArrayBuffer(8));
/** floor(log2(value)) of a positive, finite, normal number. */
function exponentOf(value: number): number {
  exponentView.setFloat64(0, value);
  return ((exponentView.getUint16(0) >> 4) & 0x7ff) - 1023;
}

/** Bits of `value`, rounded to nearest even. */
function encodeFloat(value: number, { mantissa, bias, largest, nan }: FloatFormat, signBit: number): number {
  if (Number.isNaN(value)) return nan;
  const sign = value < 0 || Object.is(value, -0) ? signBit : 0;
  const magnitude = Math.abs(value);
  if (magnitude === Number.POSITIVE_INFINITY) return sign | largest;
  const exponent = Math.max(magnitude === 0 ? 1 - bias : exponentOf(magnitude), 1 - bias);
  const steps = halfToEven(magnitude / 2 ** (exponent - mantissa));
  return sign | Math.min(largest, (exponent + bias - 1) * 2 ** mantissa + steps);
}

/** MX 1.0's E8M0: a power of two from 2^−127 to 2^127, 255 is NaN. Halfway goes up, as does all above 2^−127, as in PyTorch. */
function encodeExponent(value: number): number {
  if (!(value >= 0)) return 255;
  if (value < 2 ** -126) return Number(value > 2 ** -127);
  const exponent = exponentOf(Math.min(value, 2 ** 127));
  const fraction = Math.min(value, 2 ** 127) / 2 ** exponent;
  return exponent + 127 + Number(fraction >= 1.5);
}

function decodeFloat(code: number, { mantissa, bias, nan }: FloatFormat, width: number): number {
  const sign = code >> (width - 1) ? -1 : 1;
  const rest = code & (2 ** (width - 1) - 1);
  const exponentBits = width - 1 - mantissa;
  const exponent = rest >> mantissa;
  const fraction = rest & (2 ** mantissa - 1);
  if (width === 16 && exponent === 2 ** exponentBits - 1)
    return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (width === 8 && rest === nan) return Number.NaN;
  const scaled = exponent === 0 ? fraction : 2 ** mantissa + fraction;
  return sign * scaled * 2 ** (Math.max(exponent, 1) - bias - mantissa);
}

const tables = new Map<DType, Float32Array>();
function decodeTable(dtype: DType): Float32Array {
  const known = tables.get(dtype);
  if (known) return known;
  const width = bits[dtype];
  const table = new Float32Array(2 ** width);
  const format = formats[dtype];
  for (let code = 0; code < table.length; code++) {
    table[code] = format ? decodeFloat(code, format, width) : code === 255 ? Number.NaN : 2 ** (code - 127);
  }
  tables.set(dtype, table);
  return table;
}

/** Element `i` of 4-bit elements packed two to a byte, low nibble first. */
const nibble = (bytes: ArrayLike<number>, i: number): number => (bytes[i >> 1]! >> ((i & 1) * 4)) & 15;

/** The typed arrays that carry elements. */
const carriers = Object.fromEntries(
  dtypes.map((dtype) => [dtype, viewAs(dtype, new Uint8Array(0)).constructor]),
) as Readonly<Record<DType, new () => TypedArray>>;

/** Whether `values` is the typed array that carries elements of `dtype`. */
export const carries = (dtype: DType, values: unknown): boolean => values instanceof carriers[dtype];

/**
 * Elements as float32: exact for every float dtype and the small integers, rounded for int32 and int64; bool as 0 and 1.
 * @param data in the typed array that carries `dtype` (float16 and bfloat16 as bits, 4-bit types packed)
 * @param count number of elements
 */
export function decodeElements(dtype: DType, data: TypedArray, count: number): Float32Array {
  const source = data as ArrayLike<number>;
  const result = new Float32Array(count);
  if (dtype === 'float32') {
    result.set(source);
  } else if (dtype === 'int4') {
    for (let i = 0; i < count; i++) result[i] = (nibble(source, i) << 28) >> 28;
  } else if (dtype === 'float4e2m1') {
    const table = decodeTable(dtype);
    for (let i = 0; i < count; i++) result[i] = table[nibble(source, i)]!;
  } else if (dtype === 'bfloat16') {
    const target = new Uint32Array(result.buffer);
    for (let i = 0; i < count; i++) target[i] = source[i]! << 16;
  } else if (formats[dtype] || dtype === 'float8e8m0') {
    const table = decodeTable(dtype);
    for (let i = 0; i < count; i++) result[i] = table[source[i]!]!;
  } else {
    for (let i = 0; i < count; i++) result[i] = Number(source[i]);
  }
  return result;
}

const withoutCall: Fail = (code, message, facts) => {
  throw new TensorRTError(code, message, facts);
};

/**
 * Numbers as elements of `dtype`: floats round to nearest even; integers must be whole and in range.
 * @throws ERR_VALUE if `dtype` cannot hold a number
 */
export function encodeElements(
  dtype: DType,
  values: ArrayLike<number | bigint | boolean>,
  fail: Fail = withoutCall,
): TypedArray {
  const count = values.length;
  const width = bits[dtype];
  const result = viewAs(dtype, new Uint8Array(byteLength(dtype, count)));
  const range = integerRanges[dtype];
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (dtype === 'int64') {
      (result as BigInt64Array)[i] = toInt64(value, fail);
      continue;
    }
    const number = Number(value);
    let code = number;
    if (range) {
      if (!Number.isInteger(number) || number < range[0] || number > range[1]) misfit(dtype, value, range, fail);
    } else if (dtype !== 'float32') {
      const format = formats[dtype];
      code = format ? encodeFloat(number, format, 1 << (width - 1)) : encodeExponent(number);
    }
    if (width === 4) (result as Uint8Array)[i >> 1]! |= (code & 15) << ((i & 1) * 4);
    else (result as Float32Array)[i] = code;
  }
  return result;
}

function toInt64(value: number | bigint | boolean, fail: Fail): bigint {
  if (typeof value === 'number' && !Number.isInteger(value)) misfit('int64', value, integerRanges.int64!, fail);
  const whole = BigInt(value);
  if (whole !== BigInt.asIntN(64, whole)) misfit('int64', value, integerRanges.int64!, fail);
  return whole;
}

function misfit(dtype: DType, value: unknown, [low, high]: readonly [number, number], fail: Fail): never {
  return fail(
    'ERR_VALUE',
    `expected ${dtype === 'bool' ? 'true, false, 0 or 1' : `a whole number from ${low} to ${high}`} for ${dtype}, given ${String(value)}`,
    { actual: value },
  );
}
