import { linkSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readOr } from './files.mjs';

const BEAT_MS = 2000;
const STALE_MS = 30_000;
const POLL_MS = 100;

/**
 * Runs work while holding a lock file. The holder keeps touching the file. A lock is stale if its holder on this host is
 * gone, or if nobody has touched it for 30 s (holders on other hosts or in other containers).
 */
export async function withLock(path, work, onWait = () => {}) {
  mkdirSync(dirname(path), { recursive: true });
  const token = JSON.stringify({ pid: process.pid, host: hostname(), nonce: Math.random() });
  let waiting = false;
  while (!acquire(path, token)) {
    if (breakStale(path)) continue;
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
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return {};
  }
}

function age(path) {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

function isStale(path) {
  if (age(path) > STALE_MS) return true;
  const { pid, host } = holder(path);
  if (!pid || host !== hostname()) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Breaks a stale lock, one process at a time. It checks again first, so a fresh lock is never taken from its holder. */
function breakStale(path) {
  if (!isStale(path)) return false;
  const breaker = `${path}.break`;
  if (age(breaker) > STALE_MS) rmSync(breaker, { force: true });
  if (!acquire(breaker, String(process.pid))) return false;
  try {
    if (!isStale(path)) return false;
    rmSync(path, { force: true });
    return true;
  } finally {
    rmSync(breaker, { force: true });
  }
}
