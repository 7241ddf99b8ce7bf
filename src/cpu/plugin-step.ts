import type { ValueId } from '../dsl/ir.js';
import type { RecordedNode } from '../dsl/network.js';
import type { Snapshot } from '../dsl/snapshot.js';
import { locate } from '../errors/call-site.js';
import { TensorRTError } from '../errors/error.js';
import { hasLayers } from '../passes/decompose-plugins.js';
import { isOwn, type OwnParams, type PluginParams } from '../plugin/layer.js';
import { Reference } from '../plugin/reference.js';
import { findDefinition } from '../plugin/registry.js';
import type { ReferenceTensor } from '../plugin/types.js';
import { decodeElements } from '../values/elements.js';
import { type Held, held } from './held.js';

/** An error of a plugin's layer. */
function refuse({ name, kind, params, callSite }: RecordedNode, code: string, said: string, cause?: unknown): never {
  const { definition, creator } = params as { definition?: { name: string }; creator?: { name: string } };
  const plugin = (definition ?? creator)!.name;
  const facts = { method: kind, layer: name, kind, source: locate(callSite), cause };
  throw new TensorRTError(code, plugin === name ? said : `${plugin}: ${said}`, facts);
}

/** Whether layers run in the place of a plugin: it has them, and no reference that can run there. */
export function wantsLayers(node: RecordedNode, depth: number): boolean {
  if (!hasLayers(node)) return false;
  const { name, version } = (node.params as unknown as OwnParams).definition;
  return depth > 0 || findDefinition(name, version)?.reference === undefined;
}

/** A plugin, whose reference runs between sessions. */
export class PluginStep {
  readonly #node: RecordedNode;
  readonly #reference: Reference;

  /** @throws ERR_CPU_BACKEND if there is no reference */
  constructor(network: Snapshot, node: RecordedNode) {
    const params = node.params as unknown as PluginParams;
    if (!isOwn(params)) {
      const why = 'the CPU backend has no reference for plugins that TensorRT brings or loads';
      refuse(node, 'ERR_CPU_BACKEND', `${why}; run it on a GPU, or define a plugin of your own with a reference`);
    }
    const { name, version } = params.definition;
    const definition = findDefinition(name, version);
    if (definition && !definition.reference) {
      const help = 'give its definition a reference, or a decompose, to run it without a GPU';
      refuse(node, 'ERR_CPU_BACKEND', `it has no reference for the CPU backend: ${help}`);
    }
    this.#node = node;
    this.#reference = new Reference(
      params,
      node.inputs.map((id) => network.tensorOf(id!)!),
    );
  }

  /**
   * Computes its outputs from `values`, and adds them there. The reference gets copies, so whatever it does to them nobody else
   * sees.
   * @throws ERR_PLUGIN
   */
  run(values: Map<ValueId, Held>): void {
    const { inputs, outputs } = this.#node;
    const tensors = inputs.map((id) => referenceTensor(values.get(id!)!));
    const fail = (said: string, cause?: unknown): never => refuse(this.#node, 'ERR_PLUGIN', said, cause);
    for (const [i, { dtype, shape, data }] of this.#reference.run(tensors, fail).entries()) {
      values.set(outputs[i]!.id, held(dtype, shape, data));
    }
  }

  release(): void {}
}

/** A copy. */
function referenceTensor({ dtype, shape, data }: Held): ReferenceTensor {
  return { dtype, shape, data: dtype === 'float16' ? decodeElements(dtype, data, data.length) : data.slice() };
}
