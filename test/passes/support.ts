import { expect } from 'vitest';
import type { NetworkJSON } from '../../src/dsl/ir.js';
import { bool, type Feeds, float32, type Network, network, type Result } from '../../src/index.js';
import { leaves, type RandomGraph, record } from '../random/description.js';
import { testedGraphs } from '../random/named.js';

/** Every eighth of the 500 random graphs; every other one of these has named dims. */
export const sample: readonly (readonly [index: number, graph: RandomGraph])[] = [...testedGraphs().entries()].filter(
  ([i]) => i % 16 === 0 || i % 16 === 9,
);

export function recorded([, graph]: (typeof sample)[number]): { net: Network; feeds: Feeds } {
  const { net } = record(graph, leaves(graph.description));
  const feeds = Object.fromEntries(graph.description.inputs.map(([name]) => [name, graph.tensors.get(name)!]));
  return { net, feeds };
}

export async function run(net: Network, feeds: Feeds = {}): Promise<Record<string, Result>> {
  using model = await net.compile({ backend: 'cpu' });
  const given = net.inputs.map(({ name }) => [name, feeds[name]!]);
  return model.run(Object.fromEntries(given));
}

/** Renumbers sizes that depend on the data in JSON: they are numbered in the order the process meets them. */
export function comparable(net: Network): NetworkJSON {
  const numbers = new Map<string, string>();
  const text = JSON.stringify(net.toJSON()).replace(/\b([a-z_]+)\?\d+/g, (symbol, hint: string) => {
    if (!numbers.has(symbol)) numbers.set(symbol, `${hint}?${numbers.size}`);
    return numbers.get(symbol)!;
  });
  return JSON.parse(text) as NetworkJSON;
}

/**
 * The same elements, to the last bit.
 * @param half the largest allowed difference of 16-bit floats: onnxruntime computes them in float32 and skips roundings between
 * layers that it fuses
 */
export function expectIdentical(given: Record<string, Result>, expected: Record<string, Result>, half = 0): void {
  expect(Object.keys(given)).toEqual(Object.keys(expected));
  for (const [name, { dtype, shape, data }] of Object.entries(expected)) {
    const { data: other, ...rest } = given[name]!;
    expect([rest.dtype, rest.shape], name).toEqual([dtype, shape]);
    if (half > 0 && dtype.endsWith('float16')) {
      const values = given[name]!.toFloat32();
      for (const [i, value] of expected[name]!.toFloat32().entries()) {
        const close =
          Object.is(value, values[i]) || Math.abs(value - values[i]!) <= half * Math.max(1, Math.abs(value));
        expect(close, `${name}: ${values[i]} and ${value}`).toBe(true);
      }
      continue;
    }
    const bytes = (array: ArrayBufferView) => Buffer.from(array.buffer, array.byteOffset, array.byteLength);
    expect(bytes(other).equals(bytes(data)), `${name}: ${other.slice(0, 4)} and ${data.slice(0, 4)}`).toBe(true);
  }
}

/** Options for plans that do not depend on the machine's GPU. */
export const pinned = { library: 'rtx1', computeCapabilities: [89] } as const;

/** A network with what a copy could lose. */
export function eventful(batch: number | string = 'batch'): Network {
  const net = network('eventful', { x: float32(batch, 4), hot: bool() });
  const [x, hot] = net.inputs as [Network['inputs'][number], Network['inputs'][number]];
  const weight = { shape: [4, 4], data: Float32Array.from({ length: 16 }, (_, i) => Math.sin(i)) };
  const a = net.scope('first', () => x.linear({ weight }).relu({ name: 'act' }));
  const b = net.scope('second', () => a.linear({ weight }));
  const { state, outputs } = net.loop({ name: 'walk', count: 3, state: { sum: b } }, ({ sum }) => ({
    state: { sum: sum.add(a).tanh() },
    outputs: { sums: sum },
  }));
  const chosen = net.if(
    hot,
    () => state.sum.neg(),
    () => state.sum.relu(),
  );
  const [values, indices] = chosen.topk(2);
  values.output('top');
  values.output('again');
  indices.output();
  outputs.sums.output('sums');
  x.output('same');
  return net;
}

/** For `eventful`. */
export const feeds = { x: { shape: [2, 4], data: Float32Array.of(1, -2, 3, 0.5, 0, 1, 2, -1) }, hot: true };
