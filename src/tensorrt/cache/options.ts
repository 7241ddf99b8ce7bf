import type { BuildOptions } from '../compile/options.js';

/**
 * How an option gets into the key of an engine:
 * - `value`: as it was given
 * - `files`: by the content of the files that it names
 * - `elsewhere`: by what became of it, such as the profiles as resolved or the library that was chosen
 * - `none`: engines are the same without it
 */
export type OptionPart = 'value' | 'files' | 'elsewhere' | 'none';

/**
 * Every option: the compiler asks for those that are not here. A timing cache decides only where TensorRT is told to obey it; else it
 * saves measurements.
 */
export const optionParts: Readonly<Record<keyof BuildOptions, OptionPart>> = {
  library: 'elsewhere',
  profiles: 'elsewhere',
  decomposePlugins: 'elsewhere',
  tf32: 'value',
  strictNans: 'value',
  distributiveIndependence: 'value',
  sparseWeights: 'value',
  decomposeAttention: 'value',
  refit: 'value',
  refitIdentical: 'value',
  refitIndividual: 'value',
  stripPlan: 'value',
  weightStreaming: 'value',
  versionCompatible: 'value',
  excludeLeanRuntime: 'value',
  pluginsToSerialize: 'files',
  hardwareCompatibility: 'value',
  computeCapabilities: 'value',
  runtimePlatform: 'value',
  engineCapability: 'value',
  directIO: 'value',
  workspace: 'value',
  memoryPools: 'value',
  optimizationLevel: 'value',
  avgTimingIterations: 'value',
  maxTactics: 'value',
  tacticSources: 'value',
  tilingOptimizationLevel: 'value',
  l2LimitForTiling: 'value',
  previewFeatures: 'value',
  buildRoute: 'value',
  maxAuxStreams: 'value',
  timingCache: 'elsewhere',
  ignoreTimingCacheMismatch: 'value',
  errorOnTimingCacheMiss: 'value',
  editableTimingCache: 'value',
  disableTimingCache: 'value',
  profilingVerbosity: 'value',
  debug: 'value',
  disableCompilationCache: 'none',
  maxThreads: 'none',
  monitorMemory: 'none',
  isolate: 'none',
  timeout: 'none',
  memoryLimit: 'none',
  cache: 'none',
  signal: 'none',
  onLog: 'none',
  onProgress: 'none',
};

/** Names of the options of one kind. */
export const optionsThat = (part: OptionPart): (keyof BuildOptions)[] =>
  (Object.keys(optionParts) as (keyof BuildOptions)[]).filter((name) => optionParts[name] === part);
