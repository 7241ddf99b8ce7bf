import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { listFiles, readOr, writeAtomic } from './files.mjs';

const RECORD = 'complete.json';

/** Remembers what an unpacked wheel is like. Written last, so that a folder that has it is whole. */
export function writeRecord(dir, facts) {
  const files = listFiles(dir).map((file) => relative(dir, file));
  const stats = files.map((file) => statSync(join(dir, file)));
  const sizes = Object.fromEntries(files.map((file, i) => [file, stats[i].size]));
  const seen = Object.fromEntries(files.map((file, i) => [file, look(stats[i])]));
  writeFileSync(join(dir, RECORD), JSON.stringify({ ...facts, sizes, seen }, null, 2));
}

/** Changes whenever the file does. */
const look = ({ ino, mtimeMs, ctimeMs }) => [ino, mtimeMs, ctimeMs].join();

/**
 * Whether files are as they were installed. The wheel's own RECORD has their SHA-256, which is computed only for files
 * that changed since they were last seen to be right, or for all.
 * @param {{ only?: string, all?: boolean }} options `only`: one file, relative to the folder
 * @returns {string | null} what is wrong; null too for a folder without a record
 */
export function damage(dir, { only, all = false } = {}) {
  const text = readOr(join(dir, RECORD), null);
  if (text === null) return null;
  let record;
  try {
    record = JSON.parse(text);
    if (typeof record.sizes !== 'object' || record.sizes === null) throw new Error();
  } catch {
    return `${join(dir, RECORD)} is damaged`;
  }
  const { sizes, seen = {} } = record;
  if (only !== undefined && !Object.hasOwn(sizes, only)) return null;
  const files = only === undefined ? Object.keys(sizes) : [only];
  const hashes = wheelHashes(dir, Object.keys(sizes));
  const changed = {};
  for (const file of files) {
    const path = join(dir, file);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats) return `${path} is missing`;
    if (stats.size !== sizes[file])
      return `${path} has ${stats.size} bytes, not the ${sizes[file]} it was installed with`;
    const now = look(stats);
    if (!all && seen[file] === now) continue;
    const expected = hashes.get(file);
    if (expected !== undefined && sha256(path) !== expected) return `${path} was changed: its SHA-256 is another`;
    if (seen[file] !== now) changed[file] = now;
  }
  if (Object.keys(changed).length) remember(dir, record, changed);
  return null;
}

/** Spares the next check the hashing; a folder that cannot be written is hashed again. */
function remember(dir, record, changed) {
  try {
    writeAtomic(join(dir, RECORD), JSON.stringify({ ...record, seen: { ...record.seen, ...changed } }, null, 2));
  } catch {}
}

/** SHA-256 by file, from the RECORD that every wheel has. */
function wheelHashes(dir, files) {
  const lists = files.filter((file) => /^[^/]+\.dist-info\/RECORD$/.test(file));
  const lines = lists.flatMap((list) => readOr(join(dir, list), '').split('\n'));
  const rows = lines.map((line) => /^(.*),sha256=([\w-]+),\d+\r?$/.exec(line)).filter(Boolean);
  return new Map(rows.map(([, file, hash]) => [file.replace(/^"(.*)"$/, '$1'), hash]));
}

function sha256(path) {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(2 ** 20);
  const file = openSync(path, 'r');
  try {
    for (let length = 1; length; ) {
      length = readSync(file, buffer);
      hash.update(buffer.subarray(0, length));
    }
  } finally {
    closeSync(file);
  }
  return hash.digest('base64url');
}
