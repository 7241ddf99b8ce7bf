import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadWeights, saveSafetensors, type Weight, weight } from '../src/weights/index.js';

// Compares reading and converting weights with Python's safetensors and PyTorch, in one run on the same cores and files.
// Ratios are ours / theirs; the goal is at most 1. PYTHON names the interpreter that has them (default python3).

const megabytes = Number(process.env.BENCH_MB ?? 2048);
const tensors = 128;
const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const count = (megabytes / 2) * 2 ** 18; // float32, half of the file's size

const folder = mkdtempSync(join(tmpdir(), 'bench-weights-'));
const path = join(folder, 'bench.safetensors');

async function best(run: () => unknown, times = 3): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    await run();
    least = Math.min(least, performance.now() - began);
  }
  return least;
}

const elements = (megabytes * 2 ** 18) / tensors;

async function write(): Promise<void> {
  const data = Float32Array.from({ length: elements }, (_, i) => i);
  const all: Record<string, Weight> = {};
  for (let i = 0; i < tensors; i++) all[`layer.${i}.weight`] = weight(data, [1024, elements / 1024]);
  await saveSafetensors(path, all);
}

const scratch = new Uint8Array(4 * elements);

/** Opens the file and copies every tensor out of the mapping once, like Python's get_tensor (which also reuses memory). */
async function readAll(): Promise<void> {
  using weights = await loadWeights(path);
  for (const name of weights.names()) scratch.set(weights.get(name).bytes);
}

/** Opens the file and gets every tensor as a typed array, which is what a network needs. */
async function open(): Promise<void> {
  using weights = await loadWeights(path);
  for (const name of weights.names()) weights.get(name).data;
}

interface Python {
  read: number | null;
  float16: number | null;
  bfloat16: number | null;
  torch: string | null;
}

function python(): Python | undefined {
  const script = fileURLToPath(new URL('weights.py', import.meta.url));
  const child = spawnSync(process.env.PYTHON ?? 'python3', [script, path, String(count)], { encoding: 'utf8' });
  if (child.status === 0) return JSON.parse(child.stdout) as Python;
  console.error(`Python did not run: ${child.error?.message ?? child.stderr}`);
  return undefined;
}

function faster(a: Python | undefined, b: Python | undefined): Python | undefined {
  if (!a || !b) return a ?? b;
  const least = (x: number | null, y: number | null) => (x === null || y === null ? null : Math.min(x, y));
  return {
    ...a,
    read: least(a.read, b.read),
    float16: least(a.float16, b.float16),
    bfloat16: least(a.bfloat16, b.bfloat16),
  };
}

try {
  await write();
  const before = process.memoryUsage();
  const opened = await best(open);
  const after = process.memoryUsage();
  const values = weight(Float32Array.from({ length: count }, (_, i) => i));
  // Rounds alternate, so that other load on the machine affects both.
  let [read, half, bfloat] = [Infinity, Infinity, Infinity];
  let theirs: Python | undefined;
  for (let round = 0; round < rounds; round++) {
    read = Math.min(read, await best(readAll));
    half = Math.min(half, await best(() => values.as('float16')));
    bfloat = Math.min(bfloat, await best(() => values.as('bfloat16')));
    theirs = faster(theirs, python());
  }
  const row = (ours: number, other: number | null | undefined) => ({
    oursMs: Math.round(ours),
    pythonMs: other ? Math.round(other) : 'absent',
    ratio: other ? Number((ours / other).toFixed(2)) : 'absent',
  });
  console.table({
    // Python has no view of a mapped tensor: both rows are compared with its get_tensor, which copies.
    [`view ${megabytes} MB of safetensors`]: row(opened, theirs?.read),
    [`copy ${megabytes} MB of safetensors`]: row(read, theirs?.read),
    [`float32 to float16, ${megabytes / 2} MB`]: row(half, theirs?.float16),
    [`float32 to bfloat16, ${megabytes / 2} MB`]: row(bfloat, theirs?.bfloat16),
  });
  console.log(
    `view every tensor: heap +${((after.heapUsed - before.heapUsed) / 2 ** 20).toFixed(1)} MB, resident +${((after.rss - before.rss) / 2 ** 20).toFixed(1)} MB`,
  );
  console.log(`PyTorch: ${theirs?.torch ?? 'absent'}; here ${availableParallelism()} threads`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
