import { isTypedArray, type TypedArray } from './dtype.js';

/** Known elements with a shape: a `Weight` from a weight file, or any object of this form. */
export interface WeightLike {
  /** Name in the weight file. */
  name?: string | undefined;
  /** Optional if `data` implies it (Float32Array, Int32Array, BigInt64Array, Int8Array, Uint8Array). */
  dtype?: string | undefined;
  shape: readonly number[];
  /** The file it came from. */
  file?: string | undefined;
  /** Throws once the file can no longer be trusted. */
  check?: (() => void) | undefined;
  /** The elements as float64 from before they were rounded to `dtype`, for what is computed from them once. */
  exact?: (() => Float64Array) | undefined;
  /** Row-major elements; float16 and bfloat16 as their bits, 4-bit types packed two to a byte, low nibble first. */
  data: TypedArray;
}

export const isWeightLike = (value: unknown): value is WeightLike =>
  typeof value === 'object' && value !== null && 'data' in value && isTypedArray(value.data) && 'shape' in value;

/** The same elements with another shape. */
export function withShape(weight: WeightLike, shape: readonly number[]): WeightLike {
  const { name, dtype, file, data } = weight;
  return { name, dtype, file, data, shape, check: weight.check && (() => weight.check!()) };
}

/** The layer that a weight's name implies: `fc1` for `fc1.weight`. */
export function layerNameOf(name: unknown): string | undefined {
  const dot = typeof name === 'string' ? name.lastIndexOf('.') : -1;
  return dot < 0 ? undefined : (name as string).slice(0, dot);
}

/** A mapped file. Only `weights/` creates one, and only the addon looks inside. */
export interface FileMapping {
  /** bytes */
  readonly size: number;
}

/** Mappings by buffer, so that every array over one has it: a subarray, a reshaped weight, a caller's bare array. */
const mappings = new WeakMap<ArrayBufferLike, FileMapping>();

/** Records that a buffer is part of a mapped file. */
export const setMapping = (buffer: ArrayBuffer, mapping: FileMapping): void => void mappings.set(buffer, mapping);

/** The mapped file that elements lie in; undefined for copies and for the caller's own elements. */
export const mappingOf = (data: TypedArray): FileMapping | undefined => mappings.get(data.buffer);
