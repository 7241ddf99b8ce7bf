import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tritonConfig } from '../../src/triton/config.js';
import { root } from '../setup/checkout.js';
import { parseConfig } from '../triton/text-format.js';
import { makeProject } from './project.js';
import { complaints } from './type-check.js';

// The files of docs/comparing.md and docs/serving.md, in a project that has this package (dist/, as users get it).
const pages = ['comparing', 'serving'].map((name) => readFileSync(join(root, `docs/${name}.md`), 'utf8'));
const files = pages.flatMap((page) =>
  [...page.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```/gms)].map(([, file, text]) => [file!, text!] as const),
);
const { at, write, run } = makeProject('comparing');

test('every sample compiles, and those of comparing.md print what they say', () => {
  expect(files.map(([file]) => file)).toEqual(['compare.ts', 'inspect.ts', 'lenet.ts']);
  for (const [file, text] of files) write(file, text);
  expect(complaints(files.map(([file]) => at(file)))).toEqual([]);
  for (const [file, text] of files.slice(0, 2)) {
    const said = [...text.matchAll(/console\.log.*\/\/ (.*)$/gm)].map(([, line]) => line);
    const { status, stdout } = run(file);
    expect([status, stdout.trimEnd().split('\n')]).toEqual([0, said]);
  }
}, 120_000);

test('the configuration in serving.md is what is written for that network', () => {
  const range = (batch: number) => [batch, 1, 28, 28];
  const { text } = tritonConfig(
    'lenet',
    {
      library: { flavor: 'trt10', version: '10.6.0' },
      inputs: [{ name: 'data', dtype: 'float32', shape: ['batch', 1, 28, 28], isShapeTensor: false }],
      outputs: [{ name: 'prob', dtype: 'float32', shape: ['batch', 10], isShapeTensor: false }],
      profiles: [{ data: { min: range(1), opt: range(8), max: range(64) } }],
      hasNames: true,
    },
    { maxQueueDelay: 500 },
  );
  expect(pages[1]).toContain(`\`\`\`\n${text}\`\`\``);
  expect(parseConfig(text)).toMatchObject({ max_batch_size: 64 });
});
