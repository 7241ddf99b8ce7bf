import { readArguments } from '../errors/boundary.js';
import { decodeElements, encodeElements } from '../values/elements.js';
import { maxRank } from '../values/spec.js';
import type { AttributeField } from './binding.js';
import { refusePlugin, shown } from './fault.js';
import { type FieldType, type IntegerType, integerRanges } from './recipe.js';

/** An attribute as a network keeps it: plain data. int64 beyond 2^53 and infinities are text. */
export type AttributeValue = number | string | boolean | readonly (number | string)[];

type Kind = 'float' | 'integer' | 'int64' | 'bool' | 'string' | 'bytes' | 'dims';

/** An attribute of a definition; made by `attr`. `Given` is what callers pass, `Value` what rules get. */
export interface Attribute<Given = unknown, Value = unknown, Required extends boolean = boolean> {
  /** The type it has in TensorRT. */
  readonly type: FieldType;
  /** @internal */
  readonly kind: Kind;
  /** @internal */
  readonly isList: boolean;
  /** @internal */
  readonly infinite: boolean;
  /** Whether a layer has to give it. */
  readonly required: Required;
  /** Plain data. */
  readonly fallback: AttributeValue | undefined;
  /** Types only. */
  readonly '~'?: { given: Given; value: Value } | undefined;
}

/** Attributes by name. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** Options of a float attribute. */
export interface FloatAttributeOptions {
  /** Lets ±Infinity pass. NaN never does. */
  infinite?: boolean | undefined;
}

/** Makes an attribute: with a default, or, without, one that every layer has to give. */
export interface AttributeMaker<Given, Value, Options extends unknown[] = []> {
  /** One that every layer has to give. */
  (fallback?: undefined, ...options: Options): Attribute<Given, Value, true>;
  (fallback: Given, ...options: Options): Attribute<Given, Value, false>;
}

class Spec implements Attribute {
  constructor(
    readonly type: FieldType,
    readonly kind: Kind,
    readonly isList: boolean,
    readonly infinite: boolean,
    readonly required: boolean,
    readonly fallback: AttributeValue | undefined,
  ) {
    Object.freeze(this);
  }
}

/** @internal */
export const isAttribute = (value: unknown): value is Attribute => value instanceof Spec;

function make<Given, Value, Options extends unknown[] = []>(
  name: string,
  type: FieldType,
  kind: Kind,
  isList = false,
): AttributeMaker<Given, Value, Options> {
  const read = (fallback: unknown, options: unknown): Spec => {
    const infinite = infiniteOf(`attr.${name}()`, kind, options);
    const required = new Spec(type, kind, isList, infinite, true, undefined);
    if (fallback === undefined) return required;
    const value = plainValue(required, fallback, (why) => refusePlugin(`attr.${name}(): ${why}`, { actual: fallback }));
    return new Spec(type, kind, isList, infinite, false, value);
  };
  const made = (fallback?: unknown, options?: unknown) =>
    readArguments(`attr.${name}`, [fallback, options], () => read(fallback, options));
  return made as unknown as AttributeMaker<Given, Value, Options>;
}

/** Reads the options of a maker. */
function infiniteOf(where: string, kind: Kind, options: unknown): boolean {
  if (options === undefined) return false;
  const { infinite = false, ...others } = { ...(options as FloatAttributeOptions) };
  const isKnown = kind === 'float' && typeof infinite === 'boolean' && Object.keys(others).length === 0;
  if (isKnown && typeof options === 'object' && options !== null) return infinite;
  const expected = kind === 'float' ? '{ infinite: true } or nothing' : 'nothing';
  return refusePlugin(`${where}: expected ${expected} after the default, given ${shown(options)}`, { actual: options });
}

type FloatOptions = [options?: FloatAttributeOptions | undefined];
type Numbers = ArrayLike<number>;
type Whole = number | bigint;

/**
 * Attributes of a plugin: constants of a layer, by TensorRT's field types. `attr.float32(1e-6)` has a default,
 * `attr.int32()` has none, so that every layer must give it; `attr.int32s()` is a list.
 */
export const attr = Object.freeze({
  float16: make<number, number, FloatOptions>('float16', 'float16', 'float'),
  bfloat16: make<number, number, FloatOptions>('bfloat16', 'bfloat16', 'float'),
  float32: make<number, number, FloatOptions>('float32', 'float32', 'float'),
  float64: make<number, number, FloatOptions>('float64', 'float64', 'float'),
  int8: make<number, number>('int8', 'int8', 'integer'),
  int16: make<number, number>('int16', 'int16', 'integer'),
  int32: make<number, number>('int32', 'int32', 'integer'),
  int64: make<Whole, bigint>('int64', 'int64', 'int64'),
  /** An int8 of 0 or 1, which fits a kernel's `bool`. */
  bool: make<boolean, boolean>('bool', 'int8', 'bool'),
  string: make<string, string>('string', 'char', 'string'),
  float16s: make<Numbers, readonly number[], FloatOptions>('float16s', 'float16', 'float', true),
  bfloat16s: make<Numbers, readonly number[], FloatOptions>('bfloat16s', 'bfloat16', 'float', true),
  float32s: make<Numbers, readonly number[], FloatOptions>('float32s', 'float32', 'float', true),
  float64s: make<Numbers, readonly number[], FloatOptions>('float64s', 'float64', 'float', true),
  int8s: make<Numbers, readonly number[]>('int8s', 'int8', 'integer', true),
  int16s: make<Numbers, readonly number[]>('int16s', 'int16', 'integer', true),
  int32s: make<Numbers, readonly number[]>('int32s', 'int32', 'integer', true),
  int64s: make<ArrayLike<Whole>, readonly bigint[]>('int64s', 'int64', 'int64', true),
  /** Up to 8 sizes. */
  dims: make<Numbers, readonly number[]>('dims', 'dims', 'dims', true),
  /** Bytes of any meaning (kUNKNOWN). */
  bytes: make<Uint8Array, Uint8Array>('bytes', 'unknown', 'bytes', true),
});

/** Most elements of an attribute. */
const mostElements = 2 ** 20;

type Say = (why: string) => never;

function float({ type, infinite }: Attribute, value: unknown, say: Say): number | string {
  const given = value === 'Infinity' || value === '-Infinity' ? Number(value) : value;
  if (typeof given !== 'number') return say(`expected a number, given ${shown(value)}`);
  if (Number.isNaN(given)) return say('expected a number, given NaN');
  const rounded =
    type === 'float64'
      ? given
      : type === 'float32'
        ? Math.fround(given)
        : decodeElements(type as 'float16', encodeElements(type as 'float16', [given]), 1)[0]!;
  if (Number.isFinite(rounded)) return rounded;
  if (Number.isFinite(given)) return say(`expected a number that ${type} can hold, given ${given}`);
  return infinite ? String(rounded) : say(`expected a finite number, given ${given}; { infinite: true } lets it pass`);
}

function whole({ type }: Attribute, value: unknown, say: Say): number {
  const [least, most] = integerRanges[type as IntegerType];
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value + 0;
  return say(`expected a whole number from ${least} to ${most}, given ${shown(value)}`);
}

function whole64(value: unknown, say: Say): number | string {
  let given: unknown = value;
  if (typeof value === 'string' && /^-?\d{1,19}$/.test(value)) given = BigInt(value);
  if (typeof given === 'number' && Number.isSafeInteger(given)) return given + 0;
  if (typeof given === 'bigint' && BigInt.asIntN(64, given) === given) {
    return BigInt.asIntN(54, given) === given ? Number(given) : String(given);
  }
  return say(`expected a whole number of int64 (a bigint beyond 2^53), given ${shown(value)}`);
}

function element(attribute: Attribute, value: unknown, say: Say): number | string | boolean {
  switch (attribute.kind) {
    case 'float':
      return float(attribute, value, say);
    case 'integer':
      return whole(attribute, value, say);
    case 'int64':
      return whole64(value, say);
    case 'bool':
      return typeof value === 'boolean' ? value : say(`expected true or false, given ${shown(value)}`);
    case 'dims':
      if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
      return say(`expected sizes of 0 or more, given ${shown(value)}`);
    case 'bytes':
      if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < 256) return value as number;
      return say(`expected bytes, given ${shown(value)}`);
    default:
      return typeof value === 'string' ? value : say(`expected a string, given ${shown(value)}`);
  }
}

const isListLike = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

/** An attribute's value as plain data, rounded to its type; `say` refuses it. */
export function plainValue(attribute: Attribute, value: unknown, say: Say): AttributeValue {
  if (!attribute.isList) return element(attribute, value, say);
  if (!isListLike(value)) return say(`expected a list, given ${shown(value)}`);
  const most = attribute.kind === 'dims' ? maxRank : mostElements;
  const { length } = value;
  if (length > most) return say(`expected at most ${most} elements, given ${length}`);
  return Array.from({ length }, (_, i) =>
    element(attribute, value[i], (why) => say(`element ${i}: ${why}`)),
  ) as number[];
}

/** What rules get. */
export function ruleValue({ kind, isList }: Attribute, value: AttributeValue): unknown {
  const one = (plain: unknown) =>
    kind === 'int64' ? BigInt(plain as number) : kind === 'float' ? Number(plain) : plain;
  if (kind === 'bytes') return Uint8Array.from(value as number[]);
  return isList ? Object.freeze((value as unknown[]).map(one)) : one(value);
}

/** The numbers of a plain value. */
const numbersOf = (value: AttributeValue): number[] => (Array.isArray(value) ? value.map(Number) : [Number(value)]);

/** An attribute as a plugin field: its elements, little endian. A string is CHAR without a final 0. */
export function attributeField(name: string, attribute: Attribute, value: AttributeValue): AttributeField {
  const { type } = attribute;
  const bytes = (array: ArrayBufferView, length: number): AttributeField => ({
    name,
    type,
    data: new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
    length,
  });
  if (attribute.kind === 'string') {
    const text = new TextEncoder().encode(value as string);
    return bytes(text, text.length);
  }
  if (type === 'dims') {
    // struct Dims: int32 nbDims, and after 4 bytes of padding int64 d[8].
    const dims = value as readonly number[];
    const data = new DataView(new ArrayBuffer(72));
    data.setInt32(0, dims.length, true);
    for (const [i, dim] of dims.entries()) data.setBigInt64(8 + 8 * i, BigInt(dim), true);
    return bytes(data, 1);
  }
  const numbers = numbersOf(value);
  const count = numbers.length;
  switch (type) {
    case 'float16':
    case 'bfloat16':
      return bytes(encodeElements(type, numbers), count);
    case 'float32':
      return bytes(Float32Array.from(numbers), count);
    case 'float64':
      return bytes(Float64Array.from(numbers), count);
    case 'int8':
      return bytes(Int8Array.from(numbers), count);
    case 'int16':
      return bytes(Int16Array.from(numbers), count);
    case 'int32':
      return bytes(Int32Array.from(numbers), count);
    case 'int64':
      return bytes(BigInt64Array.from([value].flat() as number[], BigInt), count);
    default:
      return bytes(Uint8Array.from(numbers), count);
  }
}
