import { createRequire } from 'node:module';
import { TensorRTError } from '../dsl/errors.js';

/** Binary interface of a TensorRT library: `trt10` = libnvinfer 10, `trt11` = libnvinfer 11, `rtx1` = TensorRT-RTX 1. */
export type Flavor = 'trt10' | 'trt11' | 'rtx1';

export interface LibraryInfo {
  /** Real path of the library that was loaded. */
  path: string;
  flavor: Flavor;
  /** As the library says, e.g. `10.6.0`. */
  version: string;
}

export interface CudaDevice {
  name: string;
  /** e.g. `9.0` */
  computeCapability: string;
  /** bytes */
  totalMemory: number;
}

export interface CudaInfo {
  /** CUDA version the driver supports, e.g. `13.0`; null where no driver could be loaded. */
  driver: string | null;
  devices: CudaDevice[];
  /** Why there is no driver or no device. */
  error?: string;
}

/** A mapped file. Pages that vanish because the file shrank read as zero; see `intact`. */
export interface FileMapping {
  /** bytes */
  readonly size: number;
  /** The bytes themselves, not a copy. Writes stay in memory. At most `buffer.constants.MAX_LENGTH` bytes at a time. */
  view(offset: number, length: number): ArrayBuffer;
  /** False once the file became shorter than it was, or a page could not be read. */
  intact(): boolean;
  /** Detaches all views; the pages go as soon as no build uses them. */
  close(): void;
}

/** What the addon exports; nothing else in src/ knows the .node file. */
export interface NativeBinding {
  /** Loads a TensorRT library (kept loaded). Throws with `code` ERR_LIBRARY_NOT_FOUND, ERR_LIBRARY_INVALID or ERR_LIBRARY_REFUSED. */
  loadLibrary(path: string): LibraryInfo;
  /** What the driver API says; never throws. */
  cudaInfo(): CudaInfo;
  /** Maps a regular file copy-on-write. Throws with `code` ERR_WEIGHTS_FILE. */
  mapFile(path: string): FileMapping;
  /**
   * Converts `count` elements between weight dtypes (by name, 4-bit types packed low nibble first), vectorised, on all
   * cores. Floats round to nearest even. Returns the index of the first element an integer `to` cannot hold, or -1.
   */
  convert(source: Uint8Array, from: string, target: Uint8Array, to: string, count: number): number;
  /** CRC-32 as in zip. */
  crc32(bytes: Uint8Array): number;
}

let loaded: NativeBinding | undefined;

/** The compiled addon. Throws ERR_ADDON_MISSING when it has not been compiled. */
export function binding(): NativeBinding {
  if (loaded) return loaded;
  const require = createRequire(import.meta.url);
  const path = new URL('../../build/Release/node_tensorrt.node', import.meta.url).pathname;
  try {
    loaded = require(path) as NativeBinding;
  } catch (cause) {
    throw new TensorRTError(
      'ERR_ADDON_MISSING',
      `The native addon could not be loaded from ${path}; compile it with: npm run build`,
      { cause },
    );
  }
  return loaded;
}
