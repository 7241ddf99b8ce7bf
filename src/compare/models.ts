import { show } from '../errors/error.js';
import { suggestion } from '../errors/nearest.js';
import { checkOptions } from '../errors/options.js';
import { refuse } from '../errors/refusal.js';
import type { Feeds, InputType } from '../values/feeds.js';
import { bisect } from './bisect.js';
import type { Bisection, Half } from './bisection.js';
import { depthsOf } from './depth.js';
import { type RandomFeedsOptions, randomFeeds } from './feeds.js';
import {
  type CompareResultsOptions,
  type Comparison,
  compareAll,
  compareOptionNames,
  readCompareOptions,
} from './results.js';
import { type OpenSide, openSide, runNetwork, type Side } from './sides.js';
import { type Depth, defaultThresholds, roundoffs } from './thresholds.js';

/** Options of `compareModels`. */
export interface CompareModelsOptions extends CompareResultsOptions, RandomFeedsOptions {
  /** What both sides run on. Inputs without one get random elements, see `randomFeeds`. */
  feeds?: Feeds | undefined;
  /** Where the sides, which have to be networks, differ: find the first layer that does. */
  bisect?: boolean | undefined;
  /** Called before each run, with what it is for. */
  onStep?: ((text: string) => void) | undefined;
}

/** What `compareModels` found. */
export interface ModelComparison extends Comparison {
  /** What both sides ran on, by input. */
  feeds: Feeds;
  /** With `bisect`, if they differ. */
  bisection?: Bisection | undefined;
}

const optionNames = [...compareOptionNames, 'seed', 'dims', 'ranges', 'feeds', 'bisect', 'onStep'];

/**
 * Runs two sides on the same feeds and compares what they return; A is the reference. A side is a network, which is compiled, an
 * engine, a model, or stored outputs. See `compareResults`; the depth of networks is known.
 * @throws ERR_INPUT if a side is nothing that can be compared, ERR_PARAMETER, ERR_COMPARE if nothing can be bisected, and
 *   what compiling and running throws
 */
export async function compareModels(a: Side, b: Side, options: CompareModelsOptions = {}): Promise<ModelComparison> {
  checkOptions(options, optionNames, 'compareModels');
  const { feeds: given = {}, bisect: wantsBisect = false, onStep, seed, dims, ranges } = options;
  const { thresholdsOf, depth } = readCompareOptions(options, 'compareModels');
  if (typeof given !== 'object' || given === null) {
    refuse('compareModels', 'ERR_PARAMETER', `expected feeds by input, given ${show(given)}`, { option: 'feeds' });
  }
  const [left, right] = [openSide(a, 'a'), openSide(b, 'b')];
  if (wantsBisect && !(left.network && right.network)) {
    refuse('compareModels', 'ERR_COMPARE', 'expected two networks: engines and stored outputs cannot be cut', {
      option: 'bisect',
    });
  }
  const inputs = inputsOf(left, right);
  const names = inputs.map(({ name }) => name);
  for (const odd of Object.keys(given)) {
    if (names.includes(odd)) continue;
    refuse('compareModels', 'ERR_FEED', `neither side has an input '${odd}'${suggestion(odd, names)}`, {
      option: 'feeds',
    });
  }
  const random = randomFeeds(
    inputs.filter(({ name }) => !Object.hasOwn(given, name)),
    { seed, dims, ranges },
  );
  const feeds: Feeds = { ...random, ...given };
  onStep?.('A');
  const wanted = await left.run(feedsFor(left, feeds));
  onStep?.('B');
  const found = await right.run(feedsFor(right, feeds));
  const tf32 = left.tf32 || right.tf32 ? { roundoff: roundoffs.tf32! } : {};
  const known = depthOf(left, right);
  const compared = compareAll(wanted, found, (output, dtypes) => {
    const own = known(output);
    const roundoff = Math.max(own.roundoff ?? 0, tf32.roundoff ?? 0);
    return thresholdsOf(output) ?? defaultThresholds(dtypes, { ...own, roundoff, ...depth });
  });
  const result: ModelComparison = { ...compared, feeds };
  if (!wantsBisect || compared.agrees) return result;
  const bisection = await bisect(halfOf(left), halfOf(right), feeds, {
    thresholdsOf,
    depth: { ...tf32, ...depth },
    onStep,
  });
  return { ...result, bisection };
}

/** The inputs of both; those of one name have to have one dtype. */
function inputsOf(a: OpenSide, b: OpenSide): InputType[] {
  const inputs = new Map<string, InputType>();
  for (const input of [...(a.inputs ?? []), ...(b.inputs ?? [])]) {
    const known = inputs.get(input.name);
    if (!known) inputs.set(input.name, input);
    else if (known.dtype !== input.dtype) {
      refuse(
        'compareModels',
        'ERR_COMPARE',
        `input '${input.name}' is ${known.dtype} in A, ${input.dtype} in B: their feeds cannot be the same`,
      );
    }
  }
  return [...inputs.values()];
}

/** What a side takes. */
function feedsFor({ inputs }: OpenSide, feeds: Feeds): Feeds {
  if (!inputs) return {};
  return Object.fromEntries(inputs.map(({ name }) => [name, feeds[name]!]));
}

function halfOf({ network }: OpenSide): Half {
  const { network: whole, options } = network!;
  return { network: whole, run: (part, feeds) => runNetwork(part, options, feeds) };
}

/** The depth of an output, of the network that is deeper. */
function depthOf(...sides: readonly OpenSide[]): (output: string) => Partial<Depth> {
  const known = sides.flatMap(({ network }) => {
    if (!network) return [];
    const depths = depthsOf(network.network);
    return [new Map(network.network.outputs.map(({ name, tensor }) => [name, depths.get(tensor.id)!]))];
  });
  return (output) => {
    const depths = known.flatMap((one) => one.get(output) ?? []);
    if (depths.length === 0) return {};
    const most = (key: keyof Depth) => Math.max(...depths.map((one) => one[key]));
    return { layers: most('layers'), terms: most('terms'), roundoff: most('roundoff') };
  };
}
