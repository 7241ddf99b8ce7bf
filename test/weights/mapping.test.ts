import { spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, test } from 'vitest';
import { loadWeights } from '../../src/weights/index.js';
import { failure, fixture, safetensors } from './helpers.js';

const folder = mkdtempSync(join(tmpdir(), 'weights-map-'));
afterAll(() => rmSync(folder, { recursive: true }));
const addon = fileURLToPath(new URL('../../build/Release/node_tensorrt.node', import.meta.url));

/** A sparse safetensors file of byte tensors: takes no disk. */
function sparse(name: string, sizes: Record<string, number>): string {
  let at = 0;
  const header: Record<string, unknown> = {};
  for (const [tensor, size] of Object.entries(sizes)) {
    header[tensor] = { dtype: 'U8', shape: [size], data_offsets: [at, at + size] };
    at += size;
  }
  const path = join(folder, name);
  const head = safetensors(header);
  writeFileSync(path, head);
  truncateSync(path, head.length + at);
  writeSync(openSync(path, 'r+'), new Uint8Array([7]), 0, 1, head.length + at - 1);
  return path;
}

test('files larger than a buffer may be, without their size in memory', async () => {
  const giga = 2 ** 30;
  const path = sparse('large', { a: 3 * giga, b: 3 * giga, big: 5 * giga, z: 16 });
  const before = process.memoryUsage().rss;
  using weights = await loadWeights(path);
  const { data } = weights.get('b');
  expect(data.length).toBe(3 * giga);
  expect(data[3 * giga - 1]).toBe(0);
  expect([...weights.get('z').data].at(-1)).toBe(7);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
  expect((await failure(() => weights.get('big').data)).code).toBe('ERR_WEIGHTS_TOO_LARGE');
});

test('a file that shrinks while its next pages are mapped ahead', async () => {
  const names = Array.from({ length: 16 }, (_, i) => `t${i}`);
  for (const keep of [0, 1, 9]) {
    const path = sparse(`ahead${keep}`, Object.fromEntries(names.map((name) => [name, 4 * 2 ** 20])));
    using weights = await loadWeights(path);
    for (const name of names.slice(0, 3)) expect(weights.get(name).data[4 * 2 ** 20 - 1]).toBe(0);
    truncateSync(path, keep * 4 * 2 ** 20);
    expect((await failure(() => weights.get('t15').data)).code).toBe('ERR_WEIGHTS_CHANGED');
  }
});

test('a file that shrinks under a conversion', async () => {
  const path = sparse('shrinks', { a: 64 * 2 ** 20 });
  using weights = await loadWeights(path);
  const a = weights.get('a');
  expect(a.data.length).toBe(64 * 2 ** 20);
  const { bytes } = a;
  truncateSync(path, 4096);
  // Read past the check, as a conversion does that began before: all threads meet the missing pages.
  const { binding } = await import('../../src/weights/binding.js');
  binding().convert(bytes, 'uint8', new Uint8Array(2 * bytes.length), 'float16', bytes.length);
  expect((await failure(() => a.check())).code).toBe('ERR_WEIGHTS_CHANGED');
  expect((await failure(() => a.as('float16'))).code).toBe('ERR_WEIGHTS_CHANGED');
});

const script = `const native = require(${JSON.stringify(addon)}); const file = native.mapFile(${JSON.stringify(fixture('odd.safetensors'))});`;

test('SIGBUS from elsewhere still ends the process', () => {
  const child = spawnSync(process.execPath, [
    '-e',
    `${script} process.kill(process.pid, 'SIGBUS'); setTimeout(() => {}, 5000);`,
  ]);
  expect(child.signal).toBe('SIGBUS');
});

test('exit with files mapped, and views left over', () => {
  const child = spawnSync(process.execPath, ['-e', `${script} globalThis.view = file.view(0, 8); process.exit(3);`]);
  expect([child.status, child.signal]).toEqual([3, null]);
});

test('works in worker threads, also when they end with files mapped', async () => {
  const worker = new Worker(
    `${script} const view = new Uint8Array(file.view(0, 8)); require('node:worker_threads').parentPort.postMessage(view[0]);`,
    { eval: true },
  );
  const [first] = await Promise.all([
    new Promise((resolve) => worker.once('message', resolve)),
    new Promise((resolve) => worker.once('exit', resolve)),
  ]);
  expect(first).toBeGreaterThan(0);
});

test('ten thousand files opened and closed leave nothing open', async () => {
  for (let i = 0; i < 10_000; i++) (await loadWeights(fixture('bf16.safetensors'))).dispose();
  // More at once than the table of mappings has room for is an error, not a crash.
  const open: { dispose(): void }[] = [];
  const error = await failure(async () => {
    for (let i = 0; i < 5000; i++) open.push(await loadWeights(fixture('bf16.safetensors')));
  });
  expect(error.code).toBe('ERR_WEIGHTS_FILE');
  for (const weights of open) weights.dispose();
});
