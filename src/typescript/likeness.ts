import { isDeepStrictEqual } from 'node:util';
import type { IRGraph, IRNode, ValueId, WeightId } from '../dsl/ir.js';
import type { Network } from '../dsl/network.js';
import type { Tensor } from '../dsl/tensor.js';
import { bytesOf } from '../values/dtype.js';
import type { Literals } from './literals.js';

/** How layers differ: in nothing but their names, or otherwise. */
export type Difference = 'name' | 'other';

/** A size that only the data tells: its number is another in every network. */
const unknownDims = /[\p{L}_][\p{L}\p{N}_.:-]*\?\d+/gu;

/** What corresponds in two networks. */
class Pairs<T> {
  readonly #forth = new Map<T, T>();
  readonly #back = new Map<T, T>();
  readonly #added: T[] = [];

  get size(): number {
    return this.#added.length;
  }

  /** Whether both are a pair, or become one. */
  match(a: T, b: T): boolean {
    if (this.#forth.has(a) || this.#back.has(b)) return this.#forth.get(a) === b;
    this.#forth.set(a, b);
    this.#back.set(b, a);
    this.#added.push(a);
    return true;
  }

  cutTo(size: number): void {
    for (const a of this.#added.splice(size)) {
      this.#back.delete(this.#forth.get(a)!);
      this.#forth.delete(a);
    }
  }
}

/** Compares layers of two networks: numbers of values, weights and unknown sizes may differ, if they do so consistently. */
export class Likeness {
  readonly #source: Network;
  readonly #replica: Network;
  readonly #values: Map<ValueId, Tensor>;
  readonly #literals: Literals;
  readonly #weights = new Pairs<WeightId>();
  readonly #dims = new Pairs<string>();

  /** @param values the replica's tensors by the source's values; outputs of compared layers are added */
  constructor(source: Network, replica: Network, values: Map<ValueId, Tensor>, literals: Literals) {
    this.#source = source;
    this.#replica = replica;
    this.#values = values;
    this.#literals = literals;
  }

  mark(): readonly [number, number] {
    return [this.#weights.size, this.#dims.size];
  }

  /** Forgets what has been found equal since. */
  forget([weights, dims]: readonly [number, number]): void {
    this.#weights.cutTo(weights);
    this.#dims.cutTo(dims);
  }

  /** How layers of the replica differ from those of the source; undefined if they do not. */
  compare(nodes: readonly IRNode[], others: readonly IRNode[]): Difference | undefined {
    if (nodes.length !== others.length) return 'other';
    let differ: Difference | undefined;
    for (const [i, node] of nodes.entries()) {
      const why = this.#compareNode(node, others[i]!);
      if (why === 'other') return why;
      differ ??= why;
    }
    return differ;
  }

  #compareNode(a: IRNode, b: IRNode): Difference | undefined {
    if (a.kind !== b.kind || a.outputs.length !== b.outputs.length || !this.#sameData(a.params, b.params))
      return 'other';
    if (a.inputs.length !== b.inputs.length) return 'other';
    if (a.inputs.some((id, i) => (id === null ? null : this.#values.get(id)?.id) !== b.inputs[i])) return 'other';
    const roles = Object.keys(a.weights);
    if (!isDeepStrictEqual(roles, Object.keys(b.weights))) return 'other';
    if (roles.some((role) => !this.#sameWeight(a.weights[role]!, b.weights[role]!))) return 'other';
    const bodies = this.#compareBodies(a.bodies, b.bodies);
    if (bodies === 'other') return bodies;
    for (const [i, { id, dtype, shape }] of a.outputs.entries()) {
      const other = b.outputs[i]!;
      if (dtype !== other.dtype || !this.#sameData(shape, other.shape)) return 'other';
      this.#values.set(id, this.#replica.tensorOf(other.id)!);
    }
    return a.name === b.name ? bodies : 'name';
  }

  #compareBodies(a: IRNode['bodies'] = {}, b: IRNode['bodies'] = {}): Difference | undefined {
    if (!isDeepStrictEqual(Object.keys(a), Object.keys(b))) return 'other';
    let differ: Difference | undefined;
    for (const role of Object.keys(a)) {
      const why = this.#compareBody(a[role]!, b[role]!);
      if (why === 'other') return why;
      differ ??= why;
    }
    return differ;
  }

  #compareBody(a: IRGraph, b: IRGraph): Difference | undefined {
    if (a.inputs.length !== b.inputs.length || a.outputs.length !== b.outputs.length) return 'other';
    for (const [i, { id, name, dtype, shape }] of a.inputs.entries()) {
      const other = b.inputs[i]!;
      if (name !== other.name || dtype !== other.dtype || !this.#sameData(shape, other.shape)) return 'other';
      this.#values.set(id, this.#replica.tensorOf(other.id)!);
    }
    const why = this.compare(a.nodes, b.nodes);
    if (why === 'other') return why;
    return a.outputs.some(({ id }, i) => this.#values.get(id)?.id !== b.outputs[i]!.id) ? 'other' : why;
  }

  #sameData(a: unknown, b: unknown): boolean {
    if (isDeepStrictEqual(a, b)) return true;
    const [ours, theirs] = [a, b].map((one) =>
      JSON.stringify(one, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)),
    );
    const [from, to] = [ours, theirs].map((text) => text?.match(unknownDims) ?? []);
    if (!from?.length || from.length !== to?.length) return false;
    if (ours!.replace(unknownDims, '?') !== theirs!.replace(unknownDims, '?')) return false;
    return from.every((dim, i) => this.#dims.match(dim, to[i]!));
  }

  #sameWeight(a: WeightId, b: WeightId): boolean {
    const [ours, theirs] = [this.#source.weights[a]!, this.#replica.weights[b]!];
    const same =
      ours.dtype === theirs.dtype &&
      this.#literals.weight(a).name === theirs.name &&
      ours.file === theirs.file &&
      String(ours.shape) === String(theirs.shape) &&
      (ours.data === theirs.data || Buffer.compare(bytesOf(ours.data), bytesOf(theirs.data)) === 0);
    return same && this.#weights.match(a, b);
  }
}
