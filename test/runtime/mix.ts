import type { RunCase } from './cases.js';

/** Everything at once, in an order that `seed` decides: contexts come and go while others run. */
const mixed = (seed: number, steps: number): RunCase => ({
  title: `contexts, graphs, bindings and tensors come and go in an order of seed ${seed}`,
  limitMs: 120_000,
  program: `
  let state = ${seed} * 2654435761 >>> 0;
  const random = (below) => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return Math.floor(state / 2 ** 32 * below); };
  const pick = (list) => list[random(list.length)];
  const engines = [await build('relu', 64), await build('copy', 4096)];
  const expected = [relued, (data) => data];
  const most = [64, 4096];
  // What the stand-in cannot compute: a size that depends on elements, and layers that TensorRT compiles when they first run.
  if (process.env.STANDIN_DELAY === undefined) {
    const found = network('found', { x: float32('n') });
    found.tensor('x').nonZero().output('y');
    engines.push(await found.build({ profiles: [{ n: [1, 16, 64] }] }));
    expected.push((data) => Array.from(data.keys()).filter((i) => data[i] !== 0).map(Number));
    most.push(64);
    const soft = network('soft', { x: float32('n') });
    soft.tensor('x').mul(0).exp().reshape([1, -1]).softmax({ axis: 1 }).gelu().tanh().reshape([-1]).output('y');
    engines.push(await soft.build({ profiles: [{ n: [1, 16, 256] }] }));
    expected.push((data) => { const p = 1 / data.length; return Array.from(data, () => Math.tanh(0.5 * p * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (p + 0.044715 * p ** 3))))); });
    most.push(256);
  }
  const alive = [];
  let runs = 0;
  const check = (at, x) => ({ y }) => {
    runs++;
    if (at < 2) return same(y.data, expected[at](x));
    const [actual, wanted] = [Array.from(y.data, Number).slice(0, expected[at](x).length), expected[at](x)];
    assert(y.data.length >= wanted.length && wanted.every((one, i) => Math.abs(one - actual[i]) < 2e-3), at + ': ' + actual + ', not ' + wanted);
  };
  const steps = {
    create: async () => {
      const at = random(engines.length);
      const options = { memory: pick(['own', 'profile', 'shared']), inFlight: 1 + random(2), cudaGraph: random(2) === 1 };
      alive.push({ at, context: await engines[at].createContext(options) });
    },
    run: async () => {
      const pending = [];
      for (let i = random(20); i >= 0; i--) {
        const { at, context } = pick(alive);
        const x = numbers(1 + random(most[at]), i);
        pending.push(context.run({ x }).then(check(at, x)));
      }
      await Promise.all(pending);
    },
    later: async () => {
      const { at, context } = pick(alive);
      const x = numbers(1 + random(most[at]), 3);
      void context.run({ x }).then(check(at, x));
    },
    sync: async () => {
      const { at, context } = pick(alive);
      const x = numbers(1 + random(most[at]), 5);
      check(at, x)(context.runSync({ x }));
    },
    device: async () => {
      const { at, context } = pick(alive);
      const x = numbers(1 + random(most[at]), 7);
      const first = await context.run({ x: deviceTensor(float32(x.length), x) }, { outputs: 'device' });
      check(at, x)({ y: await first.y.download() });
    },
    capture: async () => {
      const { at, context } = pick(alive);
      if (at === 2) return;
      const x = numbers(1 + random(most[at]), 9);
      const feed = deviceTensor(float32(x.length), x);
      const y = deviceTensor(float32(x.length));
      const graph = await context.capture({ feeds: { x: feed }, outputs: { y } });
      for (let i = random(5); i >= 0; i--) await graph.launch();
      graph.launchSync();
      check(at, x)({ y: await y.download() });
      if (random(2)) graph.dispose();
    },
    bind: async () => {
      const { at, context } = pick(alive);
      if (at === 2) return;
      const x = numbers(1 + random(most[at]), 11);
      const feed = hostTensor(float32(x.length));
      feed.data.set(x);
      const bound = context.bind({ feeds: { x: feed } });
      check(at, x)(await bound.run());
      check(at, x)(bound.runSync());
    },
    forget: async () => { alive.splice(random(alive.length), 1); },
    dispose: async () => { alive.splice(random(alive.length), 1)[0].context.dispose(); },
    collect: async () => collect(),
    refuse: async () => { assert.equal(await codeOf(() => deviceTensor(float32(1024, 2 ** 30))), 'ERR_OUT_OF_MEMORY'); },
    share: async () => {
      const at = random(engines.length);
      alive.push({ at, context: await (await loadEngine(await engines[at].share())).createContext() });
    },
    tick: () => tick(random(3)),
  };
  const names = Object.keys(steps);
  for (let i = 0; i < 4; i++) await steps.create();
  const more = ${steps};
  for (let i = 0; i < more; i++) {
    while (alive.length < 2) await steps.create();
    await steps[alive.length > 8 ? pick(['forget', 'dispose']) : pick(names)]();
  }
  await tick(20);
  assert(runs > more / 2);
  for (const engine of engines) engine.dispose();
  alive.length = 0;
  await until(() => { collect(); return deviceMemory().used === 0; });`,
});

export const mix: RunCase[] = [mixed(1, 200), mixed(2, 200)];
