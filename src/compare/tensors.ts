import { readArguments } from '../errors/boundary.js';
import { show, TensorRTError } from '../errors/error.js';
import type { TypedArray } from '../values/dtype.js';
import { Weight, type WeightDType, weight } from '../weights/index.js';

/** A tensor to compare: a `Result` of a run, a `Weight` of a file, or elements of your own, as they travel. */
export interface ComparedTensor {
  /** Its dtype. */
  readonly dtype: WeightDType;
  /** Its sizes. */
  readonly shape: readonly number[];
  /** Row-major: float16 and bfloat16 as their bits, 4-bit types packed. */
  readonly data: TypedArray;
}

/** Tensors by output. */
export type ComparedResults = Readonly<Record<string, ComparedTensor>>;

/** Elements as they count: two lists of 64-bit integers exactly, all others as numbers. */
export type Elements = Float64Array | BigInt64Array | BigUint64Array;

/**
 * A tensor with its elements checked against dtype and shape.
 * @throws ERR_INPUT if it is no tensor, and what `weight` throws
 */
export function readTensor(name: string, given: unknown): Weight {
  return readArguments('compare', [given], () => {
    if (given instanceof Weight) return given;
    const { dtype, shape, data } = (given ?? {}) as Partial<ComparedTensor>;
    if (typeof dtype === 'string' && Array.isArray(shape) && ArrayBuffer.isView(data)) {
      return weight(data, shape, dtype, name);
    }
    throw new TensorRTError('ERR_INPUT', `'${name}': expected a tensor { dtype, shape, data }, given ${show(given)}`);
  });
}

const isWide = ({ dtype }: Weight): boolean => dtype === 'int64' || dtype === 'uint64';

/** The elements of both, in numbers that can be subtracted. */
export function elementsOf(a: Weight, b: Weight): [Elements, Elements] {
  const exact = isWide(a) && isWide(b);
  const elements = (one: Weight) => (exact ? one : one.as('float64', { overflow: 'infinity' })).data as Elements;
  const both: [Elements, Elements] = [elements(a), elements(b)];
  a.check();
  b.check();
  return both;
}
