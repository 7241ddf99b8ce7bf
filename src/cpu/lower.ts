import { type CpuLayerBody, type CpuValue, layerKinds } from '../dsl/define-layer.js';
import type { IRGraph, IRValue, ValueId } from '../dsl/ir.js';
import type { RecordedNode } from '../dsl/network.js';
import type { Snapshot } from '../dsl/snapshot.js';
import { locate } from '../errors/call-site.js';
import { TensorRTError } from '../errors/error.js';
import { CpuModule, type FedConstant, OnnxGraphWriter, SharedWeights } from './graph.js';
import { encodeModel } from './onnx.js';

/** A network as ONNX. */
export interface CpuProgram {
  /** ONNX ModelProto. */
  model: Uint8Array;
  /** Large weights, which the model refers to by `path`. */
  files: { path: string; data: Uint8Array }[];
  /** Constants that the model takes as inputs. */
  fed: readonly FedConstant[];
  /** Bool outputs that must be true, with the layers that require it. */
  requirements: { output: string; message: string; layer: RecordedNode }[];
  /** What the failure of an ONNX node means, by its name. */
  guards: ReadonlyMap<string, string>;
  /** The recorded layer of an ONNX node. */
  layerOf(node: string): RecordedNode | undefined;
}

/** Names of inputs and outputs are prefixed, so that they differ from each other and from inner values. */
export const inputName = (name: string): string => `in/${name}`;
export const outputName = (name: string): string => `out/${name}`;

/**
 * Writes a network as ONNX. Elements that do not lie in a mapped file are copied.
 * @throws ERR_CPU_BACKEND if a layer has no mapping; ERR_DISPOSED if a weight file was closed
 */
export function lower(network: Snapshot, shared = new SharedWeights()): CpuProgram {
  const module = new CpuModule(shared);
  const main = new OnnxGraphWriter(module, network.name);
  const lowering = new GraphLowering(network, module);
  for (const input of network.inputs) lowering.values.set(input.id, main.input(inputName(input.name), input));
  lowering.write(main, network.nodes);
  for (const { id, name, dtype } of network.outputs) {
    module.layer = outputName(name);
    main.output(outputName(name), lowering.values.get(id)!, dtype);
  }
  const requirements = module.requirements.map(({ value, message, layer }, i) => {
    const output = `require/${i}`;
    module.layer = layer;
    main.output(output, value, 'bool');
    return { output, message, layer: lowering.layers.get(layer)! };
  });
  main.graph.nodes.unshift(...module.prelude);
  main.graph.initializers.push(...module.initializers);
  main.graph.inputs.push(...module.fed);
  return {
    model: encodeModel(main.graph),
    files: module.files,
    fed: module.fed,
    requirements,
    guards: module.guards,
    layerOf: (node) => lowering.layers.get(layerOf(module.layerOf, node) ?? ''),
  };
}

/** onnxruntime calls a node that it fused from several after one of them: `fused conv`, `mm/MatMulAddFusion`, `tr_token_3`. */
function layerOf(layers: ReadonlyMap<string, string>, node: string): string | undefined {
  const known = layers.get(node);
  if (known !== undefined) return known;
  let name = node.replace(/^fused /, '').replace(/_token_\d+$/, '');
  while (!layers.has(name) && name.includes('/')) name = name.slice(0, name.lastIndexOf('/'));
  return layers.get(name);
}

class GraphLowering {
  readonly network: Snapshot;
  readonly module: CpuModule;
  readonly values = new Map<ValueId, CpuValue>();
  readonly layers = new Map<string, RecordedNode>();

  constructor(network: Snapshot, module: CpuModule) {
    this.network = network;
    this.module = module;
  }

  write(graph: OnnxGraphWriter, nodes: readonly RecordedNode[]): void {
    for (const node of nodes) {
      const outer = this.module.layer;
      this.module.layer = node.name;
      this.layers.set(node.name, node);
      try {
        this.#layer(graph, node);
      } catch (cause) {
        if (cause instanceof TensorRTError && cause.layer) throw cause;
        const code = cause instanceof TensorRTError ? cause.code : 'ERR_CPU_BACKEND';
        throw new TensorRTError(code, `${node.kind} '${node.name}': ${(cause as Error).message}`, {
          layer: node.name,
          kind: node.kind,
          source: locate(node.callSite),
          cause,
        });
      }
      this.module.layer = outer;
    }
  }

  #layer(graph: OnnxGraphWriter, node: RecordedNode): void {
    const definition = layerKinds.get(node.kind);
    if (!definition) throw new TensorRTError('ERR_CPU_BACKEND', 'the layer kind is unknown');
    const inputs = node.inputs.map((id) => (id === null ? null : this.values.get(id)!));
    const weights = Object.entries(node.weights).map(([role, id]) => [role, this.network.weights[id]!, id] as const);
    const results = [
      definition.cpu(graph, {
        params: node.params,
        inputs,
        input: (index) => inputs[index] ?? missing(index),
        weights: Object.fromEntries(weights.map(([role, weight, id]) => [role, this.module.weight(weight, id)])),
        inputTypes: node.inputs.map((id) => (id === null ? null : this.network.tensorOf(id)!)),
        weightTypes: Object.fromEntries(weights.map(([role, weight]) => [role, weight])),
        outputTypes: node.outputs,
        bodies: Object.fromEntries(
          Object.entries(node.bodies ?? {}).map(([role, body]) => [role, this.#body(body)] as const),
        ),
      }),
    ].flat();
    if (results.length !== node.outputs.length) {
      throw new TensorRTError(
        'ERR_INTERNAL',
        `its CPU mapping returned ${results.length} outputs, inference ${node.outputs.length}`,
      );
    }
    for (const [i, output] of node.outputs.entries()) this.#define(graph, output, results[i]!);
  }

  #define(graph: OnnxGraphWriter, output: IRValue, value: CpuValue): void {
    const rounded = graph.round(value, output.dtype);
    graph.declare(rounded, output.dtype);
    this.values.set(output.id, rounded);
  }

  #body(body: IRGraph): CpuLayerBody {
    return {
      inputTypes: body.inputs,
      outputTypes: body.outputs.map(({ id }) => this.network.tensorOf(id)!),
      write: (graph, inputs) => {
        for (const [i, input] of body.inputs.entries()) this.values.set(input.id, inputs[i] ?? missing(i));
        this.write(graph as OnnxGraphWriter, body.nodes);
        return body.outputs.map(({ id }) => this.values.get(id)!);
      },
    };
  }
}

const missing = (index: number): never => {
  throw new TensorRTError('ERR_INTERNAL', `its CPU mapping needs input ${index}, which is absent`);
};
