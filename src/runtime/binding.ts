import { createRequire } from 'node:module';
import { TensorRTError } from '../dsl/errors.js';
import type { DType } from '../dsl/dtype.js';

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

/** What the addon exports; nothing else in src/ knows the .node file. */
export interface NativeBinding {
  /** Loads a TensorRT library (kept loaded). Throws with `code` ERR_LIBRARY_NOT_FOUND, ERR_LIBRARY_INVALID or ERR_LIBRARY_REFUSED. */
  loadLibrary(path: string): LibraryInfo;
  /** What the driver API says; never throws. */
  cudaInfo(): CudaInfo;
  /** Maps a file copy-on-write. The buffer stays valid if the file shrinks (missing pages read as zero; see mappingIntact). */
  mapFile(path: string): ArrayBuffer;
  /** False once a page of the mapping could not be read, because the file shrank. */
  mappingIntact(buffer: ArrayBuffer): boolean;
  /** Detaches the buffer; the pages go as soon as no build uses them. */
  unmapFile(buffer: ArrayBuffer): void;
  /** Element conversion between float formats, round to nearest even, vectorised. Lengths are in elements of each type. */
  convert(source: Uint8Array, from: DType, target: Uint8Array, to: DType): void;
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
