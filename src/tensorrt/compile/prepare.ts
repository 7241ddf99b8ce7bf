import { resolve } from 'node:path';
import type { Network } from '../../dsl/network.js';
import { readArguments } from '../../errors/boundary.js';
import { checkPlugins } from '../../plugin/check-profiles.js';
import { isStaticShape } from '../../values/dim.js';
import { copyOfBytes } from '../../values/dtype.js';
import { withAttention } from './attention.js';
import { native } from './build-errors.js';
import { type BuildOptions, checkOptions } from './options.js';
import { type TakenPlugin, takePlugins } from './plugins.js';
import { pointsOf, type ResolvedProfile, resolveProfiles } from './profiles.js';
import { type Taken, take } from './program.js';
import { checkRefittable } from './refittable.js';

/** What a build takes from its caller, who may change network, arrays and options as soon as the call has returned. */
export interface Prepared {
  network: Taken;
  options: BuildOptions;
  profiles: ResolvedProfile[];
  /** Layers of definitions of the caller's. */
  plugins: TakenPlugin[];
  /** Creates the network only. */
  lowerOnly: boolean;
}

/** A copy that the caller cannot change. Paths are from the working directory at the call. */
function ownOptions(given: BuildOptions): BuildOptions {
  const { pluginsToSerialize, timingCache: timing, ...options } = given;
  for (const [name, value] of Object.entries(options)) {
    if (Array.isArray(value) && name !== 'profiles') Object.assign(options, { [name]: [...value] });
  }
  const { memoryPools, previewFeatures } = options;
  const timingCache =
    typeof timing === 'string' ? resolve(timing) : timing instanceof Uint8Array ? copyOfBytes(timing) : timing;
  return {
    ...options,
    ...(memoryPools && { memoryPools: present(memoryPools) }),
    ...(previewFeatures && { previewFeatures: present(previewFeatures) }),
    ...(pluginsToSerialize && { pluginsToSerialize: pluginsToSerialize.map((path) => resolve(path)) }),
    ...(timingCache !== undefined && { timingCache }),
    ...(typeof options.cache === 'string' && { cache: resolve(options.cache) }),
  };
}

/** Without entries that are undefined. */
const present = <T extends object>(entries: T): T =>
  Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as T;

/** The formats of inputs and outputs that say so, by name. */
export function formatsOf({ inputs, outputs }: Taken): Record<string, readonly string[]> | undefined {
  const given = [...inputs, ...outputs].flatMap(({ name, formats }) => (formats ? [[name, formats] as const] : []));
  return given.length > 0 ? Object.fromEntries(given) : undefined;
}

/** Whether no input has a dynamic dim. */
const isStatic = ({ inputs }: Taken): boolean => inputs.every(({ shape }) => isStaticShape(shape));

/** Reads all that a build needs. */
export function prepare(net: Network, given: BuildOptions = {}, lowerOnly = false): Prepared {
  const options = readArguments('build options', [given], () => ownOptions(checkOptions(given)), 'ERR_BUILD_OPTION');
  const network = withAttention(
    native(() => take(net, options.isolate)),
    options.decomposeAttention,
  );
  checkRefittable(network, options.refitIndividual);
  const plugins = takePlugins(network);
  const ranges = () => resolveProfiles(network, options.profiles);
  // A check does not need profiles: it uses no ranges of dims.
  const profiles =
    lowerOnly && !options.profiles ? [] : readArguments('build options', [given], ranges, 'ERR_BUILD_OPTION');
  if (!lowerOnly || options.profiles || isStatic(network)) {
    const points = pointsOf(network, options.profiles, profiles);
    checkPlugins(plugins, network.tensorOf, points);
  }
  return { network, options, profiles, plugins, lowerOnly };
}
