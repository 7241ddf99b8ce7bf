import { readArguments } from '../errors/boundary.js';
import { show } from '../errors/error.js';
import { checkOptions } from '../errors/options.js';
import { refuse } from '../errors/refusal.js';
import { dimNames, evaluateDim } from '../values/dim.js';
import type { InputType, ShapedFeed } from '../values/feeds.js';
import { randomElements } from '../values/random.js';

/** Options of `randomFeeds`. */
export interface RandomFeedsOptions {
  /** The same seed gives the same elements. Default 0. */
  seed?: number | undefined;
  /** Sizes of dynamic dims by name. Default 1. */
  dims?: Readonly<Record<string, number>> | undefined;
  /** The least and the most by input. Default: 0 to 1, which indices and masks may be, too. */
  ranges?: Readonly<Record<string, readonly [least: number, most: number]>> | undefined;
}

/** Inputs, or what has them: a network, a model, an engine. */
export type WithInputs = readonly InputType[] | { readonly inputs: readonly InputType[] };

/**
 * Random elements for inputs, uniform in a range. An input's elements depend on the seed and its name alone.
 * @param of a network, a model or an engine, or inputs such as `engine.inputs`
 * @throws ERR_PARAMETER for something without inputs, options of another type, or a size that is none
 */
export function randomFeeds(of: WithInputs, options: RandomFeedsOptions = {}): Record<string, ShapedFeed> {
  return readArguments('randomFeeds', [of, options], () => {
    const inputs = inputsOf(of);
    checkOptions(options, ['seed', 'dims', 'ranges'], 'randomFeeds');
    const { seed = 0, dims = {}, ranges = {} } = options;
    if (!Number.isSafeInteger(seed)) {
      refuse('randomFeeds', 'ERR_PARAMETER', `expected a whole number, given ${show(seed)}`, { option: 'seed' });
    }
    const feeds = inputs.map(({ name, dtype, shape }) => {
      const sizes = shape.map((dim) => sizeOf(name, dim, dims));
      const count = sizes.reduce((a, b) => a * b, 1);
      const data = randomElements(dtype, count, ranges[name] ?? [0, 1], seed, name);
      return [name, { dtype, shape: sizes, data }] as const;
    });
    return Object.fromEntries(feeds);
  });
}

/** @throws ERR_PARAMETER */
function inputsOf(of: unknown): readonly InputType[] {
  const inputs = Array.isArray(of) ? of : (of as { inputs?: unknown } | undefined | null)?.inputs;
  const isInput = (one: unknown) => typeof (one as InputType | null)?.name === 'string' && 'shape' in (one as object);
  if (Array.isArray(inputs) && inputs.every(isInput)) return inputs;
  const expected = 'a network, a model or an engine, or inputs such as engine.inputs';
  return refuse('randomFeeds', 'ERR_PARAMETER', `expected ${expected}, given ${show(of)}`, { actual: of });
}

function sizeOf(input: string, dim: number | string, dims: Readonly<Record<string, number>>): number {
  if (typeof dim === 'number') return dim;
  const sizes = Object.fromEntries(dimNames(dim).map((name) => [name, Object.hasOwn(dims, name) ? dims[name]! : 1]));
  const size = evaluateDim(dim, sizes);
  if (size !== undefined && Number.isSafeInteger(size) && size >= 0) return size;
  return refuse(
    'randomFeeds',
    'ERR_PARAMETER',
    `expected sizes with which ${dim} of input '${input}' is a size, given ${show(sizes)}`,
    {
      option: 'dims',
      actual: sizes,
    },
  );
}
