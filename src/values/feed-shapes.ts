import { countOf, dimNames, formatShape, isExpression, isStaticShape, linearIn } from './dim.js';
import { bits, byteLength, type DType } from './dtype.js';
import { describe, fail, type ParsedFeed } from './feed.js';
import type { Conflict, KnownSizes } from './sizes.js';

/**
 * Finds the sizes of all feeds: from given shapes first, then from lengths, where only one is open. Expressions are checked.
 * @throws ERR_FEED
 */
export function findSizes(feeds: readonly ParsedFeed[], sizes: KnownSizes): void {
  let isOpen = false;
  for (const feed of feeds) {
    if (feed.shape) feed.sizes = bindNames(feed, feed.shape, sizes);
    else isOpen = true;
  }
  for (const feed of feeds) if (feed.shape) bindExpressions(feed, feed.shape, sizes);
  settle(feeds, sizes);
  if (isOpen) solveAll(feeds, sizes);
}

function solveAll(feeds: readonly ParsedFeed[], sizes: KnownSizes): void {
  const isSolved = (feed: ParsedFeed): boolean => {
    feed.sizes = solve(feed, sizes);
    if (!feed.sizes) return false;
    settle(feeds, sizes);
    return true;
  };
  const open = feeds.filter((feed) => !feed.shape);
  while (open.length > 0) {
    // Names before expressions, so that an expression is what is found to be wrong.
    const plain = open.findIndex((feed) => !feed.input.shape.some(isExpression) && isSolved(feed));
    const next = plain >= 0 ? plain : open.findIndex(isSolved);
    if (next < 0) ambiguous(open[0]!, sizes);
    open.splice(next, 1);
  }
}

/** Fails if the feeds contradict each other. */
function settle(parsed: readonly ParsedFeed[], sizes: KnownSizes): void {
  const conflict = sizes.settle();
  if (conflict) contradicts(parsed.find(({ input }) => input.name === conflict.input)!, conflict, sizes);
}

/** Fails for an input whose size is not what other inputs, or its other axes, make it. */
function contradicts(
  { input, shape }: ParsedFeed,
  { dim, axis, expected, actual }: Conflict,
  sizes: KnownSizes,
): never {
  const given = shape ? formatShape(shape) : 'elements';
  const open = dimNames(dim).filter((name) => sizes.of(name) === undefined);
  const fault = expected === undefined ? `which '${dim}' is for no size of ${open}` : `not ${expected}`;
  const said = `expected ${formatShape(input.shape)}${sizes.describe([dim])}, given ${given}: axis ${axis} is ${actual}, ${fault}`;
  fail(input, said, { expected: input.shape, actual: shape ?? actual });
}

function bindExpressions(feed: ParsedFeed, shape: readonly number[], sizes: KnownSizes): void {
  const dims = feed.input.shape;
  for (let axis = 0; axis < dims.length; axis++) {
    const dim = dims[axis]!;
    if (isExpression(dim)) sizes.expression(dim, shape[axis]!, { input: feed.input.name, axis });
  }
}

/** Checks a given shape and the sizes of its names; expressions can be checked when all inputs have told theirs. */
function bindNames(feed: ParsedFeed, shape: readonly number[], sizes: KnownSizes): number[] {
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
  let count = 1;
  for (let axis = 0; axis < shape.length; axis++) {
    const dim = input.shape[axis]!;
    count *= shape[axis]!;
    if (isExpression(dim)) continue;
    const actual = shape[axis]!;
    const expected = typeof dim === 'number' ? dim : sizes.name(dim, actual, input.name);
    if (expected !== actual) contradicts(feed, { input: input.name, dim: `${dim}`, axis, expected, actual }, sizes);
  }
  const bytes = feed.placed ? feed.placed.byteLength : data.byteLength;
  if (bytes !== byteLength(input.dtype, count)) {
    fail(input, `shape ${formatShape(shape)} takes ${amount(input.dtype, count)}, given ${data.length}`, {
      expected: count,
      actual: data.length,
    });
  }
  return shape.slice();
}

const amount = (dtype: DType, count: number): string =>
  bits[dtype] === 4 ? `${count} elements in ${byteLength(dtype, count)} bytes` : `${count} elements`;

/** Whether the elements are this many. */
const takes = ({ input, data, counts }: ParsedFeed, count: number): boolean =>
  data.byteLength === byteLength(input.dtype, count) && counts.includes(count);

function misfit({ input, data }: ParsedFeed, sizes: KnownSizes, fits: string, expected: unknown): never {
  const said = `expected ${fits} for ${describe(input)}${sizes.describe(input.shape)}, given ${data.length}`;
  fail(input, said, { expected, actual: data.length });
}

/** The shape derived from the number of elements; undefined if they leave more than one size open. */
function solve(feed: ParsedFeed, sizes: KnownSizes): number[] | undefined {
  const { input, counts } = feed;
  const { shape, dtype } = input;
  if (isStaticShape(shape)) {
    const count = countOf(shape);
    return takes(feed, count) ? shape.slice() : misfit(feed, sizes, amount(dtype, count), count);
  }
  const values = shape.map((dim) => sizes.of(dim));
  const odd = values.findIndex((size) => size !== undefined && !(Number.isSafeInteger(size) && size >= 0));
  if (odd >= 0) fail(input, `'${shape[odd]}' is ${values[odd]}${sizes.describe([shape[odd]!])}, which is no size`);
  const known = values.reduce<number>((product, size) => product * (size ?? 1), 1);
  const unknown = shape.filter((_, axis) => values[axis] === undefined) as string[];
  if (unknown.length === 0) {
    return takes(feed, known) ? (values as number[]) : misfit(feed, sizes, amount(dtype, known), known);
  }
  const lines = openLines(unknown, sizes);
  if (!lines || known === 0) return undefined;
  const found = counts.map((count) => solveProduct(lines, count / known)).filter((size) => size !== undefined);
  if (found.length === 0) {
    const isPower = lines.every(({ slope, offset }) => slope === 1 && offset === 0);
    const power =
      unknown.length === 1 ? `a multiple of ${known}` : `${known} times a number to the power of ${unknown.length}`;
    misfit(feed, sizes, `${isPower ? power : 'another number of'} elements`, shape);
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
const plain: Line = { slope: 1, offset: 0 };
const sizeOn = ({ slope, offset }: Line, x: number): number => slope * x + offset;

/** Dims of one open quantity: a name in which all are linear and grow, or one and the same expression. */
function openLines(dims: readonly string[], sizes: KnownSizes): Line[] | undefined {
  if (dims.length === 1 && !isExpression(dims[0]!)) return [plain];
  const names = [...new Set(dims.flatMap(dimNames))].filter((name) => sizes.of(name) === undefined);
  if (names.length === 1) {
    const lines = dims.map((dim) => linearIn(dim, names[0]!, sizes.names()));
    if (lines.every((line) => line !== undefined && line.slope > 0)) return lines as Line[];
  }
  return dims.every((dim) => dim === dims[0]) ? dims.map(() => plain) : undefined;
}

/** The whole number for which the lines have this product, and none is negative. There the product grows. */
function solveProduct(lines: readonly Line[], product: number): number | undefined {
  const at = (x: number) => lines.reduce((value, line) => value * sizeOn(line, x), 1);
  const least = Math.max(0, ...lines.map(({ slope, offset }) => Math.ceil(-offset / slope)));
  if (lines.length === 1) {
    const x = (product - lines[0]!.offset) / lines[0]!.slope;
    return Number.isInteger(x) && x >= least && at(x) === product ? x : undefined;
  }
  let [low, high] = [least, least + Math.ceil(product)];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (at(middle) < product) low = middle + 1;
    else high = middle;
  }
  return at(low) === product ? low : undefined;
}

function ambiguous({ input, data }: ParsedFeed, sizes: KnownSizes): never {
  const unknown = [...new Set(input.shape)].filter((dim) => sizes.of(dim) === undefined);
  fail(
    input,
    `${data.length} elements do not tell the size${unknown.length > 1 ? 's' : ''} of ${unknown.join(' and ')} in ${describe(input)}${sizes.describe(input.shape)}: give { shape, data }`,
  );
}
