import type { ValueId } from '../dsl/ir.js';
import type { Network, RecordedNode } from '../dsl/network.js';
import { usesOf } from '../passes/layer.js';
import { allNodes } from '../passes/recorder.js';
import { isSameShape } from '../values/dim.js';
import type { Change } from './candidate.js';

/** What steps work on. */
export interface Reducing {
  /** The smallest network so far that fails. */
  readonly best: Network;
  /**
   * Whether a network with this change fails too; then it is the best.
   * @param of the network, whose values the change is about. Default: the best
   */
  attempt(change: Change, of?: Network): Promise<boolean>;
}

type Step = (state: Reducing) => Promise<void>;

/** The least number of `[0, most]` for which `fails` holds, if that holds for all above it; else one for which it does. `most` is known to fail. */
async function least(most: number, fails: (at: number) => Promise<boolean>): Promise<number> {
  let [low, high] = [0, most];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (await fails(middle)) high = middle;
    else low = middle + 1;
  }
  return high;
}

const outputsOf = (nodes: readonly RecordedNode[]): ValueId[] =>
  nodes.flatMap(({ outputs }) => outputs.map(({ id }) => id));

/** Values of the first layers that none of them takes. */
function leaves(nodes: readonly RecordedNode[]): Set<ValueId> {
  const used = new Set(nodes.flatMap((node) => [...usesOf(node)]));
  return new Set(outputsOf(nodes).filter((id) => !used.has(id)));
}

/** Ends the network as early as possible. */
const endEarlier: Step = async (state) => {
  const whole = state.best;
  const { nodes } = whole.graph;
  const ends = (count: number) => state.attempt({ outputs: leaves(nodes.slice(0, count)) }, whole);
  await least(nodes.length, async (count) => count > 0 && ends(count));
};

/** Leaves out outputs: halves, quarters, …, single ones. */
const fewerOutputs: Step = async (state) => {
  for (let size = state.best.graph.outputs.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < state.best.graph.outputs.length; ) {
      const ids = state.best.graph.outputs.map(({ id }) => id);
      const rest = new Set(ids.toSpliced(at, size));
      if (rest.size === 0 || !(await state.attempt({ outputs: rest }))) at += size;
    }
  }
};

/** Begins the network as late as possible: what earlier layers made are inputs. */
const beginLater: Step = async (state) => {
  const whole = state.best;
  const { nodes } = whole.graph;
  const begins = (left: number) =>
    state.attempt({ inputs: new Set(outputsOf(nodes.slice(0, nodes.length - left))) }, whole);
  await least(nodes.length, async (left) => left > 0 && begins(left));
};

/** Cuts single values off, the last first. */
const moreInputs: Step = async (state) => {
  for (let at = state.best.graph.nodes.length - 1; at >= 0; at--) {
    const node = state.best.graph.nodes[at];
    if (!node) continue;
    const made = new Set(outputsOf([node]));
    if (state.best.graph.outputs.some(({ id }) => made.has(id))) continue;
    await state.attempt({ inputs: made });
  }
};

/** The inputs that may stand in the place of a layer with one output. */
function substitutes(net: Network, node: RecordedNode): number[] {
  const [output, ...others] = node.outputs;
  if (!output || others.length > 0) return [];
  return node.inputs.flatMap((id, i) => {
    const input = id === null ? undefined : net.tensorOf(id);
    return input && input.dtype === output.dtype && isSameShape(input.shape, output.shape) ? [i] : [];
  });
}

/** Leaves out layers that keep dtype and shape: halves, quarters, …, single ones, inside loops and conditionals too. */
const bypass: Step = async (state) => {
  const candidates = () =>
    Array.from(allNodes(state.best.graph)).filter((node) => substitutes(state.best, node).length > 0);
  for (let size = Math.max(1, candidates().length >> 1); size >= 1; size >>= 1) {
    for (let at = 0; ; ) {
      const nodes = candidates().slice(at, at + size);
      if (nodes.length === 0) break;
      const [only] = nodes;
      const choices = nodes.length === 1 ? substitutes(state.best, only!) : [0];
      let failed = false;
      for (const choice of choices) {
        const inputs = nodes.map(
          (node) => [node, nodes.length === 1 ? choice : substitutes(state.best, node)[0]!] as const,
        );
        failed ||= await state.attempt({ bypassed: new Map(inputs) });
      }
      if (!failed) at += nodes.length;
    }
  }
};

/** Makes dims of inputs small: 1, 2, half. */
const smallerSizes: Step = async (state) => {
  const dims = new Set(state.best.graph.inputs.flatMap(({ shape }) => shape));
  for (const dim of dims) {
    const half = typeof dim === 'number' ? dim >> 1 : 1;
    for (const size of new Set([1, 2, half])) {
      if (typeof dim === 'number' && size >= dim) continue;
      if (size >= 1 && (await state.attempt({ sizes: new Map([[dim, size]]) }))) break;
    }
  }
};

/** In the order in which they are tried, again and again. */
export const steps: Readonly<Record<string, Step>> = {
  'ends earlier': endEarlier,
  'has fewer outputs': fewerOutputs,
  'begins later': beginLater,
  'leaves out layers': bypass,
  'has more inputs': moreInputs,
  'has smaller sizes': smallerSizes,
};
