import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const shared = new URL('../../../shared/abi/slots.tsv', import.meta.url);
const table = existsSync(shared) ? readFileSync(shared, 'utf8') : '';
const slots = readFileSync(new URL('./tensorrt/slots.def', import.meta.url), 'utf8');

test('the slots of the stand-in are those of the headers', ({ skip }) => {
  if (!table) skip('../shared/abi/slots.tsv is not there');
  const known = new Map(
    table
      .trim()
      .split('\n')
      .map((line) => line.split('\t'))
      .map(([type, method, trt10, trt11]) => [`${type}::${method}`, [trt10, trt11]]),
  );
  const rows = [...slots.matchAll(/^SLOT\(\w+, \w+, "([^"]+)", "([^"]+)", "([^"]+)", "([^"]+)"\)$/gm)];
  expect(rows).toHaveLength(slots.split('\n').filter((line) => line.startsWith('SLOT(')).length);
  expect(rows.length).toBeGreaterThan(200);
  for (const [, type, method, ...cells] of rows)
    expect([method, known.get(`${type}::${method}`)]).toEqual([method, cells]);
});
