import { join } from 'node:path';
import type { CudaInfo, LibraryInfo } from '../binding.js';
import { sha256 } from './hashing.js';

/** The folder of timing caches, within that of the cache. */
export const timingFolder = 'timing';

/** The file with what TensorRT measured in builds before, by this release on such a GPU. */
export function timingCacheOf(folder: string, { flavor, version }: LibraryInfo, { devices }: CudaInfo): string {
  const gpu = devices[0] ? `${devices[0].name} ${devices[0].computeCapability}` : 'none';
  return join(folder, timingFolder, `${flavor}-${version}-${sha256(gpu).slice(0, 16)}.cache`);
}
