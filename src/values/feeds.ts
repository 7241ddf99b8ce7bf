import { readArguments } from '../errors/boundary.js';
import { TensorRTError } from '../errors/error.js';
import { suggestion } from '../errors/nearest.js';
import { dimNames, formatShape, isExpression, linearIn, type Shape } from './dim.js';
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
import { carries, encodeElements, isScalar, type Scalar } from './elements.js';
import { isOnHost, isPlaced, type PlacedTensor } from './placed.js';
import { type Conflict, KnownSizes } from './sizes.js';
import { checkMapping, mappingOf } from './weight.js';

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
 * converted. Elements are those at the call: what becomes of the array afterwards does not matter. A `HostTensor` or `DeviceTensor`
 * is used where it is, and has to stay as it is until the run ends.
 */
export type Feed = TypedArray | HalfArray | Scalar | readonly Scalar[] | ShapedFeed | PlacedTensor;
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
  /** Empty for a tensor on a GPU. */
  data: TypedArray;
  /** Whether nobody else has the array; else it may have changed by the next turn. */
  isOwn: boolean;
  /** The tensor that was given, if it has memory of its own. */
  placed?: PlacedTensor;
}

interface Parsed {
  input: InputType;
  data: TypedArray;
  isOwn: boolean;
  placed?: PlacedTensor;
  /** Number of elements; two candidates if packed bytes leave it ambiguous. */
  counts: number[];
  shape?: readonly number[];
}

/**
 * Checks feeds against a network's inputs and derives the sizes of named dims, first from given shapes, then from lengths, where only
 * one is open. Expressions over names are checked.
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
  const sizes = new KnownSizes();
  const shapes = new Map<Parsed, number[]>();
  for (const feed of parsed) if (feed.shape) shapes.set(feed, bindNames(feed, feed.shape, sizes));
  for (const feed of parsed) if (feed.shape) bindExpressions(feed, feed.shape, sizes);
  settle(parsed, sizes);

  const isSolved = (feed: Parsed): boolean => {
    const shape = solve(feed, sizes);
    if (!shape) return false;
    shapes.set(feed, shape);
    settle(parsed, sizes);
    return true;
  };
  const open = parsed.filter((feed) => !feed.shape);
  while (open.length > 0) {
    // Names before expressions, so that an expression is what is found to be wrong.
    const plain = open.findIndex((feed) => !feed.input.shape.some(isExpression) && isSolved(feed));
    const next = plain >= 0 ? plain : open.findIndex(isSolved);
    if (next < 0) ambiguous(open[0]!, sizes);
    open.splice(next, 1);
  }

  return {
    feeds: parsed.map((feed) => ({
      ...pick(feed.input),
      shape: shapes.get(feed)!,
      data: feed.data,
      isOwn: feed.isOwn,
      ...(feed.placed && { placed: feed.placed }),
    })),
    sizes: sizes.names(),
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

function parse(input: InputType, feed: Feed): Parsed {
  if (isScalar(feed)) return parseNumbers(input, [feed]);
  if (Array.isArray(feed)) return parseNumbers(input, feed);
  if (isTypedArray(feed)) return parseArray(input, feed, true);
  if (isPlaced(feed)) return parsePlaced(input, feed);
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

const nothing = new Uint8Array(0);

function parsePlaced(input: InputType, placed: PlacedTensor): Parsed {
  const { dtype, shape } = placed;
  if (dtype !== input.dtype) {
    fail(input, `expected a tensor of ${input.dtype}, given ${dtype}`, { expected: input.dtype, actual: dtype });
  }
  if (isOnHost(placed)) return { ...parseArray(input, placed.data, false), shape, placed };
  return { input, data: nothing, isOwn: true, counts: [], shape, placed };
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

/** Fails if the feeds contradict each other. */
function settle(parsed: readonly Parsed[], sizes: KnownSizes): void {
  const conflict = sizes.settle();
  if (conflict) contradicts(parsed.find(({ input }) => input.name === conflict.input)!, conflict, sizes);
}

/** Fails for an input whose size is not what other inputs, or its other axes, make it. */
function contradicts({ input, shape }: Parsed, { dim, axis, expected, actual }: Conflict, sizes: KnownSizes): never {
  const given = shape ? formatShape(shape) : 'elements';
  const open = dimNames(dim).filter((name) => sizes.of(name) === undefined);
  const fault = expected === undefined ? `which '${dim}' is for no size of ${open}` : `not ${expected}`;
  const said = `expected ${formatShape(input.shape)}${sizes.describe([dim])}, given ${given}: axis ${axis} is ${actual}, ${fault}`;
  fail(input, said, { expected: input.shape, actual: shape ?? actual });
}

function bindExpressions(feed: Parsed, shape: readonly number[], sizes: KnownSizes): void {
  for (const [axis, dim] of feed.input.shape.entries()) {
    if (isExpression(dim)) sizes.expression(dim, shape[axis]!, { input: feed.input.name, axis });
  }
}

/** Checks a given shape and the sizes of its names; expressions can be checked when all inputs have told theirs. */
function bindNames(feed: Parsed, shape: readonly number[], sizes: KnownSizes): number[] {
  const { input, data } = feed;
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
    if (isExpression(dim)) continue;
    const actual = shape[axis]!;
    const expected = typeof dim === 'number' ? dim : sizes.name(dim, actual, input.name);
    if (expected !== actual) contradicts(feed, { input: input.name, dim: `${dim}`, axis, expected, actual }, sizes);
  }
  const count = shape.reduce((a, b) => a * b, 1);
  const bytes = feed.placed ? feed.placed.byteLength : data.byteLength;
  if (bytes !== byteLength(input.dtype, count)) {
    fail(input, `shape ${formatShape(shape)} takes ${amount(input.dtype, count)}, given ${data.length}`, {
      expected: count,
      actual: data.length,
    });
  }
  return [...shape];
}

const amount = (dtype: DType, count: number): string =>
  bits[dtype] === 4 ? `${count} elements in ${byteLength(dtype, count)} bytes` : `${count} elements`;

/** The shape derived from the number of elements; undefined if they leave more than one size open. */
function solve(feed: Parsed, sizes: KnownSizes): number[] | undefined {
  const { input, data, counts } = feed;
  const { shape, dtype } = input;
  const values = shape.map((dim) => sizes.of(dim));
  const odd = values.findIndex((size) => size !== undefined && !(Number.isSafeInteger(size) && size >= 0));
  if (odd >= 0) fail(input, `'${shape[odd]}' is ${values[odd]}${sizes.describe([shape[odd]!])}, which is no size`);
  const known = values.reduce<number>((product, size) => product * (size ?? 1), 1);
  const unknown = shape.filter((_, axis) => values[axis] === undefined) as string[];
  const mismatch = (fits: string, expected: unknown) =>
    fail(input, `expected ${fits} for ${describe(input)}${sizes.describe(shape)}, given ${data.length}`, {
      expected,
      actual: data.length,
    });
  if (unknown.length === 0) {
    const fits = data.byteLength === byteLength(dtype, known) && counts.some((n) => n === known);
    return fits ? (values as number[]) : mismatch(amount(dtype, known), known);
  }
  const lines = openLines(unknown, sizes);
  if (!lines || known === 0) return undefined;
  const found = counts.map((count) => solveProduct(lines, count / known)).filter((size) => size !== undefined);
  if (found.length === 0) {
    const isPower = lines.every(({ slope, offset }) => slope === 1 && offset === 0);
    const power =
      unknown.length === 1 ? `a multiple of ${known}` : `${known} times a number to the power of ${unknown.length}`;
    mismatch(`${isPower ? power : 'another number of'} elements`, shape);
  }
  if (found.length > 1) return undefined;
  let at = 0;
  const solved = values.map((size) => size ?? sizeOn(lines[at++]!, found[0]!));
  for (const [axis, dim] of shape.entries()) {
    if (isExpression(dim)) sizes.expression(dim, solved[axis]!, { input: input.name, axis });
    else if (typeof dim === 'string') sizes.name(dim, solved[axis]!, input.name);
  }
  return solved;
}

type Line = NonNullable<ReturnType<typeof linearIn>>;
const sizeOn = ({ slope, offset }: Line, x: number): number => slope * x + offset;

/** Dims of one open quantity: a name in which all are linear and grow, or one and the same expression. */
function openLines(dims: readonly string[], sizes: KnownSizes): Line[] | undefined {
  const names = [...new Set(dims.flatMap(dimNames))].filter((name) => sizes.of(name) === undefined);
  if (names.length === 1) {
    const lines = dims.map((dim) => linearIn(dim, names[0]!, sizes.names()));
    if (lines.every((line) => line !== undefined && line.slope > 0)) return lines as Line[];
  }
  return dims.every((dim) => dim === dims[0]) ? dims.map(() => ({ slope: 1, offset: 0 })) : undefined;
}

/** The whole number for which the lines have this product, and none is negative. There the product grows. */
function solveProduct(lines: readonly Line[], product: number): number | undefined {
  const at = (x: number) => lines.reduce((value, line) => value * sizeOn(line, x), 1);
  const least = Math.max(0, ...lines.map(({ slope, offset }) => Math.ceil(-offset / slope)));
  let [low, high] = [least, least + Math.ceil(product)];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (at(middle) < product) low = middle + 1;
    else high = middle;
  }
  return at(low) === product ? low : undefined;
}

function ambiguous({ input, data }: Parsed, sizes: KnownSizes): never {
  const unknown = [...new Set(input.shape)].filter((dim) => sizes.of(dim) === undefined);
  fail(
    input,
    `${data.length} elements do not tell the size${unknown.length > 1 ? 's' : ''} of ${unknown.join(' and ')} in ${describe(input)}${sizes.describe(input.shape)}: give { shape, data }`,
  );
}
