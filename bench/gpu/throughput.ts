// Runs a second of several contexts, ours and as many threads of C++; and two contexts of an engine of 10 ms.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Context, deviceTensor, type Engine, loadEngine } from 'node-tensorrt';
import { type Cell, cell, inputOfCell, inputsOfCell, planOfCell } from './cells.js';
import { Driver } from './driver.js';
import { compare } from './measure.js';
import { pairsNote, section, work } from './report.js';

const drive = new Driver(join(work, 'bin', 'drive'));

/** Runs of one context with everything on the GPU. */
async function boundRun(engine: Engine, { input, precision, ...cell }: Cell, inFlight: number) {
  const context = await engine.createContext({ inFlight });
  const logits = { dtype: precision, shape: [cell.batch, cell.network === 'LeNet' ? 10 : 1000] };
  const feeds = {
    [input]: deviceTensor({ dtype: precision, shape: cell.shape }, inputOfCell({ input, precision, ...cell })),
  };
  return { context, bound: context.bind({ feeds, outputs: { logits: deviceTensor(logits) } }) };
}

type Bound = Awaited<ReturnType<typeof boundRun>>['bound'];

/** Wall time of so many runs of each, with `depth` of one context submitted at a time. */
async function wallTime(all: readonly Bound[], runs: number, depth: number): Promise<number> {
  const start = performance.now();
  await Promise.all(
    all.flatMap((bound) =>
      Array.from({ length: depth }, async (_, lane) => {
        for (let i = lane; i < runs; i += depth) await bound.run();
      }),
    ),
  );
  return (performance.now() - start) * 1000;
}

async function throughput(): Promise<void> {
  const add = await section('throughput', {
    title: 'Several contexts',
    note: `Runs a second at batch 1, all on the GPU, by N contexts and by N threads of C++ that enqueue and synchronize. ${pairsNote} Depth is how many runs of a context we submit at a time.`,
    head: ['network', 'dtype', 'contexts', 'depth', 'ours, runs/s', 'C++, runs/s', 'ratio', 'goal', 'met'],
  });
  for (const one of [cell('ResNet-50', 'float16', 1), cell('ResNet-50', 'float32', 1), cell('LeNet', 'float32', 1)]) {
    await drive.ask('load', one.id, planOfCell(one), inputsOfCell(one));
    using engine = await loadEngine(planOfCell(one));
    const single = (await drive.ask('measure', one.id, 'device', 20, 50)).us;
    for (const depth of [1, 2]) {
      const all: { context: Context; bound: Bound }[] = [];
      for (const count of [1, 2, 4, 8]) {
        while (all.length < count) all.push(await boundRun(engine, one, depth));
        const bounds = all.map(({ bound }) => bound);
        const runs = Math.max(8, Math.round(30_000 / single / Math.sqrt(count)));
        await wallTime(bounds, 10, depth);
        const { ours, theirs, ratio } = await compare(
          () => wallTime(bounds, runs, depth),
          async () => (await drive.ask('threads', one.id, count, runs)).us,
        );
        const perSecond = (time: number) => Math.round((count * runs * 1e6) / time).toLocaleString('en');
        const goal = one.network === 'LeNet' ? ['', ''] : ['≥ 0.97', 1 / ratio >= 0.97 ? 'yes' : 'no'];
        const names = [one.network, one.precision, String(count), String(depth)];
        add(...names, perSecond(ours), perSecond(theirs), (1 / ratio).toFixed(3), ...goal);
      }
      for (const { context } of all) context.dispose();
    }
    await drive.ask('free', one.id);
  }
}

/** Two contexts whose kernels leave the GPU to others. */
async function overlap(): Promise<void> {
  const [plan, library] = [join(work, 'spin.plan'), join(work, 'libspin.so')];
  const add = await section('overlap', {
    title: 'Two contexts of an engine of 10 ms',
    note: 'Its one kernel uses one multiprocessor. Wall time from the first submission to the last result; medians of alternating pairs.',
    head: ['contexts', 'ours, ms', 'C++, ms', 'goal', 'met'],
  });
  using engine = await loadEngine(plan);
  const contexts = await Promise.all([engine.createContext(), engine.createContext()]);
  const feeds = { x: new Float32Array(1) };
  const inCpp = existsSync(library);
  if (inCpp) {
    await drive.ask('plugins', library);
    await drive.ask('load', 'spin', plan, join(work, 'spin.inputs'));
  }
  for (const count of [1, 2]) {
    const { ours, theirs } = await compare(
      async () => {
        const start = performance.now();
        await Promise.all(contexts.slice(0, count).map((context) => context.run(feeds)));
        return (performance.now() - start) * 1000;
      },
      async () => (inCpp ? (await drive.ask('threads', 'spin', count, 1)).us : Number.NaN),
    );
    const goal = count === 2 ? ['< 12', ours < 12_000 ? 'yes' : 'no'] : ['', ''];
    add(String(count), (ours / 1000).toFixed(2), inCpp ? (theirs / 1000).toFixed(2) : 'not run', ...goal);
  }
}

// One that fails leaves the other.
for (const part of [throughput, overlap]) {
  await part().catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}
drive.close();
