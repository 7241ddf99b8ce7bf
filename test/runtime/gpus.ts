import { expect } from 'vitest';
import type { RunCase } from './cases.js';

const two = { env: { STANDIN_DEVICES: '2' } };

export const gpus: RunCase[] = [
  {
    title: 'engines, tensors and graphs on the second GPU; what is on the wrong one is refused',
    onStandIn: true,
    standIn: two,
    seeds: [1, 2],
    program: `
    const built = await build();
    const engines = [await loadEngine(built.bytes), await loadEngine(built.bytes, { device: 1 })];
    assert.deepEqual(engines.map(({ device }) => device), [0, 1]);
    const contexts = await Promise.all(engines.map((engine) => engine.createContext({ inFlight: 2 })));
    const tensors = [0, 1].map((device) => deviceTensor(float32(16), numbers(16, device), { device }));
    assert.deepEqual([0, 1].map((device) => deviceMemory(device).used > 0), [true, true]);
    const checks = [];
    for (let i = 0; i < 60; i++) {
      const on = i % 2;
      checks.push(contexts[on].run({ x: numbers(16, i) }).then(({ y }) => same(y.data, relued(numbers(16, i)))));
      checks.push(contexts[on].run({ x: tensors[on] }, { outputs: 'device' }).then(async ({ y }) => {
        assert.equal(y.device, on);
        same((await y.download()).data, relued(numbers(16, on)));
      }));
      if (i % 5 === 0) same(contexts[on].runSync({ x: tensors[on] }).y.data, relued(numbers(16, on)));
    }
    await Promise.all(checks);
    for (const on of [0, 1]) {
      const wrong = tensors[1 - on];
      const host = hostTensor(float32(16));
      for (const method of ['run', 'runSync']) {
        const error = await errorOf(() => contexts[on][method]({ x: wrong }));
        assert.equal(error.code, 'ERR_FEED');
        assert(error.message.includes('the tensor is on GPU ' + (1 - on) + ', the engine on GPU ' + on), error.message);
        assert.equal(await codeOf(() => contexts[on][method]({ x: numbers(16) }, { outputs: { y: wrong } })), 'ERR_OUTPUT');
      }
      assert.equal(await codeOf(() => contexts[on].bind({ feeds: { x: wrong } })), 'ERR_FEED');
      assert.equal(await codeOf(() => contexts[on].capture({ feeds: { x: host }, outputs: { y: wrong } })), 'ERR_OUTPUT');
      const memory = deviceTensor(uint8(built.memorySizes?.[0] ?? 1 << 20), undefined, { device: 1 - on });
      assert.notEqual(await codeOf(() => engines[on].createContext({ memory })), 'none');
      const graph = await contexts[on].capture({ feeds: { x: tensors[on] } });
      same((await graph.launch()).y.data, relued(numbers(16, on)));
    }
    assert.equal(await codeOf(() => loadEngine(built.bytes, { device: 2 })), 'ERR_NO_GPU');
    assert.equal(await codeOf(() => deviceTensor(float32(4), undefined, { device: 2 })), 'ERR_NO_GPU');`,
  },
  {
    title: 'an engine is shared by worker threads, loaded once, and outlives the one that shared it',
    limitMs: 120_000,
    program: `
    if (!isMainThread) {
      const engine = await loadEngine(workerData);
      parentPort.postMessage('loaded');
      await messageOf(parentPort);
      const context = await engine.createContext({ inFlight: 2 });
      const runs = Array.from({ length: 50 }, (_, i) => context.run({ x: numbers(16, i) }));
      parentPort.postMessage('runs');
      for (const [i, { y }] of (await Promise.all(runs)).entries()) same(y.data, relued(numbers(16, i)));
      for (let i = 0; i < 20; i++) same(context.runSync({ x: numbers(16, i) }).y.data, relued(numbers(16, i)));
      engine.dispose();
      parentPort.postMessage('done');
      parentPort.close();
    } else {
      const built = await build();
      const engine = await loadEngine(built.bytes);
      built.dispose();
      const token = await engine.share();
      const context = await engine.createContext();
      const workers = [1, 2].map(() => startWorker(token));
      const said = workers.map((worker) => { const list = []; worker.on('message', (one) => list.push(one)); return list; });
      const saidBy = async (what) => { await until(() => said.every((list) => list.includes(what))).catch(() => assert.fail(what + ': ' + JSON.stringify(said))); };
      await saidBy('loaded');
      const ended = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
      const mine = Array.from({ length: 50 }, (_, i) => codeOf(async () => same((await context.run({ x: numbers(16, i) })).y.data, relued(numbers(16, i)))));
      for (const worker of workers) worker.postMessage('go');
      await saidBy('runs');
      engine.dispose();
      await saidBy('done');
      for (const code of await Promise.all(mine)) assert(['none', 'ERR_DISPOSED'].includes(code), code);
      await until(async () => (await codeOf(async () => (await loadEngine(token)).dispose())) === 'ERR_DISPOSED');
      assert.deepEqual(await Promise.all(ended), [0, 0]);
      await until(() => { collect(); return deviceMemory().used === 0; });
    }
    if (isMainThread) console.log('null');`,
    check: ({ log }) => {
      // One that was loaded here, by its bytes; that which was built was not loaded at all.
      if (log.length > 0) expect(log.filter(({ call }) => call === 'deserializeCudaEngine')).toHaveLength(1);
    },
  },
];
