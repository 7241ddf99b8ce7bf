import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as entry from '../../src/index.js';
import { root } from '../setup/checkout.js';
import { makeProject } from './project.js';
import { complaints } from './type-check.js';

// The files of docs/running.md, in a project that has this package (dist/, as users get it).
const page = readFileSync(join(root, 'docs/running.md'), 'utf8');
const files = [...page.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```/gms)].map(([, file, text]) => [file!, text!] as const);

const { at, write } = makeProject('running');

test('every sample compiles', () => {
  expect(files.map(([file]) => file)).toEqual([
    ...['engine.ts', 'feeds.ts', 'chain.ts', 'bound.ts', 'many.ts', 'worker.ts', 'measure.ts'],
  ]);
  for (const [file, text] of files) write(file, text);
  expect(complaints(files.map(([file]) => at(file)))).toEqual([]);
}, 120_000);

test('error codes, warnings and variables of the page are those of the code', () => {
  const errors = readFileSync(join(root, 'docs/errors.md'), 'utf8');
  for (const [code] of page.matchAll(/ERR_\w+/g)) expect(errors).toContain(`### ${code}\n`);
  const run = [
    'src/tensorrt/run/warn.ts',
    'src/tensorrt/run/context.ts',
    'src/tensorrt/run/host-tensor.ts',
    'native/core/lanes.cc',
  ]
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join();
  const told = [...new Set(run.match(/NODE_TENSORRT_\w+/g))].sort();
  expect([...new Set(page.match(/NODE_TENSORRT_\w+/g))].sort()).toEqual(told);
  for (const name of ['hostTensor', 'hostMemory', 'deviceTensor', 'deviceMemory', 'loadEngine'])
    expect(entry).toHaveProperty(name);
});
