import { bits, type DType, dtypeOf, dtypes, type HalfArray, type TypedArray, viewAs } from '../values/dtype.js';
import { refusal } from './format-error.js';

/** Element types that only weight files hold; convert them with `Weight.as` before use in a network. */
export const fileDTypes = ['float64', 'float8e5m2', 'int16', 'uint16', 'uint32', 'uint64'] as const;

/** Dtypes that weight files may hold. @useDeclaredType */
export type FileDType = (typeof fileDTypes)[number];

/** An element type of a weight: TensorRT's and those that only files hold. */
export type WeightDType = DType | FileDType;

/** All element types of weights. */
export const weightDTypes: readonly WeightDType[] = [...dtypes, ...fileDTypes];

/** Bits per element; 4-bit types are packed two to a byte, low nibble first. */
export const weightBits: Readonly<Record<WeightDType, number>> = {
  ...bits,
  float64: 64,
  uint64: 64,
  uint32: 32,
  int16: 16,
  uint16: 16,
  float8e5m2: 8,
};

const fileArrays = {
  float64: Float64Array,
  float8e5m2: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
} as const satisfies Record<FileDType, unknown>;

/** Bytes that `count` elements take. */
export const weightBytes = (dtype: WeightDType, count: number): number => Math.ceil((count * weightBits[dtype]) / 8);

/** The typed array in which elements of `dtype` travel; a view of `bytes`, or a copy if their offset is misaligned. */
export function viewElements(dtype: WeightDType, bytes: Uint8Array): TypedArray {
  if (Object.hasOwn(bits, dtype)) return viewAs(dtype as DType, bytes);
  const size = weightBits[dtype] / 8;
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new fileArrays[dtype as FileDType](buffer as ArrayBuffer, byteOffset, byteLength / size);
}

/** The dtype a typed array stands for; undefined for one that may hold several, as a Uint16Array does. */
export const arrayDType = (array: TypedArray | HalfArray): WeightDType | undefined =>
  dtypeOf(array) ?? fileDTypes.find((dtype) => dtype !== 'uint16' && array instanceof fileArrays[dtype]);

/** @throws ERR_WEIGHTS_DTYPE */
export function checkDType(dtype: unknown): asserts dtype is WeightDType {
  if (!weightDTypes.includes(dtype as WeightDType)) {
    throw refusal('ERR_WEIGHTS_DTYPE', `Expected a dtype out of ${weightDTypes.join(', ')}, given ${String(dtype)}`);
  }
}

/** Most axes a tensor may have: PyTorch's and NumPy's limit. */
export const maxRank = 64;

/** Product of the dims, or undefined if it is not a safe integer. Zero only if every prefix is representable. */
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
