import { readFileSync } from 'node:fs';
import ts from 'typescript';

const path = new URL('../../src/tensorrt/compile/options.ts', import.meta.url);

/** The first sentence of each build option's JSDoc, for `--help`. */
export function optionNotes(): Record<string, string> {
  const source = ts.createSourceFile('options.ts', readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const notes: Record<string, string> = {};
  ts.forEachChild(source, (node) => {
    if (!ts.isInterfaceDeclaration(node) || node.name.text !== 'BuildOptions') return;
    for (const member of node.members) {
      const [doc] = ts.getJSDocCommentsAndTags(member).filter(ts.isJSDoc);
      notes[(member.name as ts.Identifier).text] = firstSentence(ts.getTextOfJSDocComment(doc?.comment) ?? '');
    }
  });
  return notes;
}

function firstSentence(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  const end = /(?<!e\.g)\.(?= [A-Z`'])|\.$/.exec(line);
  return line.slice(0, end ? end.index : undefined).replaceAll('`', '');
}

/** The module src/cli/option-notes.generated.ts. */
export function optionNotesText(): string {
  const entries = Object.entries(optionNotes()).map(([name, note]) => `  ${name}: ${JSON.stringify(note)},\n`);
  return `// Made by npm run docs:command-line from the JSDoc of BuildOptions.\nexport const optionNotes: Readonly<Record<string, string>> = {\n${entries.join('')}};\n`;
}
