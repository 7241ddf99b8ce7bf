import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder } from '../../write-file.js';
import { binding, type Handle } from '../binding.js';

const firstMs = 5;
const mostMs = 100;

/** How to wait for a lock. */
export interface Waiting {
  /** Ends the wait at once. */
  signal?: AbortSignal | undefined;
  /** Throws where the wait is to end. */
  check(): void;
  /** Called once, if somebody else has the lock. */
  onWait?(): void;
}

/**
 * Takes a lock, once whoever has it lets go of it: another process or thread, or one that died, whose lock the system frees. Locks are
 * flock(2)'s. On NFS they count between machines where its lock service runs; without it this throws ENOLCK, and nobody waits.
 * @throws what `check` throws; Node's errors where there can be no lock
 */
export async function lock(path: string, { signal, check, onWait }: Waiting): Promise<Handle> {
  let waits = firstMs;
  for (let isFirst = true; ; isFirst = false) {
    check();
    const held = await tryLock(path);
    if (held) return held;
    if (isFirst) onWait?.();
    await sleep(waits, undefined, { signal }).catch(() => {});
    waits = Math.min(mostMs, waits * 1.5);
  }
}

/** Takes a lock if nobody has it. */
export async function tryLock(path: string): Promise<Handle | null> {
  try {
    return binding().tryLock(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).errno !== -2) throw error;
    await makeFolder(dirname(path));
    return binding().tryLock(path);
  }
}

export const unlock = (held: Handle): void => binding().unlock(held);
