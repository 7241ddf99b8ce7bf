import { asText } from '../errors/primitive.js';
import type { DType, TypedArray } from './dtype.js';
import { decodeElements } from './elements.js';

/** One output of a run. */
export class Result {
  /** Dtype of its elements. */
  readonly dtype: DType;
  /** Its sizes. */
  readonly shape: readonly number[];
  /** Row-major elements: float16 and bfloat16 as their bits, int64 as BigInt64Array, bool as 0 and 1, 4-bit types packed. */
  readonly data: TypedArray;

  /** @internal */
  constructor(dtype: DType, shape: readonly number[], data: TypedArray) {
    this.dtype = dtype;
    this.shape = Object.isFrozen(shape) ? shape : Object.freeze([...shape]);
    this.data = data;
  }

  /**
   * The elements as float32: `data` itself if it is float32, else a new array. Every float dtype is decoded exactly,
   * int32 and int64 are rounded, and bool becomes 0 and 1.
   */
  toFloat32(): Float32Array {
    if (this.data instanceof Float32Array) return this.data;
    return decodeElements(
      this.dtype,
      this.data,
      this.shape.reduce((a, b) => a * b, 1),
    );
  }

  /** Dtype and shape, in one line. */
  toString(): string {
    return `Result(${this.dtype}[${this.shape.join(', ')}])`;
  }

  /** Throws where an operator such as `*` asks for a number. @throws ERR_INPUT */
  [Symbol.toPrimitive](hint: string): string {
    return asText(hint, this.toString(), 'its elements are in .data and .toFloat32()');
  }
}
