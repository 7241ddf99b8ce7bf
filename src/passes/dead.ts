import { layerKinds } from '../dsl/define-layer.js';
import type { IRGraph, ValueId } from '../dsl/ir.js';
import type { Network, RecordedNode } from '../dsl/network.js';
import { publicMethod } from '../errors/boundary.js';
import { refuse } from '../errors/refusal.js';
import { allNodes, Recorder } from './recorder.js';
import { requireNetwork } from './refuse.js';

/** Whether a layer, or one inside it, has side effects. */
export function hasEffects(node: RecordedNode): boolean {
  for (const { kind, params } of allNodes({ nodes: [node] })) {
    const { hasEffects } = layerKinds.get(kind)!;
    if (typeof hasEffects === 'function' ? hasEffects(params) : hasEffects) return true;
  }
  return false;
}

/** Nodes that outputs and side effects depend on, and the values these nodes take. */
export interface Alive {
  nodes: Set<RecordedNode>;
  values: Set<ValueId>;
}

/**
 * Finds what a graph's outputs and side effects depend on.
 * @param standIns nodes that constants replace, so that they take no inputs
 */
export function findAlive(
  { nodes, outputs }: Pick<IRGraph, 'outputs'> & { nodes: readonly RecordedNode[] },
  standIns: ReadonlySet<RecordedNode> = new Set(),
  alive: Alive = { nodes: new Set(), values: new Set() },
): Alive {
  for (const { id } of outputs) alive.values.add(id);
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some(({ id }) => alive.values.has(id)) && !hasEffects(node)) continue;
    alive.nodes.add(node);
    if (standIns.has(node)) continue;
    for (const id of node.inputs) if (id !== null) alive.values.add(id);
    for (const body of Object.values(node.bodies ?? {})) findAlive(body, standIns, alive);
  }
  return alive;
}

/**
 * Returns a copy of a network without the layers that no output depends on, also inside loops and conditionals. `net` is
 * not changed. The copy keeps all inputs, and layers with side effects (assertions, cache updates, collective operations)
 * with everything they depend on.
 * @throws ERR_NO_OUTPUT if the network has no outputs
 * @function
 */
export const removeDeadLayers = publicMethod('removeDeadLayers', (net: Network): Network => {
  requireNetwork(net, 'removeDeadLayers');
  if (net.outputs.length === 0) {
    refuse('removeDeadLayers', 'ERR_NO_OUTPUT', `network '${net.name}' has no output: nothing would remain`);
  }
  const alive = findAlive(net.graph);
  const recorder: Recorder = new Recorder(net, net.name, (node) =>
    alive.nodes.has(node) ? recorder.record(node) : [],
  );
  return recorder.whole();
});
