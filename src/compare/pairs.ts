import type { ValueId } from '../dsl/ir.js';
import { outputName } from '../dsl/layer-names.js';
import type { Network, RecordedNode } from '../dsl/network.js';
import type { Tensor } from '../dsl/tensor.js';
import { usesOf } from '../passes/layer.js';
import { isNarrow } from '../values/dtype.js';

/** A value of B's outermost graph that A has too. */
export interface Pair {
  /** Its name, as a layer's output. */
  name: string;
  a: Tensor;
  b: Tensor;
}

/** B's layers in their order, and what of A corresponds to them: a layer of the same name, an input or an output of the same name. */
export class Pairs {
  readonly nodes: readonly RecordedNode[];
  readonly inputs: ReadonlySet<ValueId>;
  /** By B's value, without those computed from constants and shapes alone. */
  readonly values = new Map<ValueId, Pair>();
  /** Constants of B, and those of the same name in A. */
  readonly constants = new Map<RecordedNode, RecordedNode>();
  /** Outputs that both networks have. */
  readonly outputs: readonly Pair[];
  /** B's layers that A has not. */
  readonly unmatched: readonly string[];
  readonly #counterparts = new Map<RecordedNode, RecordedNode>();
  /** Index of the layer that makes a value. */
  readonly #producers = new Map<ValueId, number>();
  readonly #cheap = new Set<RecordedNode>();

  constructor(a: Network, b: Network) {
    this.nodes = b.graph.nodes;
    this.inputs = new Set(b.inputs.map(({ id }) => id));
    const theirs = new Map(a.graph.nodes.map((node) => [node.name, node]));
    const unmatched: string[] = [];
    for (const [index, node] of this.nodes.entries()) {
      for (const { id } of node.outputs) this.#producers.set(id, index);
      if (this.#isCheap(node)) this.#cheap.add(node);
      const other = theirs.get(node.name);
      if (!other || !matches(other, node)) {
        unmatched.push(node.name);
        continue;
      }
      this.#counterparts.set(node, other);
      if (node.kind === 'constant' && other.kind === 'constant') this.constants.set(node, other);
      if (this.isCheap(node)) continue;
      for (const [i, { id, dtype }] of node.outputs.entries()) {
        if (isNarrow(dtype)) continue;
        const name = outputName(node.name, i, node.outputs.length);
        this.values.set(id, { name, a: a.tensorOf(other.outputs[i]!.id)!, b: b.tensorOf(id)! });
      }
    }
    this.unmatched = unmatched;
    const outputs = new Map(a.outputs.map(({ name, tensor }) => [name, tensor]));
    this.outputs = b.outputs.flatMap(({ name, tensor }) => {
      const other = outputs.get(name);
      return other ? [{ name, a: other, b: tensor }] : [];
    });
  }

  counterpart(node: RecordedNode): RecordedNode | undefined {
    return this.#counterparts.get(node);
  }

  /** Index of the layer that makes a value; -1 for an input. */
  producer(id: ValueId): number {
    return this.#producers.get(id) ?? -1;
  }

  /** Whether a layer computes from constants and shapes alone, so that it is repeated, not fed. */
  isCheap(node: RecordedNode): boolean {
    return this.#cheap.has(node);
  }

  #isCheap(node: RecordedNode): boolean {
    if (node.bodies) return false;
    const used = node.inputs.filter((id) => id !== null);
    return node.kind === 'shape' || used.every((id) => this.#cheap.has(this.nodes[this.producer(id)]!));
  }

  /**
   * Where to cut the network so that values can be computed by the layers from `start` on: the values to feed, or undefined where
   * one of them has no counterpart in A.
   */
  frontier(wanted: Iterable<ValueId>, start: number): Pair[] | undefined {
    const cut = new Map<ValueId, Pair>();
    const open = [...wanted];
    const seen = new Set(open);
    while (open.length > 0) {
      const id = open.pop()!;
      const index = this.producer(id);
      if (index < 0) continue;
      const node = this.nodes[index]!;
      if (index < start && !this.isCheap(node)) {
        const pair = this.values.get(id);
        if (!pair) return undefined;
        cut.set(id, pair);
        continue;
      }
      for (const used of usesOf(node)) {
        if (seen.has(used)) continue;
        seen.add(used);
        // Values of nested graphs have no producer here, and are none of the network's inputs.
        open.push(used);
      }
    }
    return [...cut.values()];
  }

  /** Values made by the layers from `start` to before `end` that are outputs or used by later layers, as far as A has them. */
  leaving(start: number, end: number): Pair[] {
    const used = new Set<ValueId>(this.outputs.map(({ b }) => b.id));
    for (const node of this.nodes.slice(end)) for (const id of usesOf(node)) used.add(id);
    return this.nodes
      .slice(start, end)
      .filter((node) => !this.isCheap(node))
      .flatMap(({ outputs }) => outputs.flatMap(({ id }) => (used.has(id) ? (this.values.get(id) ?? []) : [])));
  }
}

/** Whether layers of one name give values that can be compared. */
const matches = (a: RecordedNode, b: RecordedNode): boolean =>
  a.outputs.length === b.outputs.length &&
  a.outputs.every(({ shape }, i) => shape.length === b.outputs[i]!.shape.length);
