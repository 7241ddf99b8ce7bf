import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { concat, float32, int32, int64, type Network, network, type Tensor } from '../../src/index.js';
import { loopLimit } from '../../src/layers/shared/loop-cpu.js';
import { expectRefusal, expectSameJSON, testLayer } from './harness.js';
import { cases } from './loop.cases.js';

testLayer('loop', cases);

function sequence() {
  const net = network('loop', { x: float32('n', 5, 3), h: float32(5, 3) });
  const [x, h] = net.inputs as [Tensor, Tensor];
  return { net, x, h };
}

test('what TensorRT cannot loop over is refused', () => {
  const { net, x, h } = sequence();
  const keep = ({ h }: { h: Tensor }) => ({ state: { h } });
  const state = { h };
  expectRefusal(() => net.loop({ state }, keep), 'ERR_PARAMETER', /expected count, while or something to iterate over/);
  expectRefusal(() => net.loop({ count: -1, state }, keep), 'ERR_SHAPE', /count: expected whole numbers from 0/);
  expectRefusal(() => net.loop({ count: x, state }, keep), 'ERR_DTYPE', /count: expected int32, int64/);
  const counts = net.input('counts', int32(2));
  expectRefusal(() => net.loop({ count: counts, state }, keep), 'ERR_RANK', /count: expected rank 0, given \[2\]/);
  expectRefusal(() => net.loop({ while: ({ h }) => h, state }, keep), 'ERR_DTYPE', /while: expected bool/);
  expectRefusal(() => net.loop({ while: ({ h }) => h.gt(0), state }, keep), 'ERR_RANK', /while: expected rank 0/);
  expectRefusal(
    () => net.loop({ count: 6, state, iterate: { x: { tensor: x, axis: 1 } } }, keep),
    'ERR_SHAPE',
    /6 iterations run past axis 1/,
  );
  expectRefusal(() => net.loop({ state, iterate: { x: { tensor: x, axis: 3 } } }, keep), 'ERR_AXIS', /iterate/);
  expectRefusal(
    () => net.loop({ state, iterate: { a: { tensor: x, axis: 1 }, b: { tensor: x, axis: 2 } } }, keep),
    'ERR_SHAPE',
    /expected 5 slices/,
  );
  expectRefusal(() => net.loop({ state, iterate: { h: x } }, keep), 'ERR_DUPLICATE_NAME', /'h'/);
});

test('a body that returns something else is refused', () => {
  const { net, x, h } = sequence();
  const options = { state: { h }, iterate: { x } };
  expectRefusal(
    () => net.loop(options, ({ h }) => ({ state: { h: h.sum() } })),
    'ERR_SHAPE',
    /state 0: .*float32\[5, 3\].*float32\[\]/,
  );
  expectRefusal(() => net.loop(options, ({ h }) => ({ state: { h: h.cast('float16') } })), 'ERR_SHAPE', /float16/);
  expectRefusal(
    () => net.loop(options, () => ({}) as never),
    'ERR_OUTPUT',
    /expected the body to return h, given none/,
  );
  expectRefusal(() => net.loop(options, ({ h }) => ({ state: { h, k: h } }) as never), 'ERR_OUTPUT', /given h, k/);
  expectRefusal(() => net.loop(options, () => 3 as never), 'ERR_OUTPUT', /\{ state, outputs \}, given 3/);
  expectRefusal(
    () => net.loop(options, ({ h }) => ({ state: { h }, outputs: { y: 3 as never } })),
    'ERR_INPUT',
    /outputs.y/,
  );
  expectRefusal(
    () => net.loop(options, ({ h }) => ({ state: { h }, outputs: { y: { tensor: h, axis: 3 } } })),
    'ERR_AXIS',
    /from 0 to 2/,
  );
  const until = { while: ({ h }: { h: Tensor }) => h.sum().lt(9), state: { h } };
  expectRefusal(
    () => net.loop(until, ({ h }) => ({ state: { h }, outputs: { y: h } })),
    'ERR_PARAMETER',
    /needs their length/,
  );
});

test('the trip count is the size of collected outputs', () => {
  const { net, x, h } = sequence();
  const run = (options: object) =>
    net.loop({ state: { h }, ...options }, ({ h }) => ({ state: { h }, outputs: { y: { tensor: h, axis: 1 } } }))
      .outputs.y.shape;
  expect(run({ count: 7 })).toEqual([5, 7, 3]);
  expect(run({ iterate: { x } })).toEqual([5, 'n', 3]);
  expect(run({ count: '2*n' })).toEqual([5, '2*n', 3]);
  expect(run({ count: net.input('trips', int32()) })[1]).toMatch(/^trips\?/);
});

test('layers of the body are named after the loop, and it goes through JSON and back', () => {
  const { net, x, h } = sequence();
  const options = { name: 'steps', state: { h }, iterate: { x: { tensor: x, reverse: true } } };
  const { state } = net.loop({ ...options, while: ({ h }) => h.sum().lt(9) }, ({ h, x }) => ({
    state: { h: h.add(x).relu() },
  }));
  state.h.output('y');
  const node = net.graph.nodes.at(-1)!;
  expect(node.name).toBe('steps');
  expect(node.bodies!.body!.nodes.map((n) => n.name)).toEqual(['steps.element_wise_1', 'steps.activation']);
  expectSameJSON(net);
});

test('what an iterator goes over may have been joined with itself many times', async () => {
  const net = network('joined', { x: float32(2, 4) });
  let x = net.tensor();
  for (let i = 0; i < 40; i++) x = concat([x, x], { axis: 0 }).narrow(0, 0, 2);
  const { outputs } = net.loop({ iterate: { x } }, ({ x }) => ({ outputs: { y: x.unsqueeze(0) } }));
  outputs.y.output('y');
  const { names } = await net.check();
  expect(names.layers.map(({ name }) => name)).not.toContain('loop/iterated0');
});

test('sizes that a gather makes are not what an iterator goes over', async () => {
  const net = network('sizes', { x: float32('n', 4) });
  const rest = net.tensor().narrow(0, 0, net.tensor().dim(0).sub(1));
  const { outputs } = net.loop({ iterate: { x: rest } }, ({ x }) => ({ outputs: { y: x.unsqueeze(0) } }));
  outputs.y.output('y');
  const { names } = await net.check();
  expect(names.layers.map(({ name }) => name)).not.toContain('loop/iterated0');
});

describe('a loop that would not end on the CPU backend', () => {
  const { trips } = loopLimit;
  beforeAll(() => {
    loopLimit.trips = 1000;
  });
  afterAll(() => {
    loopLimit.trips = trips;
  });
  const counting = (net: Network, s: Tensor, options: { count?: Tensor; while?: boolean }) =>
    net.loop(
      { state: { s }, count: options.count, ...(options.while && { while: ({ s }: { s: Tensor }) => s.lt(1e6) }) },
      ({ s }) => ({ state: { s: s.add(1) } }),
    ).state.s;
  const tooLong = {
    code: 'ERR_CPU_BACKEND',
    kind: 'loop',
    message: expect.stringMatching(/loop '.*': it ran 1,000 iterations, the most .* correct 'while', or give a count/),
  };

  test.each([
    [0, 'fails'],
    [1e6 - 1001, 'fails'],
    [1e6 - 1000, 'ends'],
    [2e6, 'ends'],
  ])('while, from %i: %s', async (s, what) => {
    const net = network('while', { s: float32() });
    counting(net, net.tensor(), { while: true }).output('y');
    using model = await net.compile({ backend: 'cpu' });
    if (what === 'fails') await expect(model.run({ s })).rejects.toMatchObject(tooLong);
    else expect(Number((await model.run({ s })).y!.data[0])).toBe(Math.max(s, 1e6));
  });

  test.each([
    [1000, 'ends'],
    [1001, 'fails'],
    [2n ** 62n, 'fails'],
  ])('a count of %s that is fed: %s', async (count, what) => {
    const net = network('count', { s: float32(), count: int64() });
    const [s, given] = net.inputs as [Tensor, Tensor];
    counting(net, s, { count: given }).output('y');
    using model = await net.compile({ backend: 'cpu' });
    const run = model.run({ s: 0, count: BigInt64Array.of(BigInt(count)) });
    if (what === 'fails') await expect(run).rejects.toMatchObject(tooLong);
    else expect(Number((await run).y!.data[0])).toBe(count);
  });

  test('within another loop', async () => {
    const net = network('nested', { s: float32() });
    const { state } = net.loop({ state: { s: net.tensor() }, count: 2 }, ({ s }) => ({
      state: { s: counting(net, s, { while: true }) },
    }));
    state.s.output('y');
    using model = await net.compile({ backend: 'cpu' });
    await expect(model.run({ s: 0 })).rejects.toMatchObject(tooLong);
    expect(Number((await model.run({ s: 999_500 })).y!.data[0])).toBe(1e6);
  });

  test('values are collected only as long as there is room, and the states are those of the end', async () => {
    const net = network('collected', { s: float32() });
    const { state, outputs } = net.loop({ state: { s: net.tensor() }, while: ({ s }) => s.lt(1e6) }, ({ s }) => ({
      state: { s: s.add(1) },
      outputs: { trail: { tensor: s, length: 3 } },
    }));
    state.s.output('y');
    outputs.trail.output('trail');
    using model = await net.compile({ backend: 'cpu' });
    const { y, trail } = await model.run({ s: 999_900 });
    expect(Number(y!.data[0])).toBe(1e6);
    expect(Array.from(trail!.data as Float32Array)).toEqual([999_900, 999_901, 999_902]);
    const one = await model.run({ s: 999_999 });
    expect(Array.from(one.trail!.data as Float32Array)).toEqual([999_999, 0, 0]);
    await expect(model.run({ s: 0 })).rejects.toMatchObject(tooLong);
  });
});
