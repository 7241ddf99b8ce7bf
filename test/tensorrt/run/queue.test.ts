import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { float32, hostTensor } from '../../../src/index.js';
import { refusal } from '../../refusal.js';
import { rejection } from '../networks.js';
import { fakeAddon } from './fake-addon.js';

const feeds = () => ({ x: Float32Array.of(1, 2, 3, 4), at: [3] });
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a full queue', () => {
  test('rejects at once, takes nothing, and has room again when runs end', async () => {
    const fake = fakeAddon();
    using context = await fake.engine().createContext({ maxQueued: 2, inFlight: 2 });
    fake.holds = true;
    const runs = [1, 2, 3, 4].map(() => context.run(feeds()));
    const given = feeds();
    const error = await rejection(context.run(given, { transfer: true }));
    expect([error.code, error.message]).toEqual([
      'ERR_QUEUE_FULL',
      '2 runs wait already: wait for some of them, or give createContext a larger maxQueued',
    ]);
    expect(given.x).toHaveLength(4);
    expect(fake.calls.filter((call) => call === 'run')).toHaveLength(4);
    fake.finish();
    await Promise.all(runs);
    const again = context.run(feeds());
    fake.finish();
    expect((await again).y!.shape).toEqual([2, 2]);
  });

  test('counts runs that failed or were aborted as ended, and those of bindings and graphs', async () => {
    const fake = fakeAddon();
    using context = await fake.engine().createContext({ maxQueued: 0 });
    fake.fault = Object.assign(new Error('no'), { code: 'ERR_RUN' });
    expect((await rejection(context.run(feeds()))).code).toBe('ERR_RUN');
    using x = hostTensor(float32(2, 2));
    const bound = context.bind({ feeds: { x, at: hostAt() } });
    const graph = await context.capture({ feeds: { x, at: hostAt() } });
    fake.holds = true;
    for (const run of [() => bound.run(), () => graph.launch(), () => context.run(feeds())]) {
      const running = run();
      for (const other of [bound.run(), graph.launch(), context.run(feeds())]) {
        expect((await rejection(other)).code).toBe('ERR_QUEUE_FULL');
      }
      fake.finish();
      await running;
    }
  });

  test('an engine counts runs from before its context is there', async () => {
    const fake = fakeAddon();
    const engine = fake.engine();
    const runs = Array.from({ length: 10_002 }, () => engine.run(feeds()));
    expect((await rejection(runs.at(-1)!)).code).toBe('ERR_QUEUE_FULL');
    expect(Object.keys(await runs[0]!)).toEqual(['y', 'kept']);
    await Promise.all(runs.slice(0, -1));
    engine.dispose();
  });
});

const hostAt = () => {
  const at = hostTensor({ dtype: 'int32', shape: [] });
  at.data[0] = 3;
  return at;
};

describe('a signal', () => {
  test('that was aborted before: nothing is submitted, no array is taken', async () => {
    const fake = fakeAddon();
    const engine = fake.engine();
    using context = await engine.createContext();
    const given = feeds();
    const reason = new Error('mine');
    for (const runs of [context, engine]) {
      const error = await rejection(runs.run(given, { signal: AbortSignal.abort(reason), transfer: true }));
      expect([error.code, error.cause]).toEqual(['ERR_ABORTED', reason]);
    }
    expect(given.x).toHaveLength(4);
    expect(fake.calls).toEqual(['createContext']);
  });

  test('takes a run that waits out of the queue, and rejects one on the GPU at once, whose memory stays in use', async () => {
    const fake = fakeAddon();
    using context = await fake.engine().createContext({ maxQueued: 1 });
    fake.holds = true;
    const controller = new AbortController();
    const { signal } = controller;
    const onGpu = context.run(feeds(), { signal });
    const waits = context.run(feeds(), { signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(2);
    controller.abort();
    expect((await rejection(onGpu)).code).toBe('ERR_ABORTED');
    expect((await rejection(waits)).code).toBe('ERR_ABORTED');
    await turn();
    expect(fake.waiting.map(({ ticket }) => ticket)).toEqual([0]);
    // The one on the GPU counts until it ends.
    const next = context.run(feeds());
    expect((await rejection(context.run(feeds()))).code).toBe('ERR_QUEUE_FULL');
    fake.finish();
    expect((await next).y!.shape).toEqual([2, 2]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('keeps no listener of a run that ended', async () => {
    const fake = fakeAddon();
    const engine = fake.engine();
    const { signal } = new AbortController();
    await engine.run(feeds(), { signal });
    await engine.run(feeds(), { signal });
    fake.fault = Object.assign(new Error('no'), { code: 'ERR_RUN' });
    await rejection(engine.run(feeds(), { signal }));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('while the context of an engine is made', async () => {
    const fake = fakeAddon();
    const engine = fake.engine();
    const controller = new AbortController();
    const run = engine.run(feeds(), { signal: controller.signal });
    controller.abort();
    expect((await rejection(run)).code).toBe('ERR_ABORTED');
    await turn();
    expect(fake.calls).toEqual(['createContext']);
  });

  test.each([7, 'signal', {}, null])('that is none: %j', async (signal) => {
    using context = await fakeAddon().engine().createContext();
    const error = await rejection(context.run(feeds(), { signal: signal as never }));
    expect([error.code, error.option]).toEqual(['ERR_PARAMETER', 'signal']);
  });
});

describe('runs of an engine', () => {
  test('give what the feeds were at the call, and keep tensors where they are', async () => {
    const fake = fakeAddon();
    using engine = fake.engine();
    using tensor = hostTensor(float32(2, 2));
    (tensor.data as Float32Array).set([1, 2, 3, 4]);
    const given = feeds();
    const runs = [engine.run(given), engine.run({ ...given, x: tensor })];
    given.x.fill(99);
    (tensor.data as Float32Array).fill(5);
    const [first, second] = await Promise.all(runs);
    expect([...first!.y!.data]).toEqual([2, 4, 6, 8]);
    expect([...second!.y!.data]).toEqual([10, 10, 10, 10]);
  });

  test('runSync needs the context that run makes', async () => {
    using engine = fakeAddon().engine();
    expect(refusal(() => engine.runSync(feeds())).code).toBe('ERR_CONTEXT');
    await engine.run(feeds());
    expect([...engine.runSync(feeds()).y!.data]).toEqual([2, 4, 6, 8]);
  });
});

test('runSync throws what run rejects with', async () => {
  const fake = fakeAddon();
  using context = await fake.engine().createContext();
  const odd: [unknown, unknown][] = [
    [null, undefined],
    [{ x: [1] }, undefined],
    [{ ...feeds(), at: [4] }, undefined],
    [feeds(), null],
    [feeds(), { output: 'device' }],
    [feeds(), { transfer: 0 }],
  ];
  for (const [given, options] of odd) {
    const rejected = await rejection(context.run(given as never, options as never));
    const thrown = refusal(() => context.runSync(given as never, options as never));
    const said = ({ message }: Error) => message.split('\n')[0]!.replace('runSync', 'run').replace(', signal', '');
    expect([thrown.code, said(thrown)]).toEqual([rejected.code, said(rejected)]);
  }
  fake.fault = Object.assign(new Error('TensorRT could not'), { code: 'ERR_RUN', log: ['why'] });
  expect(refusal(() => context.runSync(feeds()))).toMatchObject({ code: 'ERR_RUN', log: ['why'] });
  const error = refusal(() => context.runSync(feeds(), { signal: AbortSignal.abort() } as never));
  expect(error.message).toMatch(/there is no option 'signal'/);
});

test('what was disposed says so, in any order and twice', async () => {
  const fake = fakeAddon();
  const engine = fake.engine();
  const context = await engine.createContext();
  using x = hostTensor(float32(2, 2));
  const bound = context.bind({ feeds: { x, at: hostAt() } });
  const graph = await context.capture({ feeds: { x, at: hostAt() } });
  const uses = [
    () => context.run(feeds()),
    async () => context.runSync(feeds()),
    async () => context.bind({ feeds: { x, at: hostAt() } }),
    () => context.capture({ feeds: { x, at: hostAt() } }),
    () => context.profile(feeds()),
    () => bound.run(),
    async () => bound.runSync(),
    () => graph.launch(),
    async () => graph.launchSync(),
  ];
  for (const use of uses) await use();
  const released = fake.released.length;
  engine.dispose();
  engine.dispose();
  for (const use of uses) expect((await rejection(use())).code).toBe('ERR_DISPOSED');
  for (const one of [graph, context, bound, engine, context]) one.dispose();
  for (const use of [() => engine.run(feeds()), async () => engine.runSync(feeds()), () => engine.share()]) {
    expect((await rejection(use())).code).toBe('ERR_DISPOSED');
  }
  await turn();
  // The binding and graph of `uses` too, the engine itself and its plan.
  expect(fake.released.length - released).toBe(7);
  expect(new Set(fake.released).size).toBe(fake.released.length);
});

test('a context that is made while its engine is disposed is freed', async () => {
  const fake = fakeAddon();
  const engine = fake.engine();
  const making = engine.createContext();
  engine.dispose();
  expect((await rejection(making)).code).toBe('ERR_DISPOSED');
  await turn();
  // The context, the engine and its plan.
  expect(fake.released).toHaveLength(3);
});
