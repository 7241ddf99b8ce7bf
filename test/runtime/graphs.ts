import { expect } from 'vitest';
import type { RunCase } from './cases.js';

const told = (stderr: string): number => stderr.match(/NODE_TENSORRT_NO_GRAPH/g)?.length ?? 0;

export const graphs: RunCase[] = [
  {
    title: 'a captured run is replayed over host and device tensors',
    seeds: [1, 2],
    program: `
    const most = 100_000;
    const engine = await build('relu', most);
    for (const options of [{}, { inFlight: 2 }, { cudaGraph: true }, { memory: 'shared' }]) {
      const context = await engine.createContext(options);
      for (const count of [3, most]) {
        const host = hostTensor(float32(count));
        const device = deviceTensor(float32(count));
        const target = deviceTensor(float32(most));
        for (const [feed, write] of [[host, (data) => host.data.set(data)], [device, (data) => void device.upload(data)]]) {
          for (const outputs of [undefined, 'device', { y: target }]) {
            const graph = await context.capture({ feeds: { x: feed }, outputs });
            for (let i = 0; i < 3; i++) {
              const x = numbers(count, i);
              write(x);
              const { y } = i === 1 ? graph.launchSync() : await graph.launch();
              assert.deepEqual(y.shape, [count]);
              same(y.download ? (await y.download()).data : y.data, relued(x));
            }
            // A run of another shape between launches.
            same((await context.run({ x: numbers(7) })).y.data, relued(numbers(7)));
            write(numbers(count, 9));
            const { y } = await graph.launch();
            same(y.download ? (await y.download()).data : y.data, relued(numbers(count, 9)));
            graph.dispose();
            assert.equal(await codeOf(() => graph.launch()), 'ERR_DISPOSED');
            assert.equal(await codeOf(() => graph.launchSync()), 'ERR_DISPOSED');
          }
        }
      }
    }`,
  },
  {
    title: 'cudaGraph: true replays alternating shapes and keeps to its limit',
    seeds: [1, 2],
    program: `
    const engine = await build('relu', 64);
    for (const [limit, inFlight] of [[1, 1], [2, 1], [3, 2], [8, 4]]) {
      const context = await engine.createContext({ cudaGraph: { limit }, inFlight });
      const tensors = [1, 2].map((i) => deviceTensor(float32(16), numbers(16, i)));
      const checks = [];
      for (let i = 0; i < 120; i++) {
        const count = 1 + ((i >> 2) % 5) * 10;
        const x = numbers(count, i);
        checks.push(context.run({ x }).then(({ y }) => same(y.data, relued(x), limit + ', run ' + i)));
        if (i % 3 === 0) checks.push(context.run({ x: tensors[i & 1] }).then(({ y }) => same(y.data, relued(numbers(16, 1 + (i & 1))))));
        if (i % 5 === 0) same(context.runSync({ x }).y.data, relued(x));
      }
      await Promise.all(checks);
      context.dispose();
    }`,
  },
  {
    title: 'the graphs that cudaGraph: true keeps are as many as its limit',
    onStandIn: true,
    program: `
    import { readFileSync } from 'node:fs';
    process.env.STANDIN_COUNTERS ??= '';
    const engine = await build('relu', 64);
    const alive = () => Number(readFileSync(process.env.STANDIN_COUNTERS).readBigInt64LE(7 * 8));
    const context = await engine.createContext({ cudaGraph: { limit: 3 } });
    for (let round = 0; round < 3; round++) {
      for (let count = 1; count <= 10; count++) {
        for (let i = 0; i < 3; i++) same((await context.run({ x: numbers(count, i) })).y.data, relued(numbers(count, i)));
        assert(alive() <= 3, alive() + ' graphs');
      }
    }
    assert.equal(alive(), 3);
    context.dispose();
    await until(() => alive() === 0);`,
    standIn: { env: { STANDIN_COUNTERS: `/tmp/standin-graphs-${process.pid}` } },
  },
  {
    title: 'launches ahead without waiting, between runs, uploads and downloads',
    seeds: [1, 2],
    program: `
    const engine = await build();
    const other = await build('copy');
    const [context, second] = [await engine.createContext(), await other.createContext({ cudaGraph: true })];
    const [a, b, c] = [1, 2, 3].map(() => deviceTensor(float32(16)));
    const graph = await context.capture({ feeds: { x: a }, outputs: { y: b } });
    const copied = await second.capture({ feeds: { x: b }, outputs: { y: c } });
    const reads = [];
    for (let i = 0; i < 150; i++) {
      void a.upload(numbers(16, i));
      void graph.launch();
      if (i % 4 === 0) graph.launchSync();
      if (i % 3 === 0) void second.run({ x: b }, { outputs: { y: c } });
      else void copied.launch();
      reads.push(c.download());
      void context.run({ x: numbers(16, 999) }, { outputs: { y: i % 2 ? b : c } });
    }
    for (const [i, { data }] of (await Promise.all(reads)).entries()) same(data, relued(numbers(16, i)), 'read ' + i);`,
  },
  {
    title: 'a graph whose tensors or context were disposed says so, and others go on',
    program: `
    const engine = await build();
    const context = await engine.createContext();
    for (const which of ['x', 'y']) {
      for (const made of [hostTensor, deviceTensor]) {
        const tensors = { x: made(float32(16)), y: made(float32(16)) };
        const graph = await context.capture({ feeds: { x: tensors.x }, outputs: { y: tensors.y } });
        const bound = context.bind({ feeds: { x: tensors.x }, outputs: { y: tensors.y } });
        await graph.launch();
        const ahead = Array.from({ length: 5 }, () => codeOf(() => graph.launch()));
        tensors[which].dispose();
        for (const code of await Promise.all(ahead)) assert(['none', 'ERR_DISPOSED'].includes(code), code);
        for (const one of [graph.launch, graph.launchSync].map((call) => call.bind(graph))) assert.equal(await codeOf(one), 'ERR_DISPOSED');
        for (const one of [bound.run, bound.runSync].map((call) => call.bind(bound))) assert.equal(await codeOf(one), 'ERR_DISPOSED');
        same((await context.run({ x: numbers(16) })).y.data, relued(numbers(16)));
      }
    }
    const graph = await context.capture({ feeds: { x: deviceTensor(float32(4)) } });
    const ahead = codeOf(() => graph.launch());
    context.dispose();
    assert(['none', 'ERR_DISPOSED'].includes(await ahead));
    assert.equal(await codeOf(() => graph.launch()), 'ERR_DISPOSED');
    assert.equal(await codeOf(() => graph.launchSync()), 'ERR_DISPOSED');`,
  },
  {
    title: 'a network that waits for its stream runs without graphs, which is told once',
    onStandIn: true,
    standIn: { env: { STANDIN_SYNC_ENQUEUE: '1' } },
    program: `
    const engine = await build();
    for (const options of [{ cudaGraph: true }, { cudaGraph: true, inFlight: 2 }]) {
      const context = await engine.createContext(options);
      for (let i = 0; i < 6; i++) same((await context.run({ x: numbers(16, i) })).y.data, relued(numbers(16, i)));
      same(context.runSync({ x: numbers(16) }).y.data, relued(numbers(16)));
      const error = await errorOf(() => context.capture({ feeds: { x: deviceTensor(float32(16)) } }));
      assert.equal(error.code, 'ERR_CAPTURE', error.message);
      same((await context.run({ x: numbers(16) })).y.data, relued(numbers(16)));
      same((await context.bind({ feeds: { x: hostTensor(float32(3)) } }).run()).y.data, [0, 0, 0]);
    }`,
    check: ({ ended }) => expect(told(ended.stderr)).toBe(1),
  },
  {
    title: 'debug tensors are told, and such a network runs without graphs',
    // TensorRT 10.6 crashes while it builds this network, by NVIDIA's Python bindings too.
    onStandIn: true,
    program: `
    const net = network('observed', { x: float32(4) });
    net.tensor('x').identity({ name: 'mid' }).debug().relu().output('y');
    const engine = await net.build();
    const seen = [];
    const context = await engine.createContext({ cudaGraph: true, onDebug: ({ data }) => seen.push(data[0]) });
    for (let i = 0; i < 4; i++) same((await context.run({ x: [i, 1, 2, 3] })).y.data, [i, 1, 2, 3]);
    assert.deepEqual(seen.filter((one, i) => one !== seen[i - 1]), [0, 1, 2, 3]);
    assert.equal(await codeOf(() => context.capture({ feeds: { x: hostTensor(float32(4)) } })), 'ERR_CAPTURE');
    same((await context.run({ x: [5, 1, 2, 3] })).y.data, [5, 1, 2, 3]);`,
    check: ({ ended }) => {
      expect(told(ended.stderr)).toBe(1);
      expect(ended.stderr).toContain('debug tensors are reported while the run is enqueued');
    },
  },
  {
    title: 'the size of an output that depends on elements, and inputs that shapes come from: no graph, told once',
    // The stand-in computes no such layers.
    onStandIn: undefined,
    program: `
    if (process.env.STANDIN_DELAY) process.exit();
    const net = network('chosen', { x: float32(6), size: int64(1) });
    net.tensor('x').gt(0).nonZero().output('at');
    net.tensor('x').reshape([2, 3]).relu().output('y');
    const engine = await net.build({ profiles: [{ size: [[1], [2], [3]] }] }).catch(() => undefined);
    const plain = network('found', { x: float32(6) });
    plain.tensor('x').gt(0).nonZero().output('at');
    const found = await plain.build();
    const context = await found.createContext({ cudaGraph: true });
    for (let i = 0; i < 4; i++) {
      const { at } = await context.run({ x: [1, -1, i, 0, 1, -2] });
      assert.deepEqual([...at.data].map(Number), i > 0 ? [0, 2, 4] : [0, 4]);
    }
    const { dtype, shape } = found.outputs[0];
    assert.equal(await codeOf(() => context.capture({ feeds: { x: hostTensor(float32(6)) }, outputs: { at: hostTensor({ dtype, shape: shape.map((size) => (typeof size === 'number' ? size : 6)) }) } })), 'ERR_CAPTURE');
    engine?.dispose();`,
  },
];
