import type { Fail } from '../errors/facts.js';
import { show } from '../errors/wording.js';
import {
  bits,
  byteLength,
  type DType,
  dtypeOf,
  dtypes,
  isGone,
  isTypedArray,
  numbersIn,
  withoutHalves,
} from '../values/dtype.js';
import { originOf, recipeOf } from '../values/recipe.js';
import { isVast } from '../values/spec.js';
import { checkMapping, isWeightLike, mappingOf, type WeightLike } from '../values/weight.js';
import type { IRWeight } from './ir.js';

const describe = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? (value.constructor?.name ?? 'object')
    : value === null || value === undefined
      ? String(value)
      : `${typeof value} ${show(value)}`;

/** No weight file format has more. */
const mostDims = 64;

/** The number of elements; undefined if a size is not a whole number. */
function countOf(shape: readonly unknown[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || (size as number) < 0) return undefined;
    count *= size as number;
  }
  return count;
}

/**
 * Checks what a caller passed as a weight. A bare typed array is one-dimensional.
 * @param fail throws ERR_WEIGHT if it is not a weight, TensorRT lacks its dtype, or its length does not fit its shape
 */
export function toIRWeight(value: unknown, role: string, fail: Fail): IRWeight {
  const given = isTypedArray(value) ? { shape: [value.length], data: value } : value;
  if (!isWeightLike(given)) {
    const expected = 'a weight ({ shape, data }) or a typed array';
    return fail('ERR_WEIGHT', `expected ${expected}, given ${describe(value)}`, { option: role, expected });
  }
  if (given.name !== undefined && typeof given.name !== 'string') {
    fail('ERR_WEIGHT', `expected a string as name, given ${show(given.name)}`, { option: role });
  }
  const named = given.name ? `'${given.name}' with ` : '';
  const dtype = (given as WeightLike).dtype ?? dtypeOf(given.data);
  if (!dtype || !Object.hasOwn(bits, dtype)) {
    const hint = dtype
      ? `${named}dtype ${String(dtype)}, which TensorRT does not take; convert it with .as('float32')`
      : `${named}a ${given.data.constructor.name} without dtype`;
    fail('ERR_WEIGHT', `expected one of ${dtypes.join(', ')}, given ${hint}`, {
      option: role,
      expected: dtypes,
      actual: dtype,
    });
  }
  const { shape } = given;
  const count = Array.isArray(shape) && shape.length <= mostDims ? countOf(shape) : undefined;
  if (count === undefined) {
    return fail('ERR_WEIGHT', `expected a shape of whole numbers, given ${named}${show(shape)}`, { option: role });
  }
  if (isGone(given.data)) {
    fail(
      'ERR_WEIGHT',
      `expected elements, given ${named}an array that is detached: its buffer was transferred, or shrank`,
      {
        option: role,
      },
    );
  }
  const holds = numbersIn(given.data);
  if (holds !== undefined && holds !== dtype) {
    const { name: actual } = given.data.constructor;
    const convert = `convert it with weight(data, shape, '${holds}').as('${dtype}')`;
    fail('ERR_WEIGHT', `expected elements of ${dtype}, given ${named}a ${actual}; ${convert}`, {
      option: role,
      expected: dtype,
      actual,
    });
  }
  const data = withoutHalves(given.data);
  const bytes = byteLength(dtype as DType, count);
  if (data.byteLength !== bytes) {
    fail(
      'ERR_WEIGHT',
      `shape [${shape.join(', ')}] of ${dtype} takes ${bytes} bytes (${count} elements of ${bits[dtype as DType]} bits), given ${named}${data.byteLength}`,
      { option: role, expected: bytes, actual: data.byteLength },
    );
  }
  if (isVast(shape))
    fail('ERR_WEIGHT', `expected less than 2^53 elements, given ${named}${show(shape)}`, { option: role });
  const { name } = given;
  // A network's JSON has the file's own elements by name, and all others by value.
  const { file, stored } = given as WeightLike;
  const mapping = mappingOf(data);
  const own = typeof given.check === 'function' ? () => given.check!() : undefined;
  const check = own ?? (mapping && (() => checkMapping(mapping)));
  const origin = originOf(recipeOf(given), data);
  return { name, file, stored, check, dtype: dtype as DType, shape: Object.freeze([...shape]), data, mapping, origin };
}
