// command-line-docs.ts: writes src/cli/option-notes.generated.ts from the JSDoc of build options, and docs/command-line.md from the commands' help.
import { readFileSync, writeFileSync } from 'node:fs';
import { optionNotesText } from './lib/option-notes.js';

const root = new URL('../', import.meta.url);
writeFileSync(new URL('src/cli/option-notes.generated.ts', root), optionNotesText());
// The commands import the notes.
const { commandLinePage } = await import('./lib/command-line-page.js');
const page = new URL('docs/command-line.md', root);
writeFileSync(page, await commandLinePage(readFileSync(page, 'utf8')));
