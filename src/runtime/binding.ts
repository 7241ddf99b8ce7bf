import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { DType, TypedArray } from '../dsl/dtype.js';
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
  /** Maps pages that will be read soon, on another thread. */
  ahead(offset: number, length: number): void;
  /** False once the file became shorter than it was, or a page could not be read. */
  intact(): boolean;
  /** Detaches all views; the pages go as soon as no build uses them. */
  close(): void;
}

/** An opaque native object: freed by `release`, else by the garbage collector. */
export interface Handle {
  readonly __handle: unique symbol;
}

export interface BuildReport {
  /** Absent where only the lowering was asked for. */
  plan?: Handle;
  /** Size of the plan. */
  bytes?: number;
  flavor: Flavor;
  version: string;
  lowerMs: number;
  buildMs: number;
  /** TensorRT's warnings and errors. */
  log: string[];
  /** Inputs from whose elements TensorRT computes shapes. */
  shapeInputs: string[];
  /** TensorRT's view of every layer's outputs; -1 is a dynamic dim. Only where the lowering alone was asked for. */
  layers?: { name: string; kind: string; dtype: DType; shape: number[] }[];
  /** What TensorRT calls all that is in the network. Only where the lowering alone was asked for. */
  names?: { inputs: string[]; layers: { name: string; outputs: string[] }[]; outputs: string[] };
}

export interface BuildCallbacks {
  onEvent?(event: 'log' | 'progress', a: number | string, b: string | number, c?: number): void;
  /** Set by `build`. */
  cancel?(): void;
}

/** A graph on its way to TensorRT, handed over piece by piece. */
export interface NativeProgram {
  /** Bytes of a `GraphWriter`, which also say what the weights are. */
  addGraph(bytes: Uint8Array): void;
  /**
   * The elements of the next weights. Those of a mapped file are used where they are, others are copied; without `copy` there
   * is only room for them, which `fillWeight` fills for the last one, and this returns false.
   */
  addWeights(elements: readonly TypedArray[], copy: boolean): boolean;
  fillWeight(offset: number, bytes: Uint8Array): void;
  /** Consumes the program. */
  build(library: string, options: object, callbacks: BuildCallbacks): Promise<BuildReport>;
}

type Bounds = [min: number[], opt: number[], max: number[]];

export interface NativeEngine {
  handle: Handle;
  /** `profiles`: shapes of an input, and `values`: elements of one from which shapes are computed; by profile. */
  io: { name: string; dtype: DType; input: boolean; shape: number[]; profiles: Bounds[]; values: Bounds[] }[];
  /** Number of optimization profiles. */
  profiles: number;
  flavor: Flavor;
  version: string;
}

/** First release of each flavor that has something; null where none has. */
export type FirstReleases = Record<Flavor, string | null>;

export interface NativeLayerRow extends FirstReleases {
  kind: string;
  /** First releases that need no other layers in its stead; null where nothing can stand in. */
  decomposed: FirstReleases | null;
}

/** What the addon exports; nothing else in src/ knows the .node file. */
export interface NativeBinding {
  /** Loads a TensorRT library (kept loaded). Rejects with `code` ERR_LIBRARY_NOT_FOUND, ERR_LIBRARY_INVALID or ERR_LIBRARY_REFUSED. */
  loadLibrary(path: string): Promise<LibraryInfo>;
  /** What the driver API says; never rejects. */
  cudaInfo(): Promise<CudaInfo>;
  /** Layer kinds of the addon. */
  layerTable(): NativeLayerRow[];
  /** For tests: starts what `traced` tells anew, or stops it. */
  traceCalls(enabled: boolean): void;
  /**
   * Every method of TensorRT that the addon's code can call, with the distinct lists of arguments it was called with while
   * calls were traced; and the enumerators that were looked up.
   */
  traced(): { calls: Record<string, string[]>; enumerators: string[] };
  Program: new (name: string) => NativeProgram;
  /** Frees a native object off the event loop, once nothing uses it; what is called with it afterwards throws ERR_DISPOSED. */
  release(handle: Handle): Promise<void>;
  /** A copy of a plan's bytes. */
  planBytes(plan: Handle): ArrayBuffer;
  deserialize(library: string, plan: Handle | Uint8Array, device: number): Promise<NativeEngine>;
  createContext(engine: Handle, profile: number): Promise<Handle>;
  /** TensorRT's JSON about an engine. */
  inspectEngine(engine: Handle): Promise<string>;
  execute(
    context: Handle,
    feeds: { name: string; shape: readonly number[]; data: Uint8Array }[],
  ): Promise<{ name: string; dtype: DType; shape: number[]; data: ArrayBuffer }[]>;
  /** Cancels what is under way and waits for it. */
  shutdown(): void;
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
  const path = fileURLToPath(new URL('../../build/Release/node_tensorrt.node', import.meta.url));
  try {
    loaded = require(path) as NativeBinding;
    process.on('exit', () => loaded?.shutdown());
  } catch (cause) {
    const fix = path.includes('/node_modules/') ? 'npx node-tensorrt install --no-fetch' : 'npm run build';
    throw new TensorRTError(
      'ERR_ADDON_MISSING',
      `The native addon could not be loaded from ${path}: ${(cause as Error).message.split('\n', 1)[0]}; compile it with: ${fix}`,
      { cause },
    );
  }
  return loaded;
}
