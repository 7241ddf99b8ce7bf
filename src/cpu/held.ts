import type { DType, TypedArray } from '../values/dtype.js';
import { encodeElements } from '../values/elements.js';
import { ownFeed, type ResolvedFeed } from '../values/feeds.js';
import { Result } from '../values/result.js';
import { asCpuElements, cpuTypes } from './graph.js';

/** A value between sessions: its elements are of the type that holds its dtype, float16 as bits. */
export interface Held {
  dtype: DType;
  shape: readonly number[];
  data: TypedArray;
}

/** Elements in the array that carries their dtype, in the type that holds it. Shares them where the types are the same. */
export const held = (dtype: DType, shape: readonly number[], data: TypedArray): Held => ({
  dtype,
  shape,
  data: asCpuElements(
    dtype,
    data,
    shape.reduce((a, b) => a * b, 1),
  ),
});

/** A feed, which is read in a later turn: it is copied unless it is converted. */
export function heldFeed(feed: ResolvedFeed): Held {
  const { dtype, shape } = feed;
  return held(dtype, shape, (dtype === cpuTypes[dtype] ? ownFeed(feed) : feed).data);
}

/** Shares the elements unless they are held in another type. */
export const resultOf = ({ dtype, shape, data }: Held): Result => new Result(dtype, shape, carried(dtype, data));

function carried(dtype: DType, data: TypedArray): TypedArray {
  if (dtype === cpuTypes[dtype]) return data;
  if (dtype !== 'bfloat16') return encodeElements(dtype, data);
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  return Uint16Array.from(bits, (b) => b >>> 16);
}
