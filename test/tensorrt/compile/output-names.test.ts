import { expect, test } from 'vitest';
import { float32, type Network, network } from '../../../src/index.js';

const cases: [string, (net: Network) => void, string[]][] = [
  ['a layer before it', (net) => net.relu({ name: 'y' }).exp().output('y'), ['y']],
  [
    'a layer beside it',
    (net) => {
      net.exp().output('y');
      net.relu({ name: 'y' }).output('z');
    },
    ['y', 'z'],
  ],
  [
    'each other',
    (net) => {
      const first = net.relu({ name: 'a' });
      first.exp({ name: 'b' }).output('a');
      first.output('b');
    },
    ['a', 'b'],
  ],
  [
    'the layer itself, given out twice',
    (net) => {
      const y = net.relu({ name: 'y' });
      y.output('z');
      y.output('y');
    },
    ['z', 'y'],
  ],
  ['its own layer', (net) => net.relu({ name: 'y' }).output('y'), ['y']],
];

// TensorRT has each name once, and keeps the old name of a tensor without a word where the new one is taken.
test.each(cases)('an output keeps its name in the engine, though it is also that of %s', async (_, record, names) => {
  const net = network('n', { x: float32(2) });
  record(net);
  const { names: held, layers } = await net.check({ library: 'rtx1' });
  expect(held.outputs).toEqual(names);
  expect(layers.map(({ name }) => name)).toEqual(net.graph.nodes.map(({ name }) => name));
});
