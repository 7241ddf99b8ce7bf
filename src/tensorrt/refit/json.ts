import { z } from 'zod';
import { TensorRTError } from '../../errors/error.js';
import { dtypes } from '../../values/dtype.js';
import type { Recipe } from '../../values/recipe.js';
import { stepNames } from '../../weights/replay.js';
import type { RefitPlan } from './plan.js';

/** A plan as JSON: bytes as base64. It travels with an engine's file. */
export type RefitPlanJSON = {
  version: 1;
  mode: RefitPlan['mode'];
  stripped: boolean;
  weights: readonly Record<string, unknown>[];
};

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

function recipeJSON(recipe: Recipe): unknown {
  if ('constant' in recipe) return { ...recipe, constant: text(recipe.constant) };
  if (!('step' in recipe)) return recipe;
  return { ...recipe, of: Object.fromEntries(Object.entries(recipe.of).map(([role, one]) => [role, recipeJSON(one)])) };
}

/** @internal */
export function toJSON({ mode, stripped, weights }: RefitPlan): RefitPlanJSON {
  const rows = weights.map(({ recipe, tied, elements, ...row }) => ({
    ...row,
    ...(recipe && { recipe: recipeJSON(recipe) }),
    ...(tied && { tied: tied.map(recipeJSON) }),
    ...(elements && { elements: text(elements) }),
  }));
  return { version: 1, mode, stripped, weights: rows };
}

/** Steps within steps; methods make a few. */
const deepest = 64;

const sizes = z.array(z.int().min(0)).max(64);
const bytes = z.base64().transform((given) => new Uint8Array(Buffer.from(given, 'base64')));
const source = z.strictObject({ source: z.string(), file: z.string(), shape: sizes.optional() });
const constant = z.strictObject({ dtype: z.string(), shape: sizes, constant: bytes });
const step = z.strictObject({
  step: z.enum(stepNames as [string, ...string[]]),
  of: z.record(z.string(), z.unknown()),
  with: z.record(z.string(), z.unknown()),
  part: z.string(),
});

function readRecipe(given: unknown, depth = 0): Recipe {
  if (depth > deepest) throw new TypeError('recipes are nested too deeply');
  if (typeof given === 'object' && given !== null && 'step' in given) {
    const { of, ...rest } = step.parse(given);
    const inner = Object.entries(of).map(([role, one]) => [role, readRecipe(one, depth + 1)] as const);
    return { ...rest, of: Object.fromEntries(inner) };
  }
  return z.union([source, constant]).parse(given);
}

const recipe = z.unknown().transform((given, context): Recipe => {
  try {
    return readRecipe(given);
  } catch (error) {
    context.issues.push({ code: 'custom', message: (error as Error).message, input: given });
    return z.NEVER;
  }
});

const plan = z.object({
  version: z.literal(1),
  mode: z.enum(['all', 'identical', 'individual']),
  stripped: z.boolean(),
  weights: z.array(
    z.object({
      name: z.string(),
      dtype: z.enum(dtypes),
      shape: sizes,
      recipe: recipe.optional(),
      tied: z.array(recipe).optional(),
      sha256: z.string().optional(),
      own: z.string().optional(),
      elements: bytes.optional(),
    }),
  ),
});

/** @internal The inverse of `toJSON`, for what may come from anywhere. @throws ERR_REFIT */
export function fromJSON(given: unknown): RefitPlan {
  const { success, data, error } = plan.safeParse(given);
  if (success) {
    const { version: _, ...read } = data;
    return read;
  }
  const { path, message } = error.issues[0]!;
  throw new TensorRTError(
    'ERR_REFIT',
    `the engine's file does not say how its weights were made, as it should: ${path.join('.')}: ${message}`,
    { cause: error },
  );
}

/** What an engine's metadata has of it. */
export const metadataOf = (plan: RefitPlan | undefined): { refit?: RefitPlanJSON } =>
  plan ? { refit: toJSON(plan) } : {};
