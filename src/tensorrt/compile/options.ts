import type { Profile } from './profiles.js';

export { checkOptions, optionNames } from './check-options.js';

/** How far a build is. Phases are nested; one that starts also ends, if need be early, because the build failed or was aborted. */
export interface BuildProgress {
  /** What TensorRT calls it, e.g. `Building engine`; a name may come again once its phase has ended. */
  phase: string;
  /** The phase that it is part of; absent for an outermost one. */
  parent?: string | undefined;
  /** Whether the phase starts, completed a step, or ends. */
  event: 'start' | 'step' | 'end';
  /** Steps that are complete: 0 at the start. Fewer than `steps` at the end if TensorRT left some out. */
  step: number;
  /** Steps of the phase. */
  steps: number;
}

/** TensorRT's pools of memory. */
export type MemoryPool =
  | 'workspace'
  | 'tactic_dram'
  | 'tactic_shared_memory'
  | 'dla_managed_sram'
  | 'dla_local_dram'
  | 'dla_global_dram';

/** Libraries and generators that TensorRT takes kernels from. The first three are TensorRT 10's only. */
export type TacticSource = 'cublas' | 'cublas_lt' | 'cudnn' | 'edge_mask_convolutions' | 'jit_convolutions';

/** TensorRT's preview features. The first and the last are TensorRT 10's only. */
export type PreviewFeature =
  | 'profile_sharing_0806'
  | 'aliased_plugin_io_10_03'
  | 'runtime_activation_resize_10_10'
  | 'multidevice_runtime_10_16';

/**
 * How to build an engine. What is absent stays at TensorRT's own default. docs/building.md lists TensorRT's name of each, the first
 * releases that have it, and trtexec's flag.
 */
export interface BuildOptions {
  /** Path of a TensorRT library or its folder, or a flavor (`trt10`, `trt11`, `rtx1`). Default: the best one found. */
  library?: string | undefined;
  /**
   * Ranges of the dynamic dims, and of the elements of inputs that decide shapes, one object per optimization profile.
   * Default: one profile with every dim from 1 to 64, tuned for 8, which `engine.log` and `onLog` say; elements have no default.
   */
  profiles?: readonly Profile[] | undefined;

  /** Allow TF32, with 10 bits of mantissa, in float32 layers (TensorRT: on): `false` where results are compared with PyTorch. */
  tf32?: boolean | undefined;
  /** Never assume that values are no NaN (kSTRICT_NANS, from TensorRT 10.6 on). */
  strictNans?: boolean | undefined;
  /** Compute an element the same way wherever it stands in a batch (kDISTRIBUTIVE_INDEPENDENCE, from TensorRT 10.12 on). */
  distributiveIndependence?: boolean | undefined;
  /** Allow kernels for weights of 2:4 structured sparsity (kSPARSE_WEIGHTS). */
  sparseWeights?: boolean | undefined;
  /**
   * For every attention of the network: `'never'` allows one fused kernel only, so a build fails where TensorRT has none; `'may'` lets
   * it use several; `'must'` makes the attention of multiplications and softmax, as always before TensorRT 10.14 and in nested
   * graphs of TensorRT-RTX. Default: as `decomposable` of the layer says.
   */
  decomposeAttention?: 'never' | 'may' | 'must' | undefined;
  /** Replaces plugins by the layers of their `decompose`. TensorRT-RTX has no plugin layers, so there it always is so. */
  decomposePlugins?: boolean | undefined;

  /** Make all weights refittable, constants too (kREFIT): `engine.refit`. */
  refit?: boolean | undefined;
  /** Refittable with the same weights only (kREFIT_IDENTICAL). */
  refitIdentical?: boolean | undefined;
  /**
   * Make some weights refittable: those made of these tensors of a file, or `true` for all that come from files. Others stay as they
   * are, and TensorRT may fold them (kREFIT_INDIVIDUAL, from TensorRT 10.2 on).
   */
  refitIndividual?: true | readonly string[] | undefined;
  /**
   * Leave refittable weights out of the plan (kSTRIP_PLAN), which runs only once it was refitted, by the same weights unless `refit` or
   * `refitIndividual` stands beside it.
   */
  stripPlan?: boolean | undefined;
  /** Let weights stay in host memory and stream to the GPU (kWEIGHT_STREAMING); `loadEngine` takes the budget. */
  weightStreaming?: boolean | undefined;

  /** A plan that later releases of the same major version can run (kVERSION_COMPATIBLE). Not TensorRT-RTX. */
  versionCompatible?: boolean | undefined;
  /** With `versionCompatible`: leave the lean runtime out of the plan (kEXCLUDE_LEAN_RUNTIME). */
  excludeLeanRuntime?: boolean | undefined;
  /**
   * With `versionCompatible`: paths of plugin libraries to put into the plan. Who loads it then needs no such file, but has to
   * allow code from the plan: `loadEngine(file, { allowHostCode: true })`. Not TensorRT-RTX.
   */
  pluginsToSerialize?: readonly string[] | undefined;
  /** GPUs beside this one on which the plan runs: those of compute capability 8.0 and later, or of the same one. Not TensorRT-RTX. */
  hardwareCompatibility?: 'none' | 'ampere_plus' | 'same_compute_capability' | undefined;
  /** TensorRT-RTX: compute capabilities to build for, e.g. `[89, 120]`. */
  computeCapabilities?: readonly number[] | undefined;
  /** The system that the plan is for (from TensorRT 10.2 on). A plan for another system than this one cannot be run here. */
  runtimePlatform?: 'same_as_build' | 'windows_amd64' | undefined;
  /** `'standard'` is all there is here: TensorRT's safety runtime and DLA are on devices that this package does not run on. */
  engineCapability?: 'standard' | undefined;

  /** No reformatting of inputs and outputs (kDIRECT_IO). */
  directIO?: boolean | undefined;
  /** Most scratch memory a layer may use, in bytes (kWORKSPACE). TensorRT: all of the GPU's. */
  workspace?: number | undefined;
  /** Limits of TensorRT's pools of memory, in bytes, by name; `workspace` is the option of that name. DLA's are refused: there is no DLA here. */
  memoryPools?: { readonly [pool in MemoryPool]?: number | undefined } | undefined;

  /** 0 (fast build) to 5 (fast engine); TensorRT: 3. */
  optimizationLevel?: number | undefined;
  /** Runs over which the time of a tactic is averaged; 1 or more. */
  avgTimingIterations?: number | undefined;
  /** Most tactics tried per layer; -1 leaves it to TensorRT. From TensorRT 10.4 on. */
  maxTactics?: number | undefined;
  /** Where kernels may come from: exactly these sources. TensorRT: all but those it deprecates. */
  tacticSources?: readonly TacticSource[] | undefined;
  /** How long to look for layers that can run tile by tile in the L2 cache (from TensorRT 10.9 on). TensorRT: `none`. */
  tilingOptimizationLevel?: 'none' | 'fast' | 'moderate' | 'full' | undefined;
  /** Most L2 cache that tiling may count on, in bytes. From TensorRT 10.9 on. */
  l2LimitForTiling?: number | undefined;
  /** Turns preview features on or off. */
  previewFeatures?: { readonly [feature in PreviewFeature]?: boolean | undefined } | undefined;
  /**
   * Settings of TensorRT's compiler, such as `-conv_use_long_w=off`, separated by spaces; `buildRoutes()` lists them. From TensorRT 11.1
   * on. TensorRT-RTX has the method from 1.6 on, but 1.7.1 lists no route and refuses any.
   */
  buildRoute?: string | undefined;
  /** Most streams beside the main one, on which layers run in parallel; 0: none. Default: TensorRT's choice. */
  maxAuxStreams?: number | undefined;
  /** Most threads of the builder, 1 or more. Default: TensorRT's choice. */
  maxThreads?: number | undefined;

  /**
   * Times of tactics from earlier builds, so that this one measures only what is new: a file, or what `engine.timingCache` returned, or `true`
   * to begin with none. The file may be absent; after the build, it has the new times too. Bytes that TensorRT does not take, such as
   * another GPU's or release's, are ignored, and `engine.log` and `onLog` say so. TensorRT-RTX measures nothing: there, the file stays as it is.
   */
  timingCache?: string | Uint8Array | true | undefined;
  /** Take a timing cache of a GPU with other properties, whose times may be wrong here. */
  ignoreTimingCacheMismatch?: boolean | undefined;
  /** With `timingCache`: fail instead of timing a tactic that is not in it (kERROR_ON_TIMING_CACHE_MISS). */
  errorOnTimingCacheMiss?: boolean | undefined;
  /** Make a timing cache whose entries can be changed (kEDITABLE_TIMING_CACHE, from TensorRT 10.9 on). */
  editableTimingCache?: boolean | undefined;
  /** Time every layer anew, also one that equals another of this build (kDISABLE_TIMING_CACHE). */
  disableTimingCache?: boolean | undefined;
  /** Compile every kernel anew: keep none in the timing cache (kDISABLE_COMPILATION_CACHE). */
  disableCompilationCache?: boolean | undefined;

  /** What `engine.inspect()` can tell: `detailed` has kernels, shapes and formats, `layer_names_only` (TensorRT's default) names, `none` nothing. */
  profilingVerbosity?: 'none' | 'layer_names_only' | 'detailed' | undefined;
  /** Synchronize after every layer, to tell which one fails (kDEBUG). */
  debug?: boolean | undefined;
  /** Log how much memory the build takes (kMONITOR_MEMORY, from TensorRT 10.6 on). */
  monitorMemory?: boolean | undefined;

  /**
   * Takes the engine from a cache if it was built before; else it is built and kept there. `true` is the package's own folder. The key is
   * all that an engine depends on: graph, elements of weights, options, plugins, TensorRT, GPU. What is read runs in this process, so
   * only who is trusted may write to the folder.
   */
  cache?: boolean | string | undefined;
  /**
   * Builds in a process of its own, which stays for the next build: what TensorRT does to it (a crash, a hang, damaged memory)
   * costs that build alone, and `signal` acts within a second.
   */
  isolate?: boolean | undefined;
  /** With `isolate`: most milliseconds from the call on; then the process is ended, and the promise is rejected with ERR_BUILD_TIMEOUT. */
  timeout?: number | undefined;
  /**
   * With `isolate`: most bytes of the process that may be in memory, weights included; beyond it, it is ended, and the promise is
   * rejected with ERR_BUILD_MEMORY.
   */
  memoryLimit?: number | undefined;
  /** Cancels the build, at TensorRT's next step, or with `isolate` at once; the promise is rejected with ERR_ABORTED. */
  signal?: AbortSignal | undefined;
  /** Called for warnings and errors while it builds: TensorRT's, and that ranges of dims were assumed. */
  onLog?:
    | ((line: { severity: 'internal_error' | 'error' | 'warning' | 'info' | 'verbose'; message: string }) => void)
    | undefined;
  /** Called as phases of the build start, advance and end. */
  onProgress?: ((progress: BuildProgress) => void) | undefined;
}
