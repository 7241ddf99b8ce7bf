import { describe, expect, test } from 'vitest';
import { float32, type Network, network, removeDeadLayers, rewrite } from '../../src/index.js';
import { isFloat } from '../../src/values/dtype.js';
import { refusal } from '../refusal.js';
import { comparable, eventful, expectIdentical, recorded, run, sample } from './support.js';

const names = (net: Network) => net.graph.nodes.map(({ name }) => name);

describe('removing dead layers of random graph', () => {
  test.each(sample.filter(([i]) => i % 32 === 0).map((one) => [one[0], one] as const))(
    '%i changes no result, and finds what was put in',
    async (_, one) => {
      const { net, feeds } = recorded(one);
      const lean = removeDeadLayers(net);
      // Every floating tensor gets a layer that nothing takes, within bodies too.
      let added = 0;
      const fat = rewrite(lean, (layer) => {
        for (const tensor of layer.keep()) {
          if (!isFloat(tensor.dtype)) continue;
          tensor.abs().exp();
          added++;
        }
      });
      expect(added).toBeGreaterThan(0);
      expect(comparable(fat)).not.toEqual(comparable(lean));
      expect(comparable(removeDeadLayers(fat))).toEqual(comparable(lean));
      expectIdentical(await run(lean, feeds), await run(net, feeds));
    },
  );
});

describe('removeDeadLayers', () => {
  test('keeps inputs, assertions, and what these depend on', () => {
    const net = network('guarded', { x: float32('n'), y: float32(2) });
    const x = net.inputs[0]!;
    const { nodes } = net.graph;
    net
      .dims([x.dim(0)])
      .eq(net.dims([4]))
      .assert('four');
    const guard = names(net);
    x.exp({ name: 'dead' }).neg({ name: 'dead too' });
    x.relu({ name: 'alive' }).output('z');
    const lean = removeDeadLayers(net);
    expect(names(lean)).toEqual([...guard, 'alive']);
    expect(guard.length).toBeGreaterThan(3);
    expect(lean.inputs.map(({ name }) => name)).toEqual(['x', 'y']);
    expect(net.graph.nodes).toBe(nodes);
    expect(names(net)).toContain('dead too');
  });

  test('keeps a layer of which one output is used, and a loop for its assertion', () => {
    const net = network('part', { x: float32(1, 5) });
    const x = net.tensor();
    x.topk(2, { name: 'best' })[0].output('v');
    net.loop({ name: 'gone', count: 2, state: { x } }, (now) => ({ state: { x: now.x.neg() } }));
    net.loop({ name: 'stays', count: 2, state: { x } }, (now) => {
      now.x.tanh({ name: 'dead' });
      net.constant(true).assert('always');
      return { state: { x: now.x.neg() } };
    });
    const lean = removeDeadLayers(net);
    expect(names(lean).filter((name) => !name.includes('.'))).toEqual(['best', 'stays']);
    expect(JSON.stringify(lean.toJSON())).not.toContain('stays.dead');
    expect(names(lean).some((name) => name.startsWith('gone'))).toBe(false);
  });

  test('leaves a network alone in which nothing is dead', () => {
    const net = eventful();
    expect(comparable(removeDeadLayers(net))).toEqual(comparable(net));
  });

  test('refuses a network without outputs, and what is none', () => {
    const net = network('open', { x: float32(1) });
    net.relu();
    const error = refusal(() => removeDeadLayers(net));
    expect([error.code, error.message.split('\n')[0]]).toEqual([
      'ERR_NO_OUTPUT',
      "removeDeadLayers: network 'open' has no output: nothing would remain",
    ]);
    expect(refusal(() => removeDeadLayers(undefined as never)).code).toBe('ERR_INPUT');
  });
});
