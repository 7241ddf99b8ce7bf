import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { RunCase } from './cases.js';

const kernels = readFileSync(new URL('../plugin/stand-in/kernels.cc', import.meta.url), 'utf8');
const plugins = `const plugins = await import(${JSON.stringify(new URL('../plugin/stand-in/definitions.js', import.meta.url).href)});`;

/** A run in each way. */
const waysToRun = `
const waysToRun = async (context, count = 4) => {
  const host = hostTensor(float32(count));
  host.data.set(numbers(count));
  const bound = context.bind({ feeds: { x: host } });
  return {
    run: () => context.run({ x: numbers(count) }),
    device: async () => { const { y } = await context.run({ x: numbers(count) }, { outputs: 'device' }); return { y: await y.download() }; },
    runSync: async () => context.runSync({ x: numbers(count) }),
    bound: () => bound.run(),
    boundSync: async () => bound.runSync(),
  };
};
`;

const failing = (context: string, way: string): RunCase => ({
  title: `an enqueue that fails in ${way} of a context with ${context}: an error, and the next runs work`,
  onStandIn: true,
  standIn: { env: { STANDIN_FAIL_ENQUEUE: '4' } },
  program: `${waysToRun}
  const engine = await build();
  const context = await engine.createContext(${context});
  const ways = await waysToRun(context);
  for (let i = 0; i < 3; i++) same((await context.run({ x: numbers(14 + i) })).y.data, relued(numbers(14 + i)));
  const ahead = ['run', 'device', 'bound'].includes('${way}') ? [1, 2, 3].map((i) => i) : [];
  const failed = errorOf(ways.${way});
  const next = ahead.map((i) => context.run({ x: numbers(16, i) }));
  const { code, message, log } = await failed;
  assert.equal(code, 'ERR_RUN', message);
  assert(log.some((line) => line.includes('STANDIN_FAIL_ENQUEUE')), String(log));
  for (const [i, { y }] of (await Promise.all(next)).entries()) same(y.data, relued(numbers(16, i + 1)));
  for (const run of Object.values(ways)) for (let i = 0; i < 2; i++) same((await run()).y.data, relued(numbers(4)));`,
});

const crashing = (way: string): RunCase => ({
  title: `a crash in TensorRT in ${way}: an error, and the process goes on`,
  onStandIn: true,
  standIn: { env: { STANDIN_FAIL_ENQUEUE: '3:crash' } },
  program: `${waysToRun}
  const engine = await build();
  const [context, other] = await Promise.all([engine.createContext({ inFlight: 2 }), engine.createContext()]);
  const [ways, others] = [await waysToRun(context), await waysToRun(other)];
  const tensor = deviceTensor(float32(4), numbers(4));
  for (let i = 0; i < 2; i++) await context.run({ x: numbers(4) });
  const first = errorOf(ways.${way});
  const waiting = [1, 2, 3].map(() => codeOf(() => context.run({ x: tensor })));
  const { code, message } = await first;
  assert.equal(code, 'ERR_TENSORRT_CRASHED');
  assert(/crashed while running an engine \\(SIGSEGV/.test(message), message);
  for (const code of await Promise.all(waiting)) assert.equal(code, 'ERR_TENSORRT_CRASHED');
  for (const run of [...Object.values(ways), ...Object.values(others)]) assert.equal(await codeOf(run), 'ERR_TENSORRT_CRASHED');
  assert.equal(await codeOf(() => engine.createContext()), 'ERR_TENSORRT_CRASHED');
  same((await tensor.download()).data, numbers(4));
  context.dispose();
  engine.dispose();
  tensor.dispose();`,
});

export const errors: RunCase[] = [
  failing('{}', 'run'),
  failing('{ inFlight: 2 }', 'device'),
  failing('{ cudaGraph: true }', 'run'),
  failing('{}', 'runSync'),
  failing("{ memory: 'shared' }", 'bound'),
  failing('{}', 'boundSync'),
  crashing('run'),
  crashing('runSync'),
  crashing('bound'),
  {
    title:
      'without enough memory of the GPU, a run says what it asked for and what is free, and the next smaller one works',
    onStandIn: true,
    standIn: { env: { STANDIN_MEMORY: `${64 << 20}` } },
    program: `
    const net = network('large', { x: float32('n') });
    net.tensor('x').relu().output('y');
    const most = 6 << 20;
    const engine = await net.build({ profiles: [{ n: [1, 16, 16] }, { n: [1, most, most] }] });
    const context = await engine.createContext({ memory: 'profile', profile: 1 }).catch((error) => error);
    // 24 MiB of activations, as much for each buffer: the second does not fit.
    const asked = [];
    for (const run of [
      () => context.run({ x: new Float32Array(most) }),
      async () => context.runSync({ x: new Float32Array(most) }),
      () => context.run({ x: new Float32Array(most) }, { outputs: 'device' }),
      () => deviceTensor(float32(1 << 28)),
      () => Promise.all([1, 2, 3].map(() => engine.createContext({ profile: 1 }))),
      () => context.bind({ feeds: { x: hostTensor(float32(most)) }, outputs: 'device' }).run(),
    ]) {
      const { code, message } = await errorOf(run);
      asked.push(asked.length + ' ' + code + ': ' + message);
      if (context.run) same((await context.run({ x: numbers(1000) })).y.data, relued(numbers(1000)));
    }
    console.log(JSON.stringify(asked));`,
    check: ({ result }) => {
      for (const text of result as string[]) {
        expect(text).toMatch(
          /^\d ERR_OUT_OF_MEMORY: .*asked for \d+ bytes of memory of GPU 0, \d+ of 67108864 are free/,
        );
      }
    },
  },
  {
    title: 'after an error that ends the CUDA context, every call says so',
    onStandIn: true,
    standIn: { kernels, fail: 'scale:700@3' },
    program: `${plugins}${waysToRun}
    const net = network('scaled', { x: float32('n') });
    net.tensor('x').plugin(plugins.scale).output('y');
    const engine = await net.build({ profiles: [{ n: [1, 16, 16] }] });
    const [context, other] = await Promise.all([engine.createContext({ inFlight: 2 }), engine.createContext()]);
    const ways = await waysToRun(context);
    const tensor = deviceTensor(float32(4), numbers(4));
    const bound = other.bind({ feeds: { x: tensor } });
    for (let i = 0; i < 2; i++) same((await context.run({ x: numbers(4) })).y.data, numbers(4).map((one) => 2 * one));
    const ended = await Promise.all(Array.from({ length: 6 }, () => errorOf(() => context.run({ x: numbers(4) }))));
    assert.equal(ended[0].code, 'ERR_CUDA_CONTEXT_LOST', ended[0].message);
    assert(ended[0].message.includes('go on in a new process'), ended[0].message);
    for (const { code } of ended) assert.equal(code, 'ERR_CUDA_CONTEXT_LOST');
    const later = [
      ...Object.values(ways), () => other.run({ x: numbers(4) }), () => bound.run(), async () => bound.runSync(), () => tensor.download(),
      () => tensor.upload(numbers(4)), () => deviceTensor(float32(4)), () => engine.createContext(), () => loadEngine(engine.bytes),
      () => context.profile({ x: numbers(4) }), () => other.capture({ feeds: { x: tensor } }), () => deviceMemory(),
    ];
    for (const [i, call] of later.entries()) assert.equal(await codeOf(call), 'ERR_CUDA_CONTEXT_LOST', 'call ' + i);
    for (const one of [tensor, bound, context, other, engine]) one.dispose();
    await tick(20);`,
  },
  {
    title: 'outputs whose size depends on elements: to arrays, tensors and bindings; in graphs never',
    onStandIn: true,
    standIn: { kernels },
    seeds: [1, 2],
    program: `${plugins}
    const net = network('found', { x: float32('n') });
    net.tensor('x').plugin(plugins.positives).y.output('y');
    const engine = await net.build({ profiles: [{ n: [1, 16, 64] }] });
    const positive = (data) => data.filter((one) => one > 0);
    for (const options of [{}, { inFlight: 2 }, { cudaGraph: true }]) {
      const context = await engine.createContext(options);
      const checks = [];
      for (let i = 0; i < 30; i++) {
        const x = numbers(1 + (i % 40), i);
        checks.push(context.run({ x }).then(({ y }) => { assert.deepEqual(y.shape, [positive(x).length]); same(y.data, positive(x)); }));
        checks.push(context.run({ x }, { outputs: 'device' }).then(async ({ y }) => { assert.deepEqual(y.shape, [positive(x).length]); same((await y.download()).data.subarray(0, y.shape[0]), positive(x)); }));
      }
      await Promise.all(checks);
      const x = numbers(30);
      for (const place of [new Float32Array(64), hostTensor(float32(64))]) {
        same((await context.run({ x }, { outputs: { y: place } })).y.data, positive(x));
        same(context.runSync({ x }, { outputs: { y: place } }).y.data, positive(x));
      }
      const target = deviceTensor(float32(64));
      same((await (await context.run({ x }, { outputs: { y: target } })).y.download()).data, positive(x));
      for (const place of [new Float32Array(3), hostTensor(float32(3)), deviceTensor(float32(3))]) {
        assert.equal(await codeOf(() => context.run({ x }, { outputs: { y: place } })), 'ERR_OUTPUT');
        same((await context.run({ x })).y.data, positive(x));
      }
      const feed = hostTensor(float32(30));
      const bound = context.bind({ feeds: { x: feed }, outputs: { y: hostTensor(float32(64)) } });
      for (let i = 0; i < 4; i++) {
        feed.data.set(numbers(30, i));
        same((i % 2 ? bound.runSync() : await bound.run()).y.data, positive(numbers(30, i)));
      }
      assert.equal(await codeOf(() => context.bind({ feeds: { x: feed } })), 'ERR_OUTPUT');
      assert.equal(await codeOf(() => context.capture({ feeds: { x: feed }, outputs: { y: target } })), 'ERR_CAPTURE');
      same((await context.run({ x })).y.data, positive(x));
    }`,
    check: ({ ended }) => expect(ended.stderr.match(/NODE_TENSORRT_NO_GRAPH/g)).toHaveLength(1),
  },
  {
    title: 'inputs that shapes come from: from arrays and host tensors, not from the GPU; in graphs never',
    onStandIn: true,
    standIn: { kernels },
    program: `${plugins}
    const net = network('repeated', { x: float32('n'), times: int32(1) });
    net.plugin(plugins.repeat, { x: net.tensor('x'), times: net.tensor('times') }).y.output('y');
    const engine = await net.build({ profiles: [{ n: [1, 2, 4], times: [[1], [2], [5]] }] });
    for (const options of [{}, { inFlight: 2, cudaGraph: true }]) {
      const context = await engine.createContext(options);
      const repeated = (x, times) => Float32Array.from({ length: x.length * times }, (_, i) => x[i % x.length]);
      const checks = [];
      for (let i = 0; i < 40; i++) {
        const [x, times] = [numbers(1 + (i % 4), i), 1 + (i % 5)];
        const at = Int32Array.of(times);
        checks.push(context.run({ x, times: at }).then(({ y }) => same(y.data, repeated(x, times), 'run ' + i)));
        at[0] = 99;
      }
      await Promise.all(checks);
      const times = hostTensor(int32(1));
      for (const count of [1, 3, 5]) {
        times.data[0] = count;
        same((await context.run({ x: [1, 2], times })).y.data, repeated([1, 2], count));
        same(context.runSync({ x: [1, 2], times }).y.data, repeated([1, 2], count));
      }
      const x = deviceTensor(float32(2), [1, 2]);
      assert.equal(await codeOf(() => context.run({ x, times: deviceTensor(int32(1), [2]) })), 'ERR_FEED');
      assert.equal(await codeOf(() => context.run({ x, times: [6] })), 'ERR_SHAPE');
      times.data[0] = 2;
      assert.equal(await codeOf(() => context.capture({ feeds: { x, times } })), 'ERR_CAPTURE');
      const bound = context.bind({ feeds: { x, times } });
      same((await bound.run()).y.data, repeated([1, 2], 2));
      same((await context.run({ x, times: [3] })).y.data, repeated([1, 2], 3));
      times.data[0] = 1;
      const outcome = await errorOf(async () => same((await bound.run()).y.data, [1, 2]));
      assert.notEqual(outcome.code, 'ERR_ASSERTION', outcome.message);
    }`,
  },
];
