import type { ByteSource } from '../byte-source.js';
import type { WeightDType } from '../dtype.js';

/** File formats, recognised by content. */
export type WeightFormat = 'safetensors' | 'npy' | 'npz' | 'pytorch' | 'wts' | 'wts2';

/** Most tensors, or zip members, that a file may hold. */
export const maxTensors = 1_000_000;

/** One tensor as a format's reader found it; nothing was read yet. */
export interface TensorEntry {
  name: string;
  /** Undefined where the file holds a dtype this package has no name for. */
  dtype: WeightDType | undefined;
  /** The file's own name of the dtype. */
  fileDType: string;
  shape: number[];
  /** Bytes the elements take, where that is known without a dtype. */
  byteLength?: number;
  /** Why `get` refuses it, after "is "; where it does for another reason than the dtype. */
  refusal?: string;
  /** The first tensor of the file that is this one by another name, as tied weights are. */
  tiedTo?: string;
  /** Row-major little-endian bytes; a view of the source where the file holds them so. */
  read(): Uint8Array;
}

/** What a format's reader gives. */
export interface ParsedFile {
  format: WeightFormat;
  source: ByteSource;
  tensors: TensorEntry[];
  /** The file's own strings, e.g. `__metadata__` of safetensors. */
  metadata: ReadonlyMap<string, string>;
  /** What stands at paths where no tensor is, after "is ". */
  opaque?: ReadonlyMap<string, string>;
}
