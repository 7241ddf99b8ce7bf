import { describe, expect, test } from 'vitest';
import { float32, type Network, network, reduceNetwork, type Tensor } from '../../src/index.js';
import { allNodes } from '../../src/passes/recorder.js';

/** Blocks of a few layers; one of them has a fault. */
function deep(blocks: number, fault: (x: Tensor) => Tensor): Network {
  const net = network('deep', { x: float32('batch', 8, 16) });
  let x = net.tensor();
  for (let i = 0; i < blocks; i++) {
    net.scope(`block${i}`, () => {
      x = x.relu().add(x.sigmoid()).layerNorm();
      if (i === blocks >> 1) x = fault(x);
      x.mean({ axes: [1, 2] }).output(`mean${i}`);
    });
  }
  x.output('y');
  return net;
}

const kinds = (net: Network) => Array.from(allNodes(net.graph), ({ kind }) => kind);

describe('reduceNetwork', () => {
  test.each([10, 60])('finds the one layer at fault among those of %d blocks', async (blocks) => {
    const net = deep(blocks, (x) => x.cumsum({ axis: 1 }));
    const names: string[] = [];
    const {
      network: small,
      tried,
      layers,
      complete,
    } = await reduceNetwork(net, (one) => kinds(one).includes('cumulative'), {
      onProgress: ({ step }) => names.push(step),
    });
    expect(kinds(small)).toEqual(['cumulative']);
    expect(small.inputs.map(({ shape }) => shape)).toEqual([[1, 1, 1]]);
    expect(layers).toEqual([net.graph.nodes.length, 1]);
    expect(complete).toBe(true);
    // Halving finds it, however deep the network is.
    expect(tried).toBeLessThan(20 + 4 * Math.ceil(Math.log2(net.graph.nodes.length)));
    expect(new Set(names)).toContain('begins later');
    const again = await reduceNetwork(net, (one) => kinds(one).includes('cumulative'));
    expect(again.network.toJSON()).toEqual(small.toJSON());
  });

  test('keeps two layers that fail only together', async () => {
    const net = deep(12, (x) => x.cumsum({ axis: 1 }).relu().exp().neg().softmax());
    const fails = (one: Network) => kinds(one).includes('cumulative') && kinds(one).includes('softmax');
    const { network: small } = await reduceNetwork(net, fails);
    expect(kinds(small)).toEqual(['cumulative', 'softmax']);
  });

  test('leaves out layers of a loop', async () => {
    const net = network('loop', { x: float32(4, 8) });
    const { state } = net.loop({ count: 3, state: { x: net.tensor() } }, ({ x }) => ({
      state: { x: x.relu().exp().cumsum().neg().softmax() },
    }));
    state.x.relu().output('y');
    const { network: small } = await reduceNetwork(net, (one) => kinds(one).includes('cumulative'));
    expect(kinds(small).filter((kind) => kind !== 'constant')).toEqual(['cumulative', 'loop']);
  });

  test('ends at its limits with the smallest so far', async () => {
    const net = deep(10, (x) => x.cumsum());
    const fails = (one: Network) => kinds(one).includes('cumulative');
    expect(await reduceNetwork(net, fails, { limit: 3 })).toMatchObject({ tried: 3, complete: false });
    const controller = new AbortController();
    const onSmaller = () => controller.abort();
    const { network: small, complete } = await reduceNetwork(net, fails, { signal: controller.signal, onSmaller });
    expect(complete).toBe(false);
    expect(small.graph.nodes.length).toBeLessThan(net.graph.nodes.length);
  });

  test('refuses a network that does not fail, and passes on what the check throws', async () => {
    const net = deep(2, (x) => x.exp());
    await expect(reduceNetwork(net, () => false)).rejects.toMatchObject({ code: 'ERR_REDUCE' });
    await expect(reduceNetwork(net, () => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    await expect(reduceNetwork(net, 'x' as never)).rejects.toMatchObject({ code: 'ERR_INPUT' });
    await expect(reduceNetwork(net, () => true, { limit: -1 })).rejects.toMatchObject({ code: 'ERR_PARAMETER' });
  });
});
