import { TensorRTError } from '../../src/index.js';
import { isUnknown } from '../../src/values/dim.js';
import { leaves, type RandomGraph, readGraphs, record } from './description.js';

/**
 * A graph with as many named dims as its layers accept: input axes with a size above 1, one name per size. A name stays if
 * the graph can still be recorded and no size is unknown. Layers with fixed sizes (a weight, a reshape to numbers) accept none.
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

/** Named dims of a graph's inputs. */
export const dimNames = ({ description }: RandomGraph): Set<string> =>
  new Set(description.inputs.flatMap(([, , shape]) => shape.filter((dim) => typeof dim === 'string')));

/** The stored graphs; every other one with named dims. */
export const testedGraphs = (): RandomGraph[] =>
  readGraphs().map((graph, i) => (i % 2 === 1 ? withNamedDims(graph) : graph));
