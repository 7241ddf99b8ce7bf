import { readFile } from 'node:fs/promises';
import { readArguments } from '../../errors/boundary.js';
import { show, TensorRTError } from '../../errors/error.js';
import { checkOptions } from '../../errors/options.js';
import { refuse } from '../../errors/refusal.js';
import { copyOfBytes, isGone } from '../../values/dtype.js';
import { reasonOf } from '../../write-file.js';
import { binding } from '../binding.js';
import { chooseTensorRT } from '../library/find.js';
import { callAddon } from '../run/call-addon.js';
import { writeTimingCache } from '../run/write-timing-cache.js';

/** As `BuildOptions.timingCache`. */
export type TimingCacheSource = string | Uint8Array | true;

/** A file's bytes; none if there is no file. @throws ERR_TIMING_CACHE */
async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return new Uint8Array(0);
    throw new TensorRTError('ERR_TIMING_CACHE', `could not read the timing cache ${path}: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

/** The serialized timing cache that a build begins with; undefined for none. @throws ERR_TIMING_CACHE */
export async function readTimingCache(source: TimingCacheSource | undefined): Promise<Uint8Array | undefined> {
  if (source === true) return new Uint8Array(0);
  return typeof source === 'string' ? await bytesOf(source) : source;
}

/** Options of `combineTimingCaches`. */
export interface CombineOptions {
  /** Path of the TensorRT library that combines them, or a flavor; default: the best one that builds here. */
  library?: string | undefined;
  /** Combine caches of GPUs with different properties, whose times may be wrong for each other. */
  ignoreMismatch?: boolean | undefined;
}

async function combined(caches: Uint8Array[], library: string, ignoreMismatch: boolean): Promise<Uint8Array> {
  return new Uint8Array(await callAddon(() => binding().combineTimingCaches(library, caches, ignoreMismatch)));
}

/**
 * One timing cache of several: for an entry that is in more than one, the first counts.
 * @param caches files, or bytes such as `engine.timingCache`
 * @throws ERR_TIMING_CACHE if one cannot be read, or is another GPU's or release's; ERR_PARAMETER, ERR_LIBRARY_NOT_FOUND
 */
export async function combineTimingCaches(
  caches: readonly (string | Uint8Array)[],
  options: CombineOptions = {},
): Promise<Uint8Array> {
  const method = 'combineTimingCaches';
  const { list, library, ignoreMismatch } = readArguments(method, [caches, options], () => {
    checkOptions(options, ['library', 'ignoreMismatch'], method);
    const { library, ignoreMismatch = false } = options;
    if (typeof ignoreMismatch !== 'boolean') {
      refuse(method, 'ERR_PARAMETER', `expected true or false, given ${show(ignoreMismatch)}`, {
        option: 'ignoreMismatch',
      });
    }
    if (!Array.isArray(caches) || caches.length === 0) {
      refuse(method, 'ERR_PARAMETER', `expected a list of timing caches, given ${show(caches)}`);
    }
    const list = caches.map((one: unknown, i) => {
      if (typeof one === 'string' && one !== '') return one;
      if (one instanceof Uint8Array && !isGone(one)) return copyOfBytes(one);
      return refuse(method, 'ERR_PARAMETER', `expected a path or a Uint8Array, given ${show(one)}`, { option: `${i}` });
    });
    return { list, library, ignoreMismatch };
  });
  const found = await chooseTensorRT({ for: 'build', library });
  const bytes = await Promise.all(list.map((one) => (typeof one === 'string' ? readExisting(one) : one)));
  return combined(bytes, found.path, ignoreMismatch);
}

async function readExisting(path: string): Promise<Uint8Array> {
  const bytes = await bytesOf(path);
  if (bytes.length === 0) throw new TensorRTError('ERR_TIMING_CACHE', `the timing cache ${path} is missing or empty`);
  return bytes;
}

export interface MadeCache {
  path: string;
  /** What the build began with. */
  before: Uint8Array;
  /** What it made. */
  made: Uint8Array;
  library: string;
  ignoreMismatch: boolean;
  /** Combines caches in the process that built; default: in this one. */
  combine?: typeof combined | undefined;
}

/**
 * Puts what a build measured into its file, beside what another build has put there since.
 * @returns why it could not; the build itself is done
 */
export async function storeTimingCache({
  path,
  before,
  made,
  library,
  ignoreMismatch,
  combine = combined,
}: MadeCache): Promise<string | undefined> {
  try {
    const now = await bytesOf(path);
    if (Buffer.compare(now, made) === 0) return undefined;
    const isOthers = now.length > 0 && Buffer.compare(now, before) !== 0;
    // Bytes that TensorRT does not take are replaced.
    const bytes = isOthers ? await combine([made, now], library, ignoreMismatch).catch(() => made) : made;
    await writeTimingCache(path, bytes);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
