import { z } from 'zod';
import { dimNames, evaluateDim } from '../dsl/dim.js';
import { TensorRTError } from '../dsl/errors.js';
import type { IRNamed } from '../dsl/ir.js';
import { describeIssue } from '../dsl/recording.js';
import { reading } from '../dsl/source.js';

const count = z.int().max(2 ** 31 - 1);
const size = count.min(0);
const values = z.array(z.int());
const range = z.union([size, z.tuple([size, size, size]), z.strictObject({ min: values, opt: values, max: values })]);

/**
 * One optimization profile: for every dynamic dim `[min, opt, max]`, or one number for a fixed size. Where shapes depend on
 * the elements of an int32 or int64 input (k of topk, start or size of slice), also their range, by the input's name: the
 * same for all elements, or lists.
 */
export type Profile = Readonly<
  Record<
    string,
    | number
    | readonly [min: number, opt: number, max: number]
    | { readonly min: readonly number[]; readonly opt: readonly number[]; readonly max: readonly number[] }
  >
>;

/** Whole shapes of an input, or its elements where `values` is set. */
export interface InputRange {
  min: number[];
  opt: number[];
  max: number[];
  values?: true;
}

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
  avgTimingIterations: count.min(1).optional(),
  maxTactics: count.min(-1).optional(),
  maxAuxStreams: count.min(0).optional(),
  profilingVerbosity: z.enum(['none', 'layer_names_only', 'detailed']).optional(),
  hardwareCompatibility: z.enum(['none', 'ampere_plus', 'same_compute_capability']).optional(),
  computeCapabilities: z
    .array(z.literal([75, 80, 86, 89, 120, 121]))
    .min(1)
    .optional(),
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
  const parsed = reading('build options', [given], () => options.safeParse(given), 'ERR_BUILD_OPTION');
  if (parsed.success) return given;
  const issue = parsed.error.issues[0]!;
  const where = issue.path.join('.');
  const problem =
    issue.code === 'unrecognized_keys'
      ? `no option is called '${issue.keys.join("', '")}'; there are ${Object.keys(options.shape).join(', ')}`
      : `${where ? `${where}: ` : ''}${describeIssue(issue, given)}`;
  throw new TensorRTError('ERR_BUILD_OPTION', `build options: ${problem}`, { cause: parsed.error });
}

const defaultRange = [1, 8, 64] as const;

/**
 * The profiles by input: `{ input: { min, opt, max } }` with whole shapes.
 * @throws ERR_PROFILE where a dim is missing, unknown, or not min ≤ opt ≤ max
 */
export function resolveProfiles(
  inputs: readonly IRNamed[],
  profiles: readonly Profile[] | undefined,
): Record<string, InputRange>[] {
  const names = [...new Set(inputs.flatMap((input) => input.shape.flatMap(dimNames)))];
  if (names.length === 0 && !profiles) return [];
  const given = profiles ?? [Object.fromEntries(names.map((name) => [name, defaultRange]))];
  const resolved = given.map((profile, index) => {
    const ranges = new Map<string, readonly [number, number, number]>();
    for (const name of names) {
      const value = profile[name];
      if (value === undefined) {
        throw new TensorRTError(
          'ERR_PROFILE',
          `profiles[${index}]: dim '${name}' is missing; expected [min, opt, max] for each of ${names.join(', ')}`,
        );
      }
      const [min, opt, max] = triple(value);
      if (!(min <= opt && opt <= max)) {
        throw new TensorRTError(
          'ERR_PROFILE',
          `profiles[${index}]: '${name}' must be [min, opt, max] in rising order, given ${Number.isNaN(min) ? JSON.stringify(value) : `[${min}, ${opt}, ${max}]`}`,
        );
      }
      ranges.set(name, [min, opt, max]);
    }
    const elements = elementRanges(
      inputs.filter(({ name }) => !ranges.has(name)),
      profile,
      index,
    );
    const unknown = Object.keys(profile).find((name) => !ranges.has(name) && !elements.has(name));
    if (unknown !== undefined) {
      throw new TensorRTError(
        'ERR_PROFILE',
        `profiles[${index}]: the network has no dynamic dim '${unknown}'; it has ${names.join(', ') || 'none'}`,
      );
    }
    const sizes = [0, 1, 2].map((which) => Object.fromEntries([...ranges].map(([name, r]) => [name, r[which]!])));
    const shapes = inputs
      .filter((input) => input.shape.some((dim) => typeof dim === 'string'))
      .map((input): [string, InputRange] => {
        const [min, opt, max] = sizes.map((s) => input.shape.map((dim) => evaluateDim(dim, s)!));
        return [input.name, { min: min!, opt: opt!, max: max! }];
      });
    return Object.fromEntries([...shapes, ...elements]);
  });
  return resolved.some((profile) => Object.keys(profile).length > 0) ? resolved : [];
}

type Range = Profile[string];

/** A dim's range; lists, which belong to elements, compare as out of order. */
const triple = (value: Range): readonly [number, number, number] =>
  typeof value === 'number'
    ? [value, value, value]
    : Array.isArray(value)
      ? (value as unknown as [number, number, number])
      : [Number.NaN, Number.NaN, Number.NaN];

/** Ranges of the elements of integer inputs that could be shape tensors: rank 0 or 1, of known length. */
function elementRanges(inputs: readonly IRNamed[], profile: Profile, index: number): Map<string, InputRange> {
  const found = new Map<string, InputRange>();
  for (const { name, dtype, shape } of inputs) {
    const given = profile[name];
    const fits =
      (dtype === 'int32' || dtype === 'int64') && shape.length <= 1 && shape.every((dim) => typeof dim === 'number');
    if (given === undefined || !fits) continue;
    const count = (shape[0] as number | undefined) ?? 1;
    const all = (n: number): number[] => Array(count).fill(n);
    const [least, best, most] = triple(given);
    const lists =
      typeof given === 'object' && 'min' in given ? given : { min: all(least), opt: all(best), max: all(most) };
    const { min, opt, max } = { min: [...lists.min], opt: [...lists.opt], max: [...lists.max] };
    const ordered = min.every((n, i) => n <= opt[i]! && opt[i]! <= max[i]!);
    if ([min, opt, max].some((list) => list.length !== count) || !ordered) {
      throw new TensorRTError(
        'ERR_PROFILE',
        `profiles[${index}]: '${name}' must have min, opt and max of ${count} numbers in rising order, given ${JSON.stringify(given)}`,
      );
    }
    found.set(name, { min, opt, max, values: true });
  }
  return found;
}
