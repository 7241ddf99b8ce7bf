import type { Stored } from '../layers/fixture.js';
import { type Description, type RandomGraph, usedBy } from './description.js';

export interface Part {
  graph: RandomGraph;
  outputs: readonly string[];
}

/** The part of a graph that `outputs` need. The values in `cut` become inputs with their stored elements. */
export function restrict({ graph, outputs }: Part, cut: ReadonlySet<string> = new Set()): Part {
  const { description, tensors } = graph;
  const needed = new Set(outputs);
  const layers = description.layers
    .toReversed()
    .filter((layer) => {
      const isNeeded = layer.out.some(([name]) => needed.has(name) && !cut.has(name));
      if (isNeeded) for (const name of usedBy(layer)) needed.add(name);
      return isNeeded;
    })
    .reverse();
  const made = new Set(layers.flatMap(({ out }) => out.map(([name]) => name)));
  const known: Description['inputs'] = [...description.inputs, ...description.layers.flatMap(({ out }) => out)];
  const inputs = known.filter(([name]) => needed.has(name) && !made.has(name));
  const weights = description.weights.filter(([name]) => needed.has(name));
  const kept = [...inputs, ...weights, ...layers.flatMap(({ out }) => out)].map(([name]) => name);
  const isDynamic = inputs.some(([, , shape]) => shape.some((dim) => typeof dim === 'string'));
  return {
    graph: {
      description: { inputs, weights, layers, ...(isDynamic && { sizes: description.sizes }) },
      tensors: new Map(kept.map((name): [string, Stored] => [name, tensors.get(name)!])),
    },
    outputs: outputs.filter((name) => made.has(name)),
  };
}

const results = ({ description }: RandomGraph) => description.layers.flatMap(({ out }) => out.map(([name]) => name));

/**
 * The smallest part found that fails like the whole graph: as few outputs as possible, as early as possible, from inputs as
 * late as possible. Every part has references, because those of all values are stored.
 */
export async function shrink(whole: Part, fails: (part: Part) => Promise<boolean>): Promise<Part> {
  let best = whole;
  const attempt = async (part: Part) => {
    const isBetter = part.outputs.length > 0 && (await fails(part));
    if (isBetter) best = part;
    return isBetter;
  };
  const single = results(whole.graph)
    .map((name) => restrict({ graph: whole.graph, outputs: [name] }))
    .sort((a, b) => a.graph.description.layers.length - b.graph.description.layers.length);
  let isSingle = false;
  for (const part of single) if (!isSingle) isSingle = await attempt(part);
  if (!isSingle) {
    for (const name of whole.outputs) {
      await attempt(restrict({ ...best, outputs: best.outputs.filter((output) => output !== name) }));
    }
  }
  // Late values first: the first cut that still fails drops most.
  for (const name of results(best.graph).toReversed()) {
    const isStillThere = results(best.graph).includes(name) && !best.outputs.includes(name);
    if (isStillThere) await attempt(restrict(best, new Set([name])));
  }
  return best;
}
