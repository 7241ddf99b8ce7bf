import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { listFiles, writeAtomic } from './files.mjs';
import { SetupError } from './process.mjs';

/** Few compile the addon themselves, so the package has its source compressed, a quarter smaller than npm would. */
const archivePath = (root) => join(root, 'native.br');

const sourcePaths = (root) => [...listFiles(join(root, 'native')), join(root, 'CMakeLists.txt')];

/** Files that the addon is compiled from. Unpacks them first where that was not yet done. */
export function sourceFiles(root) {
  if (!existsSync(join(root, 'CMakeLists.txt'))) {
    const files = unpacked(archivePath(root));
    // CMakeLists.txt is the last: where it is, all are.
    for (const [path, text] of Object.entries(files)) writeAtomic(join(root, path), text);
  }
  return sourcePaths(root);
}

function unpacked(path) {
  try {
    return JSON.parse(brotliDecompressSync(readFileSync(path)).toString());
  } catch (error) {
    throw new SetupError(
      `${path} is damaged (${error.message}): install node-tensorrt again, with npm install --force`,
    );
  }
}

/** Before `npm pack`. */
export function packSource(root) {
  const byKind = (path) => `${path.slice(path.lastIndexOf('.'))} ${path}`;
  const [list, ...rest] = sourcePaths(root).reverse();
  const files = [...rest.sort((a, b) => (byKind(a) < byKind(b) ? -1 : 1)), list];
  const text = JSON.stringify(
    Object.fromEntries(files.map((file) => [relative(root, file), readFileSync(file, 'utf8')])),
  );
  const { BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT } = constants;
  const params = { [BROTLI_PARAM_LGWIN]: 24, [BROTLI_PARAM_SIZE_HINT]: text.length };
  writeAtomic(archivePath(root), brotliCompressSync(text, { params }));
}

/** After it. */
export const removePackedSource = (root) => rmSync(archivePath(root), { force: true });
