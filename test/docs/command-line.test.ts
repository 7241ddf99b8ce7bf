import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commandLinePage } from '../../scripts/lib/command-line-page.js';
import { optionNotesText } from '../../scripts/lib/option-notes.js';
import { programWith } from '../../src/cli/program.js';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('docs/command-line.md has every command as its --help has it: npm run docs:command-line', async () => {
  const page = read('docs/command-line.md');
  expect(page).toBe(await commandLinePage(page));
  expect(read('src/cli/option-notes.generated.ts')).toBe(optionNotesText());
});

test('each command has examples or no need of them, and a description of one line', async () => {
  const { commands } = await programWith(undefined);
  expect(commands.length).toBeGreaterThanOrEqual(8);
  for (const command of commands) {
    expect(command.description(), command.name()).toMatch(/^[a-z"'].*[^.]$/);
    for (const option of command.options.filter(({ hidden }) => !hidden))
      expect(option.description, option.flags).not.toBe('');
  }
});
