import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSafetensors } from '../examples/support.js';
import { cleanEnv, root } from '../setup/checkout.js';

// The first sample of the README, run as it stands in a project that has this package (dist/, as users get it).
const project = realpathSync(mkdtempSync(join(tmpdir(), 'readme-')));
afterAll(() => rmSync(project, { recursive: true }));
beforeAll(() => {
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(root, join(project, 'node_modules', 'node-tensorrt'));
});

const page = readFileSync(join(root, 'README.md'), 'utf8');
const sample = /^```ts\n(.*?)^```/ms.exec(page)![1]!;
const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/loader.mjs')).href;

function run(text: string) {
  const file = join(project, 'digits.mts');
  writeFileSync(file, text);
  const env = cleanEnv({ NODE_TENSORRT_CACHE: process.env.NODE_TENSORRT_CACHE });
  return spawnSync(process.execPath, ['--import', tsx, file], { cwd: project, env, encoding: 'utf8' });
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
    .replaceAll(project, '/home/you')
    .replaceAll(realpathSync(root), '/home/you/node_modules/node-tensorrt');
  expect(page).toContain(`\`\`\`\n${message}\n\`\`\``);
});
