import type { ValueId } from '../dsl/ir.js';
import type { Network, RecordedNode } from '../dsl/network.js';
import { TensorRTError } from '../errors/error.js';
import { usesOf } from '../passes/layer.js';
import { uniqueNames } from '../passes/names.js';
import { allNodes, Recorder } from '../passes/recorder.js';
import { type Dim, isUnknown } from '../values/dim.js';

/** What a smaller network does without. */
export interface Change {
  /** Values that are the outputs. Default: the network's. */
  outputs?: ReadonlySet<ValueId> | undefined;
  /** Values that become inputs. */
  inputs?: ReadonlySet<ValueId> | undefined;
  /** Layers in whose place one of their inputs stands, by index; nested ones too. */
  bypassed?: ReadonlyMap<RecordedNode, number> | undefined;
  /** Sizes of the network's inputs: a size or name, and what it becomes. */
  sizes?: ReadonlyMap<Dim, number> | undefined;
}

/** The layers that `wanted` values depend on; their values are added. */
function needed(net: Network, wanted: Set<ValueId>, { inputs: cut, bypassed }: Change): Set<RecordedNode> {
  const layers = new Set<RecordedNode>();
  for (const node of net.graph.nodes.toReversed()) {
    if (!node.outputs.some(({ id }) => wanted.has(id) && !cut?.has(id))) continue;
    layers.add(node);
    const instead = bypassed?.get(node);
    if (instead !== undefined) wanted.add(node.inputs[instead]!);
    else for (const id of usesOf(node)) wanted.add(id);
  }
  return layers;
}

/** The network with a change; undefined where it cannot be recorded. Layers that nothing depends on are left out. */
export function changed(net: Network, change: Change): Network | undefined {
  const { outputs, inputs: cut = new Set(), bypassed, sizes } = change;
  const marked = outputs
    ? Array.from(outputs, (id) => ({ id, name: nameOf(net, id) }))
    : net.graph.outputs.map(({ id, name }) => ({ id, name }));
  const wanted = new Set(marked.map(({ id }) => id));
  const layers = needed(net, wanted, change);
  const own = net.graph.inputs.filter(({ id }) => wanted.has(id) && !cut.has(id));
  const recorder: Recorder = new Recorder(net, net.name, (node, depth) => {
    if (depth === 0 && !layers.has(node)) return [];
    const instead = bypassed?.get(node);
    if (instead === undefined) return recorder.record(node);
    return recorder.inputs({ ...node, inputs: [node.inputs[instead]!] });
  });
  try {
    const taken = new Set([...own, ...marked].map(({ name }) => name));
    const unique = uniqueNames(taken);
    const resized = (shape: readonly Dim[]) => shape.map((dim) => sizes?.get(dim) ?? dim);
    for (const { id, name, shape } of own) recorder.input(id, name, resized(shape), false);
    for (const id of cut) {
      const { shape, name } = net.tensorOf(id)!;
      if (!wanted.has(id)) continue;
      if (shape.some(isUnknown)) return undefined;
      recorder.input(id, unique(name), resized(shape), false);
    }
    recorder.nodes(net.graph.nodes);
    for (const { id, name } of marked) recorder.output(id, name);
    return recorder.finish();
  } catch (error) {
    if (error instanceof TensorRTError) return undefined;
    throw error;
  }
}

const nameOf = (net: Network, id: ValueId): string =>
  net.graph.outputs.find((output) => output.id === id)?.name ?? net.tensorOf(id)!.name;

/** Layers, those inside loops and conditionals too. */
export const countLayers = (net: Network): number => Array.from(allNodes(net.graph)).length;

/** How large a network is: layers first, then what it takes and gives. */
export function sizeOf(net: Network): readonly number[] {
  const elements = net.graph.inputs.flatMap(({ shape }) => shape.map((dim) => (typeof dim === 'number' ? dim : 1e6)));
  const sum = elements.reduce((a, b) => a + b, 0);
  return [countLayers(net), net.graph.outputs.length, net.graph.inputs.length, sum];
}

export function isSmaller(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((one, i) => one !== b[i]);
  return at >= 0 && a[at]! < b[at]!;
}
