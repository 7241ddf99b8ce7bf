import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { version } from './version.js';

const url: string | undefined = import.meta.url;

/**
 * The file that this code is in: this one, or a bundle. Only a bundle in CommonJS has no `import.meta.url`; `__filename` is no sign of
 * one, because `node -e` makes it global.
 */
export const ownFile = url === undefined ? __filename : fileURLToPath(url);

/** Loads what is no ES module, from here. */
export const requireHere = createRequire(ownFile);

/** Whether a bundler put this package into a file with other code. */
export const isBundled = !/[\\/]package[\\/]place\.[jt]s$/.test(ownFile);

/** Whether the sources themselves run, under tsx or vitest. */
const isSource = !isBundled && ownFile.endsWith('.ts');

/** The folder of this package, or why there is none. */
export type Installed = { folder: string } | { why: string; other?: string };

let installed: Installed | undefined;

/**
 * Where this package is installed: around this file, else, for a bundle, in a `node_modules` folder above it. A bundle needs it for
 * all that is no JavaScript, and to start processes.
 */
export function installation(): Installed {
  installed ??= find();
  return installed;
}

function find(): Installed {
  const around = join(dirname(ownFile), '..', '..');
  if (!isBundled && isOwn(around)) return { folder: around };
  let manifest: string;
  try {
    manifest = requireHere.resolve('node-tensorrt/package.json');
  } catch {
    return { why: `${ownFile} contains node-tensorrt ${version}, which has to be in node_modules beside it too` };
  }
  const other = manifestOf(manifest).version;
  if (other === version) return { folder: dirname(manifest) };
  return { why: `${ownFile} contains node-tensorrt ${version}, but ${dirname(manifest)} is ${other}`, other };
}

const manifestOf = (path: string): { name?: string; version?: string } => JSON.parse(readFileSync(path, 'utf8'));

function isOwn(folder: string): boolean {
  const path = join(folder, 'package.json');
  return existsSync(path) && manifestOf(path).name === 'node-tensorrt';
}

/** A file of this package, by its path in the package. @throws an Error if a bundle has no package beside it */
export function packageFile(path: string): string {
  const found = installation();
  if ('why' in found) throw new Error(found.why);
  return join(found.folder, path);
}

/** A module of this package that a process of its own runs: `tensorrt/isolate/child`. It is TypeScript where the sources run. */
export const moduleFile = (name: string): string => packageFile(isSource ? `src/${name}.ts` : `dist/${name}.js`);

/** Where a module lies that this package may use, such as its addon's package. @throws Node's own error if it is not there */
export function resolveModule(specifier: string): string {
  const found = installation();
  const require = 'folder' in found ? createRequire(join(found.folder, 'package.json')) : requireHere;
  return require.resolve(specifier);
}
