import { linkSync, readFileSync, readlinkSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder, readOr } from './files.mjs';
import { SetupError } from './process.mjs';

const BEAT_MS = 2000;
const STALE_MS = 30_000;
/** More than clocks of hosts that share a folder differ by. */
const OLD_MS = 600_000;
const POLL_MS = 100;

/** Where process ids mean the same: this boot of this machine, in this container. */
const scope = [hostname(), readOr('/proc/sys/kernel/random/boot_id', '').trim(), namespace()].join(' ');

function namespace() {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** The lock for what is compiled and installed inside a checkout or package. */
export const setupLock = (root) => join(root, '.cache', 'setup.lock');

/**
 * Runs work while holding a lock file. The holder keeps touching the file. A lock is stale if its holder is gone, where
 * that can be seen; else if its time does not change while somebody waits for it, whatever time that is.
 * @param {{ onWait?: (holder: { pid?: number }) => void, staleMs?: number }} options
 */
export async function withLock(path, work, { onWait = () => {}, staleMs = STALE_MS } = {}) {
  const token = JSON.stringify({ pid: process.pid, scope, nonce: Math.random() });
  const watched = new Watch(path, staleMs);
  let waiting = false;
  while (!acquireOrExplain(path, token)) {
    if (breakStale(watched)) continue;
    if (!waiting) onWait(holder(path));
    waiting = true;
    await sleep(POLL_MS);
  }
  const beat = setInterval(() => touch(path), BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    if (readOr(path, '') === token) rmSync(path, { force: true });
  }
}

function acquireOrExplain(path, token) {
  try {
    makeFolder(dirname(path));
    return acquire(path, token);
  } catch (error) {
    throw new SetupError(`${dirname(path)} cannot be written: ${error.message}`, { cause: error });
  }
}

/** Creates the file with its content in one step, so that a lock is never seen empty. */
function acquire(path, token) {
  const own = `${path}.${process.pid}.${Math.random()}`;
  writeFileSync(own, token);
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

function touch(path) {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {}
}

function holder(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) ?? {};
  } catch {
    return {};
  }
}

/** Sees whether a file stays untouched, by this process's own clock. */
class Watch {
  #seen;
  #since = performance.now();

  constructor(path, staleMs) {
    this.path = path;
    this.staleMs = staleMs;
  }

  get isStale() {
    const stats = statSync(this.path, { throwIfNoEntry: false });
    if (!stats) return false;
    const seen = `${stats.ino} ${stats.mtimeMs}`;
    if (seen !== this.#seen) this.#since = performance.now();
    this.#seen = seen;
    return Date.now() - stats.mtimeMs > OLD_MS || performance.now() - this.#since > this.staleMs;
  }
}

function holderIsGone(path) {
  const { pid, scope: its } = holder(path);
  if (!pid || its !== scope) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Breaks a stale lock, one process at a time. It looks again first, so a fresh lock is never taken from its holder. */
function breakStale(watched) {
  const { path } = watched;
  const isStale = () => watched.isStale || holderIsGone(path);
  if (!isStale()) return false;
  const breaker = `${path}.break`;
  if (!acquire(breaker, '')) {
    watched.breaker ??= new Watch(breaker, watched.staleMs);
    if (watched.breaker.isStale) rmSync(breaker, { force: true });
    return false;
  }
  try {
    if (!isStale()) return false;
    rmSync(path, { force: true });
    return true;
  } finally {
    rmSync(breaker, { force: true });
  }
}
