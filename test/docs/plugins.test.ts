import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { root } from '../setup/checkout.js';
import { makeProject } from './project.js';
import { complaints } from './type-check.js';

// The files of docs/first-plugin.md and docs/plugins.md, as they stand there, in a project that has this package (dist/, as users get it).
const page = ['first-plugin', 'plugins'].map((name) => readFileSync(join(root, `docs/${name}.md`), 'utf8')).join('\n');
const blocks = [...page.matchAll(/^```(?:ts|cuda)\n\/\/ (\S+)\n(.*?)^```/gms)].map(([, file, text]) => ({
  file: file!,
  text: text!,
}));
const excerpts = blocks.filter(({ file }) => file.startsWith('examples/'));
const files = blocks.filter(({ file }) => !file.startsWith('examples/'));

/** The plugin that the README shows. */
const readme = /^```ts\n(import \{ attr, definePlugin \}.*?)^```/ms.exec(
  readFileSync(join(root, 'README.md'), 'utf8'),
)![1]!;

const { at, write, run } = makeProject('plugins');
beforeAll(() => {
  for (const { file, text } of files) write(file, text);
  write('readme.ts', readme);
});

test('every block is a file of its own or an excerpt of an example', () => {
  expect(page.match(/^```(ts|cuda)$/gm)).toHaveLength(blocks.length);
  expect(files.map(({ file }) => file)).toEqual([
    ...['snake.cu', 'snake.ts', 'main.ts', 'check.ts', 'pad-rows.ts', 'pad.ts', 'roi.ts'],
  ]);
});

test.each(excerpts)('the excerpt of $file is in it', ({ file, text }) => {
  expect(readFileSync(join(root, file), 'utf8')).toContain(text);
});

test('its files compile', () => {
  const names = [...files.map(({ file }) => file), 'readme.ts'].filter((file) => file.endsWith('.ts'));
  expect(complaints(names.map(at))).toEqual([]);
}, 120_000);

test.each(['main.ts', 'pad.ts'])('%s prints what it says', (file) => {
  const { text } = files.find((one) => one.file === file)!;
  const promised = [...text.matchAll(/console\.log\(.*\); +\/\/ (.*)$/gm)].map(([, said]) => said);
  expect(promised).toHaveLength(1);
  const { stdout, stderr } = run(file);
  expect([stdout.trimEnd(), stderr]).toEqual([promised[0], '']);
});

test('check.ts passes', { timeout: 120_000 }, () => {
  const { status, stdout, stderr } = run('check.ts');
  expect([status, stderr]).toEqual([0, '']);
  // What the page shows is of a machine without a GPU.
  if (stdout.includes('there is no GPU here')) expect(page).toContain(`\`\`\`\n${stdout.split('\n')[0]}\n\`\`\``);
});

test('the message about a dynamic size is the one that is shown', () => {
  const shown = /^```\nTensorRTError: (.*)\n```$/m.exec(page)![1]!;
  const { text } = files.find((one) => one.file === 'snake.ts')!;
  write('bad.ts', text.replace('ceilDiv(x.size, 256)', '+x.shape[0]'));
  write('bad-main.ts', files.find((one) => one.file === 'main.ts')!.text.replace('./snake.ts', './bad.js'));
  const { stderr } = run('bad-main.ts');
  expect(stderr).toContain(shown);
});
