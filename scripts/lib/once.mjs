import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withLock } from '../install/lock.mjs';

/**
 * Makes a folder of the cache, once: whole or not at all. One without `file` is made again.
 * @param {string} folder
 * @param {string} file what has to be in it
 * @param {(temporary: string) => Promise<void>} work fills a folder that takes its place
 * @returns {Promise<string>} the path of the file
 */
export async function once(folder, file, work) {
  const path = join(folder, file);
  mkdirSync(dirname(folder), { recursive: true });
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(path)) return;
    const temporary = mkdtempSync(`${folder}.tmp-`);
    try {
      await work(temporary);
      rmSync(folder, { recursive: true, force: true });
      renameSync(temporary, folder);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  });
  return path;
}
