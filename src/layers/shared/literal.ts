import { type Fail, show } from '../../errors/error.js';
import { refuse } from '../../errors/refusal.js';
import { countOf } from '../../values/dim.js';
import {
  bits,
  byteLength,
  type DType,
  dtypeOf,
  dtypes,
  type HalfArray,
  isGone,
  isTypedArray,
  type TypedArray,
  viewAs,
  withoutHalves,
} from '../../values/dtype.js';
import { carries, decodeElements, encodeElements, isScalar, type Scalar } from '../../values/elements.js';
import { maxRank } from '../../values/spec.js';
import { checkMapping, isWeightLike, mappingOf, type WeightLike } from '../../values/weight.js';

/** Numbers, nested to any depth as in NumPy. */
export type NestedNumbers = readonly (number | bigint | boolean | NestedNumbers)[];
/** Anything that can become a constant. */
export type ConstantData = number | bigint | boolean | NestedNumbers | TypedArray | HalfArray | WeightLike;

/** The dtype and shape requested by the caller. */
export interface LiteralOptions {
  /** Default: the data's; float32 for numbers, int64 for bigints, bool for booleans. */
  dtype?: DType | undefined;
  /** Default: the data's. A single number fills it. */
  shape?: readonly number[] | undefined;
}

/** Elements in the shape of their weight, and the requested shape. */
export interface Literal {
  shape: readonly number[];
  weight: WeightLike;
}

function flatten(data: NestedNumbers, method: string): { values: Scalar[]; shape: number[] } {
  const shape: number[] = [];
  for (let level: unknown = data; Array.isArray(level); level = level[0]) {
    if (shape.push(level.length) > maxRank)
      refuse(method, 'ERR_SHAPE', `expected lists nested at most ${maxRank} deep`, { value: data });
  }
  const values: Scalar[] = [];
  const walk = (level: unknown, depth: number): void => {
    const isList = Array.isArray(level);
    if (isList !== depth < shape.length || (isList && level.length !== shape[depth])) {
      refuse(method, 'ERR_SHAPE', 'expected lists of equal lengths, nested as deep everywhere', { value: data });
    }
    if (isList) for (const item of level) walk(item, depth + 1);
    else if (isScalar(level)) values.push(level);
    else refuse(method, 'ERR_VALUE', `expected a number, given ${show(level)}`, { value: data });
  };
  walk(data, 0);
  return { values, shape };
}

const scalarDType = (value: unknown): DType =>
  typeof value === 'bigint' ? 'int64' : typeof value === 'boolean' ? 'bool' : 'float32';

/** What dtypes without a sign or without NaN cannot hold. */
const misfits: Partial<Record<DType, (value: number) => boolean>> = {
  float4e2m1: Number.isNaN,
  float8e8m0: (value) => value < 0,
};

/**
 * Numbers as elements of `dtype`. Refuses finite numbers that would become infinite.
 * @param given the caller's value that contains them
 */
export function encode(dtype: DType, values: ArrayLike<Scalar>, method: string, given: unknown): TypedArray {
  const fail: Fail = (code, message, facts) => refuse(method, code, message, { value: given, ...facts });
  for (let i = 0; i < values.length; i++) {
    if (!isScalar(values[i])) fail('ERR_VALUE', `expected a number, given ${show(values[i])}`);
  }
  const encoded = encodeElements(dtype, values, fail);
  const misfit = misfits[dtype] && Array.prototype.find.call(values, (v) => misfits[dtype]!(Number(v)));
  if (misfit !== undefined) fail('ERR_VALUE', `expected a number that ${dtype} holds, given ${String(misfit)}`);
  if (!/^(b?float)(16|32)$/.test(dtype)) return encoded;
  const decoded = decodeElements(dtype, encoded, values.length);
  const overflow = decoded.findIndex((v, i) => !Number.isFinite(v) && Number.isFinite(Number(values[i])));
  if (overflow >= 0) fail('ERR_VALUE', `expected a number within ${dtype}, given ${values[overflow]}`);
  return encoded;
}

/** The same element, `count` times. */
function filled(dtype: DType, value: Scalar, count: number, method: string): TypedArray {
  // Two elements, to fill a whole byte of a 4-bit type.
  const pair = encode(dtype, [value, value], method, value);
  const all = viewAs(dtype, new Uint8Array(byteLength(dtype, count)));
  (all as Float32Array).fill(pair[0] as number);
  if (bits[dtype] === 4 && count % 2 === 1) (all as Uint8Array)[all.length - 1]! &= 15;
  return all;
}

/** Elements in the typed array that carries `dtype`; other typed arrays are converted element by element. */
function carried(given: TypedArray | HalfArray, dtype: DType, method: string): TypedArray {
  if (isGone(given)) {
    refuse(method, 'ERR_INPUT', 'the array is detached: its buffer was transferred, or shrank', { value: given });
  }
  const own = dtypeOf(given);
  const data = own === 'float16' && dtype === own ? withoutHalves(given) : (given as TypedArray);
  if ((own === 'float16' && dtype !== own) || !carries(dtype, data)) {
    const encoded = encode(dtype, data as ArrayLike<number | bigint>, method, data);
    checkMapping(mappingOf(data));
    return encoded;
  }
  if (dtype === 'bool' && (data as Uint8Array).some((v) => v > 1)) {
    refuse(method, 'ERR_VALUE', 'expected 0 and 1 as elements of bool', { value: data });
  }
  return data;
}

/**
 * Reads a value that a caller passed as a constant.
 * @throws ERR_INPUT, ERR_DTYPE, ERR_SHAPE, ERR_VALUE
 */
export function toLiteral(data: ConstantData, { dtype, shape }: LiteralOptions, method: string): Literal {
  if (dtype !== undefined && !dtypes.includes(dtype)) {
    refuse(method, 'ERR_DTYPE', `expected one of ${dtypes.join(', ')}, given ${String(dtype)}`, {
      option: 'dtype',
      actual: dtype,
    });
  }
  if (shape !== undefined) checkShape(shape, method);
  const literal = (type: DType, own: readonly number[], elements: TypedArray): Literal => ({
    shape: shape ?? own,
    weight: { dtype: type, shape: own, data: elements },
  });
  if (isScalar(data)) {
    const type = dtype ?? scalarDType(data);
    const own = shape ?? [];
    return literal(type, own, filled(type, data, countOf(own), method));
  }
  if (isList(data)) {
    const { values, shape: own } = flatten(data, method);
    const type = dtype ?? scalarDType(values[0]);
    return literal(type, own, encode(type, values, method, data));
  }
  if (isTypedArray(data)) {
    const type = dtype ?? dtypeOf(data);
    if (!type) {
      return refuse(method, 'ERR_DTYPE', `a ${data.constructor.name} stands for no single dtype, say which with dtype`);
    }
    const elements = carried(data, type, method);
    const perElement = elements.buffer === data.buffer && bits[type] === 4 ? 2 : 1;
    return literal(type, shape ?? [data.length * perElement], elements);
  }
  if (!isWeightLike(data) || !Array.isArray(data.shape)) {
    const expected = 'a number, numbers, a typed array or a weight ({ shape, data })';
    return refuse(method, 'ERR_INPUT', `expected ${expected}, given ${describe(data)}`, { value: data });
  }
  if (dtype !== undefined && data.dtype === undefined) {
    const { name, shape: own } = data;
    return { shape: shape ?? own, weight: { name, dtype, shape: own, data: carried(data.data, dtype, method) } };
  }
  if (dtype !== undefined && data.dtype !== dtype) {
    refuse(method, 'ERR_DTYPE', `expected ${dtype}, given a weight of ${data.dtype}; convert it with .as('${dtype}')`, {
      value: data,
      expected: dtype,
      actual: data.dtype,
    });
  }
  return { shape: shape ?? data.shape, weight: data };
}

const isList = (data: unknown): data is NestedNumbers => Array.isArray(data);

function checkShape(shape: readonly number[], method: string): void {
  const whole = Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  if (!whole || countOf(shape) > 2 ** 31 - 1) {
    refuse(method, 'ERR_SHAPE', `expected whole numbers with a product below 2^31, given [${String(shape)}]`, {
      option: 'shape',
    });
  }
}

const describe = (value: unknown): string =>
  typeof value === 'string'
    ? `'${value}'`
    : typeof value === 'object' && value !== null
      ? (value.constructor?.name ?? 'an object')
      : typeof value === 'function'
        ? 'a function'
        : String(value);
