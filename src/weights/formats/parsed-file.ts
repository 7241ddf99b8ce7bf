import type { ByteSource } from '../byte-source.js';
import type { WeightDType } from '../dtype.js';

/** File formats, recognised by content. */
export type WeightFormat = 'safetensors' | 'npy' | 'npz' | 'pytorch' | 'wts' | 'wts2';

/** The most tensors, or zip members, a file may hold. */
export const maxTensors = 1_000_000;

/** One tensor as a format's reader found it. Its elements have not been read. */
export interface TensorEntry {
  name: string;
  /** Undefined if this package has no name for the file's dtype. */
  dtype: WeightDType | undefined;
  /** The file's own name of the dtype. */
  fileDType: string;
  shape: readonly number[];
  /** Bytes the elements take, if known without a dtype. */
  byteLength?: number;
  /** Why `get` refuses it, after "is ", if not for its dtype. */
  refusal?: string;
  /** For tied weights: the first name of the same tensor in the file. */
  tiedTo?: string;
  /** Row-major little-endian bytes: a view of the source if the file holds them that way, else a copy. */
  read(): Uint8Array;
}

/** A file as its format's reader found it. */
export interface ParsedFile {
  format: WeightFormat;
  source: ByteSource;
  tensors: TensorEntry[];
  /** The file's own strings, e.g. `__metadata__` of safetensors. */
  metadata: ReadonlyMap<string, string>;
  /** What is at a path without a tensor, after "is ". */
  opaque?: (path: string) => string | undefined;
}
