import { locate } from '../errors/call-site.js';
import { show, TensorRTError } from '../errors/error.js';
import { byteLength, viewAs } from '../values/dtype.js';
import { readIOOptions } from '../values/io-options.js';
import { spec, type ValueType } from '../values/spec.js';
import { checkElements, type WeightLike, withShape } from '../values/weight.js';
import { layerKinds } from './define-layer.js';
import type { IRGraph, IRNode, LayerParams, NetworkJSON, ValueId } from './ir.js';
import { parseNetworkJSON } from './json-schema.js';
import { Network, type RecordedNode } from './network.js';
import { checkParams } from './params.js';
import type { Tensor } from './tensor.js';

/** Where `fromJSON` finds weights that came from files: a `Weights` store, or any lookup by name. */
export interface WeightSource {
  /** Returns the weight of a name. */
  get(name: string): WeightLike;
}

const plainNode = ({ callSite: mark, method: _, ...node }: RecordedNode): IRNode => {
  const source = locate(mark);
  const bodies =
    node.bodies && Object.fromEntries(Object.entries(node.bodies).map(([role, body]) => [role, plainGraph(body)]));
  // Layers share parameters and shapes; copies are made here.
  return structuredClone({ ...node, ...(bodies && { bodies }), ...(source && { source }) });
};

const plainGraph = (graph: {
  inputs: IRGraph['inputs'];
  nodes: readonly RecordedNode[];
  outputs: IRGraph['outputs'];
}): IRGraph => ({
  inputs: graph.inputs,
  nodes: graph.nodes.map(plainNode),
  outputs: graph.outputs,
});

/** The whole network as plain data: weights from files by name, all others with their elements in base64. */
function toJSON(net: Network): NetworkJSON {
  const checkRead = () => {
    for (const [id, weight] of net.weights.entries()) if (weight.file === undefined) checkElements(weight, id);
  };
  checkRead();
  const json = structuredClone({
    format: 'node-tensorrt' as const,
    version: 1 as const,
    name: net.name,
    ...plainGraph(net.graph),
    ...(net.debugIds.length > 0 && { debug: net.debugIds }),
    weights: net.weights.map(({ dtype, shape, name, file, data }, id) => ({
      id,
      dtype,
      shape,
      ...(name !== undefined && { name }),
      ...(file === undefined && {
        data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
      }),
    })),
  });
  checkRead();
  return json;
}

const invalid = (message: string, cause?: unknown): TensorRTError =>
  new TensorRTError('ERR_JSON', `Network.fromJSON: ${message}`, { cause });

/**
 * Records the network again, layer by layer, with every check that applies to code.
 * @throws ERR_JSON for data that `toJSON` does not write or a missing named weight; otherwise as the layer methods
 */
function fromJSON(json: NetworkJSON, weights?: WeightSource): Network {
  try {
    if (json?.format !== 'node-tensorrt' || json.version !== 1) {
      throw invalid(
        `expected { format: 'node-tensorrt', version: 1, ... }, given ${show({ format: json?.format, version: json?.version })}`,
      );
    }
    const checked = parseNetworkJSON(json, (message) => {
      throw invalid(message);
    });
    return new Reader(checked, weights).read();
  } catch (error) {
    if (error instanceof TensorRTError) throw error;
    throw invalid(`malformed: ${error instanceof Error ? error.message : show(error)}`, error);
  }
}

class Reader {
  readonly #json: NetworkJSON;
  readonly #net: Network;
  readonly #values = new Map<ValueId, Tensor>();
  readonly #weights = new Map<number, WeightLike>();

  constructor(json: NetworkJSON, source: WeightSource | undefined) {
    this.#json = json;
    this.#net = new Network(json.name);
    for (const weight of json.weights) {
      if (this.#weights.has(weight.id)) throw invalid(`weight ${weight.id} is given twice`);
      this.#weights.set(weight.id, this.#weight(weight, source));
    }
  }

  read(): Network {
    for (const { id, name, dtype, shape, formats: format, note } of this.#json.inputs)
      this.#define(id, this.#net.input(name, spec(dtype, shape), { format, note }));
    this.#nodes(this.#json.nodes);
    for (const { id, name, formats: format, note } of this.#json.outputs)
      this.#net.markOutput(this.#value(id), name, readIOOptions({ format, note }, 'output'));
    for (const id of this.#json.debug ?? []) this.#net.markDebug(this.#value(id));
    return this.#net;
  }

  #nodes(nodes: readonly IRNode[]): void {
    for (const node of nodes) this.#node(node);
  }

  #node(node: IRNode): void {
    const definition = layerKinds.get(node.kind);
    if (!definition) throw invalid(`layer '${node.name}' has the unknown kind '${node.kind}'`);
    const inputs = node.inputs.map((id) => (id === null ? null : this.#value(id)));
    const fail = (_: string, message: string): never => {
      throw invalid(`layer '${node.name}': ${message}`);
    };
    const params = node.bodies ? checkParams(definition, node.params, fail) : node.params;
    const bodies = Object.entries(node.bodies ?? {}).map(([role, body]) => {
      // Inferred anew, because data-dependent sizes get different names in every process.
      const types = definition.bodyInputs?.(role, params, inputs, fail);
      return [role, this.#body(body, types)] as const;
    });
    const outputs = this.#net.record(definition, {
      inputs,
      params: params as LayerParams,
      weights: Object.fromEntries(Object.entries(node.weights).map(([role, id]) => [role, this.#weightOf(id)])),
      name: node.name,
      exact: true,
      ...(bodies.length > 0 && { bodies: Object.fromEntries(bodies) }),
    });
    if (outputs.length !== node.outputs.length)
      throw invalid(`layer '${node.name}' has ${outputs.length} outputs, the JSON says ${node.outputs.length}`);
    node.outputs.forEach(({ id }, i) => {
      this.#define(id, outputs[i]!);
    });
  }

  #body(body: IRGraph, types: readonly ValueType[] = []) {
    if (types.length !== body.inputs.length) {
      throw invalid(`a body takes ${types.length} values, the JSON says ${body.inputs.length}`);
    }
    const parameters = body.inputs.map(({ name }, i) => ({ name, type: types[i]! }));
    return this.#net.nest(parameters, (tensors) => {
      body.inputs.forEach(({ id }, i) => {
        this.#define(id, tensors[i]!);
      });
      this.#nodes(body.nodes);
      return body.outputs.map(({ id }) => this.#value(id));
    });
  }

  #define(id: ValueId, tensor: Tensor): void {
    if (this.#values.has(id)) throw invalid(`value ${id} is defined twice`);
    this.#values.set(id, tensor);
  }

  #value(id: ValueId): Tensor {
    const tensor = this.#values.get(id);
    if (!tensor) throw invalid(`value ${String(id)} is used before it is defined`);
    return tensor;
  }

  #weightOf(id: number): WeightLike {
    const weight = this.#weights.get(id);
    if (!weight) throw invalid(`weight ${id} is not among the weights`);
    return weight;
  }

  #weight({ dtype, shape, name, data }: NetworkJSON['weights'][number], source: WeightSource | undefined): WeightLike {
    if (data !== undefined) {
      const bytes = new Uint8Array(Buffer.from(data, 'base64'));
      const expected = byteLength(
        dtype,
        shape.reduce((a, b) => a * b, 1),
      );
      if (bytes.byteLength !== expected)
        throw invalid(`weight ${name ?? ''} has ${bytes.byteLength} bytes, expected ${expected}`);
      return { name, dtype, shape, data: viewAs(dtype, bytes) };
    }
    if (name === undefined) throw invalid('a weight has neither a name nor data');
    if (!source) throw invalid(`weight '${name}' came from a file: pass the weights as the second argument`);
    const found = source.get(name);
    if (!found) throw invalid(`the given weights have none that is named '${name}'`);
    if (found.dtype !== dtype || found.shape.reduce((a, b) => a * b, 1) !== shape.reduce((a, b) => a * b, 1)) {
      throw invalid(
        `weight '${name}' should be ${dtype} [${shape.join(', ')}], given ${found.dtype} [${found.shape.join(', ')}]${found.file ? ` of ${found.file}` : ''}`,
      );
    }
    return String(found.shape) === String(shape) ? found : { ...withShape(found, shape), name };
  }
}

declare module './network.js' {
  interface Network {
    /** The whole graph as plain data: weights of files by name, all others with their elements in base64. */
    toJSON(): NetworkJSON;
  }
  namespace Network {
    /**
     * The inverse of `toJSON`.
     * @param weights lookup by name for weights that came from files
     * @throws ERR_JSON
     */
    function fromJSON(json: NetworkJSON, weights?: WeightSource): Network;
  }
}

/** Adds `toJSON` and `fromJSON` to networks; called once by the package's entry. */
export function installJSON(): void {
  const define = (target: object, name: string, value: unknown) =>
    Object.defineProperty(target, name, { value, writable: true, configurable: true });
  define(Network.prototype, 'toJSON', function (this: Network) {
    return toJSON(this);
  });
  define(Network, 'fromJSON', fromJSON);
}
