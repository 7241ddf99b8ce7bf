import type { LibraryInfo } from '../binding.js';
import type { EngineMetadata } from '../files/metadata.js';
import type { EngineIO } from './engine-io.js';

export const tokenFormat = 'node-tensorrt engine';

/** An engine of this process, for `loadEngine` in another worker thread; see `Engine.share`. Plain data. */
export interface EngineToken {
  format: typeof tokenFormat;
  token: string;
  library: LibraryInfo;
  size: number;
  device: number;
  inputs: readonly EngineIO[];
  outputs: readonly EngineIO[];
  metadata?: EngineMetadata | undefined;
}

export const isToken = (value: unknown): value is EngineToken =>
  typeof value === 'object' && value !== null && (value as EngineToken).format === tokenFormat;
