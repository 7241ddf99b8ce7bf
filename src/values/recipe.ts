import type { HalfArray, TypedArray } from './dtype.js';

/** A tensor of a weight file, as it was when the weight was recorded. */
export interface SourceRecipe {
  /** Its name in the file. */
  readonly source: string;
  /** Path of the file. */
  readonly file: string;
  /** Absent if any fits. */
  readonly shape?: readonly number[] | undefined;
}

/** Elements that no file has. */
export interface ConstantRecipe {
  /** Dtype of the elements. */
  readonly dtype: string;
  /** Their shape. */
  readonly shape: readonly number[];
  /** In the form of `WeightLike.data`. */
  readonly constant: Uint8Array;
}

/** What a method made of other weights; `weights/replay.ts` does it again. */
export interface StepRecipe {
  /** Name of the method. */
  readonly step: string;
  /** What it is made of, by role. */
  readonly of: Readonly<Record<string, Recipe>>;
  /** Options: plain data. */
  readonly with: Readonly<Record<string, unknown>>;
  /** Which of the step's results. */
  readonly part: string;
}

/** How elements come from the tensors of a file: data, so that the same can be done with another file. */
export type Recipe = SourceRecipe | ConstantRecipe | StepRecipe;

/** A recipe, and the very elements it stands for: others, such as those of a changed copy, have none. */
export interface Origin {
  /** How the elements were made. */
  readonly recipe: Recipe;
  /** The elements. */
  readonly data: TypedArray | HalfArray;
}

/** What a step is made of: a recipe, or how to get one with the elements of what comes from no file. */
export type Ingredient = Recipe | (() => Recipe);

/**
 * The recipe for a result of a step; undefined if nothing of it comes from a file.
 * @param of by role; undefined for what is absent
 */
export function stepOf(
  step: string,
  of: Readonly<Record<string, Ingredient | undefined>>,
  options: Readonly<Record<string, unknown>> = {},
  part = 'weight',
): StepRecipe | undefined {
  const given = Object.entries(of).filter((entry): entry is [string, Ingredient] => entry[1] !== undefined);
  if (given.every(([, one]) => typeof one === 'function')) return undefined;
  const made = given.map(([role, one]): [string, Recipe] => [role, typeof one === 'function' ? one() : one]);
  return { step, of: Object.fromEntries(made), with: options, part };
}

/** The recipe of elements, if they are those it stands for. */
export function recipeOf(weight: { origin?: Origin | undefined; data: TypedArray | HalfArray }): Recipe | undefined {
  const { origin } = weight;
  return origin && origin.data === weight.data ? origin.recipe : undefined;
}

/** The same recipe for elements that are a copy, or another view, of those it stood for. */
export const originOf = (recipe: Recipe | undefined, data: TypedArray | HalfArray): Origin | undefined =>
  recipe && { recipe, data };

/** The sources of a recipe, each once by name and file. */
export function sourcesOf(recipe: Recipe, found = new Map<string, SourceRecipe>()): Map<string, SourceRecipe> {
  if ('source' in recipe) found.set(`${recipe.file}\0${recipe.source}`, recipe);
  else if ('step' in recipe) for (const one of Object.values(recipe.of)) sourcesOf(one, found);
  return found;
}
