import type { Recipe, SourceRecipe } from '../values/recipe.js';
import type { Overflow } from './convert.js';
import { shapeText, viewElements, type WeightDType } from './dtype.js';
import { refusal } from './format-error.js';
import { batchNormIn, foldBatchNorm, foldWeightNorm } from './porting/fold.js';
import { addBiases, addForgetBias } from './porting/gates.js';
import { Weight, weight } from './weight.js';

type Made = Readonly<Record<string, Weight>>;
/** Options of all steps; each has those that it reads. */
interface Options {
  dtype: WeightDType;
  overflow: Overflow;
  shape: readonly number[];
  perm: readonly number[];
  axis: number;
  from: number;
  to: number;
  eps: number;
  groups: number;
  gates: number;
  forgetBias: number;
}
/** By role; absent ones are undefined. */
type Given = Readonly<Record<string, Weight | undefined>>;

const slice = (w: Weight, axis: number, from: number, to: number): Weight =>
  w.split([from, to - from, w.shape[axis]! - to], axis)[1]!;

/** What the methods did that are named in recipes: the very methods again. */
const steps: Readonly<Record<string, (of: Given, options: Options) => Made>> = {
  as: ({ weight: w }, { dtype, overflow }) => ({ weight: w!.as(dtype, { overflow }) }),
  reshape: ({ weight: w }, { shape }) => ({ weight: w!.reshape(shape) }),
  transpose: ({ weight: w }, { perm }) => ({ weight: w!.transpose(perm) }),
  slice: ({ weight: w }, { axis, from, to }) => ({ weight: slice(w!, axis, from, to) }),
  concat: (of, { axis }) => ({ weight: Weight.concat(Object.values(of) as Weight[], { axis }) }),
  batchNorm: (of, { dtype, eps }) => batchNormIn(dtype, of, eps),
  foldBatchNorm: ({ weight: kernel, bias, gamma, beta, running_mean, running_var }, options) =>
    foldBatchNorm({ weight: kernel!, bias }, { weight: gamma, bias: beta, running_mean, running_var }, options),
  foldWeightNorm: (of) => ({ weight: foldWeightNorm(of).weight }),
  addBiases: (of, { gates, dtype }) => ({ weight: addBiases(of, gates, dtype) }),
  addForgetBias: ({ bias }, { forgetBias }) => ({ weight: addForgetBias(bias!, forgetBias) }),
};

/** @internal Names of the steps that recipes may have. */
export const stepNames: readonly string[] = Object.keys(steps);

/** @internal Makes weights from tensors of another file as those of the first were made. */
export class Replay {
  readonly #find: (source: SourceRecipe) => Weight;
  /** Results by recipe: parts of one step share its work. */
  readonly #made = new Map<string, Made>();

  /** @param find the tensor that a source stands for now; throws if there is none */
  constructor(find: (source: SourceRecipe) => Weight) {
    this.#find = find;
  }

  /** @throws ERR_WEIGHTS_SHAPE if a tensor has another shape than before; what the steps throw */
  make(recipe: Recipe): Weight {
    if ('source' in recipe) return this.#source(recipe);
    if ('constant' in recipe) {
      const { dtype, shape, constant } = recipe;
      return weight(viewElements(dtype as WeightDType, constant), shape, dtype as WeightDType);
    }
    const { part, ...whole } = recipe;
    const key = JSON.stringify(whole, (_, value) => (value instanceof Uint8Array ? [...value] : value));
    let made = this.#made.get(key);
    if (!made) {
      const of = Object.entries(recipe.of).map(([role, one]): [string, Weight] => [role, this.make(one)]);
      made = steps[recipe.step]!(Object.fromEntries(of), recipe.with as unknown as Options);
      this.#made.set(key, made);
    }
    return made[part]!;
  }

  #source(source: SourceRecipe): Weight {
    const found = this.#find(source);
    const { shape } = source;
    if (!shape || String(found.shape) === String(shape)) return found;
    throw refusal(
      'ERR_WEIGHTS_SHAPE',
      `${found.label}: expected shape ${shapeText(shape)}, as the engine was built from, given ${shapeText(found.shape)}`,
      { expected: shape, actual: found.shape },
    );
  }
}
