import { describe, expect, test } from 'vitest';
import { float32, type Network, network, type Tensor, uint8 } from '../../src/index.js';
import { expectRefusal } from './harness.js';

// TensorRT has uint8 at inputs and outputs of a network: "All UINT8 inputs must directly feed into a cast layer in TensorRT.
// No other layers support UINT8 inputs, even just data-movement ops" (NVIDIA/TensorRT#3985). TensorRT-RTX 1.7.1 takes shape and identity, too.

const yes = (net: Network) => net.constant(true);

const refused: Record<string, (u: Tensor, net: Network) => unknown> = {
  'gather: default': (u) => u.gather([0, 1]),
  'gather: element': (u) => u.gather([[0, 0, 0, 0]], { mode: 'element' }),
  'gather: nd': (u) => u.gather([[0, 1]], { mode: 'nd' }),
  slice: (u) => u.narrow(0, 0, 1),
  flip: (u) => u.flip(0),
  squeeze: (u) => u.squeeze([]),
  unsqueeze: (u) => u.unsqueeze(0),
  expand: (u) => u.expand([3, 2, 4]),
  shuffle: (u) => u.reshape([4, 2]),
  concatenation: (u) => u.concat(u),
  reverse_sequence: (u) => u.reverseSequence([1, 1, 1, 1]),
  'scatter: data': (u) =>
    u.scatter(
      [
        [0, 0, 0, 0],
        [1, 1, 1, 1],
      ],
      u,
    ),
  select: (u, net) => u.where(net.constant([[true], [false]]), u),
  relu: (u) => u.relu(),
  add: (u) => u.add(u),
  'if: output': (u, net) =>
    net.if(
      yes(net),
      () => u,
      () => u,
    ),
  'loop: state': (u, net) => net.loop({ count: 2, state: { u } }, (state) => ({ state })),
  'loop: iterated': (u, net) => net.loop({ iterate: { u } }, ({ u }) => ({ outputs: { y: u!.cast('float32') } })),
  'loop: collected': (u, net) => net.loop({ count: 2 }, () => ({ outputs: { u } })),
};

describe.each<[string, (net: Network) => Tensor]>([
  ['an input', (net) => net.input('u', uint8(2, 4))],
  ['what cast made', (net) => net.input('x', float32(2, 4)).cast('uint8')],
])('uint8 that is %s', (_, make) => {
  test.each(Object.entries(refused))('is refused by %s', (_, record) => {
    const net = network('test');
    const u = make(net);
    expectRefusal(() => record(u, net), 'ERR_DTYPE', /uint8/);
  });

  test('is refused in branches, and goes into loops', async () => {
    const net = network('test');
    const u = make(net).output('also');
    const x = net.input('y', float32(2, 4));
    const branches = (used: () => Tensor) =>
      net.if(
        yes(net),
        () => x,
        () => net.if(yes(net), used, () => x),
      );
    expectRefusal(() => branches(() => u.cast('float32')), 'ERR_DTYPE', /given Tensor\(.*uint8.*before the branch/);
    expectRefusal(() => branches(() => u.shapeTensor().cast('float32')), 'ERR_DTYPE', /given Tensor\(.*uint8/);
    expectRefusal(() => branches(() => x.cast('uint8').cast('float32')), 'ERR_DTYPE', /outputs of the network alone/);
    net.loop({ count: 2, state: { x } }, ({ x }) => ({ state: { x: x.add(u.cast('float32')) } })).state.x.output('sum');
    using engine = await net.build();
    expect(engine.outputs.map(({ dtype }) => dtype)).toEqual(['uint8', 'float32']);
  });
});

test('cast, identity and shape take it', async () => {
  const net = network('test', { u: uint8('n', 4) });
  const u = net.tensor();
  for (const dtype of ['float32', 'float16', 'bfloat16', 'int32', 'int64', 'int8', 'bool'] as const) {
    u.cast(dtype).output(dtype);
  }
  u.cast('float32').cast('uint8').output('back');
  u.identity().output('same');
  u.shapeTensor().output('sizes');
  using engine = await net.build({ profiles: [{ n: 2 }] });
  expect(engine.outputs).toHaveLength(10);
});

test('what is neither input nor output is refused by TensorRT, once it is known', async () => {
  const net = network('test', { x: float32(4) });
  const u = net.cast('uint8');
  u.cast('float32').output('y');
  await expect(net.build()).rejects.toThrow(/Tensor cast has datatype UInt8 but is not network-level IO/);
  u.output('u');
  using engine = await net.build();
  expect(engine.outputs).toHaveLength(2);
});
