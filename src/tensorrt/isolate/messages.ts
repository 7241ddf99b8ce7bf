import type { NativePlugin } from '../../plugin/binding.js';
import type { DType } from '../../values/dtype.js';
import type { BuildReport, CudaInfo, LibraryInfo } from '../binding.js';

/** A weight whose elements the child maps: `mapping` counts the mappings of the build in the order in which they were sent. */
export interface SentWeight {
  name?: string | undefined;
  dtype: DType;
  shape: readonly number[];
  mapping: number;
  /** bytes */
  offset: number;
  length: number;
}

/** What a child is told. It answers `load`, `plugins`, `build` and `combine`; the others belong to the build that follows. */
export type Request =
  | { do: 'load'; path: string }
  | { do: 'plugins'; library: string; paths: readonly (string | null)[] }
  | { do: 'program'; name: string }
  /** One waits in the channel. */
  | { do: 'map' }
  | { do: 'weights'; weights: readonly SentWeight[] }
  | { do: 'graph'; bytes: Uint8Array }
  | { do: 'kernels'; plugins: readonly NativePlugin[] }
  | { do: 'build'; library: string; options: object; listens: boolean; timingCache?: Uint8Array | undefined }
  | { do: 'combine'; library: string; caches: readonly Uint8Array[]; ignoreMismatch: boolean }
  | { do: 'cancel' };

/** An error of the addon: its message and its own properties. */
export interface SentError {
  message: string;
  facts: Readonly<Record<string, unknown>>;
}

/** What a child says. Events come while it builds, all else is the answer to a request, or the first message. */
export type Reply =
  | { is: 'ready'; cuda: CudaInfo }
  | { is: 'loaded'; library: LibraryInfo }
  | { is: 'done' }
  | { is: 'combined'; cache: ArrayBuffer }
  | { is: 'event'; args: readonly unknown[] }
  /** With a plan, which waits in the channel, if there is one. */
  | { is: 'built'; report: Omit<BuildReport, 'plan'>; hasPlan: boolean }
  | { is: 'failed'; error: SentError };
