import { z } from 'zod';
import { readArguments } from '../../errors/boundary.js';
import { TensorRTError } from '../../errors/error.js';
import { issueFacts, ownOnly, type SchemaIssue } from '../../errors/schema-issue.js';
import type { Profile } from './profiles.js';

const count = z.int().max(2 ** 31 - 1);
const bound = z.union([z.int(), z.array(z.int())]);
const numberOrRange = z.union([z.int(), z.tuple([bound, bound, bound])]);
const range = z.any().refine((value) => value === undefined || numberOrRange.safeParse(value).success, {
  params: { expected: 'a number or [min, opt, max]' },
});

const options = z.strictObject({
  library: z.string().min(1).optional(),
  profiles: z.array(z.record(z.string(), range)).min(1).optional(),
  tf32: z.boolean().optional(),
  refit: z.boolean().optional(),
  refitIdentical: z.boolean().optional(),
  stripPlan: z.boolean().optional(),
  versionCompatible: z.boolean().optional(),
  excludeLeanRuntime: z.boolean().optional(),
  pluginsToSerialize: z.array(z.string().min(1)).optional(),
  sparseWeights: z.boolean().optional(),
  strictNans: z.boolean().optional(),
  weightStreaming: z.boolean().optional(),
  directIO: z.boolean().optional(),
  debug: z.boolean().optional(),
  disableTimingCache: z.boolean().optional(),
  workspace: z.int().min(0).optional(),
  optimizationLevel: z.int().min(0).max(5).optional(),
  avgTimingIterations: count.min(1).optional(),
  maxTactics: count.min(-1).optional(),
  maxAuxStreams: count.min(0).optional(),
  profilingVerbosity: z.enum(['none', 'layer_names_only', 'detailed']).optional(),
  hardwareCompatibility: z.enum(['none', 'ampere_plus', 'same_compute_capability']).optional(),
  computeCapabilities: z
    .array(z.literal([75, 80, 86, 89, 120, 121]))
    .min(1)
    .optional(),
  decomposePlugins: z.boolean().optional(),
  signal: z.instanceof(AbortSignal).optional(),
  onLog: z.function().optional(),
  onProgress: z.function().optional(),
});

/** @internal */
export const optionNames: readonly string[] = Object.keys(options.shape);

/** How to build an engine. What is absent stays at TensorRT's own default. */
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
  /** Make weights refittable (kREFIT), for a refitter of your own: this package has none. */
  refit?: boolean | undefined;
  /** Refittable with the same weights only (kREFIT_IDENTICAL). */
  refitIdentical?: boolean | undefined;
  /** Leave refittable weights out of the plan (kSTRIP_PLAN), which runs only once it was refitted. */
  stripPlan?: boolean | undefined;
  /** A plan that later releases of the same major version can run (kVERSION_COMPATIBLE). Not TensorRT-RTX. */
  versionCompatible?: boolean | undefined;
  /** With `versionCompatible`: leave the lean runtime out of the plan (kEXCLUDE_LEAN_RUNTIME). */
  excludeLeanRuntime?: boolean | undefined;
  /**
   * With `versionCompatible`: paths of plugin libraries to put into the plan. Who loads it then needs no such file, but has to
   * allow code from the plan: `loadEngine(file, { allowHostCode: true })`. Not TensorRT-RTX.
   */
  pluginsToSerialize?: readonly string[] | undefined;
  /** Allow kernels for weights of 2:4 structured sparsity (kSPARSE_WEIGHTS). */
  sparseWeights?: boolean | undefined;
  /** Never assume that values are no NaN (kSTRICT_NANS, from TensorRT 10.6 on). */
  strictNans?: boolean | undefined;
  /** Let weights stay in host memory and stream to the GPU (kWEIGHT_STREAMING); the budget is TensorRT's own. */
  weightStreaming?: boolean | undefined;
  /** No reformatting of inputs and outputs (kDIRECT_IO). */
  directIO?: boolean | undefined;
  /** Synchronize after every layer, to tell which one fails (kDEBUG). */
  debug?: boolean | undefined;
  /** Time every layer anew, also one that equals another of this build (kDISABLE_TIMING_CACHE). */
  disableTimingCache?: boolean | undefined;
  /** Most scratch memory a layer may use, in bytes (kWORKSPACE). TensorRT: all of the GPU's. */
  workspace?: number | undefined;
  /** 0 (fast build) to 5 (fast engine); TensorRT: 3. */
  optimizationLevel?: number | undefined;
  /** Runs over which the time of a tactic is averaged; 1 or more. */
  avgTimingIterations?: number | undefined;
  /** Most tactics tried per layer; -1 leaves it to TensorRT. */
  maxTactics?: number | undefined;
  /** Most streams beside the main one, on which layers run in parallel; 0: none. Default: TensorRT's choice. */
  maxAuxStreams?: number | undefined;
  /** What `engine.inspect()` can tell: `detailed` has kernels, shapes and formats, `layer_names_only` (TensorRT's default) names, `none` nothing. */
  profilingVerbosity?: 'none' | 'layer_names_only' | 'detailed' | undefined;
  /** GPUs beside this one on which the plan runs: those of compute capability 8.0 and later, or of the same one. Not TensorRT-RTX. */
  hardwareCompatibility?: 'none' | 'ampere_plus' | 'same_compute_capability' | undefined;
  /** TensorRT-RTX: compute capabilities to build for, e.g. `[89, 120]`. */
  computeCapabilities?: readonly number[] | undefined;
  /** Replaces plugins by the layers of their `decompose`. TensorRT-RTX has no plugin layers, so there it always is so. */
  decomposePlugins?: boolean | undefined;
  /** Cancels the build; the promise is rejected with ERR_ABORTED. */
  signal?: AbortSignal | undefined;
  /** Called for warnings and errors while it builds: TensorRT's, and that ranges of dims were assumed. */
  onLog?:
    | ((line: { severity: 'internal_error' | 'error' | 'warning' | 'info' | 'verbose'; message: string }) => void)
    | undefined;
  /** Called as phases of the build advance. */
  onProgress?: ((progress: { phase: string; step: number; steps: number }) => void) | undefined;
}

/** `profiles[0].batch`; undefined for the options themselves. */
function placeIn([first, ...path]: readonly PropertyKey[]): string | undefined {
  if (first === undefined) return undefined;
  return path.reduce<string>(
    (text, key) => text + (typeof key === 'number' ? `[${key}]` : `.${String(key)}`),
    String(first),
  );
}

/** Only a version-compatible plan holds libraries. */
function checkPlugins({ pluginsToSerialize, versionCompatible }: BuildOptions): void {
  if (!pluginsToSerialize?.length || versionCompatible) return;
  throw new TensorRTError('ERR_BUILD_OPTION', 'expected versionCompatible: true beside it', {
    method: 'build options',
    option: 'pluginsToSerialize',
  });
}

/** Checks build options. @throws ERR_BUILD_OPTION */
export function checkOptions(given: BuildOptions): BuildOptions {
  const parsed = readArguments('build options', [given], () => options.safeParse(ownOnly(given)), 'ERR_BUILD_OPTION');
  if (parsed.success) {
    checkPlugins(given);
    return given;
  }
  const issue = parsed.error.issues[0] as SchemaIssue;
  const { said, ...facts } = issueFacts(issue, given);
  const call = { method: 'build options', cause: parsed.error };
  if (issue.code !== 'unrecognized_keys') {
    throw new TensorRTError('ERR_BUILD_OPTION', said, { ...facts, ...call, option: placeIn(issue.path) });
  }
  const [expected, unknown] = [optionNames, issue.keys!];
  throw new TensorRTError(
    'ERR_BUILD_OPTION',
    `no option is called '${unknown.join("', '")}'; there are ${expected.join(', ')}`,
    { ...call, expected, actual: unknown },
  );
}
