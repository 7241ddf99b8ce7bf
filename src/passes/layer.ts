import type { ValueId } from '../dsl/ir.js';
import type { Network, RecordedNode } from '../dsl/network.js';
import type { Snapshot } from '../dsl/snapshot.js';
import type { Tensor } from '../dsl/tensor.js';
import { publicMethod } from '../errors/boundary.js';
import { locate } from '../errors/call-site.js';
import type { SourceLocation } from '../errors/error.js';
import type { TypedArray } from '../values/dtype.js';
import type { WeightLike } from '../values/weight.js';
import { requireNetwork } from './refuse.js';

/** Whose layers are read: a network, or what it was when it was taken. */
export type Source = Pick<Network, 'graph' | 'weights' | 'tensorOf' | 'sharedWeight' | 'useFp32Acc' | 'debugIds'>;

/** A network as it was when it was taken. */
export const sourceOf = ({ inputs, nodes, outputs, weights, tensorOf, useFp32Acc, debugIds }: Snapshot): Source => ({
  graph: { inputs: [...inputs], nodes, outputs: [...outputs] },
  weights: [...weights],
  tensorOf,
  sharedWeight: (id) => weights[id]!,
  useFp32Acc,
  debugIds: [...debugIds],
});

/** A layer of a network, as it was recorded. */
export interface Layer {
  /** Name of the layer. */
  readonly name: string;
  /** TensorRT layer kind, e.g. `convolution`. */
  readonly kind: string;
  /** A copy of TensorRT's parameters. */
  readonly params: Readonly<Record<string, unknown>>;
  /** By role: `kernel`, `bias`, `value`, … Layers that share a weight share the object. */
  readonly weights: Readonly<Record<string, Readonly<WeightLike & { data: TypedArray }>>>;
  /** By TensorRT's input index; null for an absent optional input. */
  readonly inputs: readonly (Tensor | null)[];
  /** Its outputs, in TensorRT's order. */
  readonly outputs: readonly Tensor[];
  /** The layers of a loop (`body`, `while`) or conditional (`then`, `else`), by role. */
  readonly bodies: Readonly<Record<string, readonly Layer[]>>;
  /** Where the caller's code recorded it. */
  readonly source?: SourceLocation | undefined;
}

/** A node of `net`, as the public API shows it. */
export class RecordedLayer implements Layer {
  readonly #net: Source;
  readonly #node: RecordedNode;

  constructor(net: Source, node: RecordedNode) {
    this.#net = net;
    this.#node = node;
  }

  get name(): string {
    return this.#node.name;
  }

  get kind(): string {
    return this.#node.kind;
  }

  get params(): Readonly<Record<string, unknown>> {
    return structuredClone(this.#node.params);
  }

  get weights(): Readonly<Record<string, Readonly<WeightLike & { data: TypedArray }>>> {
    return weightsOf(this.#net, this.#node);
  }

  get inputs(): readonly (Tensor | null)[] {
    return this.#node.inputs.map((id) => (id === null ? null : this.#net.tensorOf(id)!));
  }

  get outputs(): readonly Tensor[] {
    return this.#node.outputs.map(({ id }) => this.#net.tensorOf(id)!);
  }

  get bodies(): Readonly<Record<string, readonly Layer[]>> {
    const bodies = Object.entries(this.#node.bodies ?? {});
    return Object.fromEntries(
      bodies.map(([role, { nodes }]) => [role, nodes.map((node) => new RecordedLayer(this.#net, node))]),
    );
  }

  get source(): SourceLocation | undefined {
    return locate(this.#node.callSite);
  }
}

/** A node's weights, by role. */
export const weightsOf = (from: Source, { weights }: RecordedNode): Record<string, WeightLike & { data: TypedArray }> =>
  Object.fromEntries(Object.entries(weights).map(([role, id]) => [role, from.sharedWeight(id)]));

/** The values a node uses: its inputs, and all values its nested graphs use, including those defined inside them. */
export function* usesOf({ inputs, bodies = {} }: Pick<RecordedNode, 'inputs' | 'bodies'>): Generator<ValueId> {
  for (const id of inputs) if (id !== null) yield id;
  for (const { nodes, outputs } of Object.values(bodies)) {
    for (const node of nodes) yield* usesOf(node);
    for (const { id } of outputs) yield id;
  }
}

/**
 * Returns the layers of a network, in the order they were recorded.
 * @throws ERR_INPUT if `net` is not a network
 * @function
 */
export const layersOf = publicMethod('layersOf', (net: Network): Layer[] => {
  requireNetwork(net, 'layersOf');
  return net.graph.nodes.map((node) => new RecordedLayer(net, node));
});
