import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { TensorRTError } from '../../src/errors/error.js';
import { Work } from '../../src/weights/formats/work.js';
import type { Cost } from './cost.js';

// What a hostile file costs, by generator: processor time of this thread, memory, and the time without a turn of the event
// loop. Bounds are multiples of what an honest file of the same size takes in the same run, in which every byte is work too: a
// safetensors header of nothing but tensors.

const honest = 'safetensors: tensors';
const [small, large] = [250_000, 1_000_000];
const most = {
  /** times the honest file's, for as many bytes, and for the million steps that any file may take */
  time: 8,
  /** bytes, and bytes for each byte */
  memory: 64 * 2 ** 20,
  memoryPerByte: 64,
  /** ms, and of all the time, for V8's garbage collection on a busy machine; without a turn it is all of the time */
  longest: 50,
  longestShare: 0.1,
};

const program = fileURLToPath(new URL('cost.ts', import.meta.url));
const lines = execFileSync(
  process.execPath,
  ['--expose-gc', '--import', 'tsx', program, 'run', String(small), String(large)],
  { encoding: 'utf8', maxBuffer: 2 ** 26 },
);
const costs = lines
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Cost);
const base = costs.findLast(({ name }) => name === honest)!;
const cases = costs.map((cost): [string, number, Cost] => [cost.name, cost.bytes, cost]);

test.each(cases)('%s, %i bytes', (_, bytes, { ms, memory, longest, outcome }) => {
  expect(outcome).toMatch(/^(\d+ tensors|ERR_WEIGHTS_(FORMAT|FILE): )/);
  expect(ms).toBeLessThan(most.time * base.ms * (1 + bytes / base.bytes));
  expect(memory).toBeLessThan(most.memory + most.memoryPerByte * bytes);
  expect(longest).toBeLessThan(most.longest + most.longestShare * ms);
});

test('steps are bounded by the size alone', () => {
  const allowed = (bytes: number): number => {
    const work = new Work(bytes, (problem) => new TensorRTError('ERR_WEIGHTS_FORMAT', problem));
    let steps = 0;
    expect(() => {
      for (; ; steps += 1000) work.spend(1000);
    }).toThrow(/takes more than \d+ steps to read/);
    return steps;
  };
  expect(allowed(0)).toBeLessThanOrEqual(2 ** 20);
  expect(allowed(10 ** 7) - allowed(0)).toBeLessThanOrEqual(2 * 10 ** 7 + 1000);
});
