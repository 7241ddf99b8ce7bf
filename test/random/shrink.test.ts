import { describe, expect, test } from 'vitest';
import type { Network } from '../../src/index.js';
import * as entry from '../../src/index.js';
import type { DType } from '../../src/values/dtype.js';
import { leaves, type RandomGraph, readGraphs, record } from './description.js';
import { render } from './render.js';
import { shrink } from './shrink.js';
import { explain } from './verify.js';

const graphs = readGraphs();

/** Calls of a rendered program. */
const calls = (program: string) =>
  program
    .split('\n')
    .filter((line) => /^const .* = (?!net\.input)\w+[.(]/.test(line))
    .slice(1);

/** The first graph with a result of `method` that other calls use and `count` calls before it. */
function graphWith(method: string, count: number): { graph: RandomGraph; name: string } {
  for (const graph of graphs) {
    const unused = leaves(graph.description);
    const at = graph.description.layers.findIndex(({ m, out }) => m === method && !unused.includes(out[0]![0]));
    if (at >= count) return { graph, name: graph.description.layers[at]!.out[0]![0] };
  }
  return expect.fail(`no graph calls ${method}`);
}

const withReference = (graph: RandomGraph, name: string, changed: object): RandomGraph => ({
  ...graph,
  tensors: new Map(graph.tensors).set(name, { ...graph.tensors.get(name)!, ...changed }),
});

describe('a failing graph is shrunk to what fails:', () => {
  test('a call whose values are not those of the reference', async () => {
    const { graph, name } = graphWith('gelu', 8);
    const { data } = graph.tensors.get(name)!;
    const other = (data as Float32Array).map((value) => value + 0.01);
    const text = await explain(withReference(graph, name, { data: other }));
    expect(text).toMatch(new RegExp(`^run: ${name}, made by gelu: element 0 of `));
    expect(calls(text!)).toEqual([expect.stringMatching(`const ${name} = \\w+\\.gelu\\(`)]);
  });

  test('a call whose dtype is not that of the reference', async () => {
    const { graph, name } = graphWith('concat', 8);
    const dtype: DType = graph.tensors.get(name)!.dtype === 'float32' ? 'int32' : 'float32';
    const text = await explain(withReference(graph, name, { dtype }));
    expect(text).toMatch(new RegExp(`^infer: ${name}: inferred Tensor`));
    expect(calls(text!)).toEqual([expect.stringMatching(`const ${name} = .*concat\\(`)]);
  });

  test('two calls that fail together', async () => {
    const graph = graphs.find(({ description: { layers } }) =>
      ['softmax', 'loop'].every((m) => layers.slice(9).some((layer) => layer.m === m)),
    )!;
    const isThere = (part: { description: RandomGraph['description'] }, method: string) =>
      part.description.layers.some(({ m }) => m === method);
    let tries = 0;
    const small = await shrink({ graph, outputs: leaves(graph.description) }, async (part) => {
      tries++;
      record(part.graph, part.outputs);
      return isThere(part.graph, 'softmax') && isThere(part.graph, 'loop');
    });
    expect(tries).toBeGreaterThan(5);
    const left = small.graph.description.layers.map(({ m }) => m);
    expect(left.filter((m) => m === 'softmax' || m === 'loop')).toHaveLength(2);
    expect(left.length).toBeLessThan(graph.description.layers.length / 2);
  });
});

test('a rendered program records the same network', async () => {
  const json = (net: Network) => JSON.stringify(net.toJSON(), (key, value) => (key === 'source' ? undefined : value));
  const AsyncFunction = (async () => {}).constructor as new (
    ...args: string[]
  ) => (given: typeof entry) => Promise<Network>;
  for (const graph of graphs.slice(0, 50)) {
    const outputs = leaves(graph.description);
    const [program] = render(graph, outputs)
      .replace(/^import (\{.*\}) from 'node-tensorrt';/, 'const $1 = entry;')
      .split('await net.check();');
    const net = await new AsyncFunction('entry', `${program}; return net;`)(entry);
    expect(json(net)).toBe(json(record(graph, outputs).net));
  }
});
