import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { calls, docsFile, docsIn, layersPage, moduleListFile, moduleListText } from '../../scripts/layers-docs.js';
import { moduleList } from '../../src/cli/module-list.generated.js';
import { TensorSource } from '../../src/dsl/tensor.js';
import * as entry from '../../src/index.js';
import { layerTable } from '../../src/layers/table.js';
import { moduleFunctions } from '../../src/modules/table.js';
import { runtimeMethods } from '../../src/network-methods.js';
import { binding } from '../../src/tensorrt/binding.js';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
/** Names of a folder's files that end so, without that end. */
const files = (folder: string, end: string) =>
  readdirSync(new URL(folder, root))
    .filter((file) => file.endsWith(end))
    .map((file) => file.slice(0, -end.length))
    .sort();

const rows = layerTable.map(({ definition, ...rest }) => ({ kind: definition.kind, ...rest }));
const kinds = rows.map(({ kind }) => kind).sort();

test('docs/layers.md and the list of modules are what `npm run docs:layers` writes', () => {
  expect(readFileSync(docsFile, 'utf8')).toBe(layersPage());
  expect(readFileSync(moduleListFile, 'utf8')).toBe(moduleListText());
});

describe('every kind is everywhere, once:', () => {
  test('in the native table', () => {
    expect(
      binding()
        .layerTable()
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(kinds);
  });

  test('in src/layers/kinds, in a file of its name, and nothing else there', () => {
    const defined = files('src/layers/kinds', '.ts').flatMap((file) =>
      [...read(`src/layers/kinds/${file}.ts`).matchAll(/defineLayer\(\{\s*kind: '(\w+)'/g)].map(([, kind]) => ({
        file,
        kind,
      })),
    );
    expect(defined).toEqual(kinds.map((kind) => ({ file: kind, kind })));
  });

  test('in native/lowering/kinds, in a file of its name', () => {
    const lowered = files('native/lowering/kinds', '.cc').flatMap((file) =>
      [
        ...read(`native/lowering/kinds/${file}.cc`).matchAll(
          /^Layer\* lower_(\w+)\(Lowering& l, Node const& \w*\) \{/gm,
        ),
      ]
        .filter(([, name]) => name === file || kinds.includes(name!))
        .map(([, kind]) => ({ file, kind })),
    );
    expect(lowered).toEqual(kinds.map((kind) => ({ file: kind, kind })));
  });

  test('in the tests of all tiers', () => {
    expect(files('test/layers', '.cases.ts')).toEqual(kinds);
    expect(files('test/layers/fixtures', '.safetensors')).toEqual(expect.arrayContaining(kinds));
    expect(files('test/layers/fixtures', '.py')).toEqual(expect.arrayContaining(kinds));
    expect(files('test/layers', '.test.ts')).toEqual(expect.arrayContaining(kinds));
  });

  test('in the examples', () => {
    expect(files('docs/examples', '.ts')).toEqual(kinds);
  });
});

test('a kind is called decomposed where its lowering asks whether an adder is there', () => {
  const pairs = (text: string, pattern: RegExp) =>
    [...text.matchAll(pattern)].map((match) => match.slice(1).filter(Boolean));
  const asked = kinds.flatMap((kind) =>
    pairs(
      read(`native/lowering/kinds/${kind}.cc`),
      /api\.has\((?:m::Network::(\w+)::info|without_trt10<m::Network::(\w+)>)\)/g,
    ).map(([method]) => [kind, method]),
  );
  const table = pairs(
    read('native/lowering/table.def'),
    /^(?:DECOMPOSED\((\w+), \w+, (\w+)\)|BEYOND_TRT10\((\w+), (\w+)\))/gm,
  );
  expect(table.sort()).toEqual(asked);
  const native = binding()
    .layerTable()
    .flatMap(({ kind, decomposed }) => (decomposed ? [kind] : []));
  expect(native.sort()).toEqual(asked.map(([kind]) => kind));
});

test('JSDoc of every method names its kind', () => {
  const docs = docsIn('src/layers/kinds/');
  const wrong = kinds.flatMap((kind) =>
    calls(kind)
      .filter(({ key }) => !new RegExp(`TensorRT kinds?: (?:[^.]|\\.\\d)*\\b${kind}\\b`).test(docs.get(key) ?? ''))
      .map(({ key }) => `${kind}: ${key}: ${docs.get(key)}`),
  );
  expect(wrong).toEqual([]);
});

test('functions of the table are those that the package exports', () => {
  const functions = Object.assign({}, ...rows.map((row) => row.functions ?? {})) as Record<string, unknown>;
  const docs = docsIn('src/layers/kinds/');
  const exported = Object.entries(entry).filter(([, value]) =>
    docs.get(`${(value as { name?: string }).name}()`)?.includes('TensorRT kind'),
  );
  expect(Object.keys(functions).length).toBeGreaterThan(0);
  expect(functions).toEqual(Object.fromEntries(exported));
});

test('modules are all methods and functions that no kind has, with what their JSDoc says', () => {
  const ofKinds = new Set(
    rows.flatMap(({ methods, networkMethods }) => Object.keys({ ...methods, ...networkMethods })),
  );
  const added = [TensorSource, entry.Network].flatMap(({ prototype }) => Object.keys(prototype));
  const runtime = Object.keys(runtimeMethods);
  expect(moduleList.map(({ method }) => method)).toEqual(
    [
      ...[...new Set(added)].filter((name) => !ofKinds.has(name) && !runtime.includes(name)),
      ...Object.keys(moduleFunctions).map((name) => `${name}()`),
    ].sort(),
  );
  for (const { method, about, kinds } of moduleList) {
    expect(about.length, method).toBeGreaterThan(10);
    expect(kinds, method).not.toEqual([]);
  }
  for (const [name, value] of Object.entries(moduleFunctions)) expect(entry).toHaveProperty(name, value);
  expect(moduleList.find(({ method }) => method === 'silu')).toEqual({
    method: 'silu',
    about: '`x · sigmoid(x)`, of floats (Elfwing et al., 2017).',
    kinds: ['activation', 'element_wise'],
  });
});
