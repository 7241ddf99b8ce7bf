import { show } from '../errors/error.js';
import type { TypedArray } from '../values/dtype.js';
import type { ByteSource } from './byte-source.js';
import { convertElements } from './convert.js';
import {
  arrayDType,
  bytesOf,
  checkDType,
  elementCount,
  shapeText,
  viewElements,
  type WeightDType,
  weightBytes,
} from './dtype.js';
import { refusal } from './format-error.js';
import { splitElements, transposeElements } from './rearrange.js';

/** What a weight is made of. */
interface Parts {
  name: string;
  dtype: WeightDType;
  shape: readonly number[];
  /** Row-major little-endian bytes; called on first use. */
  read(): Uint8Array;
  file?: string | undefined;
  /** What the bytes are a view of; absent if they outlive the file. */
  source?: Pick<ByteSource, 'check'> | undefined;
}

/** A tensor from a weight file, or your own. Immutable: transformations return new weights. */
export class Weight {
  /** Full name in the file. */
  readonly name: string;
  readonly dtype: WeightDType;
  readonly shape: readonly number[];
  /** Path of the file; undefined for a weight that came from none. */
  readonly file: string | undefined;
  readonly #read: () => Uint8Array;
  readonly #source: Pick<ByteSource, 'check'> | undefined;
  #data: TypedArray | undefined;

  /** @internal Use `loadWeights`, or `weight` for one's own elements. */
  constructor({ name, dtype, shape, read, file, source }: Parts) {
    this.name = name;
    this.dtype = dtype;
    this.shape = Object.isFrozen(shape) ? shape : Object.freeze([...shape]);
    this.file = file;
    this.#read = read;
    this.#source = source;
  }

  /** Number of elements. */
  get size(): number {
    return elementCount(this.shape) ?? 0;
  }

  /** Bytes the elements take. */
  get byteLength(): number {
    return weightBytes(this.dtype, this.size);
  }

  /**
   * Row-major elements: float16 and bfloat16 as their bits (Uint16Array), int64 as BigInt64Array, bool and the 8-bit
   * floats as Uint8Array, 4-bit types packed. A view of the mapped file; a copy only if the file holds them
   * misaligned, compressed, strided or big-endian. Writing to it changes neither the file nor other processes.
   * @throws ERR_DISPOSED, ERR_WEIGHTS_CHANGED (the file shrank), ERR_WEIGHTS_FORMAT (broken compressed data)
   */
  get data(): TypedArray {
    this.check();
    this.#data ??= viewElements(this.dtype, this.#read());
    return this.#data;
  }

  /** The elements as bytes; shares memory with `data`. */
  get bytes(): Uint8Array {
    return bytesOf(this.data);
  }

  /** @internal The elements as bytes, without keeping a copy that had to be made. */
  peek(): Uint8Array {
    this.check();
    return bytesOf(this.#data ?? viewElements(this.dtype, this.#read()));
  }

  /** @internal Like `as`, but converting anew whenever the elements are read. */
  converting(dtype: WeightDType): Weight {
    checkDType(dtype);
    if (dtype === this.dtype) return this;
    return this.#with({
      dtype,
      read: () => convertElements(this.peek(), this.dtype, dtype, this.size, this.label),
    });
  }

  /** Throws if the elements can no longer be trusted: call it after a long read. @throws ERR_DISPOSED, ERR_WEIGHTS_CHANGED */
  check(): void {
    this.#source?.check();
  }

  /**
   * The same elements in another dtype, rounded to nearest even as PyTorch does: float16, bfloat16 and float8e5m2
   * overflow to infinity, float8e4m3 to NaN; int4 takes the nearest of -8..7. A copy, unless the dtype is the same.
   * @throws ERR_WEIGHTS_CONVERT if an integer dtype cannot hold an element exactly, or no conversion exists
   */
  as(dtype: WeightDType): Weight {
    checkDType(dtype);
    if (dtype === this.dtype) return this;
    const converted = convertElements(this.bytes, this.dtype, dtype, this.size, this.label);
    this.check();
    return this.#with({ dtype, read: () => converted, source: undefined });
  }

  /** All elements as float32, for reading in code. */
  toFloat32(): Float32Array {
    return this.as('float32').data as Float32Array;
  }

  /** The same elements under another shape; one dim may be -1. No copy. @throws ERR_WEIGHTS_SHAPE */
  reshape(dims: readonly number[]): Weight {
    this.#expectList('reshape', dims);
    const known = dims.filter((d) => d !== -1).reduce((a, b) => a * b, 1);
    const shape = dims.map((d) => (d === -1 ? this.size / known : d));
    const whole = shape.every((d) => Number.isSafeInteger(d) && d >= 0) && dims.filter((d) => d === -1).length < 2;
    if (!whole || elementCount(shape) !== this.size) {
      throw refusal(
        'ERR_WEIGHTS_SHAPE',
        `${this.label} has ${this.size} elements, which cannot be reshaped to ${shapeText(dims)}`,
        { expected: dims, actual: this.shape },
      );
    }
    return this.#with({ shape, read: () => this.bytes });
  }

  /** Dimensions in another order, all reversed by default: NumPy's `transpose`. A copy. @throws ERR_WEIGHTS_SHAPE */
  transpose(perm: readonly number[] = this.shape.map((_, i) => this.shape.length - 1 - i)): Weight {
    this.#expectList('transpose', perm);
    const rank = this.shape.length;
    const axes = perm.map((axis) => (axis < 0 ? axis + rank : axis));
    if (axes.length !== rank || this.shape.some((_, i) => !axes.includes(i))) {
      throw refusal('ERR_WEIGHTS_SHAPE', `${this.label}: ${shapeText(perm)} is not a permutation of its ${rank} axes`);
    }
    const moved = transposeElements(this.bytes, this.dtype, this.shape, axes);
    this.check();
    return this.#with({ shape: axes.map((axis) => this.shape[axis]!), read: () => moved, source: undefined });
  }

  /**
   * Pieces along an axis: PyTorch's `split`. No copy along axis 0.
   * @param sizes the size of each piece, or one size for all; the last may then be smaller
   * @throws ERR_WEIGHTS_SHAPE
   */
  split(sizes: number | readonly number[], axis = 0): Weight[] {
    const at = axis < 0 ? axis + this.shape.length : axis;
    const length = this.shape[at];
    if (length === undefined) {
      throw refusal(
        'ERR_WEIGHTS_SHAPE',
        `${this.label} of shape ${shapeText(this.shape)} cannot be split along axis ${show(axis)}: it has ${this.shape.length} axes`,
      );
    }
    if (typeof sizes === 'number') return this.split(this.#equalSizes(sizes, length), axis);
    this.#expectList('split', sizes);
    const sum = sizes.reduce((a, b) => a + b, 0);
    if (length !== sum || !sizes.every((s) => Number.isSafeInteger(s) && s >= 0)) {
      throw refusal(
        'ERR_WEIGHTS_SHAPE',
        `${this.label} of shape ${shapeText(this.shape)} cannot be split into ${shapeText(sizes)} along axis ${axis}: they sum to ${sum}, the axis has ${length} elements`,
        { expected: sizes, actual: this.shape },
      );
    }
    const { buffer } = this.data;
    const pieces = splitElements(this.bytes, this.dtype, this.shape, sizes, at);
    this.check();
    return pieces.map((bytes, i) =>
      this.#with({
        shape: this.shape.map((d, k) => (k === at ? sizes[i]! : d)),
        read: () => bytes,
        ...(bytes.buffer !== buffer && { source: undefined }),
      }),
    );
  }

  /** @internal The same elements under another name. */
  named(name: string): Weight {
    return this.#with({ name, read: () => this.peek() });
  }

  /** For messages: `conv1.weight of lenet.safetensors`. */
  get label(): string {
    return this.file ? `${this.name} of ${this.file}` : this.name;
  }

  toString(): string {
    return `${this.dtype} ${shapeText(this.shape)} ${this.label}`;
  }

  #expectList(method: string, values: unknown): void {
    if (Array.isArray(values) && values.every((v) => typeof v === 'number')) return;
    throw refusal('ERR_WEIGHTS_SHAPE', `${this.label}: ${method}: expected a list of numbers, given ${show(values)}`);
  }

  #equalSizes(size: number, length: number): number[] {
    if (!Number.isSafeInteger(size) || size < 1)
      throw refusal('ERR_WEIGHTS_SHAPE', `${this.label}: split: expected a size of at least 1, given ${size}`);
    if (length === 0) return [0];
    return Array.from({ length: Math.ceil(length / size) }, (_, i) => Math.min(size, length - i * size));
  }

  /** This weight with some parts changed. A copy sets no source: it stays readable after dispose. */
  #with(changed: Partial<Parts> & Pick<Parts, 'read'>): Weight {
    const { name, dtype, shape, file } = this;
    return new Weight({ name, dtype, shape, file, source: this.#source, ...changed });
  }
}

/**
 * Makes a weight of your own, e.g. a computed one beside those of a file.
 * @param data row-major elements, in the form of `Weight.data`
 * @param shape one-dimensional by default
 * @param dtype by default what the array stands for; needed for Uint16Array (float16, bfloat16 or uint16) and packed types
 * @throws ERR_WEIGHTS_SHAPE, ERR_WEIGHTS_DTYPE
 */
export function weight(
  data: TypedArray,
  shape: readonly number[] = [data?.length],
  dtype?: WeightDType,
  name = 'weight',
): Weight {
  if (!ArrayBuffer.isView(data) || !Array.isArray(shape))
    throw refusal('ERR_INPUT', `weight: expected a typed array and a shape, given ${show(data)} and ${show(shape)}`);
  const type = dtype ?? arrayDType(data);
  if (type === undefined) {
    throw refusal('ERR_WEIGHTS_DTYPE', `A ${data.constructor?.name} may hold several dtypes: expected one to be named`);
  }
  checkDType(type);
  const count = elementCount(shape);
  const fits = shape.every((d) => Number.isSafeInteger(d) && d >= 0) && count !== undefined;
  if (!fits || weightBytes(type, count) !== data.byteLength) {
    throw refusal(
      'ERR_WEIGHTS_SHAPE',
      `${name}: shape ${shapeText(shape)} of ${type} does not fit ${data.byteLength} bytes`,
      { expected: shape, actual: data.byteLength },
    );
  }
  return new Weight({ name, dtype: type, shape, read: () => bytesOf(data) });
}
