import { show, TensorRTError } from '../errors/error.js';
import { bits, byteLength, type DType, dtypeOf, dtypes, isTypedArray } from '../values/dtype.js';
import { isWeightLike, mappingOf, type WeightLike } from '../values/weight.js';
import type { IRWeight } from './ir.js';

const describe = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? (value.constructor?.name ?? 'object')
    : value === null || value === undefined
      ? String(value)
      : `${typeof value} ${show(value)}`;

/** No file format has more. */
const mostDims = 64;

/** The number of elements; undefined where a size is no whole number. */
function countOf(shape: readonly unknown[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || (size as number) < 0) return undefined;
    count *= size as number;
  }
  return count;
}

/**
 * What a caller gave as a weight, checked. A bare typed array is one-dimensional.
 * @throws ERR_WEIGHT where it is no weight, its dtype is unknown to TensorRT, or its length does not fit its shape
 */
export function toIRWeight(value: unknown, role: string): IRWeight {
  const given = isTypedArray(value) ? { shape: [value.length], data: value } : value;
  if (!isWeightLike(given)) {
    throw new TensorRTError(
      'ERR_WEIGHT',
      `${role}: expected a weight ({ shape, data }) or a typed array, given ${describe(value)}`,
    );
  }
  if (given.name !== undefined && typeof given.name !== 'string') {
    throw new TensorRTError('ERR_WEIGHT', `${role}: expected a string as name, given ${show(given.name)}`);
  }
  const label = given.name ? `${role} '${given.name}'` : role;
  const dtype = (given as WeightLike).dtype ?? dtypeOf(given.data);
  if (!dtype || !Object.hasOwn(bits, dtype)) {
    const hint = dtype
      ? `dtype ${String(dtype)}, which TensorRT does not take; convert it with .as('float32')`
      : `a ${given.data.constructor.name} without dtype`;
    throw new TensorRTError('ERR_WEIGHT', `${label}: expected one of ${dtypes.join(', ')}, given ${hint}`, {
      expected: dtypes,
      actual: dtype,
    });
  }
  const { shape, data } = given;
  const count = Array.isArray(shape) && shape.length <= mostDims ? countOf(shape) : undefined;
  if (count === undefined) {
    throw new TensorRTError('ERR_WEIGHT', `${label}: expected a shape of whole numbers, given ${show(shape)}`);
  }
  const bytes = byteLength(dtype as DType, count);
  if (data.byteLength !== bytes) {
    throw new TensorRTError(
      'ERR_WEIGHT',
      `${label}: shape [${shape.join(', ')}] of ${dtype} takes ${bytes} bytes (${count} elements of ${bits[dtype as DType]} bits), given ${data.byteLength}`,
      { expected: bytes, actual: data.byteLength },
    );
  }
  const { name, file } = given;
  const check = typeof given.check === 'function' ? () => given.check!() : undefined;
  return { name, file, check, dtype: dtype as DType, shape: Object.freeze([...shape]), data, mapping: mappingOf(data) };
}
