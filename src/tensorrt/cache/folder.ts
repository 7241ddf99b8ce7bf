import { join, resolve } from 'node:path';
import { TensorRTError } from '../../errors/error.js';
import { cacheDir, type Env } from '../../machine/search.js';
import { reasonOf } from '../../write-file.js';
import { parseSize } from './amounts.js';

const defaultLimit = 10e9;
const limitName = 'NODE_TENSORRT_CACHE_LIMIT';

/** The folder that `cache: true` means: `engines` beside what `node-tensorrt install` fetched. */
export const cacheFolder = (env: Env = process.env): string => resolve(join(cacheDir(env), 'engines'));

/**
 * Most bytes that engines take in a cache: NODE_TENSORRT_CACHE_LIMIT, such as `5GB`, else 10 GB.
 * @throws ERR_BUILD_OPTION if that is no size
 */
export function cacheLimit(env: Env = process.env): number {
  const given = env[limitName];
  if (given === undefined || given === '') return defaultLimit;
  const bytes = parseSize(given);
  if (bytes !== undefined) return bytes;
  throw new TensorRTError('ERR_BUILD_OPTION', `${limitName}: expected a size such as 5GB, given '${given}'`, {
    option: limitName,
    actual: given,
  });
}

/** Does something with a cache for its own sake. @throws ERR_CACHE with what the system says */
export async function usingCache<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).errno === undefined) throw error;
    throw new TensorRTError('ERR_CACHE', `the cache in ${folder} cannot be used: ${reasonOf(error)}`, { cause: error });
  }
}
