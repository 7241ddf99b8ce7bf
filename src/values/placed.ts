import type { DType, TypedArray } from './dtype.js';

/** The key of a tensor's memory. */
export const placed: unique symbol = Symbol('placed');

/** Memory of tensors, the same object for all that share it. */
export interface Place {
  readonly on: 'host' | 'gpu';
}

/** A tensor with memory of its own: a `HostTensor` or a `DeviceTensor`. */
export interface PlacedTensor {
  /** Dtype of its elements. */
  readonly dtype: DType;
  /** Its sizes. */
  readonly shape: readonly number[];
  /** bytes */
  readonly byteLength: number;
  /** @internal */
  readonly [placed]: Place;
}

/** One in host memory. */
export interface HostPlaced extends PlacedTensor {
  readonly data: TypedArray;
}

export const isPlaced = (value: unknown): value is PlacedTensor =>
  typeof value === 'object' && value !== null && placed in value;

export const isOnHost = (tensor: PlacedTensor): tensor is HostPlaced => tensor[placed].on === 'host';
