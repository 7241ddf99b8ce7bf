import { existsSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAge, parseSize } from '../../../src/tensorrt/cache/amounts.js';
import { clearCache, entryFiles, listEntries, pruneEntries } from '../../../src/tensorrt/cache/entries.js';
import { tryLock, unlock } from '../../../src/tensorrt/cache/lock.js';
import { temporaryFolder } from './support.js';

const day = 86_400_000;
const key = (digit: string): string => digit.repeat(64);

/** A cache with engines of a block each, 'a' used last. */
function filled(...digits: string[]): string {
  const folder = temporaryFolder();
  digits.forEach((digit, age) => {
    const path = join(folder, `${key(digit)}.engine`);
    writeFileSync(path, 'x'.repeat(4096));
    utimesSync(path, new Date(Date.now() - age * day), new Date(Date.now() - age * day));
  });
  return folder;
}
const left = async (folder: string): Promise<string> => (await entryFiles(folder)).map((one) => one.key[0]).join('');

test('engines are listed by their last use; nothing else is', async () => {
  const folder = filled('a', 'b', 'c');
  writeFileSync(join(folder, 'notes.txt'), '');
  writeFileSync(join(folder, 'short.engine'), '');
  mkdirSync(join(folder, `${key('d')}.engine`));
  symlinkSync('/etc/passwd', join(folder, `${key('e')}.engine`));
  expect(await left(folder)).toBe('abc');
  expect(await entryFiles(join(folder, 'none'))).toEqual([]);
  const [first] = await listEntries(folder);
  expect(first).toEqual({
    key: key('a'),
    path: join(folder, `${key('a')}.engine`),
    bytes: 4096,
    used: expect.any(String),
  });
});

describe('pruning', () => {
  test('by size: what was not used for longest goes', async () => {
    const folder = filled('a', 'b', 'c', 'd');
    expect(await pruneEntries(folder, { maxSize: 2 * 4096 })).toEqual({ engines: 2, bytes: 8192 });
    expect(await left(folder)).toBe('ab');
    expect(await pruneEntries(folder, { maxSize: 2 * 4096 })).toEqual({ engines: 0, bytes: 0 });
  });

  test('by age', async () => {
    const folder = filled('a', 'b', 'c', 'd');
    await pruneEntries(folder, { olderThan: 1.5 * day });
    expect(await left(folder)).toBe('ab');
  });

  test('by both, and by neither', async () => {
    const folder = filled('a', 'b', 'c', 'd');
    await pruneEntries(folder, {});
    expect(await left(folder)).toBe('abcd');
    await pruneEntries(folder, { olderThan: 2.5 * day, maxSize: 4096 });
    expect(await left(folder)).toBe('a');
  });

  test('leaves what is being built', async () => {
    const folder = filled('a', 'b');
    const held = (await tryLock(join(folder, `${key('b')}.lock`)))!;
    await pruneEntries(folder, { maxSize: 0 });
    expect(await left(folder)).toBe('b');
    unlock(held);
    await pruneEntries(folder, { maxSize: 0 });
    expect(await left(folder)).toBe('');
  });

  test('a link is no engine: what it leads to stays', async () => {
    const folder = filled('a');
    const target = join(temporaryFolder(), 'target');
    writeFileSync(target, 'mine');
    symlinkSync(target, join(folder, `${key('f')}.engine`));
    await clearCache(folder);
    expect(existsSync(target)).toBe(true);
  });
});

test('clearing takes engines, hashes, timing caches and what killed processes left long ago', async () => {
  const folder = filled('a');
  const made = ['hashes/x.json', 'timing/y.cache', 'keep.txt'].map((name) => join(folder, name));
  for (const name of ['hashes', 'timing']) mkdirSync(join(folder, name));
  for (const path of made) writeFileSync(path, '');
  const [old, young] = ['1', '2'].map((n) => join(folder, `.node-tensorrt-00000000-${n}-000000000000.tmp`));
  for (const path of [old!, young!]) writeFileSync(path, '');
  utimesSync(old!, new Date(Date.now() - day), new Date(Date.now() - day));
  expect(await clearCache(folder)).toEqual({ engines: 1, bytes: 4096 });
  expect([...made, old!, young!].map((path) => existsSync(path))).toEqual([false, false, true, false, true]);
  expect(await clearCache(join(folder, 'none'))).toEqual({ engines: 0, bytes: 0 });
});

test.each([
  ['5GB', 5e9],
  ['1.5 GiB', 1.5 * 2 ** 30],
  ['500mb', 5e8],
  ['0', 0],
  ['12', 12],
])('%s is %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

test.each(['', 'GB', '-1', '5 XB', '1e400', '9e9TB', '5GBs', 'toString', '99999999TB'])('%j is no size', (text) =>
  expect(parseSize(text)).toBeUndefined(),
);

test('times', () => {
  expect(['30d', '12h', '90m', '5s', '2w'].map(parseAge)).toEqual([30 * day, day / 2, 5_400_000, 5000, 14 * day]);
  expect(['30', 'd', '-1d', '1y', '1constructor'].map(parseAge)).toEqual(Array(5).fill(undefined));
});
