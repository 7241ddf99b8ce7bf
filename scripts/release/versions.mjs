import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeAtomic } from '../install/files.mjs';
import { isMain } from '../lib/main.mjs';
import { platforms } from './platforms.mjs';

const read = (path) => JSON.parse(readFileSync(path, 'utf8'));
const write = (path, value) => writeAtomic(path, `${JSON.stringify(value, null, 2)}\n`);

/** Gives the version of package.json to the platform packages, the lock file and the module that bundles have. */
export function syncVersions(root) {
  const { version } = read(join(root, 'package.json'));
  for (const { folder } of platforms) {
    const path = join(root, folder, 'package.json');
    if (existsSync(path)) write(path, { ...read(path), version });
  }
  const module = join(root, 'src', 'package', 'version.ts');
  writeAtomic(module, readFileSync(module, 'utf8').replace(/(?<=version = ')[^']+/, version));
  const path = join(root, 'package-lock.json');
  const lock = read(path);
  lock.version = version;
  lock.packages[''].version = version;
  write(path, lock);
  return version;
}

if (isMain(import.meta.url)) console.log(syncVersions(resolve(fileURLToPath(import.meta.url), '..', '..', '..')));
