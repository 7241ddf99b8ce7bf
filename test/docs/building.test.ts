import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { optionsPage } from '../../scripts/lib/options-page.js';
import * as entry from '../../src/index.js';
import { refusedOptions, refusedValues } from '../../src/tensorrt/compile/option-table.js';
import { optionNames } from '../../src/tensorrt/compile/options.js';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = read('docs/building.md');
const types = read('src/tensorrt/compile/options.ts');

test('the table is what `npm run docs:options` writes', () => {
  expect(page).toBe(optionsPage(page));
  const table = page.split('<!-- options')[1]!;
  const rows = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(rows).toEqual(optionNames);
});

test('every option has a JSDoc', () => {
  const documented = [...types.matchAll(/\*\/\n {2}(\w+)\?:/g)].map(([, name]) => name);
  expect(optionNames.filter((name) => !documented.includes(name))).toEqual([]);
});

test('names of TensorRT are its own', () => {
  const enumerators = [...read('native/tensorrt/enums.def').matchAll(/^ENUM\(\w+, (k\w+),/gm)].map(([, name]) => name);
  const methods = [...read('native/tensorrt/methods.def').matchAll(/^METHOD\(\w+, (\w+),/gm)].map(([, name]) => name);
  const callbacks = [...read('native/tensorrt/callbacks.def').matchAll(/^CALLBACK\((\w+), (\w+),/gm)].map(
    ([, , name]) => name,
  );
  const cells = [...page.matchAll(/^\| `\w+` \| ([^|]+) \|/gm)].flatMap(([, cell]) => cell!.split(', '));
  for (const cell of cells) {
    for (const [name] of cell.matchAll(/\b(k[A-Z0-9_]{3,}|set\w+|create\w+|mark\w+|add\w+|stepComplete)\b/g))
      expect([...enumerators, ...methods, ...callbacks]).toContain(name);
  }
});

test('what it says is not offered is refused', async () => {
  const section = page.split('## Not offered')[1]!;
  for (const name of [
    'useDLACore',
    'allowGPUFallback',
    'safe',
    'remoteAutoTuningConfig',
    'fp16',
    'bf16',
    'int8',
    'fp8',
    'best',
  ]) {
    expect(section).toContain(`\`${name}\``);
    expect(refusedOptions).toHaveProperty(name);
  }
  expect(Object.keys(refusedValues)).toContain('engineCapability.safety');
  for (const name of ['buildRoutes', 'combineTimingCaches']) expect(entry).toHaveProperty(name);
});
