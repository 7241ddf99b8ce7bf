import { resolve } from 'node:path';
import type { Network } from '../../dsl/network.js';
import { readArguments } from '../../errors/boundary.js';
import { checkPlugins } from '../../plugin/check-profiles.js';
import { isStaticShape } from '../../values/dim.js';
import { copyOfBytes, type DType } from '../../values/dtype.js';
import type { BuildCallbacks, BuildReport, HeldLayer, HeldOptions, LibraryInfo } from '../binding.js';
import type { FoundReport } from '../cache/cached-build.js';
import { graphHash } from '../cache/graph-hash.js';
import { IsolatedBuild } from '../isolate/isolated-build.js';
import { chooseTensorRT, cudaInfo } from '../library/find.js';
import { complete, withLowered } from '../refit/complete.js';
import { metadataOf } from '../refit/json.js';
import { type RefitPlan, refitPlanOf } from '../refit/plan.js';
import { Engine, type EngineIO } from '../run/engine.js';
import { attentionMethods, withAttention } from './attention.js';
import { describe, factsFrom, type NativeError, native } from './build-errors.js';
import { describeBuild } from './build-metadata.js';
import { withoutPlugins } from './decompose.js';
import { type BuildOptions, checkOptions } from './options.js';
import { compilePlugins, type TakenPlugin, takePlugins } from './plugins.js';
import { defaultRanges, elementRanges, pointsOf, type ResolvedProfile, resolveProfiles } from './profiles.js';
import { type Taken, take, toProgram } from './program.js';
import { checkRefittable } from './refittable.js';
import { Stop } from './stop.js';
import { type KnownBuild, throughCache } from './through-cache.js';

const severities = ['internal_error', 'error', 'warning', 'info', 'verbose'] as const;

/** One output of a layer as TensorRT inferred it. */
export interface LayerReport {
  /** Name of the layer. */
  name: string;
  /** TensorRT layer kind. */
  kind: string;
  /** TensorRT's dtype. */
  dtype: DType;
  /** TensorRT's shape; -1 where it is dynamic. */
  shape: number[];
}

/** The names in a TensorRT network, as TensorRT reports them. */
export interface NetworkNames {
  /** The inputs, in TensorRT's order. */
  inputs: string[];
  /**
   * Every layer with its output tensors, in the order they were added. Includes those in loops and conditionals, and the
   * parts a layer is composed of, e.g. `loop/state0`.
   */
  layers: { name: string; outputs: string[] }[];
  /** The outputs, in TensorRT's order. */
  outputs: string[];
}

/** What `net.check()` returns. */
export interface LoweringReport {
  /** The library that took the network. */
  library: LibraryInfo;
  /** Every layer of the outermost graph and of nested graphs, in order. */
  layers: LayerReport[];
  /** TensorRT's names of all layers and tensors. */
  names: NetworkNames;
  /** What TensorRT's getters return for every layer, already compared with what was recorded. Nested layers precede the layer they are in. */
  readBack: HeldLayer[];
  /** What TensorRT's getters return for the build options, already compared with the options given. */
  options: HeldOptions;
  /** Milliseconds to create the network, without building it. */
  lowerMs: number;
}

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
function formatsOf({ inputs, outputs }: Taken): Record<string, readonly string[]> | undefined {
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

/** Builds a network into an engine; see `Network.build`. */
export async function build(net: Network, given: BuildOptions = {}): Promise<Engine> {
  const prepared = prepare(net, given);
  try {
    return await buildPrepared(prepared);
  } finally {
    prepared.network.release();
  }
}

/** Leaves the elements to whoever prepared it. */
export async function buildPrepared(prepared: Prepared): Promise<Engine> {
  const { report, library, built, log, refit, describeEngine } = await run(prepared);
  const { fromCache } = report;
  const { profiles, network } = built;
  const { inputs, outputs, nodes } = network;
  const metadata = { ...(await describeEngine(report.options)), ...metadataOf(refit) };
  const io = (list: readonly EngineIO[]) =>
    list.map(({ name, dtype, shape }) => ({
      name,
      dtype,
      shape: [...shape],
      ...(report.shapeInputs.includes(name) && { values: elementRanges(profiles, name) }),
    }));
  return new Engine({
    library,
    plan: report.plan!,
    size: report.bytes!,
    inputs: io(inputs),
    outputs: io(outputs),
    fromCache,
    ...(!fromCache && { buildMs: report.lowerMs + report.buildMs }),
    log: [...log, ...report.log],
    options: report.options,
    timingCache: report.timingCache && new Uint8Array(report.timingCache),
    metadata,
    factsOf: factsFrom(nodes),
  });
}

/** @internal TensorRT methods to treat as missing. Tests of compositions set it. */
export const without: string[] = [];

/** Creates the TensorRT network and the build configuration without building; see `Network.check`. */
export async function check(net: Network, given: BuildOptions = {}): Promise<LoweringReport> {
  const prepared = prepare(net, given, true);
  try {
    const { report, library } = await run(prepared);
    const { layers, names, readBack, options, lowerMs } = report;
    return { library, layers: layers!, names: names!, readBack: readBack!, options, lowerMs };
  } finally {
    prepared.network.release();
  }
}

/** What the caller may not expect; it goes where TensorRT's warnings go. */
function warnings({ network, options: { profiles }, lowerOnly }: Prepared): string[] {
  const ranges = profiles || lowerOnly ? undefined : defaultRanges(network.inputs);
  return ranges ? [ranges] : [];
}

interface Built {
  report: FoundReport;
  library: LibraryInfo;
  /** What TensorRT was given. */
  built: Prepared;
  /** Warnings of ours and of the compiler of kernels. */
  log: string[];
  /** Of an engine that can be refitted. */
  refit?: RefitPlan | undefined;
  /** What an engine file says of the build. */
  describeEngine: KnownBuild['describe'];
}

/** What the addon is told for a refittable engine, by TensorRT's names. */
const toldOfRefit = ({ mode, weights }: RefitPlan) =>
  mode === 'individual' ? { refitIndividual: weights.map(({ name }) => name) } : { keepConstants: true };

/** @param fresh if it is isolated: in a process that has built nothing before */
async function run(prepared: Prepared, fresh = false, began = performance.now()): Promise<Built> {
  const { library: wanted, profiles, signal, onLog, onProgress, timingCache: _, ...rest } = prepared.options;
  const { isolate, timeout, memoryLimit, cache: _cache, ...options } = rest;
  const { lowerOnly } = prepared;
  const stop = new Stop(signal);
  const log: string[] = [];
  const warn = (message: string) => {
    log.push(message);
    stop.guard('onLog', () => onLog?.({ severity: 'warning', message }));
  };
  let built = prepared;
  let isolated: IsolatedBuild | undefined;
  try {
    stop.check();
    if (isolate) {
      const limits = { timeout, memoryLimit, began };
      isolated = new IsolatedBuild(prepared.network.name, limits, (error) => stop.end(error), fresh);
      stop.cancel = () => isolated!.cancel();
    }
    const library = await chooseTensorRT({ for: 'build', library: wanted, ...isolated?.search });
    stop.check();
    built = withoutPlugins(prepared, library.flavor);
    const resolved = lowerOnly && !profiles ? null : built.profiles;
    const refit = refitPlanOf(built.network, options);
    const weights = refit?.weights ?? built.network.weights;
    for (const message of warnings(built)) warn(message);
    stop.check();
    const [check, cuda] = [() => stop.check(), isolated?.search.cuda];
    let hash: string | undefined;
    const describeEngine = async (options: HeldOptions) => {
      hash ??= graphHash(prepared.network);
      return describeBuild(built.network, { library, cuda: await (cuda ?? cudaInfo()), options, graphHash: hash });
    };
    const plugins = await compilePlugins(built.plugins, { options, lowerOnly, cuda, onWarning: warn, check });
    stop.check();
    const hidden = [...without, ...attentionMethods(options.decomposeAttention)];
    const build = async (timingCache: Uint8Array | undefined): Promise<BuildReport> => {
      const program = await toProgram({ ...built.network, weights }, isolated?.program);
      if (plugins.length > 0) program.addPlugins(plugins);
      stop.check();
      const callbacks: BuildCallbacks = {};
      if (onLog || onProgress) {
        callbacks.onEvent = (...told) =>
          stop.guard(told[0] === 'log' ? 'onLog' : 'onProgress', () => {
            if (told[0] === 'log') {
              return onLog?.({ severity: severities[told[1]] ?? 'verbose', message: told[2] });
            }
            const [event, phase, parent, step, steps] = told;
            return onProgress?.({ phase, ...(parent !== undefined && { parent }), event, step, steps });
          });
      }
      const lacking = hidden.length > 0 && { without: `,${hidden.join()},` };
      const { ignoreTimingCacheMismatch = false, ...told } = options;
      const formats = formatsOf(built.network);
      const promise = program.build(
        library.path,
        {
          ...told,
          ignoreTimingCacheMismatch,
          profiles: resolved,
          lowerOnly,
          ...(lowerOnly && { readBack: true }),
          ...(refit && toldOfRefit(refit.plan)),
          ...lacking,
          ...(formats && { formats }),
        },
        callbacks,
        timingCache,
      );
      stop.cancel = callbacks.cancel;
      return await promise;
    };
    // Elements are read while TensorRT builds.
    const completed = refit && !lowerOnly ? complete(refit.plan, weights) : undefined;
    completed?.catch(() => {});
    const report = await throughCache({
      built,
      refit: refit?.plan,
      plugins,
      library,
      cuda: () => cuda ?? cudaInfo(),
      describe: describeEngine,
      combine: isolated?.combine,
      without: hidden,
      stop,
      warn,
      build,
    });
    stop.check();
    const plan = completed && withLowered(await completed, report.constants);
    stop.check();
    isolated?.end();
    return { report, library, built, log, refit: plan, describeEngine };
  } catch (error) {
    const again = isolated?.end(error as NativeError);
    stop.check();
    if (again) return await run(prepared, true, began);
    throw describe(built.network.nodes, error as NativeError);
  } finally {
    if (built !== prepared) built.network.release();
    stop.dispose();
  }
}
