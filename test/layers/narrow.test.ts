import { describe, expect, test } from 'vitest';
import { float32, type Network, network, type Tensor } from '../../src/index.js';
import { expectRefusal } from './harness.js';

const build: Record<string, (q: Tensor, net: Network) => unknown> = {
  slice: (q) => q.narrow(0, 0, 2),
  flip: (q) => q.flip(0),
  gather: (q) => q.gather([0, 1]),
  expand: (q) => q.unsqueeze(0).expand([2, 8, 4]),
  'scatter: data': (q) => q.scatter([[0, 0, 0, 0]], q.identity()),
  'scatter: updates': (q, net) => net.input('y', float32(8, 4)).scatter([[0, 0, 0, 0]], q),
  'if: output': (q, net) =>
    net.if(
      yes(net),
      () => q.identity(),
      () => q.reshape([8, 4]),
    ),
  'loop: state': (q, net) => net.loop({ count: 2, state: { q } }, (state) => ({ state })),
  'loop: iterated': (q, net) =>
    net.loop({ iterate: { q } }, (step) => ({ outputs: { y: step.q!.dequantize({ scale: 1 }) } })),
  relu: (q) => q.relu(),
  add: (q) => q.add(q),
  cast: (q) => q.cast('float32'),
};

const yes = (net: Network) => net.constant(true, { dtype: 'bool' });

describe.each(['float8e4m3', 'int4', 'float4e2m1'] as const)('%s', (to) => {
  test.each(Object.entries(build))('is refused by %s', (_, record) => {
    const net = network('test');
    const q = net.input('x', float32(8, 4)).quantize({ scale: 1, to });
    expectRefusal(
      () => record(q, net),
      'ERR_DTYPE',
      /'.*': expected a dequantized tensor, given \w+, which only concatenation, dequantize, /,
    );
  });

  test('is used by branches once dequantized, and by loops', async () => {
    const net = network('test');
    const x = net.input('x', float32(8, 4));
    const q = x.quantize({ scale: 1, to });
    const known = net.constant([1, 2, 3, 4], { dtype: to });
    net
      .loop({ count: 2, state: { x } }, (s) => ({ state: { x: s.x.add(q.dequantize({ scale: 1 })) } }))
      .state.x.output();
    net
      .if(
        yes(net),
        () => x.add(known.dequantize({ scale: 1 })),
        () => x,
      )
      .output();
    using engine = await net.build();
    expect(engine.outputs).toHaveLength(2);
    net
      .if(
        yes(net),
        () => q.dequantize({ scale: 1 }),
        () => x,
      )
      .output();
    await expect(net.check()).rejects.toMatchObject({
      code: 'ERR_DTYPE',
      kind: 'if_conditional',
      message: expect.stringContaining('a branch uses quantize, whose dtype cannot enter branches'),
    });
  });
});
