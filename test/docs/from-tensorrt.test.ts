import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as entry from '../../src/index.js';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = read('docs/from-tensorrt.md');
const section = (title: string) => page.split(`## ${title}\n`)[1]!.split('\n## ')[0]!;
/** The cells of a section's tables: TensorRT's names, ours. */
const rows = (title: string) =>
  [...section(title).matchAll(/^\| (.*) \| (.*) \|$/gm)].map(([, theirs, ours]) => [theirs!, ours!] as const);
const names = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1]!);

test('it has every method of INetworkDefinition that a layer is added with', () => {
  const theirs = rows('Adding layers').flatMap(([cell]) => names(cell, /\b(add\w+)/g));
  const used = names(read('native/lowering/table.def'), /^\w+\(\w+, (\w+)/gm).map((name) => name.replace(/V2$/, ''));
  expect(used.length).toBeGreaterThan(40);
  expect(theirs).toEqual(expect.arrayContaining(used));
  // None but those that TensorRT has.
  const known = names(read('native/tensorrt/methods.def'), /^METHOD\(\w+, (add\w+),/gm).map((name) =>
    name.replace(/V2$/, ''),
  );
  expect(theirs.filter((name) => !known.includes(name) && name !== 'addScale')).toEqual([]);
});

test('what it names is there', () => {
  const having: Record<string, object> = {
    x: entry.Tensor.prototype,
    net: entry.Network.prototype,
    engine: new entry.Engine({} as never),
    context: entry.Context.prototype,
  };
  const missing = [...page.matchAll(/`(x|net|engine|context)\.(\w+)/g)].filter(
    ([, what, name]) => !(name! in having[what!]!),
  );
  expect(missing.map(([name]) => name)).toEqual([]);
  for (const name of ['loadEngine', 'findTensorRT', 'network', 'float16', 'concat', 'stack', 'where', 'einsum']) {
    expect(entry).toHaveProperty(name);
  }
});

test('every enumerator it names is TensorRT’s', () => {
  const enumerators = names(read('native/tensorrt/enums.def'), /^ENUM\(\w+, (k\w+),/gm);
  expect(names(page, /\b(k[A-Z][A-Z0-9_]+)\b/g).filter((name) => !enumerators.includes(name))).toEqual([]);
});
