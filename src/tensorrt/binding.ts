import { addon } from '../addon.js';
import type { IRWeight } from '../dsl/ir.js';
import type { DType } from '../values/dtype.js';

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

/** An opaque native object: freed by `release`, else by the garbage collector. Any other object in its place throws ERR_ARGUMENT. */
export interface Handle {
  readonly __handle: unique symbol;
}

/** A parameter as TensorRT holds it, in the terms of `net.toJSON()`. */
export type HeldValue =
  | null
  | boolean
  | number
  | string
  | readonly HeldValue[]
  | { readonly [name: string]: HeldValue };

/** What TensorRT holds of one layer, read through its getters after the layer was made. */
export interface HeldLayer {
  /** Name of the recorded layer. */
  layer: string;
  kind: string;
  /** By the names that `net.toJSON()` has; what is null there (unset, or told by an input) is absent. */
  parameters: Readonly<Record<string, HeldValue>>;
  /** Parameters that no getter of this release tells. */
  unread: readonly string[];
  /** Names of the layers it was made of, where this release has or takes none of its kind: then no parameter is read. */
  parts: readonly string[];
}

/** Build options as TensorRT holds them, also those that were not given; what this release has no getter for is absent. */
export interface HeldOptions {
  readonly tf32?: boolean;
  readonly refit?: boolean;
  readonly refitIdentical?: boolean;
  readonly stripPlan?: boolean;
  readonly versionCompatible?: boolean;
  readonly excludeLeanRuntime?: boolean;
  readonly sparseWeights?: boolean;
  readonly strictNans?: boolean;
  readonly weightStreaming?: boolean;
  readonly directIO?: boolean;
  readonly debug?: boolean;
  readonly disableTimingCache?: boolean;
  readonly workspace?: number;
  readonly optimizationLevel?: number;
  readonly avgTimingIterations?: number;
  readonly maxTactics?: number;
  readonly maxAuxStreams?: number;
  readonly profilingVerbosity?: string;
  /** Not TensorRT-RTX. */
  readonly hardwareCompatibility?: string;
  /** TensorRT-RTX; `'current'` is that of the GPU. */
  readonly computeCapabilities?: readonly (number | string)[];
  /** Shapes by input, or elements of an input from which TensorRT computes shapes; absent where no profile was made. */
  readonly profiles?: readonly Readonly<
    Record<
      string,
      { readonly min: readonly number[]; readonly opt: readonly number[]; readonly max: readonly number[] }
    >
  >[];
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
  /** What the getters of the build configuration say. */
  options: HeldOptions;
  /** What the getters of every layer say. Only where the lowering alone was asked for. */
  readBack?: HeldLayer[];
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
  /** Bytes of a `GraphWriter`. */
  addGraph(bytes: Uint8Array): void;
  /**
   * The next weights. Elements that lie in a mapped file are used where they are, others are copied; without `copy` there is
   * only room for them, which `fillWeight` fills for the last one, and this returns false. Elements outside their mapping are
   * refused.
   */
  addWeights(weights: readonly IRWeight[], copy: boolean): boolean;
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

/** What the addon has for TensorRT and CUDA. */
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
}

/** The addon, as this folder uses it. @throws ERR_ADDON_MISSING */
export const binding = (): NativeBinding => addon<NativeBinding>();
