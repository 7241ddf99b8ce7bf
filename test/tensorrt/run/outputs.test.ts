import { describe, expect, test } from 'vitest';
import { DeviceTensor, deviceTensor, float32, HostTensor, hostTensor, int32, Result } from '../../../src/index.js';
import { setMapping } from '../../../src/values/weight.js';
import { rejection } from '../networks.js';
import { fakeAddon } from './fake-addon.js';

const x = () => Float32Array.of(1, 2, 3, 4);
const at = [3];

test('outputs are new arrays by default, and the feeds are those of the call', async () => {
  const fake = fakeAddon();
  using context = await fake.engine().createContext();
  fake.holds = true;
  const feed = x();
  const run = context.run({ x: feed, at });
  feed.fill(99);
  fake.finish();
  const { y, kept } = await run;
  expect([y!.shape, [...y!.data], [...kept!.data]]).toEqual([[2, 2], [2, 4, 6, 8], [4]]);
});

describe('outputs go where they are asked to', () => {
  test.each(['run', 'runSync'] as const)('a typed array that is too long, with %s', async (method) => {
    using context = await fakeAddon().engine().createContext();
    const y = new Float32Array(10).fill(-1);
    const options = { outputs: { y: y.subarray(1) } };
    const feeds = { x: x(), at };
    const results = await (method === 'run' ? context.run(feeds, options) : context.runSync(feeds, options));
    expect([...y]).toEqual([-1, 2, 4, 6, 8, -1, -1, -1, -1, -1]);
    expect(results.y.data.buffer).toBe(y.buffer);
    expect(results.y.data).toHaveLength(4);
    expect(results.y.shape).toEqual([2, 2]);
    expect([...(results.kept as Result).data]).toEqual([4]);
  });

  test('shared memory', async () => {
    using context = await fakeAddon().engine().createContext();
    const y = new Float32Array(new SharedArrayBuffer(16));
    await context.run({ x: x(), at }, { outputs: { y } });
    expect([...y]).toEqual([2, 4, 6, 8]);
  });

  test('tensors, whose results have the shape of the run', async () => {
    using context = await fakeAddon().engine().createContext();
    using y = hostTensor(float32(9));
    using kept = deviceTensor(float32(5));
    const results = await context.run({ x: x(), at }, { outputs: { y, kept } });
    expect([results.y.shape, [...results.y.data], results.y.data.buffer === y.data.buffer]).toEqual([
      [2, 2],
      [2, 4, 6, 8],
      true,
    ]);
    expect([results.kept.shape, results.kept.byteLength, results.kept.pointer]).toEqual([[1], 4, kept.pointer]);
    expect([...(await results.kept.download()).data]).toEqual([4]);
    using same = deviceTensor(float32(1));
    expect((await context.run({ x: x(), at }, { outputs: { kept: same } })).kept).toBe(same);
    results.kept.dispose();
    expect((await rejection(kept.download())).code).toBe('ERR_DISPOSED');
  });

  test('the GPU, all of them or some', async () => {
    using context = await fakeAddon().engine().createContext();
    const all = await context.run({ x: x(), at }, { outputs: 'device' });
    expect(Object.values(all).map((one) => [one instanceof DeviceTensor, one.shape, one.device])).toEqual([
      [true, [2, 2], 0],
      [true, [1], 0],
    ]);
    const { y, kept } = context.runSync({ x: all.y!, at }, { outputs: { y: 'device', kept: 'host' } });
    expect([...(await y.download()).data]).toEqual([4, 8, 12, 16]);
    expect(kept).toBeInstanceOf(Result);
  });
});

describe('places that do not fit an output', () => {
  const shared = new Float32Array(8);
  const mapped = new Float32Array(4);
  setMapping(mapped.buffer, { size: 16, intact: () => true });
  const gone = new Float32Array(4);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  test.each<[string, unknown, RegExp]>([
    ['a string', 'gpu', /outputs: expected 'device', or an object/],
    ['an array', new Float32Array(4), /outputs: expected 'device', or an object/],
    ['a list', [], /outputs: expected 'device', or an object/],
    ['no output', { z: 'host' }, /there is no output 'z'; the outputs are 'y', 'kept'/],
    ['nearly an output', { kpet: 'host' }, /did you mean 'kept'/],
    ['a number', { y: 4 }, /output 'y': expected 'host', 'device', a typed array, .* given 4/],
    ['a DataView', { y: new DataView(new ArrayBuffer(16)) }, /output 'y': expected 'host'/],
    [
      'another array',
      { y: new Float64Array(4) },
      /output 'y': float32 is written to a Float32Array, given a Float64Array/,
    ],
    ['too few elements', { y: new Float32Array(3) }, /output 'y': float32 \[2, 2\] takes 16 bytes, given 12/],
    ['a detached array', { y: gone }, /output 'y': the array is detached/],
    ['a weight file', { y: mapped }, /output 'y': the array lies in a weight file/],
    [
      'one array twice',
      { y: shared, kept: shared.subarray(3) },
      /output 'kept': its memory is also that of output 'y'/,
    ],
  ])('%s', async (_, outputs, message) => {
    const fake = fakeAddon();
    using context = await fake.engine().createContext();
    for (const run of [context.run.bind(context), async (...args: [never, never]) => context.runSync(...args)]) {
      const error = await rejection(run({ x: x(), at } as never, { outputs } as never));
      expect(error.code).toBe('ERR_OUTPUT');
      expect(error.message).toMatch(message);
    }
    expect(fake.calls).not.toContain('run');
  });

  test('a feed, or a tensor of another dtype, GPU or length', async () => {
    using context = await fakeAddon().engine().createContext();
    const refused = async (feeds: object, outputs: object) => {
      const error = await rejection(context.run({ x: x(), at, ...feeds }, { outputs: outputs as never }));
      return `${error.code} ${error.message}`;
    };
    const feed = x();
    expect(await refused({ x: feed }, { y: feed })).toMatch(/^ERR_OUTPUT .*also that of input 'x'/);
    using host = hostTensor(float32(2, 2));
    expect(await refused({ x: host }, { y: host })).toMatch(/^ERR_OUTPUT .*also that of input 'x'/);
    expect(await refused({ x: host }, { y: host.data })).toMatch(/^ERR_OUTPUT .*also that of input 'x'/);
    using gpu = deviceTensor(float32(2, 2));
    expect(await refused({ x: gpu }, { y: gpu })).toMatch(/^ERR_OUTPUT .*also that of input 'x'/);
    expect(await refused({}, { y: gpu, kept: gpu })).toMatch(/^ERR_OUTPUT .*also that of output 'y'/);
    using wrong = hostTensor(int32(4));
    expect(await refused({}, { y: wrong })).toMatch(/^ERR_OUTPUT .*expected a tensor of float32, given int32/);
    using far = deviceTensor(float32(4), undefined, { device: 1 });
    expect(await refused({}, { y: far })).toMatch(/^ERR_OUTPUT .*the tensor is on GPU 1, the engine on GPU 0/);
    using short = deviceTensor(float32(3));
    expect(await refused({}, { y: short })).toMatch(/^ERR_OUTPUT .*takes 16 bytes, given 12/);
    gpu.dispose();
    expect(await refused({}, { y: gpu })).toMatch(/^ERR_DISPOSED/);
    host.dispose();
    expect(await refused({}, { y: host })).toMatch(/^ERR_DISPOSED/);
  });

  test('too short or gone when the run ends, which loses nothing else', async () => {
    const fake = fakeAddon();
    fake.isStatic = false;
    using context = await fake.engine().createContext();
    const y = new Float32Array(4);
    const short = await rejection(context.run({ x: x(), at: [0] }, { outputs: { y, kept: new Float32Array(3) } }));
    expect([short.code, short.message]).toEqual(['ERR_OUTPUT', "output 'kept': float32 [4] takes 16 bytes, given 12"]);
    expect([...y]).toEqual([2, 4, 6, 8]);
    fake.holds = true;
    const kept = new Float32Array(4);
    const run = context.run({ x: x(), at: [0] }, { outputs: { kept } });
    structuredClone(kept.buffer, { transfer: [kept.buffer] });
    fake.finish();
    const error = await rejection(run);
    expect([error.code, error.message]).toEqual([
      'ERR_OUTPUT',
      "output 'kept': the array was detached before the run ended",
    ]);
    fake.holds = false;
    expect([...(await context.run({ x: x(), at: [1] })).kept!.data]).toEqual([2, 3, 4]);
  });
});

test('an output in place takes the tensor of its input, and no other', async () => {
  const fake = fakeAddon();
  const native = fake.native.bind(fake);
  fake.native = () => {
    const engine = native();
    engine.io[2]!.alias = 0;
    return engine;
  };
  using context = await fake.engine().createContext();
  using tensor = deviceTensor(float32(2, 2), x());
  const { y } = await context.run({ x: tensor, at }, { outputs: { y: tensor } });
  expect(y).toBe(tensor);
  expect([...(await tensor.download()).data]).toEqual([2, 4, 6, 8]);
  const error = await rejection(context.run({ x: tensor, at }, { outputs: { kept: tensor } }));
  expect(error.message).toMatch(/output 'kept': its memory is also that of input 'x'/);
});

test('what TensorRT reads in host memory is no tensor on a GPU', async () => {
  using context = await fakeAddon().engine().createContext();
  using onGpu = deviceTensor(int32(), [1]);
  const error = await rejection(context.run({ x: x(), at: onGpu }));
  expect([error.code, error.message]).toEqual([
    'ERR_FEED',
    "input 'at': TensorRT reads it in host memory: give an array or a HostTensor",
  ]);
  using onHost = hostTensor(int32());
  onHost.data[0] = 2;
  expect([...(await context.run({ x: x(), at: onHost })).kept!.data]).toEqual([3, 4]);
  onHost.data[0] = 9;
  expect((await rejection(context.run({ x: x(), at: onHost }))).code).toBe('ERR_SHAPE');
  expect(onHost).toBeInstanceOf(HostTensor);
});

describe('transfer', () => {
  test('detaches arrays, and whatever else is over their buffers', async () => {
    const fake = fakeAddon();
    using context = await fake.engine().createContext();
    const buffer = new ArrayBuffer(64);
    const feed = new Float32Array(buffer, 8, 4);
    feed.set(x());
    const index = new Int32Array(buffer, 4, 1).fill(3);
    const beside = new Uint8Array(buffer);
    const { y, kept } = await context.run({ x: feed, at: index }, { transfer: true });
    expect([...y!.data, ...kept!.data]).toEqual([2, 4, 6, 8, 4]);
    expect([feed.length, index.length, beside.length]).toEqual([0, 0, 0]);
  });

  test.each<[string, () => Float32Array]>([
    ['shared memory', () => new Float32Array(new SharedArrayBuffer(16))],
    ['a small Buffer', () => new Float32Array(Buffer.allocUnsafe(1).buffer, 64, 4)],
  ])('copies what cannot be handed over: %s', async (_, make) => {
    using context = await fakeAddon().engine().createContext();
    const feed = make();
    feed.set(x());
    const run = context.run({ x: feed, at }, { transfer: true });
    expect([...feed]).toEqual([...x()]);
    feed.fill(99);
    expect([...(await run).y!.data]).toEqual([2, 4, 6, 8]);
  });

  test('leaves the arrays of a run that is refused', async () => {
    const fake = fakeAddon();
    using context = await fake.engine().createContext();
    const [feed, other] = [x(), new Float32Array(18)];
    const runs = [
      context.run({ x: feed, at: [4] }, { transfer: true }),
      context.run({ x: other, at }, { transfer: true }),
      context.run({ x: feed, at }, { transfer: true, outputs: { y: new Float32Array(1) } }),
      context.run({ x: feed.subarray(0, 2), at }, { transfer: true, outputs: { kept: feed.subarray(2) } }),
      context.run({ x: feed, at }, { transfer: 1 as never }),
    ];
    expect(await Promise.all(runs.map(async (run) => (await rejection(run)).code))).toEqual([
      ...['ERR_SHAPE', 'ERR_SHAPE', 'ERR_OUTPUT', 'ERR_OUTPUT', 'ERR_PARAMETER'],
    ]);
    expect([feed.length, other.length]).toEqual([4, 18]);
    expect(fake.calls).not.toContain('run');
  });

  test('leaves tensors where they are', async () => {
    using context = await fakeAddon().engine().createContext();
    using host = hostTensor(float32(2, 2));
    (host.data as Float32Array).set(x());
    expect([...context.runSync({ x: host, at }, { transfer: true }).y!.data]).toEqual([2, 4, 6, 8]);
    expect([...host.data]).toEqual([...x()]);
  });
});

test('a getter of a feed that detaches another is refused', async () => {
  using context = await fakeAddon().engine().createContext();
  const feed = x();
  const feeds = {
    x: feed,
    get at() {
      structuredClone(feed.buffer, { transfer: [feed.buffer] });
      return at;
    },
  };
  expect((await rejection(context.run(feeds))).code).toBe('ERR_FEED');
});
