// soak.ts runs | graphs: 100,000 runs over 8 contexts, or 1,000,000 launches of a graph of LeNet, and what grew.
import { availableParallelism } from 'node:os';
import { deviceMemory, deviceTensor, type Engine, hostMemory, hostTensor, loadEngine } from 'node-tensorrt';
import { type Cell, cell, inputOfCell, planOfCell } from './cells.js';
import { section } from './report.js';

interface Use {
  rss: number;
  heap: number;
  external: number;
  handles: number;
  gpu: number;
  pinned: number;
}

declare const gc: (() => void) | undefined;

/** What is used once nothing waits for the garbage collector. Sizes in bytes. */
async function use(): Promise<Use> {
  for (let i = 0; i < 4; i++) {
    gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const { free, total } = deviceMemory();
  const { pinned, cached } = hostMemory();
  return {
    rss,
    heap: heapUsed,
    external: Math.max(external, arrayBuffers),
    handles: process.getActiveResourcesInfo().length,
    gpu: total - free,
    pinned: pinned + cached,
  };
}

const mb = (bytes: number) => `${bytes < 0 ? '−' : '+'}${(Math.abs(bytes) / 1e6).toFixed(2)}`;

const add = await section(`soak-${process.argv[2]}`, {
  title: process.argv[2] === 'graphs' ? 'A million launches of a graph' : 'A hundred thousand runs over 8 contexts',
  note: 'What the process uses at the end less what it used before, once a tenth of the work had been done; after collecting garbage. Every tenth is a row.',
  head: [
    'done',
    'seconds',
    'process, MB',
    'JavaScript heap, MB',
    'external, MB',
    'handles',
    'GPU, MB',
    'page-locked, MB',
  ],
});

/** Does a tenth at a time. The first is the warm-up. */
async function soak(work: (count: number) => Promise<void>, total: number): Promise<void> {
  const begun = performance.now();
  await work(total / 10);
  const first = await use();
  for (let tenth = 2; tenth <= 10; tenth++) {
    await work(total / 10);
    const now = await use();
    const grown = (key: keyof Use) => mb(now[key] - first[key]);
    const seconds = ((performance.now() - begun) / 1000).toFixed(0);
    const handles = String(now.handles - first.handles);
    const done = ((total / 10) * tenth).toLocaleString('en');
    add(done, seconds, grown('rss'), grown('heap'), grown('external'), handles, grown('gpu'), grown('pinned'));
  }
}

/** A context and a way to run it: with ordinary arrays, page-locked tensors, tensors on the GPU, or bound ones. */
async function runner(engine: Engine, { input, shape, precision, ...one }: Cell, way: number) {
  const context = await engine.createContext();
  const from = { dtype: precision, shape };
  const to = { dtype: precision, shape: [one.batch, 1000] };
  const data = inputOfCell({ input, shape, precision, ...one });
  if (way === 0) return () => context.run({ [input]: data });
  if (way === 1) {
    const [x, logits] = [hostTensor(from), hostTensor(to)];
    (x.data as Uint16Array).set(data);
    return () => context.run({ [input]: x }, { outputs: { logits } });
  }
  const x = deviceTensor(from, data);
  // New tensors on the GPU, which are left to the garbage collector.
  if (way === 2) return () => context.run({ [input]: x }, { outputs: 'device' });
  const bound = context.bind({ feeds: { [input]: x }, outputs: { logits: deviceTensor(to) } });
  return () => bound.run();
}

if (process.argv[2] === 'graphs') {
  const one = cell('LeNet', 'float32', 1);
  using engine = await loadEngine(planOfCell(one));
  using context = await engine.createContext();
  const data = deviceTensor({ dtype: 'float32', shape: one.shape }, inputOfCell(one));
  const logits = deviceTensor({ dtype: 'float32', shape: [1, 10] });
  const graph = await context.capture({ feeds: { data }, outputs: { logits } });
  // Half block, half are awaited.
  await soak(async (count) => {
    for (let i = 0; i < count / 2; i++) graph.launchSync();
    for (let i = 0; i < count / 2; i++) await graph.launch();
  }, 1_000_000);
} else {
  const one = cell('ResNet-50', 'float16', 1);
  using engine = await loadEngine(planOfCell(one));
  const runners = await Promise.all(Array.from({ length: 8 }, (_, i) => runner(engine, one, i % 4)));
  console.log(`${availableParallelism()} cores; two contexts each: arrays, page-locked, new tensors on the GPU, bound`);
  await soak(async (count) => {
    await Promise.all(
      runners.map(async (run) => {
        for (let i = 0; i < count / 8; i++) await run();
      }),
    );
  }, 100_000);
}
