import { expect } from 'vitest';
import type { RunCase } from './cases.js';

const megabytes = [0.5, 1, 5, 38];

const largeFeeds = `
const most = 10_000_000;
const engine = await build('relu', most);
const contexts = [await engine.createContext(), await engine.createContext({ inFlight: 2 })];
for (const megabytes of ${JSON.stringify(megabytes)}) {
  const count = Math.floor((megabytes * 1e6) / 4) + 1;
  const given = numbers(count, megabytes);
  const expected = relued(given);
  const runs = [];
  for (const context of contexts) {
    for (let i = 0; i < (megabytes > 10 ? 1 : 2); i++) {
      const x = given.slice();
      runs.push(context.run({ x }));
      x.fill(9);
    }
    if (megabytes < 10) same(context.runSync({ x: given }).y.data, expected, megabytes + ' MB at once');
  }
  for (const { y } of await Promise.all(runs)) same(y.data, expected, megabytes + ' MB');
}
console.log(JSON.stringify(hostMemory()));
`;

export const feeds: RunCase[] = [
  { title: 'what large arrays hold at the call counts', delay: 50, program: largeFeeds },
  {
    title: 'where memory cannot be page-locked, runs give the same, which is told once',
    onStandIn: true,
    delay: 50,
    standIn: { env: { STANDIN_PINNED_LIMIT: '0' } },
    program: largeFeeds,
    check: ({ ended, result }) => {
      expect(result).toMatchObject({ pinned: 0, refused: expect.stringContaining('CUDA_ERROR_OUT_OF_MEMORY') });
      expect(ended.stderr.match(/NODE_TENSORRT_PAGEABLE/g)).toHaveLength(1);
    },
  },
  {
    title: 'where only some memory can be page-locked, runs give the same, which is told once',
    onStandIn: true,
    delay: 50,
    standIn: { env: { STANDIN_PINNED_LIMIT: `${4 << 20}` } },
    program: largeFeeds,
    check: ({ ended }) => expect(ended.stderr.match(/NODE_TENSORRT_PAGEABLE/g)).toHaveLength(1),
  },
  {
    title:
      'the same tensors in every run: what they hold counts, and what is wrong with a call is found as in the first',
    program: `
    const engine = await build();
    const context = await engine.createContext();
    for (const made of [deviceTensor, hostTensor]) {
      const write = async (tensor, data) => (made === hostTensor ? void tensor.data.set(data) : tensor.upload(data));
      const read = async (tensor) => (made === hostTensor ? tensor.data : (await tensor.download()).data);
      const [x, y, other] = [made(float32(16)), made(float32(16)), made(float32(16))];
      const feeds = { x };
      const options = { outputs: { y } };
      for (let i = 0; i < 5; i++) {
        await write(x, numbers(16, i));
        same((await context.run(feeds, options)).y.data ?? (await read(y)), relued(numbers(16, i)));
        await write(x, numbers(16, i + 50));
        context.runSync(feeds, options);
        same(await read(y), relued(numbers(16, i + 50)));
      }
      await write(other, numbers(16, 77));
      feeds.x = other;
      await context.run(feeds, options);
      same(await read(y), relued(numbers(16, 77)));
      options.outputs = { y: x };
      await context.run(feeds, options);
      same(await read(x), relued(numbers(16, 77)));
      for (const method of ['run', 'runSync']) {
        const code = (...given) => codeOf(() => context[method](...given));
        assert.equal(await code(feeds, options), 'none');
        assert.equal(await code({ ...feeds, z: other }, options), 'ERR_FEED');
        assert.equal(await code({}, options), 'ERR_FEED');
        assert.equal(await code(Object.create(feeds), options), 'ERR_FEED');
        assert.equal(await code(feeds, { ...options, output: 1 }), 'ERR_PARAMETER');
        assert.equal(await code(feeds, { outputs: { y: x, z: x } }), 'ERR_OUTPUT');
        assert.equal(await code({ x: other }, { outputs: { y: other } }), 'ERR_OUTPUT');
        assert.equal(await code(feeds, { outputs: options.outputs, transfer: 1 }), 'ERR_PARAMETER');
        const fresh = await context.run(feeds);
        same(fresh.y.data, relued(numbers(16, 77)));
        assert.equal(await code(feeds, options), 'none');
      }
      other.dispose();
      for (const method of ['run', 'runSync']) assert.equal(await codeOf(() => context[method](feeds, options)), 'ERR_DISPOSED');
    }
    const forgotten = await (async () => {
      const [x, y] = [deviceTensor(float32(16)), deviceTensor(float32(16))];
      for (let i = 0; i < 3; i++) await context.run({ x }, { outputs: { y } });
      return [new WeakRef(x), new WeakRef(y)];
    })();
    await until(async () => (collect(), await tick(20), forgotten.every((one) => one.deref() === undefined)));`,
  },
  {
    title: 'small arrays may change as soon as run has returned',
    seeds: [1, 2],
    program: `
    const engine = await build();
    const context = await engine.createContext({ inFlight: 2 });
    const x = new Float32Array(16);
    const runs = Array.from({ length: 300 }, (_, i) => {
      x.set(numbers(16, i));
      return context.run({ x });
    });
    x.fill(1);
    for (const [i, { y }] of (await Promise.all(runs)).entries()) same(y.data, relued(numbers(16, i)));
    // Also runs from before the default context is there.
    const early = await build();
    const first = [1, 2, 3].map((i) => { x.set(numbers(16, i)); return early.run({ x }); });
    x.fill(1);
    for (const [i, { y }] of (await Promise.all(first)).entries()) same(y.data, relued(numbers(16, i + 1)));`,
  },
  {
    title: 'transfer detaches what can be handed over, and copies the rest',
    program: `
    const count = 300_000;
    const engine = await build('relu', count);
    const context = await engine.createContext();
    const x = numbers(count);
    const view = new Uint8Array(x.buffer, 8);
    const run = context.run({ x }, { transfer: true });
    assert.deepEqual([x.length, view.length], [0, 0]);
    same((await run).y.data, relued(numbers(count)));
    const shared = new Float32Array(new SharedArrayBuffer(4 * count));
    shared.set(numbers(count));
    const next = context.run({ x: shared }, { transfer: true });
    shared.fill(0);
    same((await next).y.data, relued(numbers(count)));
    const sync = numbers(count);
    same(context.runSync({ x: sync }, { transfer: true }).y.data, relued(numbers(count)));
    // Many at once: each is kept until it has been read.
    const runs = Array.from({ length: 20 }, (_, i) => context.run({ x: numbers(count, i) }, { transfer: true }));
    collect();
    for (const [i, { y }] of (await Promise.all(runs)).entries()) same(y.data, relued(numbers(count, i)));`,
  },
  {
    title: 'an array that is detached or resized while feeds are read, or right after, does no harm',
    program: `
    const net = network('two', { a: float32('n'), b: float32('n') });
    net.tensor('a').relu().output('r');
    net.tensor('b').identity().output('c');
    const engine = await net.build({ profiles: [{ n: [1, 16, 300_000] }] });
    const context = await engine.createContext();
    const count = 300_000;
    const resizable = () => { const a = new Float32Array(new ArrayBuffer(4 * count, { maxByteLength: 4 * count })); a.set(numbers(count)); return a; };
    const harms = [
      (a) => structuredClone(a.buffer, { transfer: [a.buffer] }),
      (a) => a.buffer.resizable && a.buffer.resize(4),
      (a) => a.buffer.resizable && a.buffer.resize(0),
    ];
    for (const harm of harms) {
      for (const method of ['run', 'runSync']) {
        const a = resizable();
        const code = await codeOf(() => context[method]({ a, get b() { harm(a); return numbers(count, 2); } }));
        assert.equal(code, 'ERR_FEED');
      }
      const a = resizable();
      const b = numbers(count, 2);
      const run = context.run({ a, b });
      harm(a);
      const { r, c } = await run;
      same(r.data, relued(numbers(count)));
      same(c.data, b);
    }`,
  },
  {
    title: 'outputs go to arrays and tensors that are large enough',
    seeds: [1, 2],
    program: `
    const most = 100_000;
    const engine = await build('relu', most);
    const context = await engine.createContext({ inFlight: 2 });
    for (const count of [5, most]) {
      const x = numbers(count);
      const expected = relued(x);
      const [array, host, device] = [new Float32Array(most + 3).fill(-1), hostTensor(float32(most)), deviceTensor(float32(most))];
      for (const run of [(outputs) => context.run({ x }, { outputs }), async (outputs) => context.runSync({ x }, { outputs })]) {
        array.fill(-1);
        const { y } = await run({ y: array });
        assert.equal(y.data.buffer, array.buffer);
        same(y.data, expected);
        assert.equal(array[count], -1);
        const { y: h } = await run({ y: host });
        same(h.data, expected);
        same(host.data.subarray(0, count), expected);
        const { y: d } = await run({ y: device });
        assert.deepEqual(d.shape, [count]);
        same((await d.download()).data, expected);
        const { y: fresh } = await run('device');
        same((await fresh.download()).data, expected);
        fresh.dispose();
        for (const short of [new Float32Array(count - 1), hostTensor(float32(count - 1)), deviceTensor(float32(count - 1))]) {
          assert.equal(await codeOf(() => run({ y: short })), 'ERR_OUTPUT');
        }
        const gone = new Float32Array(count);
        structuredClone(gone.buffer, { transfer: [gone.buffer] });
        assert.equal(await codeOf(() => run({ y: gone })), 'ERR_OUTPUT');
      }
      const later = new Float32Array(count);
      const run = context.run({ x }, { outputs: { y: later } });
      structuredClone(later.buffer, { transfer: [later.buffer] });
      assert.equal(await codeOf(() => run), 'ERR_OUTPUT');
      for (const tensor of [host, device]) {
        const used = context.run({ x }, { outputs: { y: tensor } });
        tensor.dispose();
        assert(['none', 'ERR_DISPOSED'].includes(await codeOf(() => used)), await codeOf(() => used));
        assert.equal(await codeOf(() => context.run({ x }, { outputs: { y: tensor } })), 'ERR_DISPOSED');
      }
      same((await context.run({ x })).y.data, expected);
    }`,
  },
  {
    title: 'large results are kept, sent to workers, and given back when they are collected',
    program: `
    if (!isMainThread) {
      parentPort.on('message', ({ data, last }) => {
        parentPort.postMessage(data.reduce((sum, one) => sum + one, 0));
        if (last) parentPort.close();
      });
    } else {
      const count = 200_000;
      const engine = await build('relu', count);
      const context = await engine.createContext();
      const worker = startWorker();
      const sum = (data) => data.reduce((all, one) => all + one, 0);
      await (async () => {
        const kept = [];
        for (let i = 0; i < 12; i++) kept.push((await context.run({ x: numbers(count, i) })).y);
        for (const [i, { data }] of kept.entries()) same(data, relued(numbers(count, i)));
        for (const [i, { data }] of kept.entries()) {
          const answer = messageOf(worker);
          const message = { data, last: i === kept.length - 1 };
          // Node hands no memory over that an addon owns: it copies, or from version 21 on, refuses.
          try { worker.postMessage(message, [data.buffer]); } catch { worker.postMessage(message); }
          same(data, relued(numbers(count, i)));
          assert.equal(await answer, sum(relued(numbers(count, i))));
        }
        await new Promise((resolve) => worker.once('exit', resolve));
        for (let i = 0; i < 60; i++) await context.run({ x: numbers(count, i) });
      })();
      await until(() => { collect(); return hostMemory().pinned === 0; });
    }`,
  },
];
