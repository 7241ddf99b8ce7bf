import { beforeAll, expect, test } from 'vitest';
import { compiling, prepare, runStandIn } from '../../stand-in/harness.js';

beforeAll(() => prepare('10.6.0'), compiling);

interface Turns {
  /** Of the loop, during all runs. */
  during: number;
  /** Within 30 ms after them. */
  after: number;
  /** Timers that fired at their time during the runs. */
  timers: number;
}

/** Runs one after the other, of some milliseconds each. */
async function turnsOf(spin: '0' | '1'): Promise<Turns> {
  const { result } = await runStandIn<Turns>(
    `const { nodeTiming } = (await import('node:perf_hooks')).performance;
    const net = network('n');
    net.input('x', float32(16)).relu().output('y');
    const engine = await net.build();
    const context = await engine.createContext();
    const runs = async () => {
      for (let i = 0; i < 60; i++) await context.run({ x: new Float32Array(16) });
    };
    await runs();
    const turns = async (work) => {
      const before = nodeTiming.uvMetricsInfo.loopCount;
      await work();
      return nodeTiming.uvMetricsInfo.loopCount - before;
    };
    const during = await turns(runs);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const after = await turns(() => new Promise((resolve) => setTimeout(resolve, 30)));
    let timers = 0;
    const timer = setInterval(() => timers++, 2);
    await runs();
    clearInterval(timer);
    console.log(JSON.stringify({ during, after, timers }));`,
    { env: { NODE_TENSORRT_SPIN: spin, STANDIN_DELAY: '3000,1' } },
  );
  return result;
}

test('the event loop is awake when runs end, does other work meanwhile, and sleeps afterwards', async () => {
  const [awake, asleep] = [await turnsOf('1'), await turnsOf('0')];
  expect(awake.during).toBeGreaterThan(asleep.during + 100);
  expect(awake.timers).toBeGreaterThan(20);
  expect(awake.after).toBeLessThan(10);
});
