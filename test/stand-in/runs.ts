import { beforeAll, describe, expect, test } from 'vitest';
import { type RunCase, wholeProgram } from '../runtime/cases.js';
import { resultOf } from '../tensorrt/child.js';
import { compiling, endStandIn, prepare } from './harness.js';

/** Runs cases on the stand-in, each with every seed of its random delays. */
export function testOnStandIn(name: string, cases: readonly RunCase[]): void {
  beforeAll(() => prepare(...new Set(cases.map(({ standIn }) => standIn?.release ?? '10.6.0'))), compiling);
  describe(name, () => {
    for (const one of cases) {
      for (const seed of one.seeds ?? [1]) {
        test(one.seeds ? `${one.title} (delays of seed ${seed})` : one.title, () => check(one, seed), 120_000);
      }
    }
  });
}

async function check(one: RunCase, seed: number): Promise<void> {
  const { standIn, delay = 200, limitMs = 60_000, code = 0 } = one;
  // Threads that look for work, and threads that sleep.
  const env = { STANDIN_DELAY: `${delay},${seed}`, NODE_TENSORRT_SPIN: String(seed % 2), ...standIn?.env };
  const { ended, log } = await endStandIn(wholeProgram(one), { ...standIn, env, limitMs });
  expect([ended.code, ended.signal], `${ended.stderr}\n${ended.stdout}`).toEqual([code, null]);
  one.check?.({ ended, log, result: ended.stdout.trim() === '' ? undefined : resultOf({ ...ended, code: 0 }) });
}
