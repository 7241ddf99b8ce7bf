import { existsSync } from 'node:fs';
import { TensorRTError } from '../../errors/error.js';
import { suggestion } from '../../errors/nearest.js';
import type { ElementRange, EngineIO } from '../../tensorrt/run/engine-io.js';
import { countOf, dimNames, evaluateDim, formatShape } from '../../values/dim.js';
import { type DType, isFloat, viewAs } from '../../values/dtype.js';
import { encodeElements } from '../../values/elements.js';
import type { ShapedFeed } from '../../values/feed.js';
import { randomElements } from '../../values/random.js';
import { loadWeights, type Weight } from '../../weights/index.js';
import { UsageError } from './exit.js';
import { isPicture, readPicture } from './picture.js';

/** For `--input`, which may be repeated. */
export const parseInput = (text: string, before: readonly string[] = []): string[] => [...before, text];

/** What `--input` takes, for `--help`. */
export const inputHelp =
  'elements of an input: name=file.npy, name=file.safetensors[:tensor], name=picture.png or name=random[:seed]; may be repeated';

/** Feeds with their dtype and shape, by input. */
export type ReadFeeds = Record<string, ShapedFeed & { dtype: DType; shape: readonly number[] }>;

const randomForm = /^random(?::(\d+))?$/;

/**
 * Reads `name=source` for each input; those that are not named are random. The name may be left out where there is one input, and
 * `random:7` without a name is for all others.
 * - A weight file (npy, npz, safetensors, PyTorch) gives the tensor after the last colon, else the one of the input's name, else its only one. Floats are
 *   rounded to the input's dtype, and integers have to fit.
 * - A picture gives pixels of the input's size, `[…, C, H, W]` or `[…, H, W, C]`: 0 to 255 for integers, 0 to 1 for floats.
 * - `random` gives floats from 0 to below 1, and integers and bools of 0 and 1; where shapes are computed from an input's elements, those the engine was tuned
 *   for. The same seed gives the same elements; the default is 0.
 * @param dims sizes of dynamic dims by name, for what is random or a picture
 * @throws UsageError for a name or form that does not fit, ERR_FEED for elements that do not, and what reading the file throws
 */
export async function readInputs(
  args: readonly string[],
  io: readonly EngineIO[],
  dims: Readonly<Record<string, number>> = {},
): Promise<ReadFeeds> {
  const sources = new Map<string, string>();
  let others = 'random';
  for (const arg of args) {
    const [name, source] = split(arg, io);
    if (name === undefined) others = source;
    else if (sources.has(name)) throw new UsageError(`--input: '${name}' is given twice`);
    else sources.set(name, source);
  }
  const feeds: ReadFeeds = {};
  const sizes = { ...dims };
  const isRandom = (input: EngineIO) => randomForm.test(sources.get(input.name) ?? others);
  // Files come first: sizes of theirs may be those of what is random.
  for (const input of [...io].sort((a, b) => Number(isRandom(a)) - Number(isRandom(b)))) {
    const source = sources.get(input.name) ?? others;
    const feed = await read(input, source, sizes);
    learn(input, feed.shape, sizes);
    feeds[input.name] = feed;
  }
  return Object.fromEntries(io.map(({ name }) => [name, feeds[name]!]));
}

function split(arg: string, io: readonly EngineIO[]): [name: string | undefined, source: string] {
  // A name may hold an equals sign.
  const named = io.find(({ name }) => arg.startsWith(`${name}=`));
  if (named) return [named.name, arg.slice(named.name.length + 1)];
  if (randomForm.test(arg)) return [undefined, arg];
  const at = arg.indexOf('=');
  const names = io.map(({ name }) => name);
  if (at < 1 || existsSync(withoutTensor(arg))) {
    if (io.length === 1) return [io[0]!.name, arg];
    throw new UsageError(`--input: expected name=source for one of ${names.join(', ')}, given ${arg}`);
  }
  const name = arg.slice(0, at);
  throw new UsageError(
    `--input: no input is called '${name}'; there are ${names.join(', ')}${suggestion(name, names)}`,
  );
}

const withoutTensor = (source: string): string => (existsSync(source) ? source : source.replace(/:[^:]*$/, ''));

async function read(
  input: EngineIO,
  source: string,
  sizes: Readonly<Record<string, number>>,
): Promise<ReadFeeds[string]> {
  const random = randomForm.exec(source);
  if (random) return randomFeed(input, Number(random[1] ?? 0), sizes);
  if (isPicture(source)) return await readPicture(input, source, sizes);
  const file = withoutTensor(source);
  return await fileFeed(input, file, file === source ? undefined : source.slice(file.length + 1));
}

/** Notes what a feed's shape says of the sizes of dims. */
function learn({ shape }: EngineIO, given: readonly number[], sizes: Record<string, number>): void {
  for (const [axis, dim] of shape.entries())
    if (typeof dim === 'string' && dimNames(dim)[0] === dim && given[axis] !== undefined) sizes[dim] ??= given[axis];
}

/** The numbers of a shape. @throws UsageError where a size is not known */
export function shapeOf({ name, shape }: EngineIO, sizes: Readonly<Record<string, number>>): number[] {
  return shape.map((dim) => {
    const size = evaluateDim(dim, sizes);
    if (size !== undefined) return size;
    const missing = dimNames(dim).filter((one) => sizes[one] === undefined);
    throw new UsageError(
      `input '${name}' is ${formatShape(shape)}: give ${missing.map((one) => `--dims ${one}=…`).join(' ')}`,
    );
  });
}

function randomFeed(input: EngineIO, seed: number, sizes: Readonly<Record<string, number>>): ReadFeeds[string] {
  const { name, dtype, values } = input;
  const shape = shapeOf(input, sizes);
  const data = values?.[0]
    ? encodeElements(dtype, tuned(values[0], countOf(shape)))
    : randomElements(dtype, countOf(shape), [0, 1], seed, name);
  return { dtype, shape, data };
}

const tuned = ({ opt }: ElementRange, count: number): number[] =>
  Array.from({ length: count }, (_, i) => opt[i] ?? opt[0] ?? 1);

async function fileFeed(input: EngineIO, file: string, tensor: string | undefined): Promise<ReadFeeds[string]> {
  using weights = await loadWeights(file);
  const names = weights.names();
  const only = names.length === 1 ? names[0] : undefined;
  const name = tensor ?? (weights.has(input.name) ? input.name : only);
  if (name === undefined || !weights.has(name)) {
    const hint = suggestion(name ?? input.name, names);
    const form = `${file} has ${names.length} tensors, and none called '${name ?? input.name}'${hint}`;
    throw new UsageError(tensor === undefined ? `${form}; name one: ${input.name}=${file}:tensor` : form);
  }
  const converted = convert(input, weights.get(name));
  // The file is closed before the run.
  return { dtype: input.dtype, shape: [...converted.shape], data: viewAs(input.dtype, converted.bytes.slice()) };
}

function convert(input: EngineIO, weight: Weight): Weight {
  if (weight.dtype === input.dtype) return weight;
  if (isFloat(weight.dtype) && !isFloat(input.dtype)) {
    const said = `input '${input.name}': expected ${input.dtype}, given ${weight.label}, which is ${weight.dtype}`;
    throw new TensorRTError('ERR_FEED', said, { expected: input.dtype, actual: weight.dtype });
  }
  return weight.as(input.dtype);
}
