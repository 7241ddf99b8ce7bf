import { describe, expect, test } from 'vitest';
import { DeviceTensor, deviceTensor, float32, hostTensor, int32, Result } from '../../../src/index.js';
import { placed } from '../../../src/values/placed.js';
import { refusal } from '../../refusal.js';
import { rejection } from '../networks.js';
import { fakeAddon } from './fake-addon.js';

function tensors() {
  const [x, at] = [hostTensor(float32(2, 2)), hostTensor(int32())];
  (x.data as Float32Array).set([1, 2, 3, 4]);
  at.data[0] = 3;
  return { x, at };
}

test('a binding gives the same results, over the same memory', async () => {
  using context = await fakeAddon().engine().createContext();
  const feeds = tensors();
  using bound = context.bind({ feeds });
  const first = bound.runSync();
  expect([...first.y!.data, ...first.kept!.data]).toEqual([2, 4, 6, 8, 4]);
  (feeds.x.data as Float32Array).set([5, 0, 0, 0]);
  const second = await bound.run();
  expect(second).toBe(first);
  expect([...first.y!.data, ...first.kept!.data]).toEqual([10, 0, 0, 0, 5]);
});

test('outputs stay on the GPU, or go to given tensors', async () => {
  const fake = fakeAddon();
  using context = await fake.engine().createContext();
  const feeds = tensors();
  const { y } = context.bind({ feeds, outputs: 'device' }).runSync();
  expect(y).toBeInstanceOf(DeviceTensor);
  expect([...(await y!.download()).data]).toEqual([2, 4, 6, 8]);
  using kept = deviceTensor(float32(8));
  using mine = hostTensor(float32(8));
  const both = context.bind({ feeds, outputs: { y: mine, kept } }).runSync();
  expect(both.y).toBeInstanceOf(Result);
  expect([both.y.shape, both.kept.shape, both.kept.pointer]).toEqual([[2, 2], [1], kept.pointer]);
});

test('where elements decide a shape, tensors are needed, and results are of the run', async () => {
  const fake = fakeAddon();
  fake.isStatic = false;
  using context = await fake.engine().createContext();
  const feeds = tensors();
  const error = refusal(() => context.bind({ feeds }));
  expect([error.code, error.message]).toEqual([
    'ERR_OUTPUT',
    "bind: output 'kept': its shape [-1] is known only after a run: give a tensor that is large enough",
  ]);
  using bound = context.bind({ feeds, outputs: { kept: hostTensor(float32(4)) } });
  expect([...bound.runSync().kept.data]).toEqual([4]);
  feeds.at.data[0] = 1;
  const { kept } = await bound.run();
  expect([kept.shape, [...kept.data]]).toEqual([[3], [2, 3, 4]]);
  const capture = await rejection(context.capture({ feeds, outputs: { kept: hostTensor(float32(4)) } }));
  expect([capture.code, capture.message]).toEqual([
    'ERR_CAPTURE',
    "the network cannot be captured: the shape of output 'kept' depends on elements, which a graph does not see",
  ]);
});

test('tensors that were made for it go with it, given ones stay', async () => {
  using context = await fakeAddon().engine().createContext();
  const feeds = tensors();
  using y = hostTensor(float32(2, 2));
  const bound = context.bind({ feeds, outputs: { y, kept: 'device' } });
  const { kept } = bound.runSync();
  bound.dispose();
  bound.dispose();
  expect((await rejection(kept.download())).code).toBe('ERR_DISPOSED');
  expect([y.data.length, feeds.x.data.length]).toEqual([4, 4]);
});

describe('what cannot be bound', () => {
  type Tensors = ReturnType<typeof tensors>;
  test.each<[string, (given: Tensors) => unknown, string, RegExp]>([
    ['nothing', () => undefined, 'ERR_PARAMETER', /expected options/],
    [
      'another option',
      ({ x, at }) => ({ feeds: { x, at }, output: {} }),
      'ERR_PARAMETER',
      /there is no option 'output'/,
    ],
    ['no feeds', () => ({}), 'ERR_FEED', /expected an object with tensors by input name/],
    [
      'an array',
      ({ at }) => ({ feeds: { x: new Float32Array(4), at } }),
      'ERR_FEED',
      /input 'x': expected a HostTensor or a Dev/,
    ],
    ['a feed less', ({ x }) => ({ feeds: { x } }), 'ERR_FEED', /input 'at': it is missing/],
    [
      'another dtype',
      ({ at }) => ({ feeds: { x: at, at } }),
      'ERR_FEED',
      /input 'x': expected a tensor of float32, given int32/,
    ],
    [
      'an array to write to',
      ({ x, at }) => ({ feeds: { x, at }, outputs: { y: new Float32Array(4) } }),
      'ERR_OUTPUT',
      /an ordinary array/,
    ],
    [
      'a feed to write to',
      ({ x, at }) => ({ feeds: { x, at }, outputs: { y: x } }),
      'ERR_OUTPUT',
      /also that of input 'x'/,
    ],
    ['rank 3', ({ at }) => ({ feeds: { x: hostTensor(float32(1, 2, 2)), at } }), 'ERR_FEED', /expected rank 2/],
    ['a size beyond the profile', ({ at }) => ({ feeds: { x: hostTensor(float32(9, 2)), at } }), 'ERR_SHAPE', /1 to 8/],
  ])('%s', async (_, optionsOf, code, message) => {
    const fake = fakeAddon();
    const options = optionsOf(tensors());
    using context = await fake.engine().createContext();
    for (const error of [
      refusal(() => context.bind(options as never)),
      await rejection(context.capture(options as never)),
    ]) {
      expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
    }
    expect(fake.calls).toEqual(['createContext']);
  });

  test('where the addon refuses it, tensors that were made are freed', async () => {
    const fake = fakeAddon();
    using context = await fake.engine().createContext();
    const made: object[] = [];
    const { hostTensor: make } = fake.binding;
    const { binding } = await import('../../../src/tensorrt/binding.js');
    const addon = binding();
    addon.hostTensor = (bytes) => {
      const one = make!(bytes);
      made.push(one.handle);
      return one;
    };
    const feeds = tensors();
    made.length = 0;
    addon.bind = () => {
      throw Object.assign(new Error('no'), { code: 'ERR_RUN' });
    };
    expect(refusal(() => context.bind({ feeds })).code).toBe('ERR_RUN');
    expect(made.map((one) => (one as { isDisposed: boolean }).isDisposed)).toEqual([true, true]);
  });
});

test('a graph is captured once, and launched', async () => {
  const fake = fakeAddon();
  using context = await fake.engine().createContext();
  const feeds = tensors();
  using graph = await context.capture({ feeds });
  const results = graph.launchSync();
  expect([...results.y!.data, ...results.kept!.data]).toEqual([2, 4, 6, 8, 4]);
  (feeds.x.data as Float32Array).set([7, 1, 1, 1]);
  expect(await graph.launch()).toBe(results);
  expect([...results.y!.data, ...results.kept!.data]).toEqual([14, 2, 2, 2, 7]);
  feeds.x.dispose();
  expect(refusal(() => graph.launchSync()).code).toBe('ERR_DISPOSED');
  expect((await rejection(graph.launch())).code).toBe('ERR_DISPOSED');
});

test('a context disposed while it captures frees the graph', async () => {
  const fake = fakeAddon();
  const context = await fake.engine().createContext();
  const capturing = context.capture({ feeds: tensors() });
  context.dispose();
  expect((await rejection(capturing)).code).toBe('ERR_DISPOSED');
  // The binding that tells the shapes, the context, the graph.
  expect(fake.released).toHaveLength(3);
});

test('a forged tensor is none', async () => {
  using context = await fakeAddon().engine().createContext();
  const { x, at } = tensors();
  const forged = { dtype: 'float32', shape: [2, 2], byteLength: 16, data: x.data, [placed]: { on: 'host' } };
  expect((await rejection(context.run({ x: forged as never, at }))).code).toBe('ERR_INPUT');
  const empty = new Proxy({}, { has: () => true });
  expect((await rejection(context.run({ x: empty as never, at }))).code).toBe('ERR_FEED');
});
