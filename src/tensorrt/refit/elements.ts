import { TensorRTError } from '../../errors/error.js';
import { suggestion } from '../../errors/nearest.js';
import { Pace } from '../../pace.js';
import { type DType, viewAs } from '../../values/dtype.js';
import { type Recipe, type SourceRecipe, sourcesOf } from '../../values/recipe.js';
import { Replay } from '../../weights/replay.js';
import type { Weight } from '../../weights/weight.js';
import { weight } from '../../weights/weight.js';
import { digestOf } from './complete.js';
import type { RefitPlan, RefitWeight } from './plan.js';
import type { Tensors } from './tensors.js';

/** A weight that TensorRT says can be refitted. */
export interface Refittable {
  name: string;
  /** Undefined where TensorRT does not say. */
  dtype: DType | undefined;
  count: number;
}

/** What a refit is to set. */
export interface RefitElements {
  /** By TensorRT's names. */
  weights: { name: string; dtype: DType; made: Weight }[];
  /** Names in the files of the tensors that were found, and of those that were not. */
  refitted: string[];
  missing: string[];
  /** TensorRT's names of weights that come from no file. */
  kept: string[];
}

type NameOf = (source: SourceRecipe) => string;

/** Without a plan, TensorRT's names are taken for those of the file. */
export const plainPlan = (listed: readonly Refittable[]): RefitPlan => ({
  mode: 'all',
  stripped: false,
  weights: listed.map(({ name, dtype, count }) => ({
    name,
    dtype: dtype ?? 'float32',
    shape: [count],
    recipe: { source: name, file: '' },
  })),
});

const fail = (code: string, message: string, details = {}): TensorRTError => new TensorRTError(code, message, details);

/** Lists of names, shortened. */
export const namesText = (names: readonly string[]): string =>
  names.slice(0, 8).join(', ') + (names.length > 8 ? `, … (${names.length})` : '');

const recipesOf = ({ recipe, tied = [] }: RefitWeight): Recipe[] => (recipe ? [recipe, ...tied] : []);

/** Which tensors there are, before anything is computed. */
class Sources {
  readonly missing = new Map<string, SourceRecipe>();
  readonly found = new Map<string, Weight>();
  readonly #tensors: Tensors;
  readonly #nameOf: NameOf;

  constructor(tensors: Tensors, nameOf: NameOf) {
    this.#tensors = tensors;
    this.#nameOf = nameOf;
  }

  /** Whether all are there; those that are not count as missing if they are `needed`. */
  has(recipes: readonly Recipe[], needed: boolean): boolean {
    let all = true;
    for (const recipe of recipes) {
      for (const source of sourcesOf(recipe).values()) {
        const name = this.#nameOf(source);
        const found = this.found.get(name) ?? this.#tensors.find(source);
        if (found) this.found.set(name, found);
        else if (needed) this.missing.set(name, source);
        all &&= found !== undefined;
      }
    }
    return all;
  }

  get(source: SourceRecipe): Weight {
    return this.found.get(this.#nameOf(source))!;
  }
}

/**
 * Makes the elements of all weights that an engine can be given anew.
 * @param listed what TensorRT says can be refitted
 * @throws ERR_REFIT_MISSING, ERR_REFIT, ERR_WEIGHTS_SHAPE, ERR_WEIGHTS_DTYPE; what `foldBatchNorm` and so on throw
 */
export async function refitElements(
  plan: RefitPlan,
  listed: readonly Refittable[],
  tensors: Tensors,
  nameOf: NameOf,
  partial: boolean,
): Promise<RefitElements> {
  const isListed = new Set(listed.map(({ name }) => name));
  const sources = new Sources(tensors, nameOf);
  const rows = plan.weights.filter((row) => sources.has(recipesOf(row), isListed.has(row.name)));
  const missing = [...sources.missing.keys()];
  if (missing.length > 0 && !partial) throw missingError(missing, tensors);
  const given = new Map(rows.map(({ name, own }) => [name, own === undefined ? undefined : tensors.own(own)]));
  const fromFile = new Set(plan.weights.filter(({ recipe }) => recipe).map(({ name }) => name));
  const kept = listed.map(({ name }) => name).filter((name) => !fromFile.has(name) && !given.get(name));
  const replay = new Replay((source) => sources.get(source));
  const weights: RefitElements['weights'] = [];
  const pace = new Pace(2, 1);
  for (const row of rows) {
    const { name, dtype } = row;
    const made = row.recipe ? remade(row, replay) : (given.get(name) ?? elementsOf(row));
    if (made) requireFit(row, made);
    if (made && row.recipe) await requireSame(plan, row, made, isListed.has(name));
    if (made && isListed.has(name)) weights.push({ name, dtype, made });
    if (pace.due()) await pace.rest();
  }
  const own = rows.filter(({ name }) => given.get(name)).map((row) => row.own!);
  return { weights, refitted: [...sources.found.keys(), ...own], missing, kept };
}

function missingError(missing: readonly string[], tensors: Tensors): TensorRTError {
  const names = tensors.names();
  const hint = missing.length === 1 ? suggestion(missing[0]!, names) : '';
  return fail(
    'ERR_REFIT_MISSING',
    `refit: the weights lack ${namesText(missing)}${hint}; with { partial: true } the engine keeps what it has of them`,
    { expected: missing, actual: names },
  );
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** A recipe that came with a file may be anything. */
function replayed(replay: Replay, recipe: Recipe, name: string): Weight {
  try {
    const made: Weight | undefined = replay.make(recipe);
    if (made) return made;
    throw new TypeError('its step has no such result');
  } catch (cause) {
    if (cause instanceof TensorRTError) throw cause;
    throw fail('ERR_REFIT', `refit: ${name} cannot be made as its recipe says: ${(cause as Error).message}`, { cause });
  }
}

const elementsOf = ({ elements, dtype, shape }: RefitWeight): Weight | undefined =>
  elements && weight(viewAs(dtype, elements), shape, dtype);

/** The dtype and size that the engine has. */
function requireFit({ name, dtype, shape }: RefitWeight, made: Weight): void {
  if (made.dtype !== dtype) {
    throw fail(
      'ERR_WEIGHTS_DTYPE',
      `refit: ${name}: expected ${dtype}, as the engine was built from, given ${made.dtype} of ${made.label}; convert it with .as('${dtype}')`,
      { expected: dtype, actual: made.dtype },
    );
  }
  if (made.size === sizeOf(shape)) return;
  throw fail('ERR_WEIGHTS_SHAPE', `refit: ${name}: expected ${sizeOf(shape)} elements, given ${made.size}`, {
    expected: shape,
    actual: made.shape,
  });
}

/** The weight made anew. */
function remade(row: RefitWeight, replay: Replay): Weight {
  const [made, ...tied] = recipesOf(row).map((recipe) => replayed(replay, recipe, row.name));
  const bytes = Buffer.from(made!.data.buffer, made!.data.byteOffset, made!.data.byteLength);
  const other = tied.find((one) => one.dtype !== made!.dtype || !bytes.equals(one.bytes));
  if (!other) return made!;
  throw fail(
    'ERR_REFIT',
    `refit: ${made!.label} and ${other.label} are one tensor in the engine, but have other elements here: build it anew`,
  );
}

/** Refuses other elements where TensorRT would take them wrongly or not at all. */
async function requireSame({ mode }: RefitPlan, row: RefitWeight, made: Weight, isListed: boolean): Promise<void> {
  if (isListed && mode !== 'identical') return;
  if (row.sha256 === undefined || (await digestOf(made.bytes)) === row.sha256) return;
  const why = isListed
    ? 'an engine built with refitIdentical takes the elements that it was built from, given others'
    : 'TensorRT has built it into the engine, where it cannot be replaced';
  throw fail('ERR_REFIT', `refit: ${row.name}: ${why}: build it anew`);
}
