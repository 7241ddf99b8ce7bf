import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './checkout.js';

const native = join(root, 'native');

/** Which rooms a room may include; `core` stands on its own, and all stand on it. */
const allowed: Record<string, string[]> = {
  core: [],
  cuda: ['core'],
  tensorrt: ['core'],
  weights: ['core'],
  program: ['core', 'tensorrt', 'weights', 'compile'],
  lowering: ['core', 'tensorrt', 'program'],
  compile: ['core', 'tensorrt', 'program', 'lowering', 'weights'],
  runtime: ['core', 'cuda', 'tensorrt', 'lowering', 'compile'],
};

const roomOf = (path: string) => relative(native, path).split('/')[0]!;

test('the rooms of native/ include only what stands below them', () => {
  const files = readdirSync(native, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /^\w+\/.*\.(cc|h)$/.test(name),
  );
  const includes = files.flatMap((name) =>
    [...readFileSync(join(native, name), 'utf8').matchAll(/#include "(.+)"/g)].map(([, path]) => ({
      from: roomOf(join(native, name)),
      to: roomOf(join(native, dirname(name), path!)),
      line: `${name} includes ${path}`,
    })),
  );
  expect(includes.length).toBeGreaterThan(100);
  expect(new Set(files.map((name) => roomOf(join(native, name))))).toEqual(new Set(Object.keys(allowed)));
  expect(
    includes.filter(({ from, to }) => from !== to && !allowed[from]!.includes(to)).map(({ line }) => line),
  ).toEqual([]);
});
