import { describe, expect, test } from 'vitest';
import { float32, type Network, network, type Result, weight } from '../src/index.js';

/** More elements than the CPU backend writes into the model itself. */
const count = 1024;
const x = () => new Float32Array(count).fill(1);
const first = async (results: Promise<Record<string, Result>>) => (await results).y!.toFloat32()[0];

/** y = x + w, over an array that the caller keeps. */
function sum(data: Float32Array): Network {
  const net = network('sum', { x: float32(count) });
  net
    .tensor()
    .add({ shape: [count], data })
    .output('y');
  return net;
}

/** TensorRT-RTX builds here without a GPU; the model then runs on the CPU. */
const backends = ['cpu', 'auto'] as const;

describe.each(backends)("what was given at the call counts, with backend '%s'", (backend) => {
  test('elements of weights', async () => {
    const data = x();
    const compiling = sum(data).compile({ backend });
    data.fill(9);
    using model = await compiling;
    expect(await first(model.run({ x: x() }))).toBe(2);
  });

  test('small weights, of which the model itself has a copy', async () => {
    const data = Float32Array.of(1);
    const net = network('small', { x: float32(1) });
    net
      .tensor()
      .add({ shape: [1], data })
      .output('y');
    const compiling = net.compile({ backend });
    data.fill(9);
    using model = await compiling;
    expect(await first(model.run({ x: [1] }))).toBe(2);
  });

  test('an array that is transferred away', async () => {
    const data = x();
    const compiling = sum(data).compile({ backend });
    structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
    using model = await compiling;
    expect(await first(model.run({ x: x() }))).toBe(2);
  });

  test('the network', async () => {
    const net = sum(x());
    const compiling = net.compile({ backend });
    net.outputs[0]!.tensor.mul(3).output('z');
    using model = await compiling;
    expect(Object.keys(await model.run({ x: x() }))).toEqual(['y']);
  });

  test('feeds', async () => {
    using model = await sum(x()).compile({ backend });
    const feed = x();
    const given: (number | undefined)[] = [];
    for (const value of [1, 2, 3, 4]) {
      feed.fill(value);
      const running = model.run({ x: value % 2 ? feed : { shape: [count], data: feed } });
      feed.fill(99);
      given.push(await first(running));
    }
    expect(given).toEqual([2, 3, 4, 5]);
  });

  test('runs that overlap', async () => {
    using model = await sum(x()).compile({ backend });
    const feed = x();
    const running = [1, 2, 3].map((value) => first(model.run({ x: feed.fill(value) })));
    feed.fill(99);
    expect(await Promise.all(running)).toEqual([2, 3, 4]);
  });
});

test('the profiles', async () => {
  const net = network('profiles', { x: float32('n', 8) });
  net.relu().output('y');
  const range = [1, 2, 4] as [number, number, number];
  const compiling = net.compile({ profiles: [{ n: range }] });
  const building = net.build({ profiles: [{ n: range }] });
  range.fill(7);
  for (const engine of [(await compiling).engine, await building]) {
    expect(engine?.options?.profiles).toEqual([{ x: { min: [1, 8], opt: [2, 8], max: [4, 8] } }]);
  }
});

test('shared memory and Buffers over it are copied as well', async () => {
  const shared = new Float32Array(new SharedArrayBuffer(4 * count)).fill(1);
  const compiling = sum(shared).compile({ backend: 'cpu' });
  shared.fill(9);
  using model = await compiling;
  shared.fill(1);
  const running = first(model.run({ x: shared }));
  shared.fill(9);
  expect(await running).toBe(2);
});

const Half = (globalThis as { Float16Array?: new (values: readonly number[]) => Float32Array }).Float16Array;

test('Float16Array as feed, weight, constant and bias', async ({ skip }) => {
  if (!Half) skip('Node has Float16Array from 24 on; test/nodes runs this too');
  const half = (...values: number[]) => new Half!(values) as never;
  const net = network('half', { x: { dtype: 'float16', shape: ['n', 2] } });
  const y = net.linear({ weight: { shape: [2, 2], data: half(1, 2, 3, 4) }, bias: half(0.5, 0.25) });
  y.add(net.constant(half(1, -1))).output('y');
  using model = await net.compile({ backend: 'cpu' });
  for (const feed of [half(1, 2), { shape: [1, 2], data: half(1, 2) }, { dtype: 'float16', data: half(1, 2) }]) {
    expect([...(await model.run({ x: feed as never })).y!.toFloat32()]).toEqual([6.5, 10.25]);
  }
  expect(weight(half(1.5, -2)).toFloat32()).toEqual(Float32Array.of(1.5, -2));
  expect(() => weight(half(1), [1], 'bfloat16')).toThrow(/expected elements of bfloat16, given a Float16Array/);
  const wide = network('wide', { x: { dtype: 'bfloat16', shape: [1] } });
  wide.relu().output('y');
  using other = await wide.compile({ backend: 'cpu' });
  await expect(other.run({ x: half(1) })).rejects.toMatchObject({
    code: 'ERR_FEED',
    message: expect.stringContaining('given a Float16Array; convert it with Float32Array.from(data)'),
  });
});

test("a Float16Array's numbers, not its bits, become elements of other dtypes", async () => {
  // Node 20 and 22 have none; this one is told apart in the same way.
  class Float16Array extends Uint16Array {
    override get [Symbol.toStringTag]() {
      return 'Float16Array' as 'Uint16Array';
    }
  }
  const half = Float16Array.of(0x3c00, 0xc000);
  expect(weight(half as never).toFloat32()).toEqual(Float32Array.of(1, -2));
  const net = network('half', { x: { dtype: 'float16', shape: [2] } });
  net
    .tensor()
    .add({ shape: [2], data: half as never })
    .output('y');
  using model = await net.compile({ backend: 'cpu' });
  expect([...(await model.run({ x: half as never })).y!.toFloat32()]).toEqual([2, -4]);
});
