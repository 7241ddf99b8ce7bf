import { type DType, dtypes, type TypedArray } from '../values/dtype.js';
import { refusal } from './format-error.js';

/** Element types that only weight files hold; convert them with `Weight.as` before use in a network. */
export const fileDTypes = ['float64', 'float8e5m2', 'int16', 'uint16', 'uint32', 'uint64'] as const;

/** An element type of a weight: TensorRT's and those that only files hold. */
export type WeightDType = DType | (typeof fileDTypes)[number];

/** All element types of weights. */
export const weightDTypes: readonly WeightDType[] = [...dtypes, ...fileDTypes];

/** Bits per element; 4-bit types are packed two to a byte, low nibble first. */
export const weightBits: Readonly<Record<WeightDType, number>> = {
  float64: 64,
  int64: 64,
  uint64: 64,
  float32: 32,
  int32: 32,
  uint32: 32,
  float16: 16,
  bfloat16: 16,
  int16: 16,
  uint16: 16,
  float8e4m3: 8,
  float8e5m2: 8,
  float8e8m0: 8,
  int8: 8,
  uint8: 8,
  bool: 8,
  int4: 4,
  float4e2m1: 4,
};

type ArrayType = new (buffer: ArrayBuffer, byteOffset: number, length: number) => TypedArray;

const arrayTypes: Readonly<Partial<Record<WeightDType, ArrayType>>> = {
  float64: Float64Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float32: Float32Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int8: Int8Array,
};

/** Bytes that `count` elements take. */
export const weightBytes = (dtype: WeightDType, count: number): number => Math.ceil((count * weightBits[dtype]) / 8);

/** The typed array in which elements of `dtype` travel; a view of `bytes`, or a copy where their offset is misaligned. */
export function viewElements(dtype: WeightDType, bytes: Uint8Array): TypedArray {
  const size = Math.max(1, weightBits[dtype] / 8);
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new (arrayTypes[dtype] ?? Uint8Array)(buffer as ArrayBuffer, byteOffset, byteLength / size);
}

/** The bytes of a typed array. */
export const bytesOf = (array: TypedArray): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** @throws ERR_WEIGHTS_DTYPE */
export function checkDType(dtype: unknown): asserts dtype is WeightDType {
  if (!weightDTypes.includes(dtype as WeightDType)) {
    throw refusal('ERR_WEIGHTS_DTYPE', `Expected a dtype out of ${weightDTypes.join(', ')}, given ${String(dtype)}`);
  }
}

/** Most axes a tensor may have: PyTorch's and NumPy's limit. */
export const maxRank = 64;

/** Product of the dims, or undefined where it is no safe integer. Zero only if every prefix is representable. */
export function elementCount(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const dim of shape) {
    count *= dim;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

/** `[2, 3]` */
export const shapeText = (shape: readonly unknown[]): string => `[${shape.join(', ')}]`;
