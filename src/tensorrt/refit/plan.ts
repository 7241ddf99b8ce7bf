import type { IRGraph, IRWeight, WeightId } from '../../dsl/ir.js';
import { type DType, isFloat } from '../../values/dtype.js';
import { type Recipe, type SourceRecipe, sourcesOf } from '../../values/recipe.js';

/**
 * Which weights a refit may replace: `all` (kREFIT), `identical` (all, by the same elements only: kREFIT_IDENTICAL), or
 * `individual`, those that come from a file (kREFIT_INDIVIDUAL).
 */
export type RefitMode = 'all' | 'identical' | 'individual';

/** A weight of a TensorRT network. */
export interface RefitWeight {
  /** As TensorRT knows it: its name in the file, or one made of that and what was done to it. */
  readonly name: string;
  /** Its dtype in the engine. */
  readonly dtype: DType;
  /** Its sizes. */
  readonly shape: readonly number[];
  /** How to make it from a file; absent for one that comes from none. */
  readonly recipe?: Recipe | undefined;
  /** Recipes of weights that share its elements. A refit needs them to agree. */
  readonly tied?: readonly Recipe[] | undefined;
  /** SHA-256 of its elements in the build, in hexadecimal; of one with a recipe. */
  readonly sha256?: string | undefined;
  /** The name that the caller's code gave it, where it comes from no file. */
  readonly own?: string | undefined;
  /** Its elements, which a refit gives again; of one without recipe, unless it stays in the plan. */
  readonly elements?: Uint8Array | undefined;
}

/** All that a refit needs to know of how an engine was built. Plain data but for bytes; see `json.ts`. */
export interface RefitPlan {
  /** What can be replaced. */
  readonly mode: RefitMode;
  /** The engine's plan has none of the weights (kSTRIP_PLAN). */
  readonly stripped: boolean;
  /** The weights that can be replaced. */
  readonly weights: readonly RefitWeight[];
}

/** The build options that matter here. */
export interface RefitOptions {
  refit?: boolean | undefined;
  refitIdentical?: boolean | undefined;
  refitIndividual?: true | readonly string[] | undefined;
  stripPlan?: boolean | undefined;
}

/** TensorRT takes a plan to be stripped for one that is refitted identically, unless told otherwise. */
function modeOf({ refit, refitIdentical, refitIndividual, stripPlan }: RefitOptions): RefitMode | undefined {
  if (refitIndividual) return 'individual';
  if (refit) return 'all';
  return refitIdentical || stripPlan ? 'identical' : undefined;
}

/** TensorRT takes 4,096 bytes with the NUL at the end; a number may follow. */
const longest = 4000;

/** Bytes of UTF-8 fit, and C's strings have no NUL. */
function fit(name: string): string {
  const text = name.replaceAll('\0', ' ');
  const bytes = Buffer.from(text);
  return bytes.length <= longest
    ? text
    : bytes
        .subarray(0, longest)
        .toString('utf8')
        .replace(/\uFFFD+$/, '');
}

/** What the outermost step is called in a weight's name. */
function nameOfStep(recipe: Recipe): string {
  if (!('step' in recipe)) return '';
  const { step, of, with: options, part } = recipe;
  if (step === 'reshape') return nameOfStep(of.weight!);
  if (step === 'as') return `${nameOfStep(of.weight!)}:${String(options.dtype)}`;
  return `:${step}${part === 'weight' ? '' : `.${part}`}`;
}

/** The name in the file, with what was done to it: nobody who refits by names alone shall take one for the other. */
function nameOf(recipe: Recipe): string {
  const [first] = sourcesOf(recipe).values();
  return first!.source + nameOfStep(recipe);
}

/** `layer.role` of the first layer that has it, by weight. */
function placesOf(
  nodes: Iterable<Pick<IRGraph['nodes'][number], 'name' | 'weights' | 'bodies'>>,
): Map<WeightId, string> {
  const places = new Map<WeightId, string>();
  const walk = (list: typeof nodes): void => {
    for (const { name, weights, bodies } of list) {
      for (const [role, id] of Object.entries(weights)) if (!places.has(id)) places.set(id, `${name}.${role}`);
      for (const body of Object.values(bodies ?? {})) walk(body.nodes);
    }
  };
  walk(nodes);
  return places;
}

/** Elements at one place in memory are one weight to TensorRT. */
class Places {
  readonly #buffers = new Map<ArrayBufferLike, number>();

  of({ data }: IRWeight): string {
    const known = this.#buffers.get(data.buffer) ?? this.#buffers.size;
    this.#buffers.set(data.buffer, known);
    return `${known} ${data.byteOffset} ${data.byteLength}`;
  }
}

interface Group {
  name: string;
  ids: WeightId[];
  recipes: Recipe[];
}

interface NetworkWeights {
  nodes: Parameters<typeof placesOf>[0];
  weights: readonly IRWeight[];
}

/** Whether the caller wants this weight to be refittable. TensorRT refuses some integers. */
function isWanted({ recipe, tied = [], own, dtype }: RefitWeight, names: true | readonly string[]): boolean {
  if (names === true) return recipe !== undefined && isFloat(dtype);
  const sources = (recipe ? [recipe, ...tied] : []).flatMap((one) => [...sourcesOf(one).values()]);
  return names.some((name) => name === own || sources.some(({ source }) => source === name));
}

/**
 * The weights of a network under names of their own, and what a refit has to know of them; undefined if the options ask for no
 * refittable engine. Digests and elements are added by `complete`.
 */
export function refitPlanOf(
  { nodes, weights }: NetworkWeights,
  options: RefitOptions,
): { plan: RefitPlan; weights: IRWeight[] } | undefined {
  const mode = modeOf(options);
  if (!mode) return undefined;
  const named = [...weights];
  const rows: RefitWeight[] = [];
  for (const { name, ids, recipes } of groupsOf(placesOf(nodes), weights)) {
    const [recipe, ...tied] = distinct(recipes);
    const { dtype, shape, name: own } = weights[ids[0]!]!;
    const row = {
      ...{ name, dtype, shape },
      ...(recipe ? { recipe } : own && { own }),
      ...(tied.length > 0 && { tied }),
    };
    for (const id of ids) named[id] = { ...weights[id]!, name };
    // What is not marked as refittable stays in the engine's plan.
    if (mode !== 'individual' || isWanted(row, options.refitIndividual!)) rows.push(row);
  }
  return { plan: { mode, stripped: options.stripPlan === true, weights: rows }, weights: named };
}

function groupsOf(layers: ReadonlyMap<WeightId, string>, weights: readonly IRWeight[]): Iterable<Group> {
  const taken = new Set<string>();
  const unique = (wanted: string): string => {
    const base = fit(wanted);
    let name = base;
    for (let n = 2; taken.has(name); n++) name = `${base}#${n}`;
    taken.add(name);
    return name;
  };
  const places = new Places();
  const groups = new Map<string, Group>();
  for (const [id, weight] of weights.entries()) {
    const layer = layers.get(id);
    if (layer === undefined || weight.data.byteLength === 0) continue;
    const recipe = weight.origin?.recipe;
    const place = places.of(weight);
    const group = groups.get(place) ?? {
      name: unique(recipe ? nameOf(recipe) : weight.name || layer),
      ids: [],
      recipes: [],
    };
    groups.set(place, group);
    group.ids.push(id);
    if (recipe) group.recipes.push(recipe);
  }
  return groups.values();
}

/** What makes the same elements, whatever the shape. */
function distinct(recipes: readonly Recipe[]): Recipe[] {
  const flat = (recipe: Recipe): Recipe =>
    'step' in recipe && recipe.step === 'reshape' ? flat(recipe.of.weight!) : recipe;
  const found = new Map(recipes.map((recipe) => [JSON.stringify(flat(recipe)), recipe]));
  return [...found.values()];
}

/** How messages and callers name a source: by its name in the file, and by the file too where several have the name. */
export function sourceNames(plan: RefitPlan): (source: SourceRecipe) => string {
  const files = new Map<string, Set<string>>();
  for (const { recipe, tied = [] } of plan.weights) {
    for (const one of recipe ? [recipe, ...tied] : []) {
      for (const { source, file } of sourcesOf(one).values()) {
        files.set(source, (files.get(source) ?? new Set()).add(file));
      }
    }
  }
  return ({ source, file }) => (files.get(source)!.size > 1 ? `${file}:${source}` : source);
}
