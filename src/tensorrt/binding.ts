import { addon } from '../addon.js';
import type { IRWeight } from '../dsl/ir.js';
import type { PluginProgram } from '../plugin/binding.js';
import type { DType } from '../values/dtype.js';
import type { FileMapping } from '../values/weight.js';

/** Binary interface of a TensorRT library: `trt10` = libnvinfer 10, `trt11` = libnvinfer 11, `rtx1` = TensorRT-RTX 1. */
export type Flavor = 'trt10' | 'trt11' | 'rtx1';

/** A TensorRT library. */
export interface LibraryInfo {
  /** Real path of the library that was loaded. */
  path: string;
  /** Its family: TensorRT 10, TensorRT 11 or TensorRT-RTX. */
  flavor: Flavor;
  /** The version the library reports, e.g. `10.6.0`. */
  version: string;
}

/** A GPU. */
export interface CudaDevice {
  /** Its name, such as `NVIDIA H200`. */
  name: string;
  /** e.g. `9.0` */
  computeCapability: string;
  /** bytes */
  totalMemory: number;
}

/** What NVIDIA's driver reports. */
export interface CudaInfo {
  /** CUDA version the driver supports, e.g. `13.0`; null if no driver could be loaded. */
  driver: string | null;
  /** The GPUs, in the driver's order. */
  devices: CudaDevice[];
  /** Why there is no driver or no device. */
  error?: string | undefined;
}

/** An opaque native object, freed by `release` or by the garbage collector. Passing any other object throws ERR_ARGUMENT. */
export interface Handle {
  readonly __handle: unique symbol;
}

/** A parameter as TensorRT holds it, in the form `net.toJSON()` uses. */
export type HeldValue =
  | null
  | boolean
  | number
  | string
  | readonly HeldValue[]
  | { readonly [name: string]: HeldValue };

/** What TensorRT holds for one layer, read through its getters after the layer was created. */
export interface HeldLayer {
  /** Name of the recorded layer. */
  layer: string;
  /** TensorRT layer kind. */
  kind: string;
  /** By their names in `net.toJSON()`. Parameters that are null there (unset, or given by an input) are absent. */
  parameters: Readonly<Record<string, HeldValue>>;
  /** Parameters that this release has no getter for. */
  unread: readonly string[];
  /** Names of the layers it is composed of, if this release has no layer of its kind or does not take this one. No parameter is read then. */
  parts: readonly string[];
}

/** Build options as TensorRT holds them, including those not given. Options that this release has no getter for are absent. */
export interface HeldOptions {
  /** Whether float32 layers may use TF32. */
  readonly tf32?: boolean | undefined;
  /** Whether every weight can be replaced. */
  readonly refit?: boolean | undefined;
  /** Whether weights can be replaced by the same elements alone. */
  readonly refitIdentical?: boolean | undefined;
  /** Those of the given names that are marked. */
  readonly refitIndividual?: readonly string[] | undefined;
  /** Whether the plan leaves out weights that can be replaced. */
  readonly stripPlan?: boolean | undefined;
  /** Whether later releases run the engine. */
  readonly versionCompatible?: boolean | undefined;
  /** Whether the plan leaves out the lean runtime. */
  readonly excludeLeanRuntime?: boolean | undefined;
  /** Not on TensorRT-RTX. */
  readonly pluginsToSerialize?: readonly string[] | undefined;
  /** Whether kernels for sparse weights are tried. */
  readonly sparseWeights?: boolean | undefined;
  /** Whether the build never assumes that values are not NaN. */
  readonly strictNans?: boolean | undefined;
  /** Whether weights can stay in the host's memory. */
  readonly weightStreaming?: boolean | undefined;
  /** Whether inputs and outputs are not reformatted. */
  readonly directIO?: boolean | undefined;
  /** Whether TensorRT synchronizes after every layer. */
  readonly debug?: boolean | undefined;
  /** Whether the build uses no timing cache. */
  readonly disableTimingCache?: boolean | undefined;
  /** Whether compiled kernels stay out of the timing cache. */
  readonly disableCompilationCache?: boolean | undefined;
  /** Whether a tactic that is not in the timing cache is an error. */
  readonly errorOnTimingCacheMiss?: boolean | undefined;
  /** Whether entries of the timing cache can be changed. */
  readonly editableTimingCache?: boolean | undefined;
  /** Whether TensorRT logs how much memory the build uses. */
  readonly monitorMemory?: boolean | undefined;
  /** Whether an element is computed in the same way wherever it stands in a batch. */
  readonly distributiveIndependence?: boolean | undefined;
  /** Most bytes of scratch memory on the GPU. */
  readonly workspace?: number | undefined;
  /** Bytes, of every pool. */
  readonly memoryPools?: Readonly<Record<string, number>> | undefined;
  /** 0 to 5: how long TensorRT looks for faster kernels. */
  readonly optimizationLevel?: number | undefined;
  /** Runs that are averaged when a kernel is timed. */
  readonly avgTimingIterations?: number | undefined;
  /** Most tactics that are tried for a layer. */
  readonly maxTactics?: number | undefined;
  /** Most streams beside a context's own. */
  readonly maxAuxStreams?: number | undefined;
  /** Most threads of the build. */
  readonly maxThreads?: number | undefined;
  /** The operating system the engine is for. */
  readonly runtimePlatform?: string | undefined;
  /** What kind of runtime the engine is for. */
  readonly engineCapability?: string | undefined;
  /** In alphabetical order. */
  readonly tacticSources?: readonly string[] | undefined;
  /** Those that this release has. */
  readonly previewFeatures?: Readonly<Record<string, boolean>> | undefined;
  /** How much TensorRT tiles layers for the cache of the GPU. */
  readonly tilingOptimizationLevel?: string | undefined;
  /** Most bytes of L2 cache that tiles may use. */
  readonly l2LimitForTiling?: number | undefined;
  /** Settings of TensorRT's compiler. */
  readonly buildRoute?: string | undefined;
  /** How much the engine keeps of its layers for the inspector. */
  readonly profilingVerbosity?: string | undefined;
  /** Not on TensorRT-RTX. */
  readonly hardwareCompatibility?: string | undefined;
  /** TensorRT-RTX only; `'current'` is the GPU's. */
  readonly computeCapabilities?: readonly (number | string)[] | undefined;
  /** Formats that inputs and outputs may have, by name; absent if none was given any. */
  readonly formats?: Readonly<Record<string, readonly string[]>> | undefined;
  /** By input: its shapes, or its elements if TensorRT computes shapes from them. Absent if no profile was made. */
  readonly profiles?:
    | readonly Readonly<
        Record<
          string,
          { readonly min: readonly number[]; readonly opt: readonly number[]; readonly max: readonly number[] }
        >
      >[]
    | undefined;
}

export interface BuildReport {
  /** Absent if only the lowering was requested. */
  plan?: Handle;
  /** Size of the plan in bytes. */
  bytes?: number;
  flavor: Flavor;
  version: string;
  lowerMs: number;
  buildMs: number;
  /** TensorRT's warnings and errors. */
  log: string[];
  /** With `keepConstants`: weights that the lowering made. */
  constants?: { name: string; dtype: DType; shape: number[]; data: ArrayBuffer }[];
  /** Inputs whose elements TensorRT computes shapes from. */
  shapeInputs: string[];
  /** What the getters of the build configuration return. */
  options: HeldOptions;
  /** Serialized, if one was given to the build. */
  timingCache?: ArrayBuffer;
  /** What the getters of every layer return. Only if just the lowering was requested. */
  readBack?: HeldLayer[];
  /** Every layer's outputs as TensorRT inferred them; -1 is a dynamic dim. Only if just the lowering was requested. */
  layers?: { name: string; kind: string; dtype: DType; shape: number[] }[];
  /** The names of everything in the TensorRT network. Only if just the lowering was requested. */
  names?: { inputs: string[]; layers: { name: string; outputs: string[] }[]; outputs: string[] };
}

export interface BuildCallbacks {
  /** Of a phase: its name, its parent's, steps that are complete, steps of the phase. */
  onEvent?(
    ...event:
      | ['log', severity: number, message: string]
      | ['start' | 'step' | 'end', phase: string, parent: string | undefined, step: number, steps: number]
  ): void;
  /** Set by `build`. */
  cancel?(): void;
}

/** Memory that a program can use where it lies. */
export interface Memory extends FileMapping {
  view(offset: number, length: number): ArrayBuffer;
  /** Detaches all views; the memory goes as soon as no program uses it. */
  close(): void;
}

/** A graph that is handed to the addon piece by piece. */
export interface NativeProgram extends PluginProgram {
  /** Adds bytes from a `ProgramWriter`. */
  addGraph(bytes: Uint8Array): void;
  /** Adds the next weights. Elements are used where they lie; those outside their mapping are refused. */
  addWeights(weights: readonly IRWeight[]): void;
  /** Consumes the program. */
  build(library: string, options: object, callbacks: BuildCallbacks, timingCache?: Uint8Array): Promise<BuildReport>;
}

/** A weight, where it lies; see `NativeProgram.addWeights`. */
export type NativeWeight = Pick<IRWeight, 'dtype' | 'shape' | 'data' | 'mapping'> & { name: string };

type Bounds = [min: number[], opt: number[], max: number[]];

/** An input or output of an engine. */
export interface NativeIO {
  name: string;
  dtype: DType;
  input: boolean;
  /** Whether TensorRT reads or writes it in host memory. */
  host: boolean;
  /** A TensorFormat in lower case; `linear` if it is that in every profile. */
  format: string;
  /** Index of the input whose memory an output shares; -1 for none. */
  alias: number;
  shape: number[];
  /** Per profile, the shapes of an input. */
  profiles: Bounds[];
  /** Per profile, the elements of an input if shapes are computed from them. */
  values: Bounds[];
}

export interface NativeEngine {
  handle: Handle;
  io: NativeIO[];
  /** Number of optimization profiles. */
  profiles: number;
  flavor: Flavor;
  version: string;
  /** Bytes of activation memory that a context needs, per profile. */
  memorySizes: number[];
  /** Of an engine built for weight streaming. */
  weightStreaming?: WeightStreaming;
  /** Of an engine that `claimEngine` gave. */
  plan?: Handle;
}

export interface SerializedEngine {
  plan: Handle;
  size: number;
}

/** Where the weights of an engine built with `weightStreaming` are. All sizes are in bytes. */
export interface WeightStreaming {
  /** Bytes of weights that can be streamed. */
  size: number;
  /** Bytes of them that stay on the GPU. */
  budget: number;
  /** The least that `weightStreamingBudget` may be. */
  minimum: number;
  /** Bytes that every context takes on the GPU in addition. */
  scratch: number;
}

/**
 * What an input or output of a run is, one per `NativeEngine.io`. Of an input: elements that are copied at the call, or with
 * `transfer` read later from an array that stays as it is until the run ends; or memory. Of an output: undefined for a new array,
 * `'device'` for a new tensor, or memory.
 */
export type Placement =
  | { shape: readonly number[]; data: Uint8Array; transfer?: boolean }
  | { shape: readonly number[]; memory: Handle }
  | { memory: Handle }
  | 'device'
  | undefined;

export interface NativeOutput {
  shape: number[];
  /** Of a new array. */
  data?: ArrayBuffer;
  /** Of a new tensor on the GPU. */
  memory?: Handle;
}

/** In the order of `NativeEngine.io`. */
export interface NativeOutputs extends Array<NativeOutput> {
  /** Debug tensors, in the order in which TensorRT reported them. */
  debug?: { name: string; dtype: DType; shape: number[]; data: ArrayBuffer }[];
}

export interface NativeContextOptions {
  profile: number;
  /** Runs that may be on the GPU at a time. */
  inFlight: number;
  /** Most CUDA graphs that are kept; 0 for none. */
  graphs: number;
  memory: 'own' | 'profile' | 'shared' | Handle;
  /** As CUDA: lower is more urgent. */
  priority: number;
  auxStreams?: number;
  rtx?: NativeRtxOptions;
  /** Whether outputs come with debug tensors. */
  debug?: boolean;
}

/** Enumerators in lower case, without `k`. Only on TensorRT-RTX. */
export interface NativeRtxOptions {
  cudaGraphStrategy?: string;
  dynamicShapesKernelSpecialization?: string;
  /** Empty for a new one. */
  runtimeCache?: Uint8Array;
}

export interface NativeContext {
  handle: Handle;
  /** bytes of activation memory */
  memorySize: number;
}

/** Times are milliseconds. */
export interface NativeMeasureOptions {
  warmUp: number;
  duration: number;
  iterations: number;
  idle: number;
  threads: boolean;
  graph: boolean;
  spin: boolean;
  transfers: boolean;
}

export interface NativeMeasurement {
  /**
   * Doubles, 8 for each run: when the host began to enqueue it, how long that took, when the GPU began with it, how long it copied in, computed, copied out, how
   * long all took, and the index of the context.
   */
  times: ArrayBuffer;
  graphRefused?: string;
}

/** Page-locked memory of this process. */
export interface HostMemory {
  /** Bytes of page-locked memory in use: by tensors, feeds under way, and results. */
  pinned: number;
  /** Bytes kept for reuse. */
  cached: number;
  /** Most bytes that are page-locked. */
  limit: number;
  /** Why the system refused more; absent if it did not. */
  refused?: string;
}

/** Memory of a GPU. */
export interface DeviceMemoryUse {
  /** bytes */
  free: number;
  /** bytes */
  total: number;
  /** Bytes of tensors and contexts of this process. */
  used: number;
}

/** The first release of each flavor that has something; null if none has it. */
export type FirstReleases = Record<Flavor, string | null>;

export interface NativeLayerRow extends FirstReleases {
  kind: string;
  /** The first releases with the layer itself, where others are composed into it before; null if no composition exists. */
  decomposed: FirstReleases | null;
}

export interface NativeOptionRow extends FirstReleases {
  name: string;
}

/** The part of the addon for TensorRT and CUDA. */
export interface NativeBinding {
  /** Loads a TensorRT library and keeps it loaded. Rejects with ERR_LIBRARY_NOT_FOUND, ERR_LIBRARY_INVALID or ERR_LIBRARY_REFUSED. */
  loadLibrary(path: string): Promise<LibraryInfo>;
  /** What the CUDA driver reports; never rejects. */
  cudaInfo(): Promise<CudaInfo>;
  /** The layer kinds the addon knows. */
  layerTable(): NativeLayerRow[];
  /** The build options that TensorRT is told, and since which releases. */
  optionTable(): NativeOptionRow[];
  /** Rejects with ERR_TIMING_CACHE if TensorRT does not take one of them. */
  combineTimingCaches(library: string, caches: readonly Uint8Array[], ignoreMismatch: boolean): Promise<ArrayBuffer>;
  /** TensorRT's list, as JSON; empty if it has none. Rejects with ERR_UNSUPPORTED. */
  buildRoutes(library: string): Promise<string>;
  /** For tests: clears and starts the trace that `traced` returns, or stops it. */
  traceCalls(enabled: boolean): void;
  /**
   * Every TensorRT method the addon can call, with the distinct argument lists of its traced calls, and the enumerators that
   * were looked up.
   */
  traced(): { calls: Record<string, string[]>; enumerators: string[] };
  /** @param shared whether other processes can map it; default false @throws ERR_MEMORY */
  allocate(bytes: number, shared?: boolean): Memory;
  Program: new (name: string) => NativeProgram;
  /**
   * A lock that is held until `unlock` or the end of its holder, between threads, processes and containers; null while somebody else
   * holds it. Throws an error with Node's `errno` where there can be no lock.
   */
  tryLock(path: string): Handle | null;
  unlock(lock: Handle): void;
  /** Frees a native object off the event loop once nothing uses it. Later calls with it throw ERR_DISPOSED. */
  release(handle: Handle): Promise<void>;
  /** A plan with a copy of the bytes. */
  planOf(bytes: Uint8Array): Handle;
  /** A plan that is part of an open file, mapped. @throws ERR_WEIGHTS_FILE, ERR_ARGUMENT if it lies outside the file */
  mapPlan(fileDescriptor: number, offset: number, size: number): Handle;
  /** Part of the bytes, where they lie. */
  planPart(plan: Handle, offset: number, size: number): Handle;
  /** False once the file that the plan is in was changed. */
  planIntact(plan: Handle): boolean;
  /** A copy of a plan's bytes. */
  planBytes(plan: Handle): ArrayBuffer;
  /** The bytes themselves, which nobody may change. */
  planView(plan: Handle, offset: number, size: number): ArrayBuffer;
  /** The CRC-32 of every `chunk` bytes, as uint32, made by several threads. Rejects with ERR_ENGINE_FILE if the file became shorter. */
  planChecksums(plan: Handle, chunk: number): Promise<ArrayBuffer>;
  /** @param weightStreamingBudget bytes; undefined keeps all weights on the GPU */
  deserialize(
    library: string,
    plan: Handle | Uint8Array,
    device: number,
    allowHostCode: boolean,
    weightStreamingBudget?: number | 'automatic',
  ): Promise<NativeEngine>;
  /** A name under which `claimEngine` finds the engine, in any thread of this process, while it is not released. */
  shareEngine(engine: Handle): string;
  /** @throws ERR_DISPOSED if the engine is gone, or the token is of another process */
  claimEngine(token: string): NativeEngine;
  /** All weights of an engine that can be refitted. Rejects with ERR_REFIT if it was not built for that. */
  refittable(engine: Handle): Promise<{ name: string; dtype: DType | undefined; count: number }[]>;
  /**
   * Replaces weights once no run of the engine is on its way; later runs wait. Elements lie in their mappings.
   * @param whole whether these are all weights that come from files
   * @returns names of weights that TensorRT needs too: nothing was replaced if there are any
   */
  refit(engine: Handle, weights: readonly NativeWeight[], whole: boolean, validate: boolean): Promise<string[]>;
  /** Says that the engine's plan has no weights: runs are refused before the first refit. */
  markStripped(engine: Handle): void;
  /** How often an engine was refitted, by whatever thread. */
  refits(engine: Handle): number;
  /** The engine as it is now. */
  serializeEngine(engine: Handle, withWeights: boolean): Promise<SerializedEngine>;
  serializeEngineSync(engine: Handle, withWeights: boolean): SerializedEngine;
  /** TensorRT's description of an engine, as JSON. */
  inspectEngine(engine: Handle): Promise<string>;
  /** The kernels that TensorRT-RTX has compiled. Rejects with ERR_CONTEXT if the context was made without a runtime cache. */
  runtimeCache(context: Handle): Promise<ArrayBuffer>;
  createContext(engine: Handle, options: NativeContextOptions): Promise<NativeContext>;
  /** Begins to use the GPU. Resolves also where that fails; rejects with ERR_THREAD. */
  openDevice(device: number): Promise<void>;
  /** Calls the function shortly before a run ends, with the ms until then. @returns whether it ever will */
  stayAwakeBy(stayAwake: (within: number) => void): boolean;
  /** Outputs come in the order of `NativeEngine.io`. @param ticket for `cancelRun` */
  run(context: Handle, io: readonly Placement[], ticket: number): Promise<NativeOutputs>;
  runSync(context: Handle, io: readonly Placement[]): NativeOutputs;
  /** Whether the run had not been submitted; it then rejects with ERR_ABORTED. */
  cancelRun(context: Handle, ticket: number): boolean;
  /** Why runs of a context with `graphs` are not captured; undefined if they are, or nothing was tried yet. */
  graphRefused(context: Handle): string | undefined;
  /** Shapes of the outputs, from those of inputs, which are all placed; -1 where a size depends on elements. */
  inferShapes(context: Handle, io: readonly Placement[]): number[][];
  /** Prepares runs over memory. */
  bind(context: Handle, io: readonly Placement[]): Handle;
  /** Shapes of the outputs; -1 where a size depends on elements. */
  outputShapes(bound: Handle): number[][];
  /** Undefined if all shapes are those of `outputShapes`. */
  runBound(bound: Handle, ticket: number): Promise<NativeOutputs | undefined>;
  runBoundSync(bound: Handle): NativeOutputs | undefined;
  /** Rejects with ERR_CAPTURE. */
  capture(context: Handle, io: readonly Placement[]): Promise<Handle>;
  launch(graph: Handle, ticket: number): Promise<void>;
  launchSync(graph: Handle): void;
  /** Milliseconds of every layer, in the order of execution: the mean of `runs` runs. */
  profileRuns(context: Handle, io: readonly Placement[], runs: number): Promise<{ name: string; ms: number }[]>;
  /** Runs without a break. Contexts have two runs in flight. `cancel` is set by the call. */
  measure(
    contexts: readonly Handle[],
    io: readonly (readonly Placement[])[],
    options: NativeMeasureOptions,
    callbacks: { cancel?(): void },
  ): Promise<NativeMeasurement>;
  hostTensor(bytes: number): { handle: Handle; data: ArrayBuffer; pinned: boolean };
  deviceTensor(device: number, bytes: number): Handle;
  /** Memory of somebody else's, which is not freed. */
  deviceTensorAt(device: number, pointer: bigint, bytes: number): Handle;
  pointerOf(tensor: Handle): bigint;
  /** Copies the data at the call. */
  upload(tensor: Handle, data: Uint8Array): Promise<void>;
  download(tensor: Handle): Promise<ArrayBuffer>;
  /** Later uses throw ERR_DISPOSED; runs under way end first. Detaches the array of a tensor on the host. */
  disposeTensor(tensor: Handle): void;
  hostMemory(): HostMemory;
  deviceMemory(device: number): DeviceMemoryUse;
}

/** The addon, typed for this folder. @throws ERR_ADDON_MISSING */
export const binding = (): NativeBinding => addon<NativeBinding>();
