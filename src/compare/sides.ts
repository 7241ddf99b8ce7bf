import type { Network } from '../dsl/network.js';
import { Network as NetworkClass } from '../dsl/network.js';
import { show } from '../errors/error.js';
import { refuse } from '../errors/refusal.js';
import { type CompileOptions, compile, Model } from '../model.js';
import type { Profile } from '../tensorrt/compile/profiles.js';
import { Engine } from '../tensorrt/run/engine.js';
import { dimNames } from '../values/dim.js';
import type { Feeds, InputType } from '../values/feeds.js';
import { Weights } from '../weights/index.js';
import type { ComparedResults } from './tensors.js';

/** A network, and where it runs. */
export interface NetworkSide {
  /** The network, which is compiled for the comparison. */
  network: Network;
  /** Options of `compile`: the backend, and how to build. */
  options?: CompileOptions | undefined;
}

/** What can be compared: what runs, or stored outputs by name. */
export type Side = Network | NetworkSide | Engine | Model | Weights | ComparedResults;

/** @internal A side as it was given, made ready. */
export interface OpenSide {
  /** Undefined for stored outputs. */
  inputs?: readonly InputType[] | undefined;
  network?: NetworkSide | undefined;
  /** TF32 may round the products of this side. */
  tf32: boolean;
  run(feeds: Feeds): Promise<ComparedResults>;
}

const asNetwork = (side: unknown): NetworkSide | undefined => {
  if (side instanceof NetworkClass) return { network: side };
  const { network } = (side ?? {}) as Partial<NetworkSide>;
  return network instanceof NetworkClass ? (side as NetworkSide) : undefined;
};

/** @internal @throws ERR_INPUT */
export function openSide(side: Side, name: 'a' | 'b'): OpenSide {
  const given = asNetwork(side);
  if (given) {
    const { network, options } = given;
    const run = (feeds: Feeds) => runNetwork(network, options, feeds);
    return { inputs: network.inputs, network: given, tf32: options?.backend !== 'cpu' && options?.tf32 !== false, run };
  }
  if (side instanceof Engine) {
    return { inputs: side.inputs, tf32: side.options?.tf32 !== false, run: (feeds) => side.run(feeds) };
  }
  if (side instanceof Model) {
    return { inputs: side.inputs, tf32: side.backend === 'tensorrt', run: (feeds) => side.run(feeds) };
  }
  if (side instanceof Weights) {
    const stored = Object.fromEntries(side.names().map((one) => [one, side.get(one)]));
    return { tf32: false, run: async () => stored };
  }
  if (typeof side !== 'object' || side === null || Array.isArray(side) || ArrayBuffer.isView(side)) {
    refuse(
      'compareModels',
      'ERR_INPUT',
      `expected a network, an engine, a model or stored outputs, given ${show(side)}`,
      {
        option: name,
      },
    );
  }
  return { tf32: false, run: async () => side as ComparedResults };
}

/** @internal Prepares a network, or a part of one, and runs it once. */
export async function runNetwork(
  network: Network,
  options: CompileOptions | undefined,
  feeds: Feeds,
): Promise<ComparedResults> {
  using model = await compile(network, { ...options, ...profilesFor(network, options, feeds) });
  return await model.run(feeds);
}

/** The profiles for a part of a network: ranges of the dims that it has, and the sizes of the feeds for those that are new. */
function profilesFor({ inputs }: Network, options: CompileOptions | undefined, feeds: Feeds): { profiles?: Profile[] } {
  const names = new Set(inputs.flatMap(({ shape }) => shape.flatMap(dimNames)));
  if (options?.backend === 'cpu' || names.size === 0) return {};
  const sizes = sizesOf(inputs, feeds);
  const given = options?.profiles ?? [{}];
  const known = (profile: Profile) =>
    Object.entries(profile).filter(([name]) => names.has(name) || inputs.some((one) => one.name === name));
  const open = (profile: Profile) => Object.entries(sizes).filter(([name]) => !Object.hasOwn(profile, name));
  return { profiles: given.map((profile) => Object.fromEntries([...known(profile), ...open(profile)])) };
}

function sizesOf(inputs: readonly InputType[], feeds: Feeds): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const { name, shape } of inputs) {
    const given = (feeds[name] as { shape?: readonly number[] } | undefined)?.shape;
    for (const [axis, dim] of shape.entries()) {
      if (typeof dim === 'string' && dimNames(dim)[0] === dim && given?.[axis] !== undefined)
        sizes[dim] ??= given[axis];
    }
  }
  return sizes;
}
