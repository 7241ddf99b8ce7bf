import { expect, test } from 'vitest';
import { resultOf, runChild } from '../child.js';

/** `longest(begin)` measures how long work keeps the event loop between two turns; see below. */
const measuring = `
import { readFileSync } from 'node:fs';
/** Milliseconds that this thread ran, and that it was ready to run and did not. */
const times = () => readFileSync('/proc/self/task/' + process.pid + '/schedstat', 'latin1').split(' ').map((ns) => ns / 1e6);

async function longest(begin) {
  const [called] = times();
  const work = begin();
  const call = times()[0] - called;
  let [last, [ran, waited], busy, held, running] = [performance.now(), times(), 0, 0, true];
  const tick = () => {
    const [now, [ranNow, waitedNow]] = [performance.now(), times()];
    busy = Math.max(busy, ranNow - ran);
    held = Math.max(held, now - last - (waitedNow - waited) - 1);
    [last, ran, waited] = [now, ranNow, waitedNow];
    if (running) setTimeout(tick, 1);
  };
  setTimeout(tick, 1);
  const result = await work;
  running = false;
  await new Promise((resolve) => setTimeout(resolve, 5));
  return { call, busy, held, ...result };
}
`;

/**
 * How long net.build() keeps the event loop from its turn once the call has returned. In a process of its own, the network is
 * recorded first (that is the caller's own code), and a build of another one compiles everything. The call copies the caller's
 * arrays, which weights of files do not need; its processor time is measured too. Then a timer of 1 ms runs during hand-over and
 * TensorRT's first phases, until the build is aborted. Two things are measured between two turns: the processor time of the thread, which
 * other processes can hardly lengthen, and which stays below the bound in every try; and the time that passed less what the thread
 * waited for a processor (Linux counts both in schedstat), which sees a blocked thread too, but also what the host does to this
 * machine: of that the least counts.
 */
const program = `${measuring}
const net = chain(5000, 'long');
const columns = 25_000;
const wide = net.input('wide', float32(1, columns));
for (let i = 0; i < 10; i++) wide.linear({ weight: { shape: [200, columns], data: new Float32Array(200 * columns).fill(1 / 7) } }).output('o' + i);
(await chain(50).build()).dispose();

async function build() {
  const controller = new AbortController();
  const phases = new Set();
  const onProgress = ({ phase }) => {
    phases.add(phase);
    if (phases.size === 4) controller.abort();
  };
  const code = await net.build({ signal: controller.signal, onProgress }).catch((error) => error.code);
  return { code };
}

const tries = [];
for (let i = 0; i < 5; i++) {
  globalThis.gc();
  tries.push(await longest(build));
}
console.log(JSON.stringify({ tries, layers: net.graph.nodes.length, bytes: net.weights.reduce((sum, w) => sum + w.data.byteLength, 0) }));
`;

test('once net.build() of 5,000 layers and 200 MB of weights has returned, it never runs for 10 ms between two turns of the event loop, and at best holds it for less', {
  timeout: 180_000,
}, async () => {
  const { tries, layers, bytes } = resultOf<{
    tries: { call: number; busy: number; held: number; code: string }[];
    layers: number;
    bytes: number;
  }>(await runChild(program, { flags: ['--expose-gc'], limitMs: 170_000 }));
  expect(layers).toBeGreaterThan(5000);
  expect(bytes).toBeGreaterThanOrEqual(200e6);
  expect(tries.map(({ code }) => code)).toEqual(tries.map(() => 'ERR_ABORTED'));
  // One copy of all elements, at no less than 1 GB/s.
  expect(Math.min(...tries.map(({ call }) => call)), JSON.stringify(tries)).toBeLessThan(200);
  expect(Math.max(...tries.map(({ busy }) => busy)), JSON.stringify(tries)).toBeLessThan(10);
  expect(Math.min(...tries.map(({ held }) => held)), JSON.stringify(tries)).toBeLessThan(10);
});

/** Bytes that no TensorRT takes: what is measured lies before it. They are copied at the call, so it is made between two turns. */
const loading = `${measuring}
const bytes = new Uint8Array(2 ** 28).fill(7);
const tries = [];
for (let i = 0; i < 5; i++) {
  globalThis.gc();
  tries.push(await longest(async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return { code: await loadEngine(bytes).catch((error) => error.code) };
  }));
}
console.log(JSON.stringify(tries));
`;

test('loadEngine of 256 MiB holds the event loop no longer than a copy at 2 GB/s takes', {
  timeout: 60_000,
}, async () => {
  const tries = resultOf<{ held: number; code: string }[]>(await runChild(loading, { flags: ['--expose-gc'] }));
  for (const { code } of tries) expect(code).toMatch(/^ERR_/);
  // Page by page the memory alone took 200 ms.
  expect(Math.min(...tries.map(({ held }) => held)), JSON.stringify(tries)).toBeLessThan(134);
});
