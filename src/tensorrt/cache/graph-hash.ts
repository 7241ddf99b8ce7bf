import { createHash } from 'node:crypto';
import type { IRGraph, IRValue, LayerParams, ValueId, WeightId } from '../../dsl/ir.js';
import { Network, type RecordedNode } from '../../dsl/network.js';
import { type Snapshot, snapshot } from '../../dsl/snapshot.js';
import type { Shape } from '../../values/dim.js';
import { entries, text } from './canonical.js';

/** Changes with what is hashed, and how. */
const format = 'node-tensorrt graph 1';

export type Graph = Pick<Snapshot, 'name' | 'inputs' | 'outputs' | 'nodes' | 'weights' | 'debugIds'>;

export interface CanonicalGraph {
  /** Of all but the elements of weights: 64 hexadecimal digits. */
  hash: string;
  /** The weights that layers use, in the order in which they first do. */
  weights: readonly WeightId[];
  /** Numbers of values that do not depend on how they were counted while recording. */
  numberOf(value: ValueId): number;
}

/**
 * SHA-256 of what TensorRT is told of a network, without the elements of weights: names, layers and their parameters, dtypes and
 * shapes, names of dims of inputs, and of each weight its dtype, shape and name. Places in the caller's code, notes, ids, unused
 * weights and made-up names of sizes that depend on data do not count, so it is the same in every process.
 * @returns 64 hexadecimal digits
 */
export const graphHash = (net: Network | Graph): string => canonicalGraph(net).hash;

export function canonicalGraph(net: Network | Graph): CanonicalGraph {
  const writer = new GraphWriter(net instanceof Network ? snapshot(net) : net);
  return writer.finish();
}

const nodesAtOnce = 256;

class GraphWriter {
  readonly #hash = createHash('sha256');
  readonly #graph: Graph;
  readonly #values = new Map<ValueId, number>();
  readonly #weights = new Map<WeightId, number>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  finish(): CanonicalGraph {
    const { name, inputs, outputs, nodes, debugIds } = this.#graph;
    this.#hash.update(text([format, name, inputs.map(({ id, note: _, ...rest }) => [this.#value(id), rest])]));
    for (let begin = 0; begin < nodes.length; begin += nodesAtOnce) {
      this.#hash.update(text(nodes.slice(begin, begin + nodesAtOnce).map((node) => this.#node(node))));
    }
    const ends = outputs.map(({ note: _, ...output }) => this.#typed(output));
    this.#hash.update(text([ends, debugIds.map((id) => this.#value(id))]));
    return {
      hash: this.#hash.digest('hex'),
      weights: [...this.#weights.keys()],
      numberOf: (value) => this.#values.get(value) ?? -1,
    };
  }

  // What later releases add to a node counts, unless it is named here.
  #node({ id: _, callSite, method, ...node }: RecordedNode): unknown {
    const { inputs, weights, params, outputs, bodies, ...rest } = node;
    return [
      rest,
      inputs.map((id) => (id === null ? null : this.#value(id))),
      entries(weights).map(([role, id]) => [role, ...this.#weight(id)]),
      'creator' in params ? withoutOutputs(params) : params,
      entries(bodies ?? {}).map(([role, body]) => [role, ...this.#body(body)]),
      outputs.map((output) => this.#typed(output)),
    ];
  }

  #body({ inputs, nodes, outputs }: IRGraph): unknown[] {
    return [
      inputs.map((input) => this.#typed(input)),
      nodes.map((node) => this.#node(node)),
      outputs.map(({ id, ...rest }) => [this.#value(id), rest]),
    ];
  }

  #typed({ id, shape, ...rest }: IRValue): unknown {
    return [this.#value(id), rest, known(shape)];
  }

  #value(id: ValueId): number {
    return numberIn(this.#values, id);
  }

  #weight(id: WeightId): unknown[] {
    const { dtype, shape, name } = this.#graph.weights[id]!;
    return [numberIn(this.#weights, id), dtype, shape, name];
  }
}

/** Its place in the order in which ids were asked for. */
function numberIn(numbers: Map<number, number>, id: number): number {
  const known = numbers.get(id) ?? numbers.size;
  numbers.set(id, known);
  return known;
}

/** What is symbolic follows from the inputs, and TensorRT finds it anew. */
const known = (shape: Shape): (number | null)[] => shape.map((dim) => (typeof dim === 'number' ? dim : null));

/** The outputs of an existing plugin may have made-up names of sizes; the layer's outputs say the rest. */
const withoutOutputs = ({ outputs: _, ...params }: LayerParams): LayerParams => params;
