import { TensorRTError } from '../../src/index.js';
import { isUnknown } from '../../src/values/dim.js';
import { leaves, type RandomGraph, readGraphs, record } from './description.js';

/**
 * A graph with as many named dims as its layers take: axes of inputs that have a size above 1, one name for each size. A
 * name stays where the graph is still recorded and leaves no size open. Layers with sizes of their own (a weight, a reshape to numbers) take none.
 */
export function withNamedDims(graph: RandomGraph): RandomGraph {
  const outputs = leaves(graph.description);
  let best = graph;
  for (const [index, [, , given]] of graph.description.inputs.entries()) {
    for (const [axis, size] of given.entries()) {
      if (typeof size === 'string' || size < 2) continue;
      const attempt = named(best, index, axis, size);
      try {
        const { tensors } = record(attempt, outputs);
        const dims = [...tensors.values()].flatMap(({ shape }) => shape);
        if (!dims.some(isUnknown)) best = attempt;
      } catch (error) {
        if (!(error instanceof TensorRTError)) throw error;
      }
    }
  }
  return best;
}

function named({ description, tensors }: RandomGraph, index: number, axis: number, size: number): RandomGraph {
  const name = `size${size}`;
  const inputs = description.inputs.map((input, i): typeof input => {
    const [id, dtype, shape] = input;
    return i === index ? [id, dtype, shape.with(axis, name)] : input;
  });
  return { description: { ...description, inputs, sizes: { ...description.sizes, [name]: size } }, tensors };
}

/** Named dims of the inputs of a graph. */
export const dimNames = ({ description }: RandomGraph): Set<string> =>
  new Set(description.inputs.flatMap(([, , shape]) => shape.filter((dim) => typeof dim === 'string')));

/** The stored graphs; every other one with named dims. */
export const testedGraphs = (): RandomGraph[] =>
  readGraphs().map((graph, i) => (i % 2 === 1 ? withNamedDims(graph) : graph));
