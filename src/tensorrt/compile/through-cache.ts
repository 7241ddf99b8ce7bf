import { checkMapped } from '../../dsl/snapshot.js';
import type { NativePlugin } from '../../plugin/binding.js';
import type { BuildReport, CudaInfo, HeldOptions, LibraryInfo } from '../binding.js';
import { cachedBuild, type FoundReport } from '../cache/cached-build.js';
import { cacheFolder } from '../cache/folder.js';
import { lock, unlock } from '../cache/lock.js';
import { timingCacheOf } from '../cache/timing.js';
import type { EngineMetadata } from '../files/metadata.js';
import type { RefitPlan } from '../refit/plan.js';
import { openDevice } from '../run/call-addon.js';
import type { Prepared } from './prepare.js';
import type { Stop } from './stop.js';
import { readTimingCache, storeTimingCache, type TimingCacheSource } from './timing-cache.js';

/** A build, as far as it is known before it begins. */
export interface KnownBuild {
  /** What TensorRT is given. */
  built: Prepared;
  /** Of an engine that can be refitted. */
  refit: RefitPlan | undefined;
  /** With their kernels. */
  plugins: readonly NativePlugin[];
  library: LibraryInfo;
  cuda(): Promise<CudaInfo>;
  /** What an engine file says of the build. @param options as TensorRT held them */
  describe(options: HeldOptions): Promise<EngineMetadata>;
  /** TensorRT's methods that are not to be used. */
  without: readonly string[];
  /** Puts timing caches together; default: the addon of this process. */
  combine: Parameters<typeof storeTimingCache>[0]['combine'];
  stop: Stop;
  warn(message: string): void;
  /** @param timingCache what it begins with */
  build(timingCache: Uint8Array | undefined): Promise<BuildReport>;
}

/** Builds, or takes the engine from the cache where that is asked for. Timing caches are read before and written after a build. */
export async function throughCache(known: KnownBuild): Promise<FoundReport> {
  const { built, refit, plugins, library, without, stop, warn } = known;
  const { network: graph, options, profiles, lowerOnly } = built;
  const check = () => stop.check();
  const { cache, signal } = options;
  // The lowering's constants, which a refit of all weights may have to give again, are in no entry.
  const isKept = !refit || refit.mode === 'individual';
  if (cache && !isKept)
    warn('the engine is not cached: build it with refitIndividual in place of refit or refitIdentical');
  if (!cache || lowerOnly || !isKept) return { ...(await buildTimed(known, options.timingCache)), fromCache: false };
  const folder = cache === true ? cacheFolder() : cache;
  const cuda = await known.cuda();
  // Meanwhile: an engine from the cache is usually run at once.
  if (!options.isolate) openDevice(0);
  const report = await cachedBuild({
    folder,
    ingredients: {
      graph,
      options,
      profiles,
      plugins,
      library,
      cuda,
      without,
      names: refit?.weights.map((one) => one.name),
    },
    build: () =>
      options.timingCache === undefined && !options.disableTimingCache && library.flavor !== 'rtx1'
        ? buildBeside(known, timingCacheOf(folder, library, cuda))
        : buildTimed(known, options.timingCache),
    describe: ({ options }) => known.describe(options),
    warn,
    note: (message) => stop.guard('onLog', () => options.onLog?.({ severity: 'info', message })),
    signal,
    check,
  });
  if (report.fromCache) checkMapped(graph);
  return report;
}

/** With the timing cache that the caller gave, if any. */
async function buildTimed(known: KnownBuild, source: TimingCacheSource | undefined): Promise<BuildReport> {
  const before = await readTimingCache(source);
  known.stop.check();
  const report = await known.build(before);
  if (typeof source === 'string') await store(known, source, before!, report);
  return report;
}

/** With the timing cache beside the engines. If it cannot be used, that costs time only. */
async function buildBeside(known: KnownBuild, path: string): Promise<BuildReport> {
  const { stop, warn, build } = known;
  const before = await readTimingCache(path).catch((error: Error) => {
    warn(error.message);
    return new Uint8Array(0);
  });
  stop.check();
  const { timingCache: made, ...report } = await build(before);
  try {
    const held = await lock(`${path}.lock`, { signal: known.built.options.signal, check: () => stop.check() });
    try {
      await store(known, path, before!, { ...report, ...(made && { timingCache: made }) });
    } finally {
      unlock(held);
    }
  } catch {
    // Nobody can write there: the cache itself says so.
    stop.check();
  }
  return report;
}

async function store(
  { built, library, combine, stop, warn }: KnownBuild,
  path: string,
  before: Uint8Array,
  report: BuildReport,
): Promise<void> {
  stop.check();
  if (!report.timingCache || built.lowerOnly || library.flavor === 'rtx1') return;
  const made = new Uint8Array(report.timingCache);
  const ignoreMismatch = built.options.ignoreTimingCacheMismatch ?? false;
  const failed = await storeTimingCache({ path, before, made, library: library.path, ignoreMismatch, combine });
  if (failed) warn(failed);
}
