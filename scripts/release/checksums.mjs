import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { writeAtomic } from '../install/files.mjs';

/** Writes SHA256SUMS, which `sha256sum --check` reads. Returns a line for each file, with its size. */
export function writeChecksums(out, files) {
  const sums = files.map((file) => {
    const hash = createHash('sha256').update(readFileSync(file)).digest('hex');
    return { hash, name: basename(file), size: statSync(file).size };
  });
  writeAtomic(join(out, 'SHA256SUMS'), sums.map(({ hash, name }) => `${hash}  ${name}\n`).join(''));
  return sums.map(({ hash, name, size }) => `${hash}  ${name} (${(size / 1e6).toFixed(2)} MB)`).join('\n');
}
