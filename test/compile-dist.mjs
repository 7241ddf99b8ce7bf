import { resolve } from 'node:path';
import { setupLock, withLock } from '../scripts/install/lock.mjs';
import { compileDist, distIsFresh } from '../scripts/lib/dist.mjs';

const root = resolve(import.meta.dirname, '..');

/** Tests of the command line run dist/, which starts in a third of the time that src/ takes through tsx. */
export default async function compileStale() {
  if (!distIsFresh(root)) await withLock(setupLock(root), () => (distIsFresh(root) ? undefined : compileDist(root)));
}
