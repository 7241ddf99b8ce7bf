import { readArguments } from '../errors/boundary.js';
import { TensorRTError } from '../errors/error.js';
import { suggestion } from '../errors/nearest.js';
import { copyOfBytes, viewAs } from './dtype.js';
import { describe, type Feeds, fail, given, type InputType, type ParsedFeed, type ResolvedFeed } from './feed.js';
import { parseFeed } from './feed-elements.js';
import { findSizes } from './feed-shapes.js';
import { KnownSizes } from './sizes.js';

export type { Feed, Feeds, InputType, ResolvedFeed, ShapedFeed } from './feed.js';

/** Checked feeds, and the sizes of the names in their shapes. */
interface Resolved {
  feeds: ResolvedFeed[];
  sizes: Readonly<Record<string, number>>;
}

/**
 * Checks feeds against a network's inputs and derives the sizes of named dims, first from given shapes, then from lengths, where only
 * one is open. Expressions over names are checked.
 * Returns inputs in the network's order, with data that no other thread or process can change.
 * @throws ERR_FEED, naming the input, what was expected and what was given
 */
export function resolveFeeds(inputs: readonly InputType[], feeds: Feeds): Resolved {
  return readArguments('run', [feeds], () => resolve(inputs, feeds), 'ERR_FEED');
}

function resolve(inputs: readonly InputType[], feeds: Feeds): Resolved {
  checkNames(inputs, feeds);
  const parsed = inputs.map((input) => parseFeed(input, feeds[input.name]!));
  const sizes = new KnownSizes();
  findSizes(parsed, sizes);
  return { feeds: parsed.map(resolved), sizes: sizes.names() };
}

const resolved = ({ input, sizes, data, isOwn, placed }: ParsedFeed): ResolvedFeed => ({
  name: input.name,
  dtype: input.dtype,
  shape: sizes!,
  data,
  isOwn,
  placed,
});

/** The feed with elements that nobody else has: a copy, unless it has them already. */
export const ownFeed = (feed: ResolvedFeed): ResolvedFeed =>
  feed.isOwn ? feed : { ...feed, data: viewAs(feed.dtype, copyOfBytes(feed.data)), isOwn: true };

function checkNames(inputs: readonly InputType[], feeds: Feeds): void {
  if (typeof feeds !== 'object' || feeds === null || Array.isArray(feeds) || ArrayBuffer.isView(feeds)) {
    throw new TensorRTError('ERR_FEED', `expected an object with the inputs ${listed(inputs)}, given ${given(feeds)}`);
  }
  const names = Object.keys(feeds);
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    if (inputs[i]?.name !== name && !inputs.some((input) => input.name === name)) unknownName(name, inputs);
  }
  for (const input of inputs) {
    if (!Object.hasOwn(feeds, input.name) || feeds[input.name] === undefined) {
      fail(input, `it is missing; expected ${describe(input)}`);
    }
  }
}

const listed = (inputs: readonly InputType[]): string => inputs.map(({ name }) => `'${name}'`).join(', ') || 'none';

function unknownName(name: string, inputs: readonly InputType[]): never {
  const names = inputs.map((input) => input.name);
  const hint = suggestion(name, names) || `; the inputs are ${listed(inputs)}`;
  throw new TensorRTError('ERR_FEED', `the network has no input '${name}'${hint}`, { expected: names, actual: name });
}
