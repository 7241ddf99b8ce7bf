import { suggestion } from '../errors/nearest.js';
import type { CreatorField, FieldData } from './binding.js';
import { type CreatorKey, creatorInfo } from './creators.js';
import { refusePlugin, shown } from './fault.js';
import { type FieldType, type IntegerType, integerRanges } from './recipe.js';

/**
 * A field of an existing creator. Numbers become what the creator's list says. A typed array says its type itself, and has to
 * where the list does not: `new Int32Array([1])`. A string is a CHAR field.
 */
export type FieldValue = number | bigint | string | boolean | readonly (number | bigint)[] | ArrayBufferView;

/** What typed arrays are where a creator does not say: bytes are taken as they lie. */
const arrayTypes: Readonly<Record<string, FieldType>> = {
  Float64Array: 'float64',
  Float32Array: 'float32',
  Float16Array: 'float16',
  BigInt64Array: 'int64',
  Int32Array: 'int32',
  Int16Array: 'int16',
  Int8Array: 'int8',
  Uint8Array: 'unknown',
};

/** The largest finite value of the float types. */
const largest: Readonly<Partial<Record<FieldType, number>>> = {
  float16: 65504,
  bfloat16: 3.3895313892515355e38,
  float32: 3.4028234663852886e38,
  float64: Number.MAX_VALUE,
};

type Fail = (said: string) => never;

/** Numbers of a value, as bigints only where int64 needs them. */
function numbersOf(value: unknown, fail: Fail): (number | bigint)[] {
  const list = ArrayBuffer.isView(value) || Array.isArray(value) ? Array.from(value as ArrayLike<unknown>) : [value];
  return list.map((one) => {
    if (typeof one === 'boolean') return Number(one);
    return typeof one === 'number' || typeof one === 'bigint' ? one : fail(`expected numbers, given ${shown(value)}`);
  });
}

function integers(list: readonly (number | bigint)[], type: FieldType, fail: Fail): number[] | bigint[] {
  const [least, most] = integerRanges[type as IntegerType];
  const whole = list.map((one) => {
    if (typeof one === 'number' && !Number.isSafeInteger(one)) return fail(`expected whole numbers, given ${one}`);
    const value = BigInt(one);
    return value >= least && value <= most ? value : fail(`${one} does not fit ${type}`);
  });
  return list.some((one) => typeof one === 'bigint') && type === 'int64' ? whole : whole.map(Number);
}

function floats(list: readonly (number | bigint)[], type: FieldType, fail: Fail): number[] {
  return list.map((one) => {
    if (typeof one === 'bigint') return fail(`expected numbers, given the bigint ${one}`);
    if (Number.isNaN(one)) return fail('expected numbers, given NaN');
    return Number.isFinite(one) && Math.abs(one) > largest[type]! ? fail(`${one} does not fit ${type}`) : one;
  });
}

function elements(value: unknown, type: FieldType, fail: Fail): FieldData['data'] {
  if (typeof value === 'string') {
    return type === 'char' ? value : fail(`expected ${wanted(type)}, given ${shown(value)}`);
  }
  if (type === 'char') return fail(`expected a string, given ${shown(value)}`);
  if (type in largest) return floats(numbersOf(value, fail), type, fail);
  if (type in integerRanges) return integers(numbersOf(value, fail), type, fail);
  const list = numbersOf(value, fail);
  if (type === 'unknown') return list.map(Number);
  if (type !== 'dims') return fail(`fields of ${type} cannot be given`);
  const sizes = integers(list, 'int64', fail);
  return sizes.length > 8 ? fail(`expected at most 8 dims, given ${sizes.length}`) : sizes;
}

const wanted = (type: FieldType): string =>
  type in integerRanges ? 'whole numbers' : type === 'dims' ? 'dims' : 'numbers';

/** The type of a value whose field has none. */
function ownType(value: unknown, fail: Fail, why: string): FieldType {
  if (typeof value === 'string') return 'char';
  const type = ArrayBuffer.isView(value) ? arrayTypes[value.constructor.name] : undefined;
  const expected = 'expected a typed array, such as new Int32Array([1]), or a string';
  return type ?? fail(`${expected}, because ${why}; given ${shown(value)}`);
}

function field(
  creator: CreatorKey,
  name: string,
  value: unknown,
  declared: readonly CreatorField[] | undefined,
): FieldData {
  const fail = (said: string): never =>
    refusePlugin(`plugin '${creator.name}': field '${name}': ${said}`, { actual: value }, 'ERR_PLUGIN_FIELD');
  const known = declared?.find((one) => one.name === name);
  if (declared && !known) {
    const names = declared.map((one) => one.name);
    const others = names.length > 0 ? `; it has ${names.join(', ')}` : '; it has no fields';
    return refusePlugin(
      `plugin '${creator.name}' has no field '${name.slice(0, 200)}'${suggestion(name, names) || others}`,
      { expected: names, actual: name },
      'ERR_PLUGIN_FIELD',
    );
  }
  const why = declared ? 'the creator does not say its type' : 'its type is not known before loadPluginLibrary()';
  const type = known && known.type !== 'unknown' ? known.type : ownType(value, fail, why);
  const data = elements(value, type, fail);
  // Many creators say 1 for lists too.
  if (known && known.length > 1 && type !== 'char' && type !== 'dims' && data.length !== known.length) {
    return fail(`expected ${known.length} elements, given ${data.length}`);
  }
  return { name, type, data };
}

/**
 * Fields by the creator's list. Those that are not given are the creator's own matter: its list does not say which it needs.
 * @throws ERR_PLUGIN_FIELD for a field that the creator does not have, and for values that do not fit
 */
export function convertFields(creator: CreatorKey, fields: Readonly<Record<string, unknown>>): FieldData[] {
  const declared = creatorInfo(creator)?.fields;
  return Object.entries(fields).flatMap(([name, value]) => {
    return value === undefined ? [] : [field(creator, name, value, declared)];
  });
}
