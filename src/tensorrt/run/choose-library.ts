import { TensorRTError } from '../../errors/error.js';
import { pluginBinding } from '../../plugin/binding.js';
import type { LibraryInfo } from '../binding.js';
import type { EnginePlugin } from '../files/metadata.js';
import { type Here, likelyReason, mismatchOf, missingPlugins } from '../files/mismatch.js';
import type { OpenedEngine } from '../files/open.js';
import { chooseTensorRT, cudaInfo, findTensorRT } from '../library/find.js';
import { callAddon } from './call-addon.js';

/**
 * The library that loads an engine: the best one found, or if that one cannot and the caller named none, the release that built it.
 * @throws ERR_LIBRARY_NOT_FOUND, ERR_ENGINE_MISMATCH if library or GPU are known not to run it, ERR_PLUGIN_MISSING if it needs plugins that
 *   nobody has
 */
export async function libraryFor(engine: OpenedEngine, wanted: string | undefined, device = 0): Promise<LibraryInfo> {
  const gpu = (await cudaInfo()).devices[device];
  const best = await chooseTensorRT({ for: 'run', ...(wanted !== undefined && { library: wanted }) });
  let library = best;
  let mismatch = mismatchOf(engine.name, engine, { library, gpu });
  if (mismatch && wanted === undefined && !process.env.NODE_TENSORRT_LIBRARY) {
    const other = await builderOf(engine, best);
    if (other) {
      library = other;
      mismatch = mismatchOf(engine.name, engine, { library, gpu });
    }
  }
  if (mismatch) throw mismatch;
  const missing = missingPlugins(engine.name, await lackedPlugins(engine, library));
  if (missing) throw missing;
  return library;
}

/** The release that built an engine, if it is installed beside another one. */
async function builderOf({ metadata }: OpenedEngine, other: LibraryInfo): Promise<LibraryInfo | undefined> {
  const built = metadata?.library;
  if (!built) return undefined;
  const found = await findTensorRT();
  const path = found.find(
    (one) =>
      one.usableFor.run && one.flavor === built.flavor && one.version === built.version && one.path !== other.path,
  )?.path;
  return path === undefined ? undefined : await chooseTensorRT({ for: 'run', library: path });
}

/** Plugins of libraries that TensorRT's registry does not have. */
async function lackedPlugins({ metadata }: OpenedEngine, { flavor, path }: LibraryInfo): Promise<EnginePlugin[]> {
  const needed = metadata?.plugins?.filter(({ code }) => code === 'library') ?? [];
  if (needed.length === 0 || flavor === 'rtx1') return [];
  const creators = await callAddon(() => pluginBinding().pluginCreators(path));
  return needed.filter(
    ({ name, version, namespace }) =>
      !creators.some((one) => one.name === name && one.version === version && one.namespace === namespace),
  );
}

/** Completes TensorRT's refusal by what the plan says of itself. */
export function explain(engine: OpenedEngine, library: Here['library'], error: unknown): never {
  const reason =
    error instanceof TensorRTError && error.code === 'ERR_ENGINE' && likelyReason(engine, { library, gpu: undefined });
  if (!reason) throw error;
  // The cause has the message without TensorRT's lines, which are added again.
  const { code, log, tensorrtCode, cause } = error;
  throw new TensorRTError(code, `${(cause as Error).message}; ${reason}`, { log, tensorrtCode, cause });
}
