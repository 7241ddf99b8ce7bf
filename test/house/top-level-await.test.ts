import ts from 'typescript';
import { expect, test } from 'vitest';
import { arrows, read } from './imports.js';

/** Lines that wait while a module loads: Node refuses to `require` such a module. */
function waits(text: string): number[] {
  const source = ts.createSourceFile('module.ts', text, ts.ScriptTarget.Latest, true);
  const found: number[] = [];
  const visit = (node: ts.Node): void => {
    // A class's static blocks and fields cannot wait either.
    if (ts.isFunctionLike(node) || ts.isClassStaticBlockDeclaration(node)) return;
    const isWait =
      ts.isAwaitExpression(node) ||
      (ts.isForOfStatement(node) && node.awaitModifier !== undefined) ||
      (ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.AwaitUsing) === ts.NodeFlags.AwaitUsing);
    if (isWait) found.push(source.getLineAndCharacterOfPosition(node.getStart()).line + 1);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

test('require() takes index.ts: no module that it leads to waits at its top level', () => {
  const all = arrows();
  const reached = new Set(['index.ts']);
  for (const file of reached) for (const { from, to, byValue } of all) if (from === file && byValue) reached.add(to);
  expect(reached.size).toBeGreaterThan(250);
  const wrong = [...reached].flatMap((file) => waits(read(`src/${file}`)).map((line) => `src/${file}:${line}`));
  expect(wrong).toEqual([]);
});

test('such a module is seen', () => {
  const text = `
await a;
for await (const b of c) {}
await using d = e;
const f = [await g];
const h = async () => await i;
async function j() { for await (const k of l) await m; }
class N { async o() { await p; } }
if (q) { await r; }`;
  expect(waits(text)).toEqual([2, 3, 4, 5, 9]);
  expect(waits(read('src/cli/main.ts')).length).toBeGreaterThan(0);
});
