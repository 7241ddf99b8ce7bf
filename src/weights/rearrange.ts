import { Buffer } from 'node:buffer';
import { type WeightDType, weightBits, weightBytes } from './dtype.js';

type Unit = Uint8Array | Uint16Array | Uint32Array | BigUint64Array;
const unitTypes = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array };

/** Bytes as unsigned integers of an element's size; a copy if misaligned. */
function units(bytes: Uint8Array, size: number): Unit {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new unitTypes[size as keyof typeof unitTypes](buffer as ArrayBuffer, byteOffset, byteLength / size);
}

/**
 * Gathers a strided view into row-major order.
 * @param strides in elements, per axis; 0 repeats
 * @param offset in elements
 */
export function gatherStrided(
  bytes: Uint8Array,
  size: number,
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
): Uint8Array {
  const count = shape.reduce((a, b) => a * b, 1);
  const target = new Uint8Array(count * size);
  if (count === 0) return target;
  const from = units(bytes, size);
  const to = units(target, size);
  const rank = shape.length;
  const inner = rank ? shape[rank - 1]! : 1;
  const step = rank ? strides[rank - 1]! : 1;
  const index = new Array<number>(Math.max(0, rank - 1)).fill(0);
  let at = offset;
  for (let done = 0; done < count; done += inner) {
    if (step === 1) to.set(from.subarray(at, at + inner) as never, done);
    else for (let i = 0, k = at; i < inner; i++, k += step) to[done + i] = from[k]!;
    for (let axis = rank - 2; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return target;
}

/** Elements of `size` bytes in the other byte order; a copy. */
export function swapBytes(bytes: Uint8Array, size: number): Uint8Array {
  const copy = bytes.slice();
  const buffer = Buffer.from(copy.buffer, copy.byteOffset, copy.byteLength);
  if (size === 2) buffer.swap16();
  else if (size === 4) buffer.swap32();
  else if (size === 8) buffer.swap64();
  return copy;
}

/** Strides of row-major order, in elements. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  for (let axis = shape.length - 1, stride = 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** Packed 4-bit elements, one to a byte. */
function unpack(bytes: Uint8Array, count: number): Uint8Array {
  const out = new Uint8Array(count);
  for (let i = 0; i < count; i++) out[i] = (bytes[i >> 1]! >> (4 * (i & 1))) & 15;
  return out;
}

function pack(nibbles: Uint8Array): Uint8Array {
  const out = new Uint8Array(weightBytes('int4', nibbles.length));
  for (let i = 0; i < nibbles.length; i++) out[i >> 1]! |= nibbles[i]! << (4 * (i & 1));
  return out;
}

/** Row-major elements with their axes permuted. */
export function transposeElements(
  bytes: Uint8Array,
  dtype: WeightDType,
  shape: readonly number[],
  axes: readonly number[],
): Uint8Array {
  const strides = contiguousStrides(shape);
  const moved = [axes.map((a) => shape[a]!), axes.map((a) => strides[a]!)] as const;
  const bits = weightBits[dtype];
  if (bits >= 8) return gatherStrided(bytes, bits / 8, ...moved);
  return pack(
    gatherStrided(
      unpack(
        bytes,
        shape.reduce((a, b) => a * b, 1),
      ),
      1,
      ...moved,
    ),
  );
}

/** Row-major elements cut along an axis; views if the pieces are whole ranges. */
export function splitElements(
  bytes: Uint8Array,
  dtype: WeightDType,
  shape: readonly number[],
  sizes: readonly number[],
  axis: number,
): Uint8Array[] {
  const bits = weightBits[dtype];
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  if (bits < 8) {
    const nibbles = unpack(bytes, outer * shape[axis]! * inner);
    return splitElements(nibbles, 'uint8', shape, sizes, axis).map(pack);
  }
  const strides = contiguousStrides(shape);
  let begin = 0;
  return sizes.map((size) => {
    const offset = begin * inner;
    begin += size;
    if (outer === 1) return bytes.subarray((offset * bits) / 8, ((offset + size * inner) * bits) / 8);
    const piece = shape.map((d, i) => (i === axis ? size : d));
    return gatherStrided(bytes, bits / 8, piece, strides, offset);
  });
}

/** Row-major elements of several tensors, joined along an axis; their other axes are equal. */
export function joinElements(
  parts: readonly Uint8Array[],
  dtype: WeightDType,
  shapes: readonly (readonly number[])[],
  axis: number,
): Uint8Array {
  const outer = shapes[0]!.slice(0, axis).reduce((a, b) => a * b, 1);
  if (weightBits[dtype] < 8) {
    const nibbles = parts.map((bytes, i) =>
      unpack(
        bytes,
        shapes[i]!.reduce((a, b) => a * b, 1),
      ),
    );
    return pack(joinElements(nibbles, 'uint8', shapes, axis));
  }
  const out = new Uint8Array(parts.reduce((sum, bytes) => sum + bytes.length, 0));
  for (let row = 0, to = 0; row < outer; row++) {
    for (const part of parts) {
      const size = part.length / outer;
      out.set(part.subarray(row * size, (row + 1) * size), to);
      to += size;
    }
  }
  return out;
}
