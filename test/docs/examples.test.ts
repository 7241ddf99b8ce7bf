import { readdirSync, readFileSync } from 'node:fs';
import { format } from 'node:util';
import { expect, test, vi } from 'vitest';

vi.mock('node-tensorrt', () => import('../../src/index.js'));

const folder = new URL('../../docs/examples/', import.meta.url);
const files = readdirSync(folder).sort();

const longest = 15;

/** What a program says it prints: the comments behind `console.log`. */
const promised = (source: string) => [...source.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1]);

test.each(files)('%s prints what it says', async (file) => {
  const source = readFileSync(new URL(file, folder), 'utf8');
  expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(longest);
  expect(promised(source)).not.toEqual([]);
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...values) => {
    printed.push(format(...values));
  });
  try {
    await import(new URL(file, folder).href);
  } finally {
    log.mockRestore();
  }
  expect(printed).toEqual(promised(source));
});
