import { TensorRTError } from '../errors/error.js';
import { formatShape, type Shape } from './dim.js';
import type { DType, HalfArray, TypedArray } from './dtype.js';
import type { Scalar } from './elements.js';
import type { PlacedTensor } from './placed.js';

/** Elements with their shape, such as a `Result` or a `Weight`. */
export interface ShapedFeed {
  /** Must match the input's. Default: the input's. */
  dtype?: string | undefined;
  /** Default: derived from the length. */
  shape?: readonly number[] | undefined;
  /** Row-major elements. */
  data: TypedArray | HalfArray | readonly Scalar[];
}

/**
 * What an input accepts: row-major elements in the typed array of its dtype (float16 and bfloat16 as bits in a Uint16Array, or
 * float16 in a Float16Array, int64 in a BigInt64Array, bool as 0 and 1 in a Uint8Array, 4-bit types packed low nibble first in
 * a Uint8Array), with or without their shape. A Float32Array is rounded if the input is float16 or bfloat16; plain numbers are
 * converted. Elements are those at the call: what becomes of the array afterwards does not matter. A `HostTensor` or `DeviceTensor`
 * is used where it is, and has to stay as it is until the run ends.
 */
export type Feed = TypedArray | HalfArray | Scalar | readonly Scalar[] | ShapedFeed | PlacedTensor;
/** What a run takes: a feed for every input, by name. */
export type Feeds = Readonly<Record<string, Feed>>;

/** An input as the network declares it. */
export interface InputType {
  /** Name of the input. */
  name: string;
  /** Dtype of its elements. */
  dtype: DType;
  /** Numbers, or names for dynamic dims. */
  shape: Shape;
}

/** A checked feed. */
export interface ResolvedFeed {
  name: string;
  dtype: DType;
  shape: readonly number[];
  /** Empty for a tensor on a GPU. */
  data: TypedArray;
  /** Whether nobody else has the array; else it may have changed by the next turn. */
  isOwn: boolean;
  /** The tensor that was given, if it has memory of its own. */
  placed?: PlacedTensor | undefined;
}

/** The elements of a feed, before its sizes are known. */
export interface ParsedFeed {
  input: InputType;
  data: TypedArray;
  isOwn: boolean;
  placed: PlacedTensor | undefined;
  /** Number of elements; two candidates if packed bytes leave it ambiguous. */
  counts: readonly number[];
  /** As it was given. */
  shape: readonly number[] | undefined;
  /** As it was found. */
  sizes: readonly number[] | undefined;
}

export const describe = ({ dtype, shape }: InputType): string => `${dtype} ${formatShape(shape)}`;

export function fail(input: InputType, message: string, facts: { expected?: unknown; actual?: unknown } = {}): never {
  throw new TensorRTError('ERR_FEED', `input '${input.name}': ${message}`, facts);
}

export function given(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' || typeof value === 'function')
    return withArticle(value.constructor?.name ?? 'bare object');
  return typeof value === 'string' ? `'${value}'` : `${typeof value} ${String(value)}`;
}

export const withArticle = (name: string): string => `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
