import { expect } from 'vitest';
import type { RunCase } from './cases.js';

const sum = `
const { measure } = api;
const short = { warmUp: 5, duration: 20 };
const columns = ['enqueueStart', 'enqueue', 'start', 'toDevice', 'compute', 'fromDevice', 'endToEnd', 'stream'];
const checkTimes = (found) => {
  assert.deepEqual(Object.keys(found.times), columns);
  const { times, runs } = found;
  for (const name of columns) {
    assert.equal(times[name].length, runs, name);
    assert(times[name].every((time) => Number.isFinite(time) && time >= 0), name);
  }
  for (let i = 0; i < runs; i++) {
    assert(times.endToEnd[i] + 1e-3 >= times.toDevice[i] + times.compute[i] + times.fromDevice[i], 'run ' + i);
    assert(i === 0 || times.start[i] >= times.start[i - 1]);
  }
  for (const name of ['latency', 'enqueue', 'toDevice', 'compute', 'fromDevice', 'endToEnd']) {
    const { min, max, mean, median, percentiles } = found[name];
    assert(min <= median && median <= max && min <= mean && mean <= max, name);
    assert.deepEqual(Object.keys(percentiles), ['90', '95', '99']);
  }
  assert(Math.abs(found.throughput - 1000 * runs / found.wallTime) < 1e-6);
};
`;

export const measuring: RunCase[] = [
  {
    title: 'every way to measure gives whole figures, and leaves the engine as it was',
    program: `${sum}
    const engine = await build('relu', 1000);
    const x = numbers(1000);
    const before = await engine.run({ x });
    for (const options of [{}, { cudaGraph: false }, { transfers: true }, { transfers: true, cudaGraph: false }, { spinWait: false }, { streams: 3 },
      { streams: 3, threads: true, transfers: true }, { idle: 1 }, { streams: 2, threads: true, cudaGraph: false, spinWait: false }]) {
      const found = await measure(engine, { x }, { ...short, ...options });
      checkTimes(found);
      // A copy may have begun before.
      assert(found.times.start[0] + (options.transfers ? found.times.endToEnd[0] : 0) >= 5, 'after the warm-up');
      assert.equal(found.cudaGraph, options.cudaGraph !== false, found.graphRefused);
      assert.deepEqual([...new Set(found.times.stream)].sort(), Array.from({ length: options.streams ?? 1 }, (_, i) => i));
      const copies = found.toDevice.max > 0 && found.fromDevice.max > 0;
      assert.equal(copies, options.transfers === true);
      if (!options.transfers) assert.deepEqual(found.latency, found.compute);
      same((await engine.run({ x })).y.data, before.y.data);
    }`,
  },
  {
    title: 'as many runs as asked for, where that takes longer than the duration',
    program: `${sum}
    const engine = await build('relu', 16);
    for (const [iterations, streams] of [[1, 1], [25, 1], [25, 2]]) {
      const found = await measure(engine, { x: numbers(16) }, { warmUp: 2, duration: 0, iterations, streams });
      assert(found.runs >= iterations * streams, found.runs + ' of ' + iterations);
      checkTimes(found);
    }`,
  },
  {
    title: 'feeds decide the shapes, in the profile',
    program: `${sum}
    const engine = await build('relu', 16);
    checkTimes(await measure(engine, { x: numbers(3) }, short));
    assert.equal(await codeOf(() => measure(engine, { x: numbers(17) }, short)), 'ERR_SHAPE');
    assert.equal(await codeOf(() => measure(engine, {}, short)), 'ERR_FEED');
    assert.equal(await codeOf(() => measure(engine, { x: numbers(3) }, { profile: 1 })), 'ERR_PROFILE');
    for (const options of [{ warmUp: -1 }, { duration: NaN }, { iterations: 0 }, { streams: 65 }, { threads: 1 }, { percentiles: [101] }, { spin: true }, null])
      assert.equal(await codeOf(() => measure(engine, { x: numbers(3) }, options)), 'ERR_PARAMETER', JSON.stringify(options));
    assert.equal(await codeOf(() => measure({}, {})), 'ERR_PARAMETER');
    engine.dispose();
    assert.equal(await codeOf(() => measure(engine, { x: numbers(3) }, short)), 'ERR_DISPOSED');`,
  },
  {
    title: 'its signal ends it at once, and others run meanwhile and after',
    program: `${sum}
    const engine = await build('relu', 16);
    const x = numbers(16);
    for (const options of [{}, { streams: 2, threads: true }, { idle: 5 }]) {
      const stop = new AbortController();
      const began = performance.now();
      const found = measure(engine, { x }, { duration: 60_000, signal: stop.signal, ...options });
      const ended = codeOf(() => found);
      same((await engine.run({ x })).y.data, relued(x));
      await tick(50);
      stop.abort();
      assert.equal(await ended, 'ERR_ABORTED');
      assert(performance.now() - began < 30_000);
      same((await engine.run({ x })).y.data, relued(x));
    }
    assert.equal(await codeOf(() => measure(engine, { x }, { signal: AbortSignal.abort() })), 'ERR_ABORTED');`,
  },
  {
    title: 'the work on the GPU, enqueuing and both copies are told apart',
    onStandIn: true,
    delay: 0,
    standIn: { env: { STANDIN_COMPUTE_US: 'slow:3000,late:10', STANDIN_ENQUEUE_US: 'slow:10,late:4000' } },
    program: `${sum}
    const x = numbers(16);
    const slow = await measure(await build('slow', 16), { x }, { ...short, cudaGraph: false });
    assert(slow.compute.min >= 2.9, String(slow.compute.min));
    assert(slow.enqueue.median < slow.compute.median);
    const late = await build('late', 16);
    const enqueued = await measure(late, { x }, { ...short, cudaGraph: false });
    assert(enqueued.enqueue.min >= 3.9, String(enqueued.enqueue.min));
    assert(enqueued.warnings.some((one) => one.includes('bound by enqueuing') && one.includes('cudaGraph')));
    // A graph does without TensorRT's enqueue.
    const graph = await measure(late, { x }, short);
    assert(graph.enqueue.median < 3.9, String(graph.enqueue.median));
    console.log(JSON.stringify([slow.runs, enqueued.runs]));`,
    check: ({ result }) => {
      for (const runs of result as number[]) expect(runs).toBeGreaterThanOrEqual(10);
    },
  },
  {
    title: 'a network that cannot be captured is measured without graphs, and the reason is told',
    // The stand-in computes no such layers.
    program: `${sum}
    if (process.env.STANDIN_DELAY) process.exit();
    const net = network('dependent', { x: float32(8) });
    net.tensor('x').gt(0).nonZero().output('at');
    const engine = await net.build();
    const found = await measure(engine, { x: numbers(8) }, short);
    checkTimes(found);
    assert.deepEqual([found.cudaGraph, found.graphRefused], [false, 'the size of an output depends on the data']);`,
  },
  {
    title: 'a failing run, and a crash, end the measurement with their error',
    onStandIn: true,
    standIn: { env: { STANDIN_FAIL_ENQUEUE: '3' } },
    program: `${sum}
    const engine = await build('relu', 16);
    assert.equal(await codeOf(() => measure(engine, { x: numbers(16) }, { ...short, cudaGraph: false })), 'ERR_RUN');
    same((await engine.run({ x: numbers(16) })).y.data, relued(numbers(16)));`,
  },
  {
    title: 'a crash in a thread of its own ends the measurement, not the process',
    onStandIn: true,
    standIn: { env: { STANDIN_FAIL_ENQUEUE: '7:crash' } },
    program: `${sum}
    const engine = await build('relu', 16);
    assert.equal(await codeOf(() => measure(engine, { x: numbers(16) }, { ...short, cudaGraph: false, streams: 2, threads: true })), 'ERR_TENSORRT_CRASHED');
    assert.equal(await codeOf(() => engine.run({ x: numbers(16) })), 'ERR_TENSORRT_CRASHED');`,
  },
];
