import { float32, network, testPlugin } from 'node-tensorrt';
import { expect, test, vi } from 'vitest';
import { top1 } from './sixth/top1.js';

vi.mock('node-tensorrt', () => import('../../src/index.js'));

// Written by a new user from docs/plugins.md alone: the largest element of each row of scale · x + bias, and where it is.

test('computes on the CPU backend', async () => {
  const net = network('sixth', { x: float32('n', 'w'), bias: float32('w') });
  const { value, index } = net.plugin(top1, { x: net.tensor('x'), bias: net.tensor('bias') }, { scale: 2 });
  value.output('value');
  index.output('index');
  using model = await net.compile({ backend: 'cpu' });
  const x = { shape: [2, 3], data: Float32Array.of(1, 5, 3, -1, -2, 0) };
  const results = await model.run({ x, bias: Float32Array.of(0, 0, 10) });
  expect([[...results.value!.data], [...results.index!.data]]).toEqual([
    [16, 10],
    [2, 2],
  ]);
});

test('reference and layers agree, and the kernel compiles, in both dtypes and tactics', async () => {
  const report = await testPlugin(top1, {
    cases: [
      { inputs: { x: ['n', 'w'], bias: ['w'] }, sizes: { n: 5, w: 300 }, attributes: { scale: 0.5 } },
      { inputs: { x: ['n', 37], bias: [37] }, sizes: { n: 5 } },
    ],
    // The layers' top-k has no meaning in rows of nothing.
    edges: false,
    print: false,
  });
  expect(report.failed).toBe(0);
  const decompositions = report.cases.flatMap(({ checks }) => checks.filter(({ what }) => what === 'decomposition'));
  expect(decompositions.map(({ passed }) => passed)).toEqual([true, true, true, true]);
});
