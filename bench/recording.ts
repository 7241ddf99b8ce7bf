import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { python, pythonEnvironment } from '../scripts/lib/python-bindings.js';
import { chooseTensorRT } from '../src/tensorrt/library/find.js';
import { layers } from './recording-network.js';

// Compares recording, handing over and lowering 1,000-layer chains (everything before TensorRT's own build) with creating the
// same networks through TensorRT-RTX's Python bindings, in turn in one run. Ratios are ours / theirs; the goal is at most 1.
// Both processes create each network several times; the first, cold one is shown separately.
// Python's styles: `plain` sets no names; `named` names layers and tensors as we do; `named, types read` also reads every
// shape and dtype, which node-tensorrt compares with what it inferred. PYTHON names the interpreter (default python3).
// Each layer remembers where it was recorded, for errors; `no stacks` is node --stack-trace-limit=0, which turns that off.

const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const times = 25;
const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

type Times = Record<string, number[]>;
type Measured = Record<string, Times>;

function json(command: string, args: string[], env: NodeJS.ProcessEnv): Measured {
  const child = spawnSync(command, args, { encoding: 'utf8', env, maxBuffer: 1 << 26 });
  if (child.status !== 0) throw new Error(child.error?.message ?? child.stderr);
  return JSON.parse(child.stdout.trim().split('\n').at(-1)!) as Measured;
}

const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[list.length >> 1]!;
const sum = (spent: Times): number[] => spent.record!.map((ms, i) => ms + spent.handOver![i]! + spent.lower![i]!);
const round = (value: number) => Number(value.toFixed(2));

const child = (...flags: string[]) =>
  json(process.execPath, [...flags, '--import', 'tsx', here('recording-child.ts'), String(times)], process.env);

const { path: library, version } = await chooseTensorRT({ for: 'build' });
const env = pythonEnvironment(library);
const ours: Measured[] = [];
const bare: Measured[] = [];
const theirs: Measured[] = [];
for (let i = 0; i < rounds; i++) {
  ours.push(child());
  if (env) theirs.push(json(python, [here('recording-network.py'), String(times)], env));
  bare.push(child('--stack-trace-limit=0'));
}

console.log(`${layers}-layer chains, TensorRT-RTX ${version}, milliseconds, ${rounds} rounds of ${times} each`);
const table: Record<string, object> = {};
for (const chain of ['mixed', 'relu']) {
  const own = Object.entries({ ours, bare }).map(([name, runs]) => {
    const spent = runs.map((run) => sum(run[chain]!));
    return { name, spent, warm: spent.map((list) => list.slice(1)) };
  });
  for (const { name, spent, warm } of own) {
    const part = (which: string) =>
      round(median((name === 'ours' ? ours : bare).map((run) => median(run[chain]![which]!.slice(1)))));
    table[`${chain}: node-tensorrt${name === 'bare' ? ', no stacks' : ''}`] = {
      median: round(median(warm.map(median))),
      best: round(Math.min(...warm.flat())),
      first: round(median(spent.map((list) => list[0]!))),
      recording: part('record'),
      'handing over': part('handOver'),
      lowering: part('lower'),
    };
  }
  for (const style of Object.keys(theirs[0]?.[chain] ?? {})) {
    const lists = theirs.map((run) => run[chain]![style]!);
    const other = lists.map((list) => list.slice(1));
    // Per round, when both ran on the same machine load; and the best of each, which other load disturbs least.
    const ratios = own.map(({ warm }) => ({
      medians: round(median(warm.map((list, i) => median(list) / median(other[i]!)))),
      bests: round(Math.min(...warm.flat()) / Math.min(...other.flat())),
    }));
    table[`${chain}: Python, ${style}`] = {
      median: round(median(other.map(median))),
      best: round(Math.min(...other.flat())),
      first: round(median(lists.map((list) => list[0]!))),
      'ratio of medians': ratios[0]!.medians,
      'of bests': ratios[0]!.bests,
      'no stacks: medians': ratios[1]!.medians,
      'no stacks: bests': ratios[1]!.bests,
    };
  }
}
console.table(table);
