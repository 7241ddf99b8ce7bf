import { basename } from 'node:path';
import { show, TensorRTError } from '../../errors/error.js';
import { isTypedArray } from '../../values/dtype.js';
import type { SourceRecipe } from '../../values/recipe.js';
import { isWeightLike, type WeightLike } from '../../values/weight.js';
import type { WeightDType } from '../../weights/dtype.js';
import { Weights } from '../../weights/store.js';
import { Weight, weight } from '../../weights/weight.js';

/** New weights: the tensors of files, or some by their names there. */
export type RefitWeights = Weights | Readonly<Record<string, WeightLike>>;

/** The tensors that a refit takes its elements from. */
export interface Tensors {
  find(source: SourceRecipe): Weight | undefined;
  /** The tensor that replaces one of the caller's code: a file's is none, because the code may have made its own of that. */
  own(name: string): Weight | undefined;
  names(): string[];
  /** Names of those that `find` never gave. Counts of PyTorch's batch norm are not among them: no inference reads them. */
  unused(): string[];
}

type NameOf = (source: SourceRecipe) => string;

const isCount = (name: string): boolean => /(^|\.)num_batches_tracked$/.test(name);

function tensorsOfStore(store: Weights, nameOf: NameOf): Tensors {
  const used = new Set<string>();
  return {
    find(source) {
      const found = store.ofFile(source.source);
      const isAmbiguous = nameOf(source) !== source.source;
      const isOther = () => basename(found!.weight.file ?? '') !== basename(source.file);
      if (!found || (isAmbiguous && isOther())) return undefined;
      used.add(found.tensor);
      return found.weight;
    },
    own: () => undefined,
    names: () => store.names(),
    unused: () => store.namesBeside(used).filter((name) => !isCount(name)),
  };
}

const wrong = (message: string): TensorRTError => new TensorRTError('ERR_REFIT', `refit: ${message}`);

/** A weight of the caller's, as it is now. */
function own(name: string, given: unknown): Weight {
  if (given instanceof Weight) return given.settled();
  const like = isTypedArray(given) ? { shape: [given.length], data: given } : given;
  if (!isWeightLike(like)) throw wrong(`${name}: expected a weight ({ shape, data }), given ${show(given)}`);
  const { data, shape, dtype } = like as WeightLike;
  return weight(data, shape, dtype as WeightDType | undefined, name).settled();
}

function tensorsOfRecord(given: Readonly<Record<string, WeightLike>>, nameOf: NameOf): Tensors {
  const weights = new Map(Object.entries(given).map(([name, one]) => [name, own(name, one)]));
  const used = new Set<string>();
  const take = (name: string): Weight | undefined => {
    if (weights.has(name)) used.add(name);
    return weights.get(name);
  };
  return {
    find: (source) => take(nameOf(source)),
    own: take,
    names: () => [...weights.keys()],
    unused: () => [...weights.keys()].filter((name) => !used.has(name) && !isCount(name)),
  };
}

/** Takes what the caller gave, who may change it afterwards. @throws ERR_REFIT, ERR_WEIGHTS_SHAPE, ERR_WEIGHTS_DTYPE, ERR_DISPOSED */
export function tensorsOf(given: unknown, nameOf: NameOf): Tensors {
  if (given instanceof Weights) return tensorsOfStore(given, nameOf);
  const isRecord = typeof given === 'object' && given !== null && !Array.isArray(given) && !isWeightLike(given);
  if (!isRecord) throw wrong(`expected weights of loadWeights, or weights by name, given ${show(given)}`);
  return tensorsOfRecord(given as Readonly<Record<string, WeightLike>>, nameOf);
}
