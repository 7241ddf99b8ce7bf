import { z } from 'zod';
import { dimNames, evaluateDim } from '../dsl/dim.js';
import { TensorRTError } from '../dsl/errors.js';
import type { IRNamed } from '../dsl/ir.js';

const size = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);
const range = z.union([size, z.tuple([size, size, size])]);

/** One optimization profile: for every dynamic dim `[min, opt, max]`, or one number for a fixed size. */
export type Profile = Readonly<Record<string, number | readonly [min: number, opt: number, max: number]>>;

const options = z.strictObject({
  library: z.string().min(1).optional(),
  profiles: z.array(z.record(z.string(), range)).min(1).optional(),
  tf32: z.boolean().optional(),
  refit: z.boolean().optional(),
  refitIdentical: z.boolean().optional(),
  stripPlan: z.boolean().optional(),
  versionCompatible: z.boolean().optional(),
  excludeLeanRuntime: z.boolean().optional(),
  sparseWeights: z.boolean().optional(),
  strictNans: z.boolean().optional(),
  weightStreaming: z.boolean().optional(),
  directIO: z.boolean().optional(),
  debug: z.boolean().optional(),
  disableTimingCache: z.boolean().optional(),
  workspace: z.int().min(0).optional(),
  optimizationLevel: z.int().min(0).max(5).optional(),
  avgTimingIterations: z.int().min(1).optional(),
  maxTactics: z.int().min(-1).optional(),
  maxAuxStreams: z.int().min(0).optional(),
  profilingVerbosity: z.enum(['none', 'layer_names_only', 'detailed']).optional(),
  hardwareCompatibility: z.enum(['none', 'ampere_plus', 'same_compute_capability']).optional(),
  computeCapabilities: z.array(z.int().min(70)).min(1).optional(),
  signal: z.instanceof(AbortSignal).optional(),
  onLog: z.function().optional(),
  onProgress: z.function().optional(),
});

/** How to build an engine. What is absent stays at TensorRT's own default. */
export interface BuildOptions {
  /** Path of a TensorRT library or its folder, or a flavor (`trt10`, `trt11`, `rtx1`). Default: the best one found. */
  library?: string;
  /** Ranges of the dynamic dims, one object per optimization profile. Default: one profile with every dim from 1 to 64, tuned for 8. */
  profiles?: readonly Profile[];
  /** Allow TF32 in float32 layers (TensorRT: on). */
  tf32?: boolean;
  /** Make weights refittable. */
  refit?: boolean;
  /** Refittable with the same weights only. */
  refitIdentical?: boolean;
  /** Leave refittable weights out of the plan. */
  stripPlan?: boolean;
  /** A plan that later releases of the same major version can run. */
  versionCompatible?: boolean;
  excludeLeanRuntime?: boolean;
  /** Allow 2:4 structured sparsity. */
  sparseWeights?: boolean;
  /** Never assume that values are no NaN. */
  strictNans?: boolean;
  weightStreaming?: boolean;
  /** No reformatting of inputs and outputs. */
  directIO?: boolean;
  debug?: boolean;
  disableTimingCache?: boolean;
  /** Most scratch memory a layer may use, in bytes. */
  workspace?: number;
  /** 0 (fast build) to 5 (fast engine); TensorRT: 3. */
  optimizationLevel?: number;
  avgTimingIterations?: number;
  /** Most tactics tried per layer; -1 leaves it to TensorRT. */
  maxTactics?: number;
  maxAuxStreams?: number;
  profilingVerbosity?: 'none' | 'layer_names_only' | 'detailed';
  hardwareCompatibility?: 'none' | 'ampere_plus' | 'same_compute_capability';
  /** TensorRT-RTX: compute capabilities to build for, e.g. `[89, 120]`. */
  computeCapabilities?: readonly number[];
  /** Cancels the build; the promise is rejected with ERR_ABORTED. */
  signal?: AbortSignal;
  /** Called for TensorRT's warnings and errors while it builds. */
  onLog?: (line: { severity: 'internal_error' | 'error' | 'warning' | 'info' | 'verbose'; message: string }) => void;
  /** Called as phases of the build advance. */
  onProgress?: (progress: { phase: string; step: number; steps: number }) => void;
}

/** Checks build options. @throws ERR_BUILD_OPTION */
export function checkOptions(given: BuildOptions): BuildOptions {
  const parsed = options.safeParse(given);
  if (parsed.success) return given;
  const issue = parsed.error.issues[0]!;
  const where = issue.path.join('.');
  throw new TensorRTError('ERR_BUILD_OPTION', `build options${where ? `: ${where}` : ''}: ${issue.message}`, {
    cause: parsed.error,
  });
}

const defaultRange = [1, 8, 64] as const;

/**
 * The profiles by input: `{ input: { min, opt, max } }` with whole shapes.
 * @throws ERR_PROFILE where a dim is missing, unknown, or not min ≤ opt ≤ max
 */
export function resolveProfiles(
  inputs: readonly IRNamed[],
  profiles: readonly Profile[] | undefined,
): Record<string, { min: number[]; opt: number[]; max: number[] }>[] {
  const names = [...new Set(inputs.flatMap((input) => input.shape.flatMap(dimNames)))];
  if (names.length === 0) return [];
  const given = profiles ?? [Object.fromEntries(names.map((name) => [name, defaultRange]))];
  return given.map((profile, index) => {
    const ranges = new Map<string, readonly [number, number, number]>();
    for (const name of names) {
      const value = profile[name];
      if (value === undefined) {
        throw new TensorRTError(
          'ERR_PROFILE',
          `profiles[${index}]: dim '${name}' is missing; expected [min, opt, max] for each of ${names.join(', ')}`,
        );
      }
      const [min, opt, max] = typeof value === 'number' ? [value, value, value] : value;
      if (!(min <= opt && opt <= max)) {
        throw new TensorRTError(
          'ERR_PROFILE',
          `profiles[${index}]: '${name}' must be [min, opt, max] in rising order, given [${min}, ${opt}, ${max}]`,
        );
      }
      ranges.set(name, [min, opt, max]);
    }
    const unknown = Object.keys(profile).find((name) => !ranges.has(name));
    if (unknown !== undefined) {
      throw new TensorRTError(
        'ERR_PROFILE',
        `profiles[${index}]: the network has no dynamic dim '${unknown}'; it has ${names.join(', ')}`,
      );
    }
    const sizes = [0, 1, 2].map((which) => Object.fromEntries([...ranges].map(([name, r]) => [name, r[which]!])));
    return Object.fromEntries(
      inputs
        .filter((input) => input.shape.some((dim) => typeof dim === 'string'))
        .map((input) => {
          const [min, opt, max] = sizes.map((s) => input.shape.map((dim) => evaluateDim(dim, s)!));
          return [input.name, { min: min!, opt: opt!, max: max! }];
        }),
    );
  });
}
