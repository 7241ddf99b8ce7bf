import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, test } from 'vitest';
import { addonPath } from '../../../src/addon.js';
import { binding } from '../../../src/tensorrt/binding.js';
import { lock, tryLock, unlock } from '../../../src/tensorrt/cache/lock.js';

const folder = mkdtempSync(join(tmpdir(), 'cache-lock-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'one.lock');
const check = () => {};

/** Holds the lock, says so, and stays until it is killed. */
const holding = `const held = require(${JSON.stringify(addonPath())}).tryLock(${JSON.stringify(path)});
console.log(held ? 'held' : 'taken'); setInterval(() => held, 1000);`;

test('who has it keeps others from it, in this thread too', async () => {
  const held = (await tryLock(path))!;
  expect(await tryLock(path)).toBeNull();
  expect(existsSync(path)).toBe(true);
  unlock(held);
  expect(existsSync(path)).toBe(false);
  unlock(held);
  const again = (await tryLock(path))!;
  expect(again).not.toBeNull();
  unlock(again);
});

test('a process that is killed loses it', async () => {
  const child = spawn(process.execPath, ['-e', holding], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  expect(await tryLock(path)).toBeNull();
  const waits: string[] = [];
  const taken = lock(path, { check, onWait: () => waits.push('waits') });
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(waits).toEqual(['waits']);
  child.kill('SIGKILL');
  unlock(await taken);
});

test('a worker thread that ends loses it', async () => {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const held = require(${JSON.stringify(addonPath())}).tryLock(${JSON.stringify(path)});
     parentPort.postMessage(!!held); setInterval(() => held, 1000);`,
    { eval: true },
  );
  expect(await new Promise((resolve) => worker.once('message', resolve))).toBe(true);
  expect(await tryLock(path)).toBeNull();
  const taken = lock(path, { check });
  await worker.terminate();
  unlock(await taken);
});

test('an abort ends the wait at once', async () => {
  const held = (await tryLock(path))!;
  const controller = new AbortController();
  const { signal } = controller;
  const waiting = lock(path, { signal, check: () => signal.throwIfAborted() });
  setTimeout(() => controller.abort(new Error('enough')), 20);
  await expect(waiting).rejects.toThrow('enough');
  unlock(held);
});

test('one whose file was removed keeps nobody', async () => {
  const held = (await tryLock(path))!;
  rmSync(path);
  const other = (await tryLock(path))!;
  expect(other).not.toBeNull();
  // The first does not remove the lock of the second.
  unlock(held);
  expect(existsSync(path)).toBe(true);
  unlock(other);
});

test('many who take turns are one at a time', async () => {
  let inside = 0;
  let most = 0;
  const one = async () => {
    const held = await lock(path, { check });
    most = Math.max(most, ++inside);
    await new Promise(setImmediate);
    inside--;
    unlock(held);
  };
  await Promise.all(Array.from({ length: 20 }, one));
  expect([most, inside]).toEqual([1, 0]);
});

test('a folder is made; what is no folder says so', async () => {
  const deep = join(folder, 'a', 'b', 'c.lock');
  unlock((await tryLock(deep))!);
  writeFileSync(join(folder, 'file'), '');
  await expect(tryLock(join(folder, 'file', 'x.lock'))).rejects.toMatchObject({ errno: -20 });
  expect(() => binding().tryLock('a\0b')).toThrow();
  expect(() => binding().unlock({} as never)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
});
