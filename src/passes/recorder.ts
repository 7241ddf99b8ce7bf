import { type Fail, type LayerDefinition, layerKinds } from '../dsl/define-layer.js';
import type { IRGraph, LayerParams, ValueId } from '../dsl/ir.js';
import { type Body, Network, type RecordedNode } from '../dsl/network.js';
import { checkParams } from '../dsl/params.js';
import { checkUsable, mapValues } from '../dsl/recording.js';
import type { Tensor } from '../dsl/tensor.js';
import { show } from '../errors/error.js';
import { traitsOf } from '../values/io-options.js';
import { type Source, weightsOf } from './layer.js';
import { factsOf, refuseLayer } from './refuse.js';

/** Changes to a layer. */
export interface LayerChanges {
  /** Default: its own name, or one derived from it if that is taken. */
  name?: string | undefined;
  /** All inputs, by TensorRT's input index: `layer.inputs.with(0, x)`. */
  inputs?: readonly (Tensor | null)[] | undefined;
  /** Only the parameters that change. */
  params?: Readonly<Record<string, unknown>> | undefined;
  /** Only the weights that change, by role; null removes one. */
  weights?: Readonly<Record<string, unknown>> | undefined;
}

/** Tensors that replace a layer's outputs; null for an output without a replacement. */
export type Outputs = readonly (Tensor | null)[];
/** Replaces a node's outputs; `depth` is the number of loops and conditionals around it. */
export type Replace = (node: RecordedNode, depth: number) => Outputs;

/** Records a network's layers again in another network. Weights are shared; names and source locations are kept. */
export class Recorder {
  readonly source: Source;
  readonly target: Network;
  readonly #replace: Replace;
  readonly #values = new Map<ValueId, Tensor>();
  #depth = 0;

  constructor(source: Source, name: string, replace?: Replace) {
    this.source = source;
    this.target = new Network(name, { useFp32Acc: source.useFp32Acc });
    this.#replace = replace ?? ((node) => this.record(node));
    this.target.names.reserve(namesIn(source.graph));
  }

  /**
   * Adds an input in place of a value of the source.
   * @param isKnown whether elements that the source knows stay known
   */
  input(id: ValueId, name: string, shape = this.source.tensorOf(id)!.shape, isKnown = true): void {
    const { dtype, contents: known } = this.source.tensorOf(id)!;
    const contents = isKnown ? known : undefined;
    const own = this.source.graph.inputs.find((input) => input.id === id);
    const value = { dtype, shape, ...(contents && { contents }) };
    this.#values.set(id, this.target.inputLike(name, value, own && traitsOf(own)));
  }

  /** Records all inputs, layers and outputs. Outputs marked along the way come last. */
  whole(): Network {
    const { inputs, outputs, nodes } = this.source.graph;
    for (const { id, name } of inputs) this.input(id, name);
    this.nodes(nodes);
    const marked = this.target.graph.outputs.length;
    for (const { id, name } of outputs) this.output(id, name);
    return this.finish(marked);
  }

  /** @param marked how many of the first outputs to move to the end */
  finish(marked = 0): Network {
    const { outputs } = this.target.graph;
    outputs.push(...outputs.splice(0, marked));
    this.target.names.reserve([]);
    for (const id of this.source.debugIds) {
      const tensor = this.#values.get(id);
      // What was removed, or has become an input, is no debug tensor any more.
      if (tensor && !this.target.inputs.includes(tensor)) this.target.markDebug(tensor);
    }
    return this.target;
  }

  nodes(nodes: readonly RecordedNode[]): void {
    for (const node of nodes) {
      const outputs = this.#replace(node, this.#depth);
      for (const [i, { id }] of node.outputs.entries()) {
        const tensor = outputs[i];
        // A value cut here is an input already.
        if (tensor && !this.#values.has(id)) this.#values.set(id, tensor);
      }
    }
  }

  output(id: ValueId, name: string): void {
    const tensor = this.#values.get(id);
    if (!tensor) {
      refuseLayer(
        this.#producer(id),
        'ERR_OUTPUT',
        `a rule removed it, but output '${name}' of the network is one of its outputs`,
        {
          actual: name,
        },
      );
    }
    const own = this.source.graph.outputs.find((output) => output.id === id && output.name === name);
    this.target.markOutput(tensor, name, own && traitsOf(own));
  }

  /** The tensors that replace the node's inputs. */
  inputs(node: RecordedNode): (Tensor | null)[] {
    return node.inputs.map((id) => (id === null ? null : this.#value(id, node)));
  }

  /** Records the node itself, with changes. */
  record(node: RecordedNode, changes: LayerChanges = {}): Tensor[] {
    const definition = layerKinds.get(node.kind)!;
    const inputs = changes.inputs ?? this.inputs(node);
    for (const tensor of inputs) if (tensor !== null) checkUsable(this.target, tensor, node.kind, factsOf(node));
    const params = changes.params ? { ...node.params, ...changes.params } : node.params;
    const { name } = changes;
    return this.target.record(definition, {
      inputs,
      params,
      weights: { ...weightsOf(this.source, node), ...changes.weights },
      like: node,
      ...(name !== undefined && name !== node.name && { name }),
      ...(node.bodies && { bodies: this.#bodies(definition, node, params, inputs) }),
    });
  }

  #bodies(
    definition: LayerDefinition,
    node: RecordedNode,
    params: LayerParams,
    inputs: readonly (Tensor | null)[],
  ): Record<string, Body> {
    const fail: Fail = (code, message, facts) => refuseLayer(node, code, message, facts);
    const checked = checkParams(definition, params, fail);
    return mapValues(node.bodies, (body, role) => {
      const types = definition.bodyInputs?.(role, checked, inputs, fail) ?? [];
      if (types.length !== body.inputs.length) {
        fail('ERR_PARAMETER', `its ${role} takes ${body.inputs.length} values, given ${types.length}`);
      }
      return this.#body(node, body, types);
    });
  }

  #body(node: RecordedNode, body: IRGraph, types: readonly Pick<Tensor, 'dtype' | 'shape'>[]): Body {
    const parameters = body.inputs.map(({ id, name }, i) => ({
      name,
      type: types[i]!,
      tensorName: this.source.tensorOf(id)!.name,
    }));
    this.#depth++;
    try {
      // A second copy of the layer has its own values.
      for (const id of definedIn(body)) this.#values.delete(id);
      return this.target.nest(parameters, (tensors) => {
        for (const [i, { id }] of body.inputs.entries()) this.#values.set(id, tensors[i]!);
        this.nodes(body.nodes);
        return body.outputs.map(({ id }) => this.#value(id, node));
      });
    } finally {
      this.#depth--;
    }
  }

  #value(id: ValueId, taker: RecordedNode): Tensor {
    const tensor = this.#values.get(id);
    if (tensor) return tensor;
    const removed = this.#producer(id);
    return refuseLayer(removed, 'ERR_OUTPUT', `a rule removed it, but ${taker.kind} '${taker.name}' takes its output`, {
      actual: taker.name,
    });
  }

  #producer(id: ValueId): RecordedNode {
    for (const node of allNodes(this.source.graph)) if (node.outputs.some((output) => output.id === id)) return node;
    throw new Error(`value ${id} has no producer: ${show(this.source)}`);
  }
}

type Nodes = { readonly nodes: readonly RecordedNode[] };

/** All nodes; those of nested graphs precede their loop or conditional. */
export function* allNodes({ nodes }: Nodes): Generator<RecordedNode> {
  for (const node of nodes) {
    for (const body of Object.values(node.bodies ?? {})) yield* allNodes(body);
    yield node;
  }
}

const namesIn = (graph: Nodes): string[] => Array.from(allNodes(graph), ({ name }) => name);

function* definedIn(body: IRGraph): Generator<ValueId> {
  for (const { id } of body.inputs) yield id;
  for (const node of allNodes(body)) {
    for (const { id } of node.outputs) yield id;
    for (const inner of Object.values(node.bodies ?? {})) for (const { id } of inner.inputs) yield id;
  }
}
