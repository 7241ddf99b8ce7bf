import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listFiles, readOr, writeAtomic } from '../install/files.mjs';

/** Lines have a limit because Node prints the whole line where an error was made, before the error itself. */
const minify = { minifyWhitespace: true, minifySyntax: true, lineLimit: 200 };
const imported = /\b(?:from|import)\s*\(?\s*'(\.[^']+)\.js'/g;

/** Declarations that a user's compiler reads: those that lead on from index.d.ts. Null if one of them is missing. */
function neededTypes(dist) {
  const needed = new Set();
  const waiting = [join(dist, 'index.d.ts')];
  for (const file of waiting) {
    if (needed.has(file)) continue;
    const text = readOr(file, null);
    if (text === null) return null;
    needed.add(file);
    for (const [, path] of text.matchAll(imported)) waiting.push(join(dirname(file), `${path}.d.ts`));
  }
  return needed;
}

/** Whether no declaration is missing that another one imports. */
export const typesAreWhole = (dist) => neededTypes(dist) !== null;

/**
 * Leaves out of dist/ what those who install the package do not need: comments and spaces in JavaScript, whose
 * declarations keep theirs, and declarations of files that nothing public leads to. Names and short lines stay, for stacks.
 */
export async function compactDist(dist) {
  const needed = neededTypes(dist);
  const { transform } = await import('esbuild');
  for (const file of listFiles(dist)) {
    if (file.endsWith('.d.ts') && !needed.has(file)) rmSync(file);
    if (!file.endsWith('.js')) continue;
    const text = readFileSync(file, 'utf8');
    const { code } = await transform(text, { ...minify, target: 'es2022' });
    if (code !== text) writeAtomic(file, code);
  }
}
