/** TensorRT's element types, by the names NumPy and PyTorch users know. */
export const dtypes = [
  'float32',
  'float16',
  'bfloat16',
  'float8e4m3',
  'float4e2m1',
  'float8e8m0',
  'int64',
  'int32',
  'int8',
  'int4',
  'uint8',
  'bool',
] as const;

/** An element type TensorRT knows. */
export type DType = (typeof dtypes)[number];

/** Bits per element; the 4-bit types are packed two to a byte, low nibble first. */
export const bits: Readonly<Record<DType, number>> = {
  float32: 32,
  float16: 16,
  bfloat16: 16,
  float8e4m3: 8,
  float4e2m1: 4,
  float8e8m0: 8,
  int64: 64,
  int32: 32,
  int8: 8,
  int4: 4,
  uint8: 8,
  bool: 8,
};

/** Narrow dtypes for storage only, not for computation; see `LayerDefinition.takesNarrow`. */
const narrow: ReadonlySet<DType> = new Set<DType>(['float8e4m3', 'float4e2m1', 'float8e8m0', 'int4']);
export const isNarrow = (dtype: DType): boolean => narrow.has(dtype);

/** Size of `count` elements in bytes. */
export function byteLength(dtype: DType, count: number): number {
  return Math.ceil((count * bits[dtype]) / 8);
}

export const isFloat = (dtype: string): boolean => dtype.startsWith('float') || dtype === 'bfloat16';

/** The typed arrays that carry elements: float16 and bfloat16 as their bits, int64 as BigInt64Array, the 8- and 4-bit types as bytes. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Uint16Array
  | Int16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray;

/** A Float16Array, which Node has from version 24 on: wherever elements are given it stands for float16. */
export interface HalfArray extends ArrayBufferView {
  /** Tells the class apart. */
  readonly [Symbol.toStringTag]: 'Float16Array';
  /** Number of elements. */
  readonly length: number;
  readonly [index: number]: number;
}

export const isHalfArray = (array: ArrayBufferView): array is HalfArray =>
  (array as HalfArray)[Symbol.toStringTag] === 'Float16Array';

/** The array in which float16 travels if it is a Float16Array, else the array itself; no copy. */
export const withoutHalves = (array: TypedArray | HalfArray): TypedArray =>
  isHalfArray(array) ? new Uint16Array(array.buffer, array.byteOffset, array.length) : array;

/** Views `bytes` as the typed array that carries elements of `dtype`. Copies only if the offset is misaligned. */
export function viewAs(dtype: DType, bytes: Uint8Array): TypedArray {
  const size = Math.max(1, bits[dtype] / 8);
  const { buffer, byteOffset, byteLength: length } = aligned(bytes, size);
  const n = Math.floor(length / size);
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer, byteOffset, n);
    case 'float16':
    case 'bfloat16':
      return new Uint16Array(buffer, byteOffset, n);
    case 'int64':
      return new BigInt64Array(buffer, byteOffset, n);
    case 'int32':
      return new Int32Array(buffer, byteOffset, n);
    case 'int8':
      return new Int8Array(buffer, byteOffset, n);
    default:
      return new Uint8Array(buffer, byteOffset, n);
  }
}

function aligned(bytes: Uint8Array, size: number): Uint8Array {
  return bytes.byteOffset % size === 0 ? bytes : bytes.slice();
}

const arrayDTypes: ReadonlyArray<[abstract new (...args: never[]) => TypedArray, DType]> = [
  [Float32Array, 'float32'],
  [Int32Array, 'int32'],
  [BigInt64Array, 'int64'],
  [Int8Array, 'int8'],
  [Uint8Array, 'uint8'],
];

/** The dtype implied by a bare typed array; undefined if it implies none or several (Uint16Array, Float64Array, ...). */
export function dtypeOf(array: TypedArray | HalfArray): DType | undefined {
  return isHalfArray(array) ? 'float16' : arrayDTypes.find(([type]) => array instanceof type)?.[1];
}

/** The dtype whose numbers an array holds; undefined for one that may hold the bits or bytes of another. */
export const numbersIn = (array: TypedArray | HalfArray): DType | 'float64' | undefined =>
  array instanceof Float64Array ? 'float64' : array instanceof Uint8Array ? undefined : dtypeOf(array);

export const isTypedArray = (value: unknown): value is TypedArray =>
  ArrayBuffer.isView(value) && !(value instanceof DataView);

/** Whether an array lost its elements: its buffer was transferred, or shrank below it. */
export function isGone(array: TypedArray | HalfArray): boolean {
  if (array.byteLength > 0) return false;
  try {
    (array as Uint8Array).keys();
    return false;
  } catch {
    return true;
  }
}

/** The bytes of a typed array; no copy. */
export const bytesOf = (array: TypedArray): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** A copy of the elements as bytes, never in shared memory. */
export const copyOfBytes = (array: TypedArray): Uint8Array<ArrayBuffer> => bytesOf(array).slice();
