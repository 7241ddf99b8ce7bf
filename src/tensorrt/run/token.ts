import type { LibraryInfo } from '../binding.js';
import type { EngineMetadata } from '../files/metadata.js';
import type { EngineIO } from './engine-io.js';

export const tokenFormat = 'node-tensorrt engine';

/** An engine of this process, for `loadEngine` in another worker thread; see `Engine.share`. Plain data. */
export interface EngineToken {
  /** Says what the object is. */
  format: typeof tokenFormat;
  /** Names the engine within the process. */
  token: string;
  /** The library that runs it. */
  library: LibraryInfo;
  /** Bytes of the plan. */
  size: number;
  /** CUDA's index of its GPU. */
  device: number;
  /** Its inputs. */
  inputs: readonly EngineIO[];
  /** Its outputs. */
  outputs: readonly EngineIO[];
  /** What its file says about it. */
  metadata?: EngineMetadata | undefined;
}

export const isToken = (value: unknown): value is EngineToken =>
  typeof value === 'object' && value !== null && (value as EngineToken).format === tokenFormat;
