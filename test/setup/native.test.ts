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
  plugin: ['core', 'cuda', 'tensorrt', 'weights'],
  plugin_binding: ['core', 'cuda', 'tensorrt', 'weights', 'plugin', 'program', 'lowering'],
  program: ['core', 'tensorrt', 'weights', 'compile', 'plugin', 'plugin_binding'],
  lowering: ['core', 'tensorrt', 'program', 'plugin', 'plugin_binding'],
  compile: ['core', 'tensorrt', 'program', 'lowering', 'weights', 'plugin'],
  runtime: ['core', 'cuda', 'tensorrt', 'weights', 'lowering', 'compile', 'plugin', 'plugin_binding'],
  isolate: ['core', 'weights', 'compile', 'plugin_binding'],
  refit: ['core', 'cuda', 'weights', 'program', 'lowering', 'runtime'],
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
