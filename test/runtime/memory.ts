import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { LogLine } from '../stand-in/harness.js';
import type { RunCase } from './cases.js';

const kernels = readFileSync(new URL('../plugin/stand-in/kernels.cc', import.meta.url), 'utf8');
const plugins = `const plugins = await import(${JSON.stringify(new URL('../plugin/stand-in/definitions.js', import.meta.url).href)});`;

/** Most engines that computed at the same time. */
const together = (log: readonly LogLine[]): number => {
  let [now, most] = [0, 0];
  for (const { call } of log) {
    if (call === 'begins') most = Math.max(most, ++now);
    if (call === 'ends') now--;
  }
  return most;
};

const inPlace = (release: '10.6.0' | '10.16.0'): RunCase => ({
  title: `an output that is an input changed in place, TensorRT ${release}`,
  onStandIn: true,
  standIn: { kernels, release },
  seeds: [1, 2],
  program: `${plugins}
  const net = network('advancing', { cache: float32('n'), step: float32(1) });
  net.plugin(plugins.advance, { cache: net.tensor('cache'), step: net.tensor('step') }).next.output('next');
  const engine = await net.build({ profiles: [{ n: [1, 16, 64] }] });
  const plus = (data, step) => data.map((one) => one + step);
  for (const options of [{}, { inFlight: 2 }, { cudaGraph: true }, { memory: 'shared' }]) {
    const context = await engine.createContext(options);
    const cache = numbers(16);
    // Feeds stay as they are.
    const host = hostTensor(float32(16));
    host.data.set(cache);
    const device = deviceTensor(float32(16), cache);
    for (const given of [cache, host, device]) {
      for (const outputs of [undefined, 'device', { next: new Float32Array(16) }, { next: hostTensor(float32(16)) }, { next: deviceTensor(float32(16)) }]) {
        for (let i = 0; i < 3; i++) {
          const { next } = i === 1 ? context.runSync({ cache: given, step: [i] }, { outputs }) : await context.run({ cache: given, step: [i] }, { outputs });
          same(next.download ? (await next.download()).data : next.data, plus(numbers(16), i), 'step ' + i);
        }
      }
    }
    same(cache, numbers(16));
    same(host.data, numbers(16));
    same((await device.download()).data, numbers(16));
    // The same tensor as feed and output: in place, one after another. TensorRT tells of such outputs from 10.15 on.
    if (${release === '10.6.0'}) {
      assert.equal(await codeOf(() => context.run({ cache: device, step: [1] }, { outputs: { next: device } })), 'ERR_OUTPUT');
      continue;
    }
    const reads = [];
    for (let i = 0; i < 40; i++) {
      void context.run({ cache: device, step: [1] }, { outputs: { next: device } });
      if (i % 5 === 0) context.runSync({ cache: device, step: [0] }, { outputs: { next: device } });
      reads.push(device.download());
    }
    for (const [i, { data }] of (await Promise.all(reads)).entries()) same(data, plus(numbers(16), i + 1), 'read ' + i);
    const step = hostTensor(float32(1));
    step.data[0] = 2;
    await device.upload(cache);
    const bound = context.bind({ feeds: { cache: device, step }, outputs: { next: device } });
    const graph = await context.capture({ feeds: { cache: device, step }, outputs: { next: device } });
    await device.upload(cache);
    for (const run of [() => bound.run(), () => graph.launch(), async () => bound.runSync(), async () => graph.launchSync()]) void run();
    same((await device.download()).data, plus(cache, 8));
    // Two sets that swap.
    const other = deviceTensor(float32(16));
    await device.upload(cache);
    const there = await context.capture({ feeds: { cache: device, step }, outputs: { next: other } });
    const back = await context.capture({ feeds: { cache: other, step }, outputs: { next: device } });
    await device.upload(cache);
    for (let i = 0; i < 6; i++) void (i % 2 ? back : there).launch();
    same((await device.download()).data, plus(cache, 12));
  }`,
});

export const memory: RunCase[] = [
  {
    title: 'activation memory: own, of a profile, shared, and given; sizes are told',
    program: `
    const net = network('sized', { x: float32('n') });
    net.tensor('x').relu().identity().relu().output('y');
    const engine = await net.build({ profiles: [{ n: [1, 8, 16] }, { n: [1, 5000, 10_000] }] });
    const sizes = (await loadEngine(engine.bytes)).memorySizes;
    assert.equal(sizes.length, 2);
    const given = deviceTensor(uint8(Math.max(1, ...sizes)));
    const contexts = await Promise.all([0, 1].flatMap((profile) => ['own', 'profile', 'shared', given].map((memory) => engine.createContext({ memory, profile, inFlight: 2 }))));
    for (const [i, context] of contexts.entries()) {
      const profile = i >> 2;
      const expected = i % 4 === 0 || i % 4 === 2 ? Math.max(...sizes) : sizes[profile];
      if (i % 4 < 2) assert.equal(context.memorySize, expected, 'context ' + i);
      assert.equal(await codeOf(() => context.run({ x: numbers(profile ? 10_001 : 17) })), 'ERR_SHAPE');
    }
    const runs = [];
    for (let i = 0; i < 80; i++) {
      const at = i % contexts.length;
      const x = numbers(at >> 2 ? 1 + ((i * 617) % 10_000) : 1 + (i % 16), i);
      runs.push(contexts[at].run({ x }).then(({ y }) => same(y.data, relued(x), 'run ' + i)));
      if (i % 11 === 0) same(contexts[(at + 1) % contexts.length].runSync({ x: numbers(3, i) }).y.data, relued(numbers(3, i)));
    }
    await Promise.all(runs);
    if (Math.max(...sizes) > 1) assert.notEqual(await codeOf(() => engine.createContext({ profile: sizes.indexOf(Math.max(...sizes)), memory: deviceTensor(uint8(1)) })), 'none');
    given.dispose();
    assert.equal(await codeOf(() => engine.createContext({ memory: given })), 'ERR_DISPOSED');
    for (const context of contexts) context.dispose();`,
  },
  ...(['shared', 'given'] as const).map(
    (memory): RunCase => ({
      title: `contexts over one ${memory} memory take turns`,
      onStandIn: true,
      standIn: { env: { STANDIN_COMPUTE_US: '3000' } },
      seeds: [1, 2],
      program: `
      const engine = await build();
      const sizes = (await loadEngine(engine.bytes)).memorySizes;
      const memory = ${memory === 'shared' ? "'shared'" : 'deviceTensor(uint8(sizes[0]))'};
      const contexts = await Promise.all([{}, { inFlight: 2 }, { cudaGraph: true }].map((options) => engine.createContext({ ...options, memory })));
      const feed = deviceTensor(float32(16), numbers(16));
      const graph = await contexts[1].capture({ feeds: { x: feed } });
      const runs = [];
      for (let i = 0; i < 20; i++) {
        for (const context of contexts) runs.push(context.run({ x: numbers(16, i) }).then(({ y }) => same(y.data, relued(numbers(16, i)))));
        void graph.launch();
        if (i % 6 === 0) same(contexts[i % 3].runSync({ x: feed }).y.data, relued(numbers(16)));
      }
      await Promise.all(runs);`,
      check: ({ log }) => expect(together(log)).toBe(1),
    }),
  ),
  {
    title: 'contexts of several profiles at once, each within its own',
    program: `
    const net = network('profiles', { x: float32('n') });
    net.tensor('x').relu().output('y');
    const engine = await net.build({ profiles: [{ n: [1, 2, 4] }, { n: [5, 6, 8] }, { n: [2, 3, 16] }] });
    const contexts = await Promise.all([0, 1, 2, 1].map((profile) => engine.createContext({ profile, cudaGraph: profile === 1 })));
    const checks = [];
    for (let i = 0; i < 60; i++) {
      for (const [at, [from, to]] of [[1, 4], [5, 8], [2, 16], [5, 8]].entries()) {
        const x = numbers(from + (i % (to - from + 1)), i);
        checks.push(contexts[at].run({ x }).then(({ y }) => same(y.data, relued(x))));
        for (const wrong of [from - 1, to + 1]) checks.push(codeOf(() => contexts[at].run({ x: numbers(wrong) })).then((code) => assert.equal(code, 'ERR_SHAPE')));
      }
    }
    await Promise.all(checks);
    assert.equal(await codeOf(() => engine.createContext({ profile: 3 })), 'ERR_PROFILE');`,
  },
  inPlace('10.6.0'),
  inPlace('10.16.0'),
  {
    title: 'weights are streamed within a budget, and runs give the same',
    program: `
    const net = network('weighty', { x: float32(4096) });
    net.tensor('x').relu().output('y');
    net.constant(Array.from(numbers(4096)), { dtype: 'float32', name: 'k' }).identity().output('k');
    const engine = await net.build({ weightStreaming: true });
    for (const weightStreamingBudget of [0, 1000, 1 << 30]) {
      const loaded = await loadEngine(engine.bytes, { weightStreamingBudget }).catch((error) => error);
      // A release may stream none of so few weights.
      if (loaded instanceof Error) { assert(['ERR_UNSUPPORTED', 'ERR_LOAD', 'ERR_ENGINE'].includes(loaded.code), loaded.message); continue; }
      const { size, budget } = loaded.weightStreaming;
      assert(budget <= size);
      const contexts = await Promise.all([1, 2].map(() => loaded.createContext({ cudaGraph: true })));
      for (let i = 0; i < 10; i++) {
        const { y, k } = await contexts[i % 2].run({ x: numbers(4096, i) });
        same(y.data, relued(numbers(4096, i)));
        same(k.data, numbers(4096));
      }
      loaded.dispose();
    }`,
  },
];
