import { readArguments } from '../errors/boundary.js';
import { TensorRTError } from '../errors/error.js';
import { suggestion } from '../errors/nearest.js';
import { formatShape, type Shape } from './dim.js';
import {
  bits,
  byteLength,
  copyOfBytes,
  type DType,
  dtypeOf,
  type HalfArray,
  isGone,
  isTypedArray,
  type TypedArray,
  viewAs,
  withoutHalves,
} from './dtype.js';
import { carries, encodeElements } from './elements.js';
import { checkMapping, mappingOf } from './weight.js';

export type Scalar = number | bigint | boolean;

/** Elements with their shape, such as a `Result` or a `Weight`. */
export interface ShapedFeed {
  /** Must match the input's. Default: the input's. */
  dtype?: string | undefined;
  /** Default: derived from the length. */
  shape?: readonly number[] | undefined;
  data: TypedArray | HalfArray | readonly Scalar[];
}

/**
 * What an input accepts: row-major elements in the typed array of its dtype (float16 and bfloat16 as bits in a Uint16Array, or
 * float16 in a Float16Array, int64 in a BigInt64Array, bool as 0 and 1 in a Uint8Array, 4-bit types packed low nibble first in
 * a Uint8Array), with or without their shape. A Float32Array is rounded if the input is float16 or bfloat16; plain numbers are
 * converted. Elements are those at the call: what becomes of the array afterwards does not matter.
 */
export type Feed = TypedArray | HalfArray | Scalar | readonly Scalar[] | ShapedFeed;
export type Feeds = Readonly<Record<string, Feed>>;

/** An input as the network declares it. */
export interface InputType {
  name: string;
  dtype: DType;
  /** Numbers, or names for dynamic dims. */
  shape: Shape;
}

/** A checked feed. */
export interface ResolvedFeed {
  name: string;
  dtype: DType;
  shape: number[];
  data: TypedArray;
  /** Whether nobody else has the array; else it may have changed by the next turn. */
  isOwn: boolean;
}

interface Parsed {
  input: InputType;
  data: TypedArray;
  isOwn: boolean;
  /** Number of elements; two candidates if packed bytes leave it ambiguous. */
  counts: number[];
  shape?: readonly number[];
}

interface Binding {
  size: number;
  /** The input that set it. */
  from: string;
}

/**
 * Checks feeds against a network's inputs and derives the sizes of named dims, first from given shapes, then from lengths.
 * Returns inputs in the network's order, with data that no other thread or process can change.
 * @throws ERR_FEED, naming the input, what was expected and what was given
 */
export function resolveFeeds(
  inputs: readonly InputType[],
  feeds: Feeds,
): { feeds: ResolvedFeed[]; sizes: Record<string, number> } {
  return readArguments('run', [feeds], () => resolve(inputs, feeds), 'ERR_FEED');
}

function resolve(inputs: readonly InputType[], feeds: Feeds): { feeds: ResolvedFeed[]; sizes: Record<string, number> } {
  checkNames(inputs, feeds);
  const parsed = inputs.map((input) => parse(input, feeds[input.name]!));
  const sizes = new Map<string, Binding>();
  const shapes = new Map<Parsed, number[]>();
  for (const feed of parsed) if (feed.shape) shapes.set(feed, bindShape(feed, feed.shape, sizes));

  let open = parsed.filter((feed) => !feed.shape);
  while (open.length > 0) {
    const rest = open.filter((feed) => {
      const shape = solve(feed, sizes);
      if (shape) shapes.set(feed, shape);
      return !shape;
    });
    if (rest.length === open.length) ambiguous(rest[0]!, sizes);
    open = rest;
  }

  const found: Record<string, number> = Object.create(null);
  for (const [name, { size }] of sizes) found[name] = size;
  return {
    feeds: parsed.map((feed) => ({
      ...pick(feed.input),
      shape: shapes.get(feed)!,
      data: feed.data,
      isOwn: feed.isOwn,
    })),
    sizes: found,
  };
}

/** The feed with elements that nobody else has: a copy, unless it has them already. */
export const ownFeed = (feed: ResolvedFeed): ResolvedFeed =>
  feed.isOwn ? feed : { ...feed, data: viewAs(feed.dtype, copyOfBytes(feed.data)), isOwn: true };

const pick = ({ name, dtype }: InputType) => ({ name, dtype });
const describe = ({ dtype, shape }: InputType): string => `${dtype} ${formatShape(shape)}`;

function fail(input: InputType, message: string, facts: { expected?: unknown; actual?: unknown } = {}): never {
  throw new TensorRTError('ERR_FEED', `input '${input.name}': ${message}`, facts);
}

const withArticle = (name: string): string => `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;

function given(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' || typeof value === 'function')
    return withArticle(value.constructor?.name ?? 'bare object');
  return typeof value === 'string' ? `'${value}'` : `${typeof value} ${String(value)}`;
}

function checkNames(inputs: readonly InputType[], feeds: Feeds): void {
  const names = inputs.map((input) => input.name);
  const wanted = names.map((name) => `'${name}'`).join(', ') || 'none';
  if (typeof feeds !== 'object' || feeds === null || Array.isArray(feeds) || ArrayBuffer.isView(feeds)) {
    throw new TensorRTError('ERR_FEED', `expected an object with the inputs ${wanted}, given ${given(feeds)}`);
  }
  for (const name of Object.keys(feeds)) {
    if (!names.includes(name)) {
      const hint = suggestion(name, names) || `; the inputs are ${wanted}`;
      throw new TensorRTError('ERR_FEED', `the network has no input '${name}'${hint}`, {
        expected: names,
        actual: name,
      });
    }
  }
  for (const input of inputs) {
    if (!Object.hasOwn(feeds, input.name) || feeds[input.name] === undefined) {
      fail(input, `it is missing; expected ${describe(input)}`);
    }
  }
}

const isScalar = (value: unknown): value is Scalar =>
  typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';

function parse(input: InputType, feed: Feed): Parsed {
  if (isScalar(feed)) return parseNumbers(input, [feed]);
  if (Array.isArray(feed)) return parseNumbers(input, feed);
  if (isTypedArray(feed)) return parseArray(input, feed, true);
  if (typeof feed !== 'object' || feed === null || !('data' in feed)) {
    return fail(input, `expected a typed array or { shape, data } for ${describe(input)}, given ${given(feed)}`);
  }
  const { dtype, shape, data } = feed;
  if (dtype !== undefined && dtype !== input.dtype) {
    fail(input, `expected ${input.dtype}, given ${String(dtype)}${conversion(input.dtype, feed)}`, {
      expected: input.dtype,
      actual: dtype,
    });
  }
  const valid = shape === undefined || (Array.isArray(shape) && shape.every((d) => Number.isSafeInteger(d) && d >= 0));
  if (!valid) {
    fail(input, `expected a shape of whole numbers, given ${Array.isArray(shape) ? formatShape(shape) : given(shape)}`);
  }
  if (Array.isArray(data)) return { ...parseNumbers(input, data), shape };
  if (!isTypedArray(data)) fail(input, `expected a typed array as data, given ${given(data)}`);
  return { ...parseArray(input, data, dtype === undefined), shape };
}

/** How to feed elements of another dtype. */
function conversion(dtype: DType, feed: ShapedFeed): string {
  const { as, toFloat32 } = feed as { as?: unknown; toFloat32?: unknown };
  if (typeof as === 'function') return `; convert the weight with .as('${dtype}')`;
  if (rounds(dtype) && feed.data instanceof Float32Array)
    return `; give { shape, data } without dtype, and the elements are rounded to ${dtype}`;
  if (dtype === 'float32' || rounds(dtype)) {
    if (typeof toFloat32 === 'function') return '; give { shape, data: result.toFloat32() }';
  }
  return '';
}

/** Whether a Float32Array stands for the dtype too. */
const rounds = (dtype: DType): boolean => dtype === 'float16' || dtype === 'bfloat16';

function parseNumbers(input: InputType, values: readonly unknown[]): Parsed {
  const odd = values.findIndex((value) => !isScalar(value));
  if (odd >= 0)
    fail(
      input,
      `element ${odd}: expected a number, given ${given(values[odd])}; give nested values flat, as { shape, data }`,
    );
  const data = encodeElements(input.dtype, values as Scalar[], (_, message) => fail(input, message));
  return { input, data, isOwn: true, counts: [values.length] };
}

/** The typed arrays that carry a dtype, for messages. */
const travels = (dtype: DType): string =>
  `${viewAs(dtype, new Uint8Array(0)).constructor.name}${rounds(dtype) ? ' of bits' : bits[dtype] === 4 ? ' (packed)' : ''}`;

const converted: Partial<Record<DType, string>> = {
  float32: 'Float32Array.from(data)',
  float16: 'Float32Array.from(data)',
  bfloat16: 'Float32Array.from(data)',
  int64: 'BigInt64Array.from(data, BigInt)',
  int32: 'Int32Array.from(data)',
};

function parseArray(input: InputType, array: TypedArray | HalfArray, mayRound: boolean): Parsed {
  const { dtype } = input;
  if (isGone(array)) fail(input, 'the array is detached: its buffer was transferred elsewhere, or shrank');
  const data = asElements(dtype, array, mayRound);
  if (!data) {
    const hint =
      rounds(dtype) && array instanceof Float32Array
        ? `; leave out dtype, and the elements are rounded to ${dtype}`
        : converted[dtype]
          ? `; convert it with ${converted[dtype]}${mayRound || !rounds(dtype) ? '' : ', and leave out dtype'}`
          : '';
    fail(
      input,
      `expected ${withArticle(travels(dtype))} for ${dtype}, given ${withArticle(array.constructor.name)}${hint}`,
      {
        expected: dtype,
        actual: array.constructor.name,
      },
    );
  }
  if (dtype === 'bool') {
    const odd = (data as Uint8Array).findIndex((value) => value > 1);
    if (odd >= 0) fail(input, `element ${odd}: expected 0 or 1 for bool, given ${data[odd]}`);
  }
  const counts = bits[dtype] === 4 ? [data.length * 2, data.length * 2 - 1].filter((n) => n >= 0) : [data.length];
  return { input, data, isOwn: data.buffer !== array.buffer, counts };
}

/** The elements, in the typed array of their dtype; a copy if they are converted, or another thread or process has them too. */
function asElements(dtype: DType, given: TypedArray | HalfArray, mayRound: boolean): TypedArray | undefined {
  const mapping = mappingOf(given);
  if (mayRound && rounds(dtype) && given instanceof Float32Array) {
    const rounded = encodeElements(dtype, given);
    checkMapping(mapping);
    return rounded;
  }
  // A Float16Array is no bfloat16, though both travel as 16 bits.
  const array = dtypeOf(given) === 'float16' && dtype !== 'float16' ? undefined : withoutHalves(given);
  const fits = array && (carries(dtype, array) || (dtype === 'uint8' && array instanceof Uint8ClampedArray));
  if (!fits) return undefined;
  if (!mapping && array.buffer instanceof ArrayBuffer) {
    return array instanceof Uint8ClampedArray ? new Uint8Array(array.buffer, array.byteOffset, array.length) : array;
  }
  const copy = viewAs(dtype, copyOfBytes(array));
  checkMapping(mapping);
  return copy;
}

/** `batch = 8 (from input 'a')` for the names in `shape` with known sizes. */
function knownSizes(shape: Shape, sizes: ReadonlyMap<string, Binding>): string {
  const known = [...new Set(shape)].flatMap((dim) => {
    const bound = typeof dim === 'string' ? sizes.get(dim) : undefined;
    return bound ? [`${dim} = ${bound.size} (from input '${bound.from}')`] : [];
  });
  return known.length > 0 ? ` with ${known.join(', ')}` : '';
}

function bindShape({ input, data }: Parsed, shape: readonly number[], sizes: Map<string, Binding>): number[] {
  if (shape.length !== input.shape.length) {
    fail(
      input,
      `expected rank ${input.shape.length} ${formatShape(input.shape)}, given rank ${shape.length} ${formatShape(shape)}`,
      {
        expected: input.shape,
        actual: shape,
      },
    );
  }
  for (const [axis, dim] of input.shape.entries()) {
    const size = shape[axis]!;
    const bound = typeof dim === 'string' ? sizes.get(dim) : { size: dim, from: '' };
    if (!bound) {
      sizes.set(dim as string, { size, from: input.name });
    } else if (bound.size !== size) {
      const why = typeof dim === 'string' ? knownSizes([dim], sizes) : '';
      fail(
        input,
        `expected ${formatShape(input.shape)}${why}, given ${formatShape(shape)}: axis ${axis} is ${size}, not ${bound.size}`,
        {
          expected: input.shape,
          actual: shape,
        },
      );
    }
  }
  const count = shape.reduce((a, b) => a * b, 1);
  if (data.byteLength !== byteLength(input.dtype, count)) {
    fail(input, `shape ${formatShape(shape)} takes ${amount(input.dtype, count)}, given ${data.length}`, {
      expected: count,
      actual: data.length,
    });
  }
  return [...shape];
}

const amount = (dtype: DType, count: number): string =>
  bits[dtype] === 4 ? `${count} elements in ${byteLength(dtype, count)} bytes` : `${count} elements`;

/** The shape derived from the number of elements; undefined if more than one name has no size. */
function solve({ input, data, counts }: Parsed, sizes: Map<string, Binding>): number[] | undefined {
  const { shape, dtype } = input;
  const unknown = shape.filter((dim): dim is string => typeof dim === 'string' && !sizes.has(dim));
  const [name] = unknown;
  const known = shape.reduce<number>(
    (product, dim) => product * (typeof dim === 'number' ? dim : (sizes.get(dim)?.size ?? 1)),
    1,
  );
  if (name === undefined) {
    if (data.byteLength !== byteLength(dtype, known) || !counts.some((n) => n === known)) {
      fail(
        input,
        `expected ${amount(dtype, known)} for ${describe(input)}${knownSizes(shape, sizes)}, given ${data.length}`,
        {
          expected: known,
          actual: data.length,
        },
      );
    }
    return shape.map((dim) => (typeof dim === 'number' ? dim : sizes.get(dim)!.size));
  }
  if (unknown.some((other) => other !== name) || known === 0) return undefined;
  const solutions = counts
    .map((count) => Math.round((count / known) ** (1 / unknown.length)))
    .filter((size, i) => known * size ** unknown.length === counts[i]);
  if (solutions.length === 0) {
    const fits =
      unknown.length === 1 ? `a multiple of ${known}` : `${known} times a number to the power of ${unknown.length}`;
    fail(input, `expected ${fits} elements for ${describe(input)}${knownSizes(shape, sizes)}, given ${data.length}`, {
      expected: shape,
      actual: data.length,
    });
  }
  if (solutions.length > 1) return undefined;
  sizes.set(name, { size: solutions[0]!, from: input.name });
  return shape.map((dim) => (typeof dim === 'number' ? dim : sizes.get(dim)!.size));
}

function ambiguous({ input, data }: Parsed, sizes: Map<string, Binding>): never {
  const unknown = [...new Set(input.shape)].filter((dim) => typeof dim === 'string' && !sizes.has(dim));
  fail(
    input,
    `${data.length} elements do not tell the size${unknown.length > 1 ? 's' : ''} of ${unknown.join(' and ')} in ${describe(input)}${knownSizes(input.shape, sizes)}: give { shape, data }`,
  );
}
