import type { Network } from '../../dsl/network.js';
import { shownIO } from '../../values/io-options.js';
import type { BuildCallbacks, BuildReport, HeldOptions, LibraryInfo } from '../binding.js';
import type { FoundReport } from '../cache/cached-build.js';
import { graphHash } from '../cache/graph-hash.js';
import { IsolatedBuild } from '../isolate/isolated-build.js';
import { type ChooseOptions, chooseTensorRT, cudaInfo } from '../library/find.js';
import { complete, withLowered } from '../refit/complete.js';
import { metadataOf } from '../refit/json.js';
import { type RefitPlan, refitPlanOf } from '../refit/plan.js';
import { Engine } from '../run/engine.js';
import type { EngineIO } from '../run/engine-io.js';
import { attentionMethods } from './attention.js';
import { describe, factsFrom, type NativeError } from './build-errors.js';
import { describeBuild } from './build-metadata.js';
import { withoutPlugins } from './decompose.js';
import type { BuildOptions } from './options.js';
import { compilePlugins } from './plugins.js';
import { formatsOf, type Prepared, prepare } from './prepare.js';
import { defaultRanges, elementRanges } from './profiles.js';
import { toProgram } from './program.js';
import type { LoweringReport } from './reports.js';
import { Stop } from './stop.js';
import { type KnownBuild, throughCache } from './through-cache.js';

const severities = ['internal_error', 'error', 'warning', 'info', 'verbose'] as const;

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
    list.map((one) => ({
      ...shownIO(one),
      ...(report.shapeInputs.includes(one.name) && { values: elementRanges(profiles, one.name) }),
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

/** How an isolated build is tried. */
interface Attempt {
  began: number;
  /** In a process that has built nothing before. */
  fresh?: boolean;
  /** The process is started before the cache is looked into, because it says which library loads. */
  startFirst?: boolean;
}

/** The library that the search found first does not load in the process of the build, but another one does. */
class OtherLibrary extends Error {}

async function run(prepared: Prepared, attempt: Attempt = { began: performance.now() }): Promise<Built> {
  const { began, fresh = false, startFirst = false } = attempt;
  const { library: wanted, profiles, signal, onLog, onProgress, timingCache: _, ...rest } = prepared.options;
  const { isolate, timeout, memoryLimit, cache, ...options } = rest;
  const { lowerOnly } = prepared;
  // An engine from the cache needs no process, and only the build itself needs the library loaded.
  const isSpared = isolate && cache && !lowerOnly && !startFirst;
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
    const choose = (search?: Partial<ChooseOptions>) => chooseTensorRT({ for: 'build', library: wanted, ...search });
    const library = await choose(isSpared ? { load: async (found) => found } : isolated?.search);
    stop.check();
    built = withoutPlugins(prepared, library.flavor);
    const resolved = lowerOnly && !profiles ? null : built.profiles;
    const refit = refitPlanOf(built.network, options);
    const weights = refit?.weights ?? built.network.weights;
    for (const message of warnings(built)) warn(message);
    stop.check();
    const [check, cuda] = [() => stop.check(), isSpared ? undefined : isolated?.search.cuda];
    let hash: string | undefined;
    const describeEngine = async (options: HeldOptions) => {
      hash ??= graphHash(prepared.network);
      return describeBuild(built.network, { library, cuda: await (cuda ?? cudaInfo()), options, graphHash: hash });
    };
    const plugins = await compilePlugins(built.plugins, { options, lowerOnly, cuda, onWarning: warn, check });
    stop.check();
    const hidden = [...without, ...attentionMethods(options.decomposeAttention)];
    const build = async (timingCache: Uint8Array | undefined): Promise<BuildReport> => {
      if (isSpared) {
        const loaded = await choose(isolated!.search);
        if (loaded.path !== library.path || loaded.version !== library.version) throw new OtherLibrary();
        stop.check();
      }
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
    if (error instanceof OtherLibrary) return await run(prepared, { ...attempt, startFirst: true });
    if (again) return await run(prepared, { ...attempt, fresh: true });
    throw describe(built.network.nodes, error as NativeError);
  } finally {
    if (built !== prepared) built.network.release();
    stop.dispose();
  }
}
