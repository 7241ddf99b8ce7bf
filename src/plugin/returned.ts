import { show } from '../errors/error.js';
import { suggestion } from '../errors/nearest.js';
import {
  bits,
  copyOfBytes,
  type DType,
  type HalfArray,
  isFloat,
  isGone,
  isTypedArray,
  type TypedArray,
  viewAs,
  withoutHalves,
} from '../values/dtype.js';
import { carries, encodeElements, isScalar, type Scalar } from '../values/elements.js';

/** Throws for what a reference did wrong. */
export type ReferenceFault = (said: string, cause?: unknown) => never;

/** What a reference returned for one output. */
export interface Returned {
  /** Undefined if only elements were given. */
  shape: readonly number[] | undefined;
  /** In the typed array that carries the dtype; nobody else has it. */
  data: TypedArray;
  count: number;
}

/** Reads what a reference returned, and copies it. */
export function readReturned(
  outputs: readonly { name: string; dtype: DType }[],
  given: unknown,
  fail: ReferenceFault,
): Returned[] {
  const names = outputs.map(({ name }) => name);
  const list = `{ ${names.join(', ')} }`;
  if (given instanceof Promise) {
    given.catch(() => {});
    fail(`expected its reference to return ${list}, given a promise; references return at once`);
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given) || ArrayBuffer.isView(given)) {
    return fail(`expected its reference to return ${list}, given ${show(given)}`);
  }
  const record = given as Record<string, unknown>;
  for (const key of Object.keys(record)) {
    if (names.includes(key)) continue;
    fail(`its reference returned '${key.slice(0, 200)}', expected ${list}${suggestion(key, names)}`);
  }
  return outputs.map(({ name, dtype }) => {
    const own = Object.hasOwn(record, name) ? record[name] : undefined;
    if (own === undefined) return fail(`its reference did not return '${name}', expected ${list}`);
    return readOutput(dtype, own, (said) => fail(`output '${name}' of its reference: ${said}`));
  });
}

function readOutput(dtype: DType, given: unknown, fail: ReferenceFault): Returned {
  if (isScalar(given)) return { shape: undefined, ...elementsOf(dtype, [given], fail) };
  if (Array.isArray(given) || ArrayBuffer.isView(given)) return { shape: undefined, ...elementsOf(dtype, given, fail) };
  if (typeof given !== 'object' || given === null || !('data' in given)) {
    return fail(`expected elements or { shape, data }, given ${show(given)}`);
  }
  const { dtype: type, shape, data } = given as { dtype?: unknown; shape?: unknown; data: unknown };
  if (type !== undefined && type !== dtype) fail(`expected ${dtype}, given ${show(type)}`);
  const isSize = (dim: unknown) => Number.isSafeInteger(dim) && (dim as number) >= 0;
  if (shape !== undefined && !(Array.isArray(shape) && shape.every(isSize))) {
    fail(`expected a shape of whole numbers, given ${show(shape)}`);
  }
  return { shape: shape && Array.from(shape as number[]), ...elementsOf(dtype, data, fail) };
}

/** Numbers, rounded to the dtype; or what carries it, such as the bits of float16 in a Uint16Array. */
function elementsOf(dtype: DType, given: unknown, fail: ReferenceFault): { data: TypedArray; count: number } {
  if (Array.isArray(given)) {
    const odd = given.findIndex((value) => !isScalar(value));
    if (odd >= 0) fail(`element ${odd}: expected a number, given ${show(given[odd])}`);
  } else if (!isTypedArray(given)) {
    return fail(`expected a typed array or a list of numbers, given ${show(given)}`);
  } else if (isGone(given)) {
    fail('the array is detached: its buffer was transferred elsewhere, or shrank');
  }
  const list = given as TypedArray | HalfArray | readonly Scalar[];
  const isInteger = list instanceof Uint16Array || list instanceof Uint8Array || list instanceof Uint8ClampedArray;
  const count = list.length;
  if (ArrayBuffer.isView(list) && carries(dtype, list) && bits[dtype] >= 8 && dtype !== 'bool') {
    return { data: viewAs(dtype, copyOfBytes(withoutHalves(list))), count };
  }
  if (isInteger && isFloat(dtype)) {
    fail(`expected numbers for ${dtype}, given a ${list.constructor.name}: give a Float32Array`);
  }
  return { data: encodeElements(dtype, list as ArrayLike<Scalar>, (_, said) => fail(said)), count };
}
