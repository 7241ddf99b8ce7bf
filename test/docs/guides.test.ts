import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { root } from '../setup/checkout.js';
import { makeProject } from './project.js';
import { complaints } from './type-check.js';

// The files of these pages, as they stand there, in a project that has this package (dist/, as users get it).
const read = (name: string) => readFileSync(join(root, `docs/${name}.md`), 'utf8');
const pages = ['first-engine', 'dynamic-shapes', 'precision'].map(read);
const files = pages.flatMap((page) =>
  [...page.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```/gms)].map(([, file, text]) => ({ file: file!, text: text! })),
);
/** What a file promises to print, line by line. */
const promised = (text: string) => [...text.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, said]) => said!);
/** Needs a GPU. */
const unrun = ['run.ts'];

const { at, write, run } = makeProject('guides');
beforeAll(() => {
  for (const { file, text } of files) write(file, text);
});

test('every block of TypeScript is a file of its own', () => {
  expect(pages.join('').match(/^```ts$/gm)).toHaveLength(files.length);
  expect(new Set(files.map(({ file }) => file)).size).toBe(files.length);
});

test('its files compile', () => {
  expect(complaints(files.map(({ file }) => at(file)))).toEqual([]);
}, 120_000);

test('every file prints what it says', () => {
  const printing = files.filter(({ file, text }) => promised(text).length > 0 && !unrun.includes(file));
  expect(printing.length).toBeGreaterThan(5);
  const imports = printing.map(
    ({ file }) => `console.log('== ${file}');\nawait import('./${file.replace('.ts', '.js')}');`,
  );
  write('all.ts', `${imports.join('\n')}\nexport {};`);
  const { stdout, stderr } = run('all.ts');
  expect(stderr).toBe('');
  expect(stdout.trimEnd()).toBe(
    printing.map(({ file, text }) => [`== ${file}`, ...promised(text)].join('\n')).join('\n'),
  );
}, 120_000);

test('summary prints what first-engine.md shows', () => {
  const shown = /^```\n(Network digits\n.*?)^```/ms.exec(pages[0]!)![1]!;
  const { stdout, stderr } = run(join(root, 'dist/cli/main.js'), 'summary', 'digits.ts');
  expect([stdout.trim(), stderr]).toEqual([shown.trim(), '']);
}, 120_000);

test('the messages are those of the code', async () => {
  write(
    'wrong.ts',
    `import { float16, float32, network } from 'node-tensorrt';
    const net = network('sizes', { x: float32('batch', 'tokens', 8), past: float32('batch', 'cached', 8) });
    net.tensor('x').relu().output('a');
    net.tensor('past').relu().output('b');
    const model = await net.compile({ backend: 'cpu' });
    const feed = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b)) });
    await model.run({ x: feed(2, 3, 8), past: feed(1, 5, 8) }).catch((error) => console.log(error.message));
    const mixed = network('mixed', { a: float16(4), b: float32(4) });
    try { mixed.tensor('a').add(mixed.tensor('b')); } catch (error) { console.log((error as Error).message.split('\\n')[0]); }`,
  );
  const lines = run('wrong.ts').stdout.trim().split('\n');
  expect(lines).toHaveLength(2);
  for (const line of lines) expect(pages.join('')).toContain(`\`\`\`\n${line}\n\`\`\``);
}, 120_000);

test('the differences of float16 in precision.md are those of gpu-results.md', () => {
  const rows = [...pages[2]!.matchAll(/^\| (\w+) \| ([\d.e-]+) \| ([\d.e-]+) \|$/gm)];
  expect(rows).toHaveLength(5);
  for (const [, model, single, half] of rows) {
    expect(read('gpu-results')).toContain(`${model} in float32 | ${single} |`);
    expect(read('gpu-results')).toContain(`${model} in float16 | ${half} |`);
  }
});
