import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { TensorRTError } from '../../src/errors/error.js';
import { binding } from '../../src/weights/binding.js';
import { loadWeights } from '../../src/weights/index.js';
import { adversaries } from './adversaries.js';

// Run as a program: loads one adversary after the other and prints what each took. Times are those that this thread was
// on a processor, which others on the machine do not change.

export interface Cost {
  name: string;
  bytes: number;
  /** ms on a processor */
  ms: number;
  /** The longest between two turns of the event loop, ms on a processor. */
  longest: number;
  /** Bytes of JavaScript's heap and of buffers at the most, seen at each turn. */
  memory: number;
  /** Tensors, or the error's code and message. */
  outcome: string;
}

const schedule = `/proc/self/task/${process.pid}/schedstat`;
const onProcessor = (): number => Number(readFileSync(schedule, 'latin1').split(' ')[0]) / 1e6;
const inUse = (): number => {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
};

export async function costOf(name: string, bytes: Uint8Array): Promise<Cost> {
  const path = join(tmpdir(), `adversary-${process.pid}`);
  writeFileSync(path, bytes);
  const size = bytes.length;
  globalThis.gc?.();
  const before = inUse();
  const began = onProcessor();
  let [last, longest, memory, running] = [began, 0, before, true];
  const look = () => {
    const now = onProcessor();
    longest = Math.max(longest, now - last);
    memory = Math.max(memory, inUse());
    last = onProcessor();
  };
  const turn = () => {
    look();
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  let outcome: string;
  try {
    using weights = await loadWeights(path);
    outcome = `${weights.size} tensors`;
    look();
  } catch (error) {
    look();
    if (!(error instanceof TensorRTError)) throw error;
    outcome = `${error.code}: ${error.message.slice(0, 300)}`;
  }
  running = false;
  const ms = onProcessor() - began;
  rmSync(path);
  await new Promise(setImmediate);
  return { name, bytes: size, ms, longest, memory: memory - before, outcome };
}

if (process.argv[2] === 'run') {
  const [small, large, only = ''] = process.argv.slice(3);
  for (const [name, make] of Object.entries(adversaries((data) => binding().crc32(data)))) {
    if (!name.includes(only)) continue;
    // The first is to warm up.
    for (const n of [small, small, large])
      process.stdout.write(`${JSON.stringify(await costOf(name, make(Number(n))))}\n`);
  }
}
