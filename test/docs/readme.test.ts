import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSafetensors } from '../examples/support.js';
import { root } from '../setup/checkout.js';
import { makeProject } from './project.js';

// The first sample of the README, run as it stands in a project that has this package (dist/, as users get it).
const { folder, write, run: runFile } = makeProject('readme');

const page = readFileSync(join(root, 'README.md'), 'utf8');
const sample = /^```ts\n(.*?)^```/ms.exec(page)![1]!;

function run(text: string) {
  write('digits.mts', text);
  return runFile('digits.mts');
}

test('the sample prints what it says, which is what PyTorch computes', () => {
  const { image, prob } = readSafetensors(join(root, 'test/docs/fixtures/digits.safetensors'));
  const drawn = /const digit = `(.*?)`/s.exec(sample)![1]!.replace(/\s/g, '');
  expect(Array.from(drawn, (pixel) => Number(pixel === '#'))).toEqual([...image!.data]);
  const best = Math.max(...prob!.data);
  const theirs = `${prob!.data.indexOf(best)} with ${(100 * best).toFixed(1)} %`;

  const { stdout, stderr } = run(sample);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/, on (cpu|tensorrt)\n$/);
  expect(stdout.split(', on ')[0]).toBe(theirs);
  expect(/console\.log\(.*\/\/ (.*)$/m.exec(sample)![1]!.split(', on ')[0]).toBe(theirs);
});

test('the error is the one that is shown', () => {
  const first = /^ .*w\.layer\('conv1'\).*\n/m;
  expect(sample).toMatch(first);
  const { stderr, status } = run(sample.replace(first, ''));
  expect(status).not.toBe(0);
  const message = /^TensorRTError: .*(\n {4}(?!at ).*)*/m
    .exec(stderr)![0]
    .replaceAll(folder, '/home/you')
    .replaceAll(realpathSync(root), '/home/you/node_modules/node-tensorrt');
  expect(page).toContain(`\`\`\`\n${message}\n\`\`\``);
});
