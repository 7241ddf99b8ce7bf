import { existsSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { hashOf, listFiles, readOr, writeAtomic } from '../install/files.mjs';
import { mustRun } from '../install/process.mjs';
import { compactDist, typesAreWhole } from './compact.mjs';

const OUTPUT = /\.(js|d\.ts)(\.map)?$/;

const sources = (root) => listFiles(join(root, 'src')).filter((file) => file.endsWith('.ts'));
const stampPath = (root) => join(root, 'dist', '.stamp');
const outputOf = (root, source) => join(root, 'dist', relative(join(root, 'src'), source).replace(/\.ts$/, '.js'));

function sourceHash(root) {
  const settings = ['tsconfig.json', 'package-lock.json'].map((name) => join(root, name));
  return hashOf(root, [...sources(root), ...settings]);
}

const isWhole = (root) => sources(root).every((source) => existsSync(outputOf(root, source)));

/** Whether dist/ is up to date. */
export function distIsFresh(root) {
  return readOr(stampPath(root), '') === sourceHash(root) && isWhole(root);
}

/** Compiles src/ to dist/ and removes files that no longer have a source; throws a SetupError with tsc's output. */
export async function compileDist(root, env = process.env) {
  const hash = sourceHash(root);
  rmSync(stampPath(root), { force: true });
  const again = () => rmSync(join(root, 'dist', '.tsbuildinfo'), { force: true });
  if (!isWhole(root)) again();
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const compile = () =>
    mustRun('compiling TypeScript', process.execPath, [tsc, '-p', 'tsconfig.json'], { cwd: root, env });
  await compile();
  // tsc does not write again what the last compilation left out.
  if (!typesAreWhole(join(root, 'dist'))) {
    again();
    await compile();
  }

  const wanted = new Set(sources(root).map((source) => outputOf(root, source).replace(OUTPUT, '')));
  for (const file of listFiles(join(root, 'dist')))
    if (OUTPUT.test(file) && !wanted.has(file.replace(OUTPUT, ''))) rmSync(file, { force: true });
  await compactDist(join(root, 'dist'));
  writeAtomic(stampPath(root), hash);
}
