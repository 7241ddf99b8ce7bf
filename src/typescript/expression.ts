import type { IRGraph, ValueId, WeightId } from '../dsl/ir.js';
import { isScalar } from '../values/elements.js';

/** A value in the code: it can be evaluated while a network is recorded, and written. */
export type Expression =
  | { is: 'net' }
  | { is: 'tensor'; id: ValueId }
  | { is: 'weight'; id: WeightId }
  /** What `w.layer(prefix)` returns of those weights, by option. */
  | { is: 'layer'; prefix: string; options: Readonly<Record<string, WeightId>> }
  /** A plugin of the user's own. */
  | { is: 'plugin'; name: string; version: string }
  /** Plain data: numbers, strings, lists and typed arrays. */
  | { is: 'data'; value: unknown }
  | { is: 'list'; items: readonly Expression[] }
  | { is: 'object'; entries: readonly Entry[] }
  | Closure;

/** A property; one without a name is spread. */
export type Entry = readonly [name: string | undefined, value: Expression];

/** A function that records a nested graph. */
export interface Closure {
  is: 'closure';
  graph: IRGraph;
  /** Whether the parameters are the properties of one object. */
  destructures: boolean;
  /** Names of the parameters. */
  names: readonly string[];
  /** What it returns. */
  result: Expression;
  /** Its statements, once it has been called. */
  statements?: readonly Statement[];
}

/** How a call's results are found in what it returns. */
export type Results =
  | { is: 'one' }
  | { is: 'none' }
  /** A list, of which the first is taken where there is one alone (`[0]!`). */
  | { is: 'list' }
  /** By path, such as `state.h`. */
  | { is: 'paths'; paths: readonly (readonly string[])[] };

/** A call that records layers. */
export interface Call {
  /** Absent for a function of the package. */
  on?: Expression;
  method: string;
  args: readonly Expression[];
  /** Options, after the arguments; left out if empty. Undefined: the method takes none. */
  options?: readonly Entry[] | undefined;
  /** Where the name goes if not into the options: makes the arguments with a name. */
  named?: ((name: string) => readonly Expression[]) | undefined;
  /** Of the last layer, if it has to be given. */
  name?: string;
  results: Results;
}

/** One or several recorded layers. */
export interface Statement {
  is: 'call';
  call: Call;
  /** The last layer's name. */
  layer: string;
  kind: string;
  /** Whether the name is the library's choice. */
  unnamed: boolean;
  /** What the call returns; undefined for a result that the network has not. */
  ids: readonly ValueId[];
}

export const net: Expression = { is: 'net' };
export const data = (value: unknown): Expression => ({ is: 'data', value });
export const list = (items: readonly Expression[]): Expression => ({ is: 'list', items });
export const object = (entries: readonly Entry[]): Expression => ({ is: 'object', entries });

const isSame = (a: unknown, b: unknown): boolean =>
  Object.is(a, b) ||
  (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((one, i) => isSame(one, b[i])));

/** An option; none where the value is the default. */
export const option = (name: string, value: unknown, fallback?: unknown): Entry[] =>
  isSame(value, fallback) || value === undefined ? [] : [[name, data(value)]];

/** An option that is a tensor or weight, if there is one. */
export const given = (name: string, value: Expression | undefined): Entry[] => (value ? [[name, value]] : []);

/** One number for all axes where they are equal. */
export const perAxis = (values: readonly number[]): number | readonly number[] =>
  values.length > 0 && values.every((value) => value === values[0]) ? values[0]! : values;

/** The shortest decimal of which this is the nearest float32; other numbers as they are. */
export function float32Text(value: number): number {
  if (value === 0 || !Number.isFinite(value) || Math.fround(value) !== value) return value;
  for (let digits = 1; digits < 10; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

const constructors = [
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
];

/** Code for a number, bigint, bool or string. */
function scalarText(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Object.is(value, -0)) return '-0';
  if (value === Number.POSITIVE_INFINITY) return 'Number.POSITIVE_INFINITY';
  if (value === Number.NEGATIVE_INFINITY) return 'Number.NEGATIVE_INFINITY';
  return Number.isNaN(value) ? 'Number.NaN' : String(value);
}

/** A string literal in single quotes. */
export function quoted(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inner.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}'`;
}

/** Code for plain data, given what writes lists and objects. */
export function dataText<T>(
  value: unknown,
  make: {
    text(code: string): T;
    list(items: T[], isFlat: boolean): T;
    object(entries: [string, T][]): T;
    call(name: string, items: T[]): T;
  },
): T {
  if (value === null || value === undefined || typeof value === 'boolean') return make.text(String(value));
  if (isScalar(value) || typeof value === 'string') return make.text(scalarText(value));
  if (Array.isArray(value)) {
    return make.list(
      value.map((item) => dataText(item, make)),
      value.every((item) => isScalar(item)),
    );
  }
  const array = constructors.find((one) => value instanceof one);
  if (array) {
    const typed = value as Float32Array;
    const zeros =
      typed.length > 4 && Array.prototype.every.call(typed, (one: number | bigint) => Object.is(Number(one), 0));
    if (zeros || typed.length === 0) return make.text(`new ${array.name}(${typed.length})`);
    const items = Array.from(typed as ArrayLike<number | bigint>, (one) =>
      typeof one === 'number' && value instanceof Float32Array ? float32Text(one) : one,
    );
    return make.call(
      `${array.name}.of`,
      items.map((one) => make.text(scalarText(one))),
    );
  }
  const entries = Object.entries(value as object).filter(([, one]) => one !== undefined);
  return make.object(entries.map(([key, one]) => [key, dataText(one, make)]));
}
