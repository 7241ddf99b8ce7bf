import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChildOptions, type Ended, runFile } from '../child.js';

const here = JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href);

/** What programs of `runDist` may use. */
const prelude = `import * as fs from 'node:fs';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { float32, network } from ${here};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const childrenOf = () => fs.readdirSync('/proc/self/task')
  .flatMap((task) => fs.readFileSync('/proc/self/task/' + task + '/children', 'utf8').trim().split(' ').filter(Boolean).map(Number));
const until = async (holds) => { for (let i = 0; i < 1000 && !holds(); i++) await pause(5); return holds(); };
const build = (layers = 2) => {
  const net = network('chain', { x: float32('batch', 8) });
  let x = net.tensor();
  for (let i = 0; i < layers; i++) x = i % 2 ? x.relu() : x.sigmoid();
  x.output('y');
  return net.build({ isolate: true, library: 'rtx1' });
};
const outcome = (promise) => promise.then(() => 'built', ({ code, message }) => [code, message]);
`;

/** Runs JavaScript in a process of its own, against dist/: what users have, and it starts fast. */
export async function runDist(program: string, options: ChildOptions = {}): Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), 'isolate-'));
  try {
    const file = join(folder, 'main.mjs');
    writeFileSync(file, prelude + program);
    return await runFile(file, options);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The processes that this one started and that still run, by their ids. */
export function childrenOf(pid: number | 'self' = 'self'): number[] {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks)
    .flatMap((task) => readFileSync(`${tasks}/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number))
    .filter((child) => builds(child));
}

/** Whether the process builds for another. */
function builds(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('isolate/child.');
  } catch {
    return false;
  }
}

/** Whether a process runs; one that has ended and waits for its parent does not. */
export function runs(pid: number): boolean {
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until something holds; false after so many ms. */
export async function until(holds: () => boolean, ms = 5000): Promise<boolean> {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) return false;
    await pause(10);
  }
  return true;
}
