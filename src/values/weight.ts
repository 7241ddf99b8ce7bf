import { TensorRTError } from '../errors/error.js';
import { byteLength, type DType, type HalfArray, isTypedArray, type TypedArray } from './dtype.js';
import { type Ingredient, type Origin, originOf, recipeOf, stepOf } from './recipe.js';

/** Where a weight file has a tensor. */
export interface StoredAt {
  /** Its name there. */
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** What was loaded together with it, by name. */
  readonly beside: ReadonlyMap<string, unknown>;
}

/** Known elements with a shape: a `Weight` from a weight file, or any object of this form. */
export interface WeightLike {
  /** Name in the weight file. */
  name?: string | undefined;
  /** Optional if `data` implies it (Float32Array, Float16Array, Int32Array, BigInt64Array, Int8Array, Uint8Array). */
  dtype?: string | undefined;
  /** Its sizes. */
  shape: readonly number[];
  /** The file it came from. */
  file?: string | undefined;
  /** @internal What `file` has, if these elements are the file's in its order; their shape and dtype may be others. */
  stored?: StoredAt | undefined;
  /** Throws once the file can no longer be trusted. */
  check?: (() => void) | undefined;
  /** The elements as float64 from before they were rounded to `dtype`, for what is computed from them once. */
  exact?: (() => Float64Array) | undefined;
  /** @internal How `data` was made from a file. */
  origin?: Origin | undefined;
  /** @internal The same as part of another weight's recipe, without its elements being read. */
  ingredient?: Ingredient | undefined;
  /**
   * Row-major elements; float16 and bfloat16 as their bits (or float16 as Float16Array), 4-bit types packed two to a byte, low
   * nibble first.
   */
  data: TypedArray | HalfArray;
}

export const isWeightLike = (value: unknown): value is WeightLike =>
  typeof value === 'object' && value !== null && 'data' in value && isTypedArray(value.data) && 'shape' in value;

/** The same elements with another shape. */
export function withShape(weight: WeightLike, shape: readonly number[]): WeightLike {
  const { name, dtype, file, stored, data } = weight;
  const recipe = recipeOf(weight);
  const origin = originOf(recipe && stepOf('reshape', { weight: recipe }, { shape: [...shape] }), data);
  const check = weight.check && (() => weight.check!());
  return { name, dtype, file, stored, data, shape, check, ...(origin && { origin }) };
}

/** The layer that a weight's name implies: `fc1` for `fc1.weight`. */
export function layerNameOf(name: unknown): string | undefined {
  const dot = typeof name === 'string' ? name.lastIndexOf('.') : -1;
  return dot < 0 ? undefined : (name as string).slice(0, dot);
}

/** A mapped file, or memory that elements were copied to. Only the addon looks inside. */
export interface FileMapping {
  /** bytes */
  readonly size: number;
  /** Of the file. */
  readonly path?: string;
  /** False once the file has another size or time of writing than when it was mapped, or a page could not be read. */
  intact(): boolean;
  /**
   * Where elements lie in the file, for as long as it is not changed: `device:inode:size:written:changed`, times in nanoseconds.
   * Undefined for elements elsewhere, and for those that somebody wrote to.
   */
  place?(elements: Uint8Array): { identity: string; offset: number } | undefined;
}

/** Mappings by buffer, so that every array over one has it: a subarray, a reshaped weight, a caller's bare array. */
const mappings = new WeakMap<ArrayBufferLike, FileMapping>();

/** Records that a buffer is part of a mapped file. */
export const setMapping = (buffer: ArrayBuffer, mapping: FileMapping): void => void mappings.set(buffer, mapping);

/** The mapped file that elements lie in; undefined for copies and for the caller's own elements. */
export const mappingOf = (data: TypedArray | HalfArray): FileMapping | undefined => mappings.get(data.buffer);

/** Memory of this package, outside the addon: no caller has it. */
export const ownMapping: FileMapping = { size: 0, intact: () => true };

/**
 * Whatever reads elements that may lie in a mapped file calls this after the last read, before it hands out what it made of
 * them. What was changed and restored in between, time of writing included, is not noticed.
 * @throws ERR_WEIGHTS_CHANGED
 */
export function checkMapping(mapping: FileMapping | undefined): void {
  if (!mapping || mapping.intact()) return;
  throw new TensorRTError(
    'ERR_WEIGHTS_CHANGED',
    `${mapping.path} was changed after it was loaded, so its weights can no longer be read: load it again, and replace files in use by renaming`,
  );
}

/** Elements in a network's side table. */
interface HeldElements extends Pick<WeightLike, 'name' | 'check'> {
  dtype: DType;
  shape: readonly number[];
  data: TypedArray;
}

/**
 * Whether the elements are those that were recorded, as far as can be told.
 * @returns their size in bytes
 * @throws ERR_DISPOSED, ERR_WEIGHTS_CHANGED
 */
export function checkElements({ data, dtype, shape, name, check }: HeldElements, id: number): number {
  let count = 1;
  for (const size of shape) count *= size;
  if (data.byteLength !== byteLength(dtype, count)) {
    throw new TensorRTError(
      'ERR_DISPOSED',
      `the elements of weight ${name ? `'${name}'` : id} are gone: their array was detached or their file closed`,
    );
  }
  check?.();
  return data.byteLength;
}
