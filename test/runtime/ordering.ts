import { expect } from 'vitest';
import type { LogLine } from '../stand-in/harness.js';
import type { RunCase } from './cases.js';

/** What engines did, in order: `+slow` where it began to compute, `-slow` where it ended. */
const computed = (log: readonly LogLine[]): string[] =>
  log
    .filter(({ call }) => call === 'begins' || call === 'ends')
    .map(({ call, engine }) => (call === 'begins' ? '+' : '-') + engine);

/** Copies to the GPU that ran while engines computed. */
const copiesBeside = (log: readonly LogLine[]): number => {
  let [computing, copies] = [0, 0];
  for (const { call, by } of log) {
    if (call === 'begins') computing++;
    if (call === 'ends') computing--;
    if (call === 'copies' && by === 'cuMemcpyHtoDAsync' && computing > 0) copies++;
  }
  return copies;
};

const fourLargeRuns = (options: string) => `
const count = 1 << 18;
const engine = await build('relu', count);
const context = await engine.createContext(${options});
const feeds = [1, 2, 3, 4].map((seed) => numbers(count, seed));
const results = await Promise.all(feeds.map((x) => context.run({ x })));
for (const [i, { y }] of results.entries()) same(y.data, relued(feeds[i]), 'run ' + i);
`;

export const ordering: RunCase[] = [
  {
    title: 'runs of one context end in the order of their calls, with their own results',
    seeds: [1, 2],
    program: `
    const engine = await build();
    for (const inFlight of [1, 2, 8]) {
      const context = await engine.createContext({ inFlight });
      const ended = [];
      await Promise.all(Array.from({ length: 200 }, async (_, i) => {
        const x = numbers(1 + (i % 16), i);
        const { y } = await context.run({ x });
        same(y.data, relued(x));
        ended.push(i);
      }));
      assert.deepEqual(ended, Array.from(ended.keys()));
    }`,
  },
  {
    title: 'runs of several contexts overlap',
    onStandIn: true,
    standIn: { env: { STANDIN_COMPUTE_US: '400000' } },
    program: `
    const engine = await build();
    const contexts = await Promise.all([1, 2, 3].map(() => engine.createContext()));
    const x = numbers(16);
    for (const { y } of await Promise.all(contexts.map((context) => context.run({ x })))) same(y.data, relued(x));`,
    check: ({ log }) => expect(computed(log)).toEqual(['+relu', '+relu', '+relu', '-relu', '-relu', '-relu']),
  },
  {
    title: 'a slow engine does not delay the results of a fast one',
    onStandIn: true,
    standIn: { env: { STANDIN_COMPUTE_US: 'slow:1000000' } },
    program: `
    const [slow, fast] = await Promise.all([build('slow'), build('fast')]);
    const [long, short] = await Promise.all([slow.createContext(), fast.createContext()]);
    const x = numbers(16);
    const ended = [];
    const run = long.run({ x }).then(() => ended.push('slow'));
    for (let i = 0; i < 10; i++) await short.run({ x }).then(() => ended.push('fast'));
    for (let i = 0; i < 5; i++) short.runSync({ x });
    await run;
    assert.deepEqual(ended, [...Array(10).fill('fast'), 'slow']);`,
    check: ({ log }) =>
      expect(computed(log).filter((one) => one !== '+slow')).toEqual([
        ...Array(15).fill(['+fast', '-fast']).flat(),
        '-slow',
      ]),
  },
  {
    title: 'with inFlight: 2, feeds are copied while the run before computes',
    onStandIn: true,
    standIn: { env: { STANDIN_COMPUTE_US: '300000' } },
    program: fourLargeRuns('{ inFlight: 2 }'),
    check: ({ log }) => expect(copiesBeside(log)).toBeGreaterThan(0),
  },
  {
    title: 'with inFlight: 1, nothing is copied while a run computes',
    onStandIn: true,
    standIn: { env: { STANDIN_COMPUTE_US: '50000' } },
    program: fourLargeRuns('{}'),
    check: ({ log }) => expect(copiesBeside(log)).toBe(0),
  },
  {
    title: 'engine after engine over tensors on the GPU, without waiting',
    seeds: [1, 2, 3],
    program: `
    const [relu, copy] = await Promise.all([build('relu'), build('copy')]);
    const [first, second, third] = await Promise.all([relu.createContext(), copy.createContext({ inFlight: 2 }), copy.createContext()]);
    const [a, b, c] = [1, 2, 3].map(() => deviceTensor(float32(16)));
    const reads = [];
    for (let i = 0; i < 100; i++) {
      void first.run({ x: numbers(16, i) }, { outputs: { y: a } });
      void second.run({ x: a }, { outputs: { y: b } });
      reads.push(third.run({ x: b }).then(({ y }) => y));
      void third.run({ x: b }, { outputs: { y: c } });
      reads.push(c.download());
    }
    for (const [i, { data }] of (await Promise.all(reads)).entries()) same(data, relued(numbers(16, i >> 1)), 'read ' + i);`,
  },
  {
    title: 'runSync between runs that wait: after those before it',
    seeds: [1, 2],
    program: `
    const engine = await build();
    for (const inFlight of [1, 2]) {
      const context = await engine.createContext({ inFlight });
      const tensor = deviceTensor(float32(16));
      const runs = [];
      for (let i = 0; i < 30; i++) {
        runs.push(context.run({ x: numbers(16, i) }));
        void context.run({ x: numbers(16, 1000 + i) }, { outputs: { y: tensor } });
        if (i % 3 === 0) same(context.runSync({ x: tensor }).y.data, relued(numbers(16, 1000 + i)));
      }
      for (const [i, { y }] of (await Promise.all(runs)).entries()) same(y.data, relued(numbers(16, i)));
    }`,
  },
  {
    title: '200 random programs give what a model of them gives',
    seeds: [1, 2, 3],
    delay: 100,
    program: `
    const seed = Number(process.env.STANDIN_DELAY?.split(',')[1] ?? 1);
    let state = seed * 7919;
    const random = (below) => { state = (state * 1103515245 + 12345) % 2 ** 31; return Math.floor((state / 2 ** 31) * below); };
    const [relu, copy] = await Promise.all([build('relu'), build('copy')]);
    const contexts = [
      ...(await Promise.all([{}, { inFlight: 2 }, { cudaGraph: true }].map((options) => relu.createContext(options)))),
      ...(await Promise.all([{}, { inFlight: 3 }, { memory: 'shared' }, { memory: 'shared' }].map((options) => copy.createContext(options)))),
    ].map((context) => ({ context, compute: context.engine === relu ? relued : (data) => data.slice() }));
    const tensors = Array.from({ length: 4 }, () => deviceTensor(float32(16)));
    const prepared = [];
    for (const { context, compute } of contexts) {
      for (const make of ['bind', 'capture']) {
        const from = random(4);
        const to = (from + 1 + random(3)) % 4;
        const made = await context[make]({ feeds: { x: tensors[from] }, outputs: { y: tensors[to] } });
        prepared.push({ made, compute, from, to });
      }
    }
    const late = [];
    let fresh = 0;
    const next = () => numbers(16, fresh++);
    for (let program = 0; program < 200; program++) {
      const model = tensors.map((tensor) => { const data = next(); void tensor.upload(data); return data; });
      const checks = [];
      const steps = [];
      const expectLater = (promise, data) => checks.push(promise.then((one) => same((one.y ?? one).data, data, 'program ' + program + ': ' + steps.join(' '))));
      for (let i = 0; i < 14; i++) {
        const kind = random(10);
        const [from, to] = [random(4), random(4)];
        const { context, compute } = contexts[random(contexts.length)];
        steps.push(kind + ':' + from + '>' + to);
        if (kind === 0) { const data = next(); void tensors[to].upload(data); model[to] = data; }
        if (kind === 1) expectLater(tensors[from].download(), model[from]);
        if (kind === 2) expectLater(context.run({ x: tensors[from] }), compute(model[from]));
        if (kind === 3) { const data = next(); expectLater(context.run({ x: data }), compute(data)); data.fill(0); }
        if (kind === 4) { const data = next(); model[to] = compute(data); void context.run({ x: data }, { outputs: { y: tensors[to] } }); }
        if ((kind === 5 || kind === 6) && from !== to) { model[to] = compute(model[from]); void context.run({ x: tensors[from] }, { outputs: { y: tensors[to] } }); }
        if (kind === 7) same(context.runSync({ x: tensors[from] }).y.data, compute(model[from]));
        if (kind >= 8) {
          const one = prepared[random(prepared.length)];
          model[one.to] = one.compute(model[one.from]);
          const names = one.made.launch ? ['launch', 'launchSync'] : ['run', 'runSync'];
          void one.made[names[random(4) === 0 ? 1 : 0]]();
        }
      }
      for (const [i, tensor] of tensors.entries()) expectLater(tensor.download(), model[i]);
      late.push(...checks);
      if (random(3) > 0) await Promise.all(late.splice(0));
    }
    await Promise.all(late);`,
  },
];
