import { lstat, open, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineMetadata } from '../files/metadata.js';
import { describeEntry, type Entry, type EntryHead } from './entry.js';
import { hashFolder } from './file-hashes.js';
import { tryLock, unlock } from './lock.js';
import { timingFolder } from './timing.js';

const suffix = '.engine';
const block = 4096;
/** Temporary files of src/write-file.ts. Those of processes that are gone are removed by the next one that writes. */
const unfinished = /^\.node-tensorrt-.*\.tmp$/;
const name = /^[0-9a-f]{64}\.engine$/;

export const fileOf = (folder: string, key: string): string => join(folder, key + suffix);
export const lockOf = (folder: string, key: string): string => join(folder, `${key}.lock`);

/** Its time is that of the last use: the engine's own tells those who have it mapped whether it was changed. */
const markOf = (folder: string, key: string): string => join(folder, `${key}.used`);

/** Marks an entry as used now. */
export async function markUsed(folder: string, key: string): Promise<void> {
  const path = markOf(folder, key);
  const now = new Date();
  try {
    await utimes(path, now, now).catch(async () => (await open(path, 'w')).close());
  } catch {
    // Who may not write may read.
  }
}

interface EntryFile {
  key: string;
  path: string;
  /** On the disk. */
  bytes: number;
  /** When it was last built or used. */
  usedMs: number;
}

/** The engines of a cache, what was used last first. A folder that is not there has none. @throws Node's errors */
export async function entryFiles(folder: string): Promise<EntryFile[]> {
  const names = (await namesIn(folder)).filter((one) => name.test(one));
  const files = await Promise.all(
    names.map(async (one): Promise<EntryFile | undefined> => {
      const path = join(folder, one);
      // Another process may have removed it.
      const stats = await lstat(path).catch(() => undefined);
      if (!stats?.isFile()) return undefined;
      const key = one.slice(0, -suffix.length);
      const mark = await lstat(markOf(folder, key)).catch(() => undefined);
      const bytes = Math.ceil(stats.size / block) * block;
      return { key, path, bytes, usedMs: Math.max(stats.mtimeMs, mark?.mtimeMs ?? 0) };
    }),
  );
  return files.filter((file) => file !== undefined).sort((a, b) => b.usedMs - a.usedMs);
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}

/** An engine in a cache. */
export interface CacheEntry {
  key: string;
  path: string;
  /** On the disk. */
  bytes: number;
  /** When it was last built or taken from the cache, as ISO 8601. */
  used: string;
  /** What it says of itself; absent if it is damaged. */
  engine?:
    | (Pick<EntryHead, 'parts' | 'built' | 'buildMs'> & Pick<EngineMetadata, 'name' | 'library' | 'gpu'>)
    | undefined;
}

/** The engines of a cache, what was used last first. @throws Node's errors if the folder cannot be read */
export async function listEntries(folder: string): Promise<CacheEntry[]> {
  const files = await entryFiles(folder);
  return Promise.all(
    files.map(async ({ key, path, bytes, usedMs }) => {
      const found = await describeEntry(path).catch(() => undefined);
      return { key, path, bytes, used: new Date(usedMs).toISOString(), ...(found && { engine: engineOf(found) }) };
    }),
  );
}

function engineOf({ head, metadata }: Pick<Entry, 'head' | 'metadata'>): CacheEntry['engine'] {
  const { parts, built, buildMs } = head;
  const { name, library, gpu } = metadata;
  return { name, library, gpu, built, buildMs, parts };
}

/** What is to go from a cache. */
export interface Pruning {
  /** Most bytes that may stay; what was not used for longest goes. */
  maxSize?: number | undefined;
  /** Milliseconds for which an engine may go unused. */
  olderThan?: number | undefined;
}

export interface Removed {
  engines: number;
  bytes: number;
}

/** Removes engines, but none that is being built. Who reads one that is removed reads on. @throws Node's errors */
export async function pruneEntries(folder: string, { maxSize, olderThan }: Pruning, keep?: string): Promise<Removed> {
  const files = await entryFiles(folder);
  let left = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const removed: Removed = { engines: 0, bytes: 0 };
  for (const { key, bytes, usedMs } of files.reverse()) {
    const isOld = olderThan !== undefined && Date.now() - usedMs > olderThan;
    const isTooMuch = maxSize !== undefined && left > maxSize;
    if (key === keep || !(isOld || isTooMuch) || !(await removeUnlocked(folder, key))) continue;
    left -= bytes;
    removed.engines++;
    removed.bytes += bytes;
  }
  return removed;
}

/** Makes room after an engine was added. */
export async function evict(folder: string, limit: number, added: string): Promise<void> {
  await pruneEntries(folder, { maxSize: limit }, added);
}

/** Whether it was removed: not while somebody builds it. */
async function removeUnlocked(folder: string, key: string): Promise<boolean> {
  const held = await tryLock(lockOf(folder, key));
  if (!held) return false;
  try {
    await rm(fileOf(folder, key), { force: true });
    await rm(markOf(folder, key), { force: true });
    return true;
  } finally {
    unlock(held);
  }
}

/**
 * Removes all engines but those being built, timing caches, what remembers hashes, and what killed processes left.
 * @throws Node's errors
 */
export async function clearCache(folder: string): Promise<Removed> {
  const removed = await pruneEntries(folder, { maxSize: -1 });
  for (const one of [hashFolder, timingFolder]) await rm(join(folder, one), { recursive: true, force: true });
  for (const one of await namesIn(folder)) {
    if (!unfinished.test(one)) continue;
    const path = join(folder, one);
    const { mtimeMs = Date.now() } = (await stat(path).catch(() => undefined)) ?? {};
    // A younger one may be being written.
    if (Date.now() - mtimeMs > 3_600_000) await rm(path, { force: true });
  }
  return removed;
}
