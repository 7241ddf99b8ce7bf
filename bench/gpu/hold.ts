// How long feeds of 38 MB hold the event loop.
import { availableParallelism } from 'node:os';
import { type Context, hostTensor, loadEngine } from 'node-tensorrt';
import { cell, inputOfCell, planOfCell } from './cells.js';
import { median, quantile } from './measure.js';
import { section } from './report.js';

const runs = 50;
const cores = availableParallelism();

/** The longest time between two turns of the loop while `run` is awaited, and how long `run` takes to return. */
async function held(run: () => Promise<unknown>): Promise<{ longest: number; returns: number }> {
  let [last, longest, ticking] = [performance.now(), 0, true];
  const tick = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (ticking) setImmediate(tick);
  };
  // The first turn starts the clock.
  await new Promise((resolve) => setImmediate(resolve));
  last = performance.now();
  setImmediate(tick);
  const start = performance.now();
  const done = run();
  const returns = performance.now() - start;
  await done;
  ticking = false;
  const now = performance.now();
  return { longest: Math.max(longest, now - last), returns };
}

const add = await section(`hold-${cores > 2 ? 'many' : 'few'}`, {
  title: `The event loop, ${cores} cores`,
  note: `ResNet-50, float32, batch 64: a feed of 38.5 MB. ${runs} runs, one after the other; the longest time between two turns of the loop during a run, and how long the call of \`run\` takes.`,
  head: [
    'feed',
    'loop held, ms, median',
    '90 %',
    'longest',
    'call returns after, ms, median',
    'longest',
    'goal',
    'met',
  ],
});

const one = cell('ResNet-50', 'float32', 64);
using engine = await loadEngine(planOfCell(one));
using context = await engine.createContext();
const data = inputOfCell(one) as Float32Array;
const pinned = hostTensor({ dtype: 'float32', shape: one.shape });
(pinned.data as Float32Array).set(data);
const copies = Array.from({ length: runs + 5 }, () => data.slice());

const feeds: Record<string, (context: Context) => Promise<unknown>> = {
  'ordinary array': (context) => context.run({ image: data }),
  'page-locked': (context) => context.run({ image: pinned }),
  'transfer: true': (context) => context.run({ image: copies.pop()! }, { transfer: true }),
};
for (const [name, run] of Object.entries(feeds)) {
  for (let i = 0; i < 5; i++) await run(context);
  const times: Awaited<ReturnType<typeof held>>[] = [];
  for (let i = 0; i < runs; i++) times.push(await held(() => run(context)));
  const [longest, returns] = [times.map((one) => one.longest), times.map((one) => one.returns)];
  const ms = (value: number) => value.toFixed(2);
  // The goal is of 16 cores.
  const goal = cores >= 16 ? ['≤ 2 ms', median(longest) <= 2 ? 'yes' : 'no'] : ['', ''];
  add(
    name,
    ms(median(longest)),
    ms(quantile(longest, 0.9)),
    ms(Math.max(...longest)),
    ms(median(returns)),
    ms(Math.max(...returns)),
    ...goal,
  );
}
