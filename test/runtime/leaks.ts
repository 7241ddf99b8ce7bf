import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunCase } from './cases.js';

const counters = (name: string) => join(tmpdir(), `standin-${name}-${process.pid}`);

/** `living()`: what lives in the driver, by its own count; nothing on a real GPU. */
const living = `
const { readFileSync } = await import('node:fs');
const names = ['allocations', 'bytes', 'pinned', 'pinnedBytes', 'streams', 'events', 'graphs', 'execs'];
const living = () => {
  const file = process.env.STANDIN_COUNTERS;
  if (!file) return { used: deviceMemory().used, pinned: hostMemory().pinned };
  const bytes = readFileSync(file);
  return Object.fromEntries(names.map((name, i) => [name, Number(bytes.readBigInt64LE(8 * i))]));
};
/** Everything once, and left to the garbage collector or disposed. */
const all = async (engine, disposes) => {
  const contexts = await Promise.all([{}, { inFlight: 2 }, { cudaGraph: true }, { memory: 'shared' }, { auxStreams: 0, priority: -1 }].map((options) => engine.createContext(options)));
  const made = [];
  for (const context of contexts) {
    for (const count of [3, 16]) {
      const [host, device, target] = [hostTensor(float32(count)), deviceTensor(float32(count)), deviceTensor(float32(count))];
      await device.upload(numbers(count));
      const bound = context.bind({ feeds: { x: host } });
      const graph = await context.capture({ feeds: { x: device }, outputs: { y: target } });
      for (let i = 0; i < 3; i++) {
        await Promise.all([context.run({ x: numbers(count) }), context.run({ x: host }, { outputs: { y: target } }), bound.run(), graph.launch(), target.download()]);
        const { y } = await context.run({ x: device }, { outputs: 'device' });
        made.push(y);
        context.runSync({ x: device });
        bound.runSync();
        graph.launchSync();
      }
      made.push(host, device, target, bound, graph);
    }
    await context.profile({ x: numbers(3) }, { runs: 2 });
  }
  if (disposes) for (const one of [...made, ...contexts, engine]) one.dispose();
};
`;

export const leaks: RunCase[] = [
  ...[true, false].map(
    (disposes): RunCase => ({
      title: `nothing is left when everything was ${disposes ? 'disposed' : 'forgotten and collected'}`,
      standIn: { env: { STANDIN_COUNTERS: counters(`leaks-${disposes}`) } },
      delay: 50,
      limitMs: 120_000,
      program: `${living}
      const { bytes } = await build();
      const round = async () => all(await loadEngine(bytes), ${disposes});
      const settle = () => until(() => {
        collect();
        const { pinned, pinnedBytes, streams, events, ...rest } = living();
        return hostMemory().pinned === 0 && deviceMemory().used === 0 && (!process.env.STANDIN_COUNTERS || Object.values(rest).every((one) => one === 0));
      });
      for (let i = 0; i < 3; i++) { await round(); await settle(); }
      // Caches are full: page-locked memory, streams of copies and events are kept.
      const before = living();
      for (let i = 0; i < 4; i++) { await round(); await settle(); }
      const after = living();
      // Copies keep a stream for each of the most that were under way at once; one lost in each round would be four.
      const room = { streams: 2, events: 16, pinned: 4, pinnedBytes: 64 << 10 };
      for (const name of Object.keys(before)) assert(after[name] <= before[name] + (room[name] ?? 0), name + ': ' + JSON.stringify([before, after]));`,
    }),
  ),
  {
    title: '5,000 runs and as many launches make nothing grow',
    standIn: { env: { STANDIN_COUNTERS: counters('grow') } },
    delay: 0,
    limitMs: 120_000,
    program: `${living}
    const engine = await build();
    const contexts = await Promise.all([{}, { inFlight: 2 }, { cudaGraph: true }].map((options) => engine.createContext(options)));
    const [feed, target] = [deviceTensor(float32(16), numbers(16)), deviceTensor(float32(16))];
    const graphs = await Promise.all(contexts.map((context) => context.capture({ feeds: { x: feed }, outputs: { y: target } })));
    const some = async (count) => {
      for (let i = 0; i < count; i += 60) {
        const ends = [];
        for (let k = 0; k < 20; k++) {
          for (const [at, context] of contexts.entries()) {
            ends.push(context.run({ x: numbers(1 + (k % 16), i) }, { outputs: k % 4 === 0 ? 'device' : undefined }));
            ends.push(graphs[at].launch());
          }
          void feed.upload(numbers(16, k));
          ends.push(target.download());
        }
        for (const { y } of (await Promise.all(ends)).filter(Boolean)) if (y !== target) y?.dispose?.();
        if (i % 600 === 0) collect();
      }
      for (let i = 0; i < 10; i++) { collect(); await tick(5); }
    };
    const heap = () => { for (let i = 0; i < 3; i++) collect(); return process.memoryUsage().heapUsed; };
    await some(1500);
    const [before, heapBefore] = [living(), heap()];
    await some(5000);
    const [after, heapAfter] = [living(), heap()];
    for (const name of Object.keys(before)) {
      // Copies keep a stream for each of the most that were under way at once.
      const room = { streams: 10, events: 100, bytes: 4096, used: 4096, pinned: 20, pinnedBytes: 1 << 20, allocations: 4 }[name] ?? 0;
      assert(after[name] <= before[name] + room, name + ': ' + JSON.stringify([before, after]));
    }
    assert(heapAfter < heapBefore + (4 << 20), heapBefore + ' to ' + heapAfter);`,
  },
];
