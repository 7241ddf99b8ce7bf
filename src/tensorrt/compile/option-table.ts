import { z } from 'zod';
import type { BuildOptions, MemoryPool, PreviewFeature, TacticSource } from './options.js';

/** A build option beside its type and its JSDoc, which are in options.ts. */
interface OptionRow<T> {
  /** What it takes. */
  schema: z.ZodType<unknown, T>;
  /** TensorRT's name. */
  tensorrt: string;
  /** The flag of TensorRT 11's trtexec; absent if there is none. */
  trtexec?: string;
  /** It is not told to TensorRT's builder, so that no release is without it, and no getter has it. */
  ours?: true;
}

const count = z.int().max(2 ** 31 - 1);
const bytes = z.int().min(0);
const bound = z.union([z.int(), z.array(z.int())]);
const numberOrRange = z.union([z.int(), z.tuple([bound, bound, bound])]);
const range = z.any().refine((value) => value === undefined || numberOrRange.safeParse(value).success, {
  params: { expected: 'a number or [min, opt, max]' },
});
const text = z.string().min(1);
/** TensorRT reads it as a C string. */
const route = z.string().refine((value) => !value.includes('\0'), { params: { expected: 'a string without NUL' } });
const cache = z
  .any()
  .refine((value) => value === true || value instanceof Uint8Array || (typeof value === 'string' && value !== ''), {
    params: { expected: 'a path, a Uint8Array or true' },
  });

const pools = [
  'workspace',
  'tactic_dram',
  'tactic_shared_memory',
  'dla_managed_sram',
  'dla_local_dram',
  'dla_global_dram',
];
const sources = ['cublas', 'cublas_lt', 'cudnn', 'edge_mask_convolutions', 'jit_convolutions'] as const;
const features = [
  'profile_sharing_0806',
  'aliased_plugin_io_10_03',
  'runtime_activation_resize_10_10',
  'multidevice_runtime_10_16',
];
const entries = <K extends string, T extends z.ZodType>(names: readonly string[], value: T) =>
  z.strictObject(Object.fromEntries(names.map((name) => [name, value.optional()])) as Record<K, z.ZodOptional<T>>);

/** zod's own type of functions is narrower than any callback's. */
const callback = z.function() as unknown as z.ZodType<unknown, never>;

const flag = (tensorrt: string, trtexec?: string): OptionRow<boolean> => ({
  schema: z.boolean(),
  tensorrt,
  ...(trtexec !== undefined && { trtexec }),
});

/** Every build option. The addon has how TensorRT is told it (native/compile/options.cc) and since which releases (`optionTable`). */
export const optionTable: { readonly [name in keyof BuildOptions]-?: OptionRow<NonNullable<BuildOptions[name]>> } = {
  library: { schema: text, tensorrt: '', ours: true },
  profiles: {
    schema: z.array(z.record(z.string(), range)).min(1),
    tensorrt: 'addOptimizationProfile, setDimensions, setShapeValues',
    trtexec: '--minShapes, --optShapes, --maxShapes, --profile',
    ours: true,
  },

  tf32: flag('kTF32', '--noTF32'),
  strictNans: flag('kSTRICT_NANS'),
  distributiveIndependence: flag('kDISTRIBUTIVE_INDEPENDENCE'),
  sparseWeights: flag('kSPARSE_WEIGHTS', '--sparsity'),
  decomposeAttention: {
    schema: z.enum(['never', 'may', 'must']),
    tensorrt: 'IAttention::setDecomposable',
    trtexec: '--decomposableAttentions',
    ours: true,
  },
  decomposePlugins: { schema: z.boolean(), tensorrt: '', ours: true },

  refit: flag('kREFIT', '--refit'),
  refitIdentical: flag('kREFIT_IDENTICAL'),
  refitIndividual: {
    schema: z.union([z.literal(true), z.array(text).min(1)]),
    tensorrt: 'kREFIT_INDIVIDUAL, markWeightsRefittable',
  },
  stripPlan: flag('kSTRIP_PLAN', '--stripWeights'),
  weightStreaming: flag('kWEIGHT_STREAMING', '--allowWeightStreaming'),

  versionCompatible: flag('kVERSION_COMPATIBLE', '--versionCompatible'),
  excludeLeanRuntime: flag('kEXCLUDE_LEAN_RUNTIME', '--excludeLeanRuntime'),
  pluginsToSerialize: {
    schema: z.array(text),
    tensorrt: 'setPluginsToSerialize',
    trtexec: '--setPluginsToSerialize',
  },
  hardwareCompatibility: {
    schema: z.enum(['none', 'ampere_plus', 'same_compute_capability']),
    tensorrt: 'setHardwareCompatibilityLevel',
    trtexec: '--hardwareCompatibilityLevel',
  },
  computeCapabilities: {
    schema: z.array(z.literal([75, 80, 86, 89, 120, 121])).min(1),
    tensorrt: 'setComputeCapability',
  },
  runtimePlatform: {
    schema: z.enum(['same_as_build', 'windows_amd64']),
    tensorrt: 'setRuntimePlatform',
    trtexec: '--runtimePlatform',
  },
  engineCapability: { schema: z.enum(['standard']), tensorrt: 'setEngineCapability' },

  directIO: flag('kDIRECT_IO', '--directIO'),
  workspace: { schema: bytes, tensorrt: 'setMemoryPoolLimit(kWORKSPACE)', trtexec: '--memPoolSize' },
  memoryPools: {
    schema: entries<MemoryPool, typeof bytes>(pools, bytes),
    tensorrt: 'setMemoryPoolLimit',
    trtexec: '--memPoolSize',
  },

  optimizationLevel: {
    schema: z.int().min(0).max(5),
    tensorrt: 'setBuilderOptimizationLevel',
    trtexec: '--builderOptimizationLevel',
  },
  avgTimingIterations: { schema: count.min(1), tensorrt: 'setAvgTimingIterations', trtexec: '--avgTiming' },
  maxTactics: { schema: count.min(-1), tensorrt: 'setMaxNbTactics', trtexec: '--maxTactics' },
  tacticSources: {
    schema: z.array(z.enum(sources)) as z.ZodType<unknown, readonly TacticSource[]>,
    tensorrt: 'setTacticSources',
    trtexec: '--tacticSources',
  },
  tilingOptimizationLevel: {
    schema: z.enum(['none', 'fast', 'moderate', 'full']),
    tensorrt: 'setTilingOptimizationLevel',
    trtexec: '--tilingOptimizationLevel',
  },
  l2LimitForTiling: { schema: bytes, tensorrt: 'setL2LimitForTiling', trtexec: '--l2LimitForTiling' },
  previewFeatures: {
    schema: entries<PreviewFeature, z.ZodBoolean>(features, z.boolean()),
    tensorrt: 'setPreviewFeature',
    trtexec: '--preview',
  },
  buildRoute: { schema: route, tensorrt: 'setBuildRoute', trtexec: '--setBuildRoute' },
  maxAuxStreams: { schema: count.min(0), tensorrt: 'setMaxAuxStreams', trtexec: '--maxAuxStreams' },
  maxThreads: { schema: count.min(1), tensorrt: 'IBuilder::setMaxThreads' },

  timingCache: {
    schema: cache,
    tensorrt: 'createTimingCache, setTimingCache',
    trtexec: '--timingCacheFile',
    ours: true,
  },
  ignoreTimingCacheMismatch: { schema: z.boolean(), tensorrt: 'setTimingCache', ours: true },
  errorOnTimingCacheMiss: flag('kERROR_ON_TIMING_CACHE_MISS', '--errorOnTimingCacheMiss'),
  editableTimingCache: flag('kEDITABLE_TIMING_CACHE'),
  disableTimingCache: flag('kDISABLE_TIMING_CACHE', '--noBuilderCache'),
  disableCompilationCache: flag('kDISABLE_COMPILATION_CACHE', '--noCompilationCache'),

  profilingVerbosity: {
    schema: z.enum(['none', 'layer_names_only', 'detailed']),
    tensorrt: 'setProfilingVerbosity',
    trtexec: '--profilingVerbosity',
  },
  debug: flag('kDEBUG'),
  monitorMemory: flag('kMONITOR_MEMORY', '--monitorMemory'),

  isolate: { schema: z.boolean(), tensorrt: '', ours: true },
  timeout: { schema: count.min(1), tensorrt: '', ours: true },
  memoryLimit: { schema: bytes.min(1), tensorrt: '', ours: true },
  cache: { schema: z.union([z.boolean(), text]), tensorrt: '', ours: true },
  signal: { schema: z.instanceof(AbortSignal), tensorrt: 'IProgressMonitor::stepComplete', ours: true },
  onLog: { schema: callback, tensorrt: 'ILogger', trtexec: '--verbose', ours: true },
  onProgress: { schema: callback, tensorrt: 'IProgressMonitor', ours: true },
};

const dla = "TensorRT's DLA is in Jetson and DRIVE modules, which this package does not run on";
const typed = 'networks are strongly typed';

/** What TensorRT or trtexec take and this package does not, and why. */
export const refusedOptions: Readonly<Record<string, string>> = {
  useDLACore: dla,
  defaultDeviceType: dla,
  layerDeviceTypes: dla,
  allowGPUFallback: dla,
  gpuFallback: dla,
  buildDLAStandalone: dla,
  safe: "TensorRT's safety runtime is on DRIVE OS, which this package does not run on",
  safetyScope: "TensorRT's safety runtime is on DRIVE OS, which this package does not run on",
  remoteAutoTuningConfig: "it is for TensorRT's safety runtime, on DRIVE OS, which this package does not run on",
  fp16: `${typed}: use float16 inputs and weights (w.as('float16')), or x.cast('float16')`,
  bf16: `${typed}: use bfloat16 inputs and weights (w.as('bfloat16')), or x.cast('bfloat16')`,
  int8: `${typed}: use x.quantize and x.dequantize`,
  fp8: `${typed}: use x.quantize and x.dequantize`,
  int4: `${typed}: use x.quantize and x.dequantize`,
  best: `${typed}: the dtypes of inputs and weights, and casts, decide`,
  precisionConstraints: `${typed}: the dtypes of inputs and weights, and casts, decide`,
  int8Calibrator: 'TensorRT 11 dropped calibrators: use x.quantize and x.dequantize',
};

/** Values that TensorRT takes and this package does not, and why. */
export const refusedValues: Readonly<Record<string, string>> = {
  'engineCapability.safety': "TensorRT's safety runtime is on DRIVE OS, which this package does not run on",
  'engineCapability.dla_standalone': dla,
  'memoryPools.dla_managed_sram': dla,
  'memoryPools.dla_local_dram': dla,
  'memoryPools.dla_global_dram': dla,
};
