import type { IRNode, IRWeight, WeightId } from '../dsl/ir.js';
import type { Network } from '../dsl/network.js';
import { TensorRTError } from '../errors/error.js';
import { Plugin } from '../plugin/define.js';
import { definitionOf } from '../plugin/registry.js';
import { countOf } from '../values/dim.js';
import { bits, type DType, isFloat } from '../values/dtype.js';
import { decodeElements } from '../values/elements.js';
import { checkElements, type WeightLike } from '../values/weight.js';
import { data, type Entry, type Expression, float32Text, option } from './expression.js';

/** Where the code finds a weight. */
export type Place =
  /** In a file, as the file has it but for dtype and shape. */
  | { is: 'stored'; store: Store; name: string; dtype?: string; shape?: readonly number[] }
  /** In the code. */
  | { is: 'inline' };

/** Files that the code loads together. */
export interface Store {
  /** Undefined for the file that is written beside the code. */
  files: string[] | undefined;
  /** What is in them, by name. */
  names: ReadonlyMap<string, unknown>;
  /** What all floats are converted to, if they are to one dtype. */
  dtype?: string;
}

export interface LiteralOptions {
  /** Most elements of a weight that stands in the code. */
  inline: number;
  /** Whether plugins of the user's own are imported by name. */
  imports(plugin: string): boolean;
  /** The package's functions, which calls without a receiver mean. */
  functions: Readonly<Record<string, unknown>>;
}

/** Weights, constants and plugins in the code. */
export class Literals {
  readonly functions: Readonly<Record<string, unknown>>;
  readonly #net: Network;
  readonly #options: LiteralOptions;
  readonly stores: Store[] = [];
  readonly #shared = new Set<WeightId>();
  readonly #beside = new Map<string, IRWeight>();
  readonly #places: Place[];
  readonly #weights: WeightLike[];

  constructor(net: Network, options: LiteralOptions) {
    this.#net = net;
    this.#options = options;
    this.functions = options.functions;
    for (const [id, weight] of net.weights.entries()) checkElements(weight, id);
    const users = usersOf(net);
    this.#places = net.weights.map((weight, id) => this.#placeOf(weight, users[id] ?? `weight${id}`));
    this.#joinDTypes();
    this.#weights = net.weights.map((weight, id) => {
      const place = this.#places[id]!;
      const shared = net.sharedWeight(id);
      return place.is === 'stored' && weight.name !== place.name ? { ...shared, name: place.name } : shared;
    });
  }

  #placeOf(weight: IRWeight, user: string): Place {
    const { stored, file, dtype, shape, name } = weight;
    if (stored && file !== undefined && stored.name === name) {
      const store = this.#storeOf(stored.beside, file);
      return {
        is: 'stored',
        store,
        name: stored.name,
        ...(dtype !== stored.dtype && { dtype }),
        ...(String(shape) !== String(stored.shape) && { shape }),
      };
    }
    const { inline } = this.#options;
    const isSmall = countOf(shape) <= inline && (name === undefined || inline === Number.POSITIVE_INFINITY);
    if (isSmall || bits[dtype] < 8 || (name === undefined && isUniform(weight))) return { is: 'inline' };
    const stem = name && !this.#beside.has(name) ? name : user;
    let unique = stem;
    for (let n = 1; this.#beside.has(unique); n++) unique = `${stem}_${n}`;
    this.#beside.set(unique, weight);
    return { is: 'stored', store: this.#storeOf(this.#beside), name: unique };
  }

  #storeOf(names: ReadonlyMap<string, unknown>, file?: string): Store {
    let store = this.stores.find((one) => one.names === names);
    if (!store) {
      store = { files: file === undefined ? undefined : [], names };
      this.stores.push(store);
    }
    if (file !== undefined && !store.files!.includes(file)) store.files!.push(file);
    return store;
  }

  /** Converts a whole store where all its floats have been converted to one dtype. */
  #joinDTypes(): void {
    for (const store of this.stores) {
      if (!store.files) continue;
      const floats = this.#places.flatMap((place, id) => {
        const { stored, dtype } = this.#net.weights[id]!;
        return place.is === 'stored' && place.store === store && isFloat(stored!.dtype as DType) ? [dtype] : [];
      });
      const converted = this.#places.some((place) => place.is === 'stored' && place.store === store && place.dtype);
      if (!converted || new Set(floats).size !== 1) continue;
      store.dtype = floats[0]!;
      for (const place of this.#places) if (place.is === 'stored' && place.store === store) delete place.dtype;
    }
  }

  /** From now on, a weight is one object in the code, not a number. @returns false if it was already */
  share(id: WeightId): boolean {
    if (this.#shared.has(id)) return false;
    this.#shared.add(id);
    return true;
  }

  isShared(id: WeightId): boolean {
    return this.#shared.has(id);
  }

  place(id: WeightId): Place {
    return this.#places[id]!;
  }

  /** The weight, as the code will have it. */
  weight(id: WeightId): WeightLike {
    return this.#weights[id]!;
  }

  /** What has to be in the file beside the code, by name. */
  get beside(): ReadonlyMap<string, IRWeight> {
    return this.#beside;
  }

  /** Weights as options: `...w.layer(prefix)` where that is the same. */
  layer(entries: readonly Entry[]): Entry[] {
    const ids = entries.map(([, value]) => (value.is === 'weight' ? value.id : undefined));
    const places = ids.map((id) => (id === undefined ? undefined : this.#places[id]!));
    const [first] = places;
    if (first?.is !== 'stored') return [...entries];
    const prefix = first.name.slice(0, Math.max(0, first.name.lastIndexOf('.')));
    const isWhole = entries.every(([name], i) => {
      const place = places[i];
      return place?.is === 'stored' && !place.dtype && !place.shape && place.name === `${prefix}.${name}`;
    });
    const below = [...first.store.names.keys()].filter((name) => name.startsWith(`${prefix}.`));
    if (prefix === '' || !isWhole || below.length !== entries.length) return [...entries];
    const options = Object.fromEntries(entries.map(([name], i) => [name!, ids[i]!]));
    return [[undefined, { is: 'layer', prefix, options }]];
  }

  /** A constant as an operand of another method: numbers if there are few, else the weight. */
  operand(node: IRNode): Expression | undefined {
    const id = node.weights.value;
    if (node.kind !== 'constant' || id === undefined) return undefined;
    const weight = this.#net.weights[id]!;
    const place = this.#places[id]!;
    if (place.is !== 'inline' || this.#shared.has(id)) return { is: 'weight', id };
    const numbers = weight.name === undefined ? numbersOf(weight) : undefined;
    return numbers === undefined ? undefined : data(numbers);
  }

  /** Arguments of `net.constant`, the shortest first. */
  constants({ weights, params }: IRNode): { value: Expression; options: readonly Entry[] }[] {
    const id = weights.value!;
    const weight = this.#net.weights[id]!;
    const shape = option('shape', params.shape, weight.shape);
    const found: { value: Expression; options: readonly Entry[] }[] = [];
    if (this.#places[id]!.is === 'inline' && weight.name === undefined && !this.#shared.has(id)) {
      const numbers = numbersOf(weight);
      const [first] = [numbers].flat(8) as unknown[];
      const natural = typeof first === 'bigint' ? 'int64' : typeof first === 'boolean' ? 'bool' : 'float32';
      const dtype = option('dtype', weight.dtype, natural);
      if (isUniform(weight) && first !== undefined) {
        found.push({ value: data(first), options: [...dtype, ...option('shape', params.shape, [])] });
      }
      if (numbers !== undefined) found.push({ value: data(numbers), options: [...dtype, ...shape] });
    }
    found.push({ value: { is: 'weight', id }, options: shape });
    return found;
  }

  plugin(name: string, version: string): Plugin {
    return new Plugin(definitionOf(name, version));
  }

  /** @throws ERR_PLUGIN where it is not imported by name, so that another call is tried */
  pluginNames(name: string, version: string): { inputs: readonly string[]; outputs: readonly string[] } {
    if (!this.#options.imports(name)) throw new TensorRTError('ERR_PLUGIN', `plugin '${name}' is not imported by name`);
    return definitionOf(name, version);
  }
}

/** The layer and role of the first use of each weight. */
function usersOf(net: Network): string[] {
  const users: string[] = [];
  const visit = (nodes: readonly IRNode[]) => {
    for (const { name, weights, bodies } of nodes) {
      for (const [role, id] of Object.entries(weights)) users[id] ??= role === 'value' ? name : `${name}.${role}`;
      for (const body of Object.values(bodies ?? {})) visit(body.nodes);
    }
  };
  visit(net.graph.nodes as readonly IRNode[]);
  return users;
}

/** Whether all elements are equal, and there are some. */
function isUniform({ data: elements, dtype }: IRWeight): boolean {
  if (bits[dtype] < 8 || elements.length === 0) return false;
  const first = (elements as Float32Array)[0]!;
  return Array.prototype.every.call(elements, (one: number | bigint) => Object.is(one, first));
}

const exactly: readonly string[] = ['float32', 'float16', 'bfloat16', 'int32', 'int64', 'bool', 'int8', 'uint8'];
const mostNumbers = 64;

/** Elements as nested numbers; undefined if there are many or numbers do not say what they are. */
function numbersOf({ dtype, shape, data: elements }: IRWeight): unknown {
  const count = countOf(shape);
  if (!exactly.includes(dtype) || count > mostNumbers || (count === 0 && String(shape) !== '0')) return undefined;
  const flat = flatNumbers(dtype, elements as ArrayLike<number | bigint>, count);
  const nest = (axis: number, from: number): unknown => {
    if (axis === shape.length) return flat[from];
    const step = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    return Array.from({ length: shape[axis]! }, (_, i) => nest(axis + 1, from + i * step));
  };
  return nest(0, 0);
}

function flatNumbers(dtype: DType, elements: ArrayLike<number | bigint>, count: number): (number | bigint | boolean)[] {
  if (dtype === 'bool') return Array.from(elements, (one) => one === 1);
  if (dtype === 'int64') {
    return Array.from(elements, (one) => (Number.isSafeInteger(Number(one)) ? Number(one) : one));
  }
  if (dtype === 'float16' || dtype === 'bfloat16') {
    return Array.from(decodeElements(dtype, elements as never, count), float32Text);
  }
  return Array.from(elements as ArrayLike<number>, dtype === 'float32' ? float32Text : (one) => one);
}
