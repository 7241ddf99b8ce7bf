import type { IRNamed, ValueId, WeightId } from '../dsl/ir.js';
import type { RecordedNode } from '../dsl/network.js';
import type { Snapshot } from '../dsl/snapshot.js';
import { findAlive } from '../passes/dead.js';
import { usesOf } from '../passes/layer.js';
import { allNodes } from '../passes/recorder.js';

/** What a run does at once: layers in onnxruntime, or the reference of a plugin. */
export type Step = { part: Snapshot } | { plugin: RecordedNode };

/** A network cut around its plugins. */
export interface Cut {
  steps: readonly Step[];
  /** Constant layers that plugins take or that are outputs: they are in no step. */
  constants: readonly RecordedNode[];
  /** Weights in several parts. */
  shared: ReadonlySet<WeightId>;
}

const isPlugin = ({ kind }: RecordedNode): boolean => kind === 'plugin';

/**
 * Cuts a network around the plugins of its outermost graph. A layer runs as soon as the plugins that it depends on have run,
 * so there are no more parts than the longest chain of plugins makes. Constants are in every part that takes them. A
 * network without plugins stays whole; beside plugins, layers that no output depends on are left out.
 */
export function cut(network: Snapshot): Cut {
  if (!network.nodes.some(isPlugin)) return { steps: [{ part: network }], constants: [], shared: new Set() };
  const { nodes } = findAlive({ nodes: network.nodes, outputs: [...network.outputs] });
  return new Cutting(network, nodes).result();
}

/** The layers between two stages of plugins, and the plugins that follow them. */
interface Stage {
  layers: RecordedNode[];
  plugins: RecordedNode[];
}

class Cutting {
  readonly #network: Snapshot;
  readonly #stages: Stage[] = [];
  readonly #constants = new Map<ValueId, RecordedNode>();
  /** By value of the outermost graph, but for constants: the first stage that can take it from `values`, or makes it. */
  readonly #stageOf = new Map<ValueId, number>();
  /** Values that another stage, a plugin or the caller takes. */
  readonly #crossing: Set<ValueId>;

  constructor(network: Snapshot, alive: ReadonlySet<RecordedNode>) {
    this.#network = network;
    for (const { id } of network.inputs) this.#stageOf.set(id, 0);
    for (const node of network.nodes) if (alive.has(node)) this.#place(node);
    this.#crossing = new Set(network.outputs.map(({ id }) => id));
    for (const [stage, { layers, plugins }] of this.#stages.entries()) {
      for (const node of plugins) for (const id of usesOf(node)) this.#crossing.add(id);
      for (const node of layers)
        for (const id of usesOf(node)) if ((this.#stageOf.get(id) ?? stage) !== stage) this.#crossing.add(id);
    }
  }

  #place(node: RecordedNode): void {
    if (node.kind === 'constant') {
      this.#constants.set(node.outputs[0]!.id, node);
      return;
    }
    let stage = 0;
    for (const id of usesOf(node)) stage = Math.max(stage, this.#stageOf.get(id) ?? 0);
    while (this.#stages.length <= stage) this.#stages.push({ layers: [], plugins: [] });
    const { layers, plugins } = this.#stages[stage]!;
    (isPlugin(node) ? plugins : layers).push(node);
    for (const { id } of node.outputs) this.#stageOf.set(id, isPlugin(node) ? stage + 1 : stage);
  }

  result(): Cut {
    const parts = this.#stages.map(({ layers }) => (layers.length > 0 ? [this.#part(layers)] : []));
    const steps = this.#stages.flatMap(({ plugins }, stage): Step[] => [
      ...parts[stage]!.map((part) => ({ part })),
      ...plugins.map((plugin) => ({ plugin })),
    ]);
    const constants = [...this.#constants].filter(([id]) => this.#crossing.has(id)).map(([, node]) => node);
    return { steps, constants, shared: sharedWeights(parts.flat()) };
  }

  #part(layers: readonly RecordedNode[]): Snapshot {
    const own = new Set(layers.flatMap(({ outputs }) => outputs.map(({ id }) => id)));
    const taken = new Set(layers.flatMap((node) => [...usesOf(node)]));
    const constants = [...taken].flatMap((id) => this.#constants.get(id) ?? []);
    // Values inside loops and conditionals belong to no stage.
    const inputs = [...taken].filter((id) => this.#stageOf.has(id) && !own.has(id));
    const outputs = [...own].filter((id) => this.#crossing.has(id));
    // A session needs an output. What has none asserts something, or updates a cache that nothing takes.
    if (outputs.length === 0) outputs.push(...[...own].slice(0, 1));
    return {
      ...this.#network,
      inputs: inputs.map((id) => this.#named(id)),
      outputs: outputs.map((id) => this.#named(id)),
      nodes: [...constants, ...layers],
    };
  }

  #named(id: ValueId): IRNamed {
    const { dtype, shape } = this.#network.tensorOf(id)!;
    return { id, name: `${id}`, dtype, shape };
  }
}

function sharedWeights(parts: readonly Snapshot[]): Set<WeightId> {
  const seen = new Set<WeightId>();
  const shared = new Set<WeightId>();
  for (const part of parts) {
    const own = new Set(Array.from(allNodes(part), ({ weights }) => Object.values(weights)).flat());
    for (const id of own) (seen.has(id) ? shared : seen).add(id);
  }
  return shared;
}
