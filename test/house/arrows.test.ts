import { describe, expect, test } from 'vitest';
import { arrows, circles, filesIn, read } from './imports.js';

/** What each room of src/ may import besides itself. A room is a folder, or a file that stands in src/ itself. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  package: [],
  errors: ['package'],
  values: ['errors'],
  machine: ['errors', 'package'],
  'addon.ts': ['errors', 'machine', 'package'],
  'pace.ts': [],
  'strict-json.ts': ['errors'],
  'write-file.ts': [],
  dsl: ['errors', 'values'],
  plugin: ['errors', 'values', 'dsl', 'machine', 'addon.ts', 'pace.ts', 'write-file.ts'],
  layers: ['errors', 'values', 'dsl', 'plugin'],
  modules: ['errors', 'values', 'dsl', 'layers', 'plugin'],
  passes: ['errors', 'values', 'dsl', 'plugin'],
  weights: ['errors', 'values', 'addon.ts', 'pace.ts', 'strict-json.ts', 'write-file.ts'],
  tensorrt: [
    'errors',
    'package',
    'values',
    'dsl',
    'machine',
    'plugin',
    'passes',
    'weights',
    'addon.ts',
    'pace.ts',
    'strict-json.ts',
    'write-file.ts',
  ],
  cpu: ['errors', 'package', 'values', 'dsl', 'plugin', 'passes', 'addon.ts'],
  'model.ts': ['errors', 'values', 'dsl', 'plugin', 'passes', 'tensorrt', 'cpu'],
  'doctor.ts': ['addon.ts', 'package', 'cpu', 'machine', 'plugin', 'tensorrt'],
  'summary.ts': ['errors', 'values', 'dsl'],
  typescript: ['errors', 'values', 'dsl', 'plugin', 'layers', 'passes', 'weights'],
  reduce: ['errors', 'values', 'dsl', 'passes'],
  'network-methods.ts': ['dsl', 'tensorrt', 'model.ts', 'summary.ts'],
  'inspect.ts': ['values', 'dsl', 'plugin', 'weights', 'tensorrt', 'model.ts'],
  compare: ['errors', 'values', 'dsl', 'passes', 'weights', 'tensorrt', 'model.ts'],
  triton: ['errors', 'values', 'passes', 'tensorrt', 'write-file.ts'],
  testing: [
    'errors',
    'package',
    'values',
    'dsl',
    'machine',
    'plugin',
    'layers',
    'passes',
    'tensorrt',
    'cpu',
    'model.ts',
    'network-methods.ts',
  ],
  'index.ts': [
    'compare',
    'reduce',
    'summary.ts',
    'testing',
    'typescript',
    'triton',
    'cpu',
    'errors',
    'values',
    'dsl',
    'machine',
    'plugin',
    'layers',
    'modules',
    'passes',
    'weights',
    'tensorrt',
    'model.ts',
    'network-methods.ts',
    'inspect.ts',
    'doctor.ts',
  ],
  cli: [
    'reduce',
    'summary.ts',
    'typescript',
    'write-file.ts',
    'errors',
    'values',
    'machine',
    'dsl',
    'plugin',
    'layers',
    'weights',
    'tensorrt',
    'passes',
    'model.ts',
    'doctor.ts',
    'compare',
    'triton',
    'addon.ts',
    'index.ts',
  ],
};

/** Arrows between the folders of one room: what each may import of its neighbours. */
const folders: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  layers: { shared: [], calls: ['shared'], kinds: ['shared', 'calls'] },
  tensorrt: {
    files: [],
    library: [],
    describe: [],
    isolate: ['library'],
    refit: [],
    run: ['files', 'library', 'refit'],
    cache: ['files', 'library', 'run'],
    measure: ['run'],
    compile: ['files', 'library', 'isolate', 'refit', 'run', 'cache'],
  },
  weights: { formats: [], porting: [] },
};

/** What a folder may import of the files that stand in its room itself. */
const files: Readonly<Record<string, { values: readonly string[]; types: readonly string[] }>> = {
  'weights/formats': {
    values: ['binding.ts', 'dtype.ts', 'format-error.ts', 'rearrange.ts'],
    types: ['byte-source.ts'],
  },
  'weights/porting': { values: ['convert.ts', 'dtype.ts', 'format-error.ts', 'rearrange.ts', 'weight.ts'], types: [] },
};

const all = arrows();
const roomOf = (file: string) => file.split('/')[0]!;
const folderOf = (file: string) => file.split('/').slice(1, -1)[0];
const shown = ({ from, to }: { from: string; to: string }) => `${from} -> ${to}`;

test('every import leads to a file', () => {
  const files = new Set(filesIn('src', '.ts'));
  expect(all.filter(({ to }) => !files.has(to)).map(shown)).toEqual([]);
  expect(all.length).toBeGreaterThan(500);
});

describe('arrows run down:', () => {
  test('each room has its rule', () => {
    expect([...new Set(filesIn('src', '.ts').map(roomOf))].sort()).toEqual(Object.keys(rooms).sort());
  });

  test('docs/architecture.md says the same', () => {
    const table = read('docs/architecture.md').split('| room of `src/` |')[1]!.split('\n\n')[0]!;
    const quoted = (cell: string) => [...cell.matchAll(/`([\w.-]+?)\/?`/g)].map(([, name]) => name!);
    const documented = [...table.matchAll(/^\| (`.*?`) \| .* \| ?(.*?) ?\|$/gm)].map(([, room, others]) => [
      quoted(room!)[0]!,
      quoted(others!).sort(),
    ]);
    const ours = Object.entries(rooms).map(([room, others]) => [room, [...others].sort()] as const);
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(ours));
  });

  test('no room imports what stands above it, or beside it', () => {
    const wrong = all.filter(({ from, to }) => {
      const [room, other] = [roomOf(from), roomOf(to)];
      return room !== other && !rooms[room]?.includes(other);
    });
    expect(wrong.map(shown)).toEqual([]);
  });

  test('the rules themselves hold no circle', () => {
    const edges = Object.entries(rooms).flatMap(([from, tos]) => tos.map((to) => ({ from, to, byValue: true })));
    expect(circles(edges)).toEqual([]);
  });

  for (const [room, rules] of Object.entries(folders)) {
    test(`between the folders of ${room}`, () => {
      const inside = all.filter(({ from, to, byValue }) => byValue && roomOf(from) === room && roomOf(to) === room);
      const wrong = inside.filter(({ from, to }) => {
        const [folder, other] = [folderOf(from), folderOf(to)];
        return folder !== undefined && other !== undefined && folder !== other && !rules[folder]?.includes(other);
      });
      expect(inside.length).toBeGreaterThan(0);
      expect(wrong.map(shown)).toEqual([]);
    });
  }

  for (const [folder, { values, types }] of Object.entries(files)) {
    test(`from ${folder} to the files beside it`, () => {
      const room = roomOf(folder);
      const beside = all.filter(
        ({ from, to }) => from.startsWith(`${folder}/`) && roomOf(to) === room && folderOf(to) === undefined,
      );
      const wrong = beside.filter(({ to, byValue }) => {
        const file = to.slice(room.length + 1);
        return !values.includes(file) && (byValue || !types.includes(file));
      });
      expect(beside.length).toBeGreaterThan(0);
      expect(wrong.map(shown)).toEqual([]);
    });
  }
});

test('no circle by value', () => {
  expect(circles(all.filter(({ byValue }) => byValue))).toEqual([]);
});

test('one file loads the addon, one writes files, one room knows ONNX', () => {
  const naming = (pattern: RegExp) => filesIn('src', '.ts').filter((file) => pattern.test(read(`src/${file}`)));
  expect(naming(/node_tensorrt\.node'/)).toEqual(['addon.ts']);
  // A bundle is another file, and one in CommonJS has no import.meta.
  const placed = naming(/createRequire\(|^[^'`\n]*import\.meta/m).filter((file) => roomOf(file) !== 'cli');
  expect(placed).toEqual(['package/place.ts']);
  expect(naming(/\b(writeFile|appendFile|rename|link|createWriteStream|mkdtemp)\w*[,\s][^'`;]*from 'node:fs/)).toEqual([
    'write-file.ts',
  ]);
  // It does not end in /proc: makeFolder does.
  expect(naming(/mkdir(Sync)?\([^)]*recursive/)).toEqual([]);
  const onnx = naming(/import\('onnxruntime-node'\)|from 'onnxruntime-node'|= 'onnxruntime-node'/);
  expect([...new Set(onnx.map(roomOf))]).toEqual(['cpu']);
});

test('the recording side names no layer kind', async () => {
  const { layerTable } = await import('../../src/layers/table.js');
  const kinds = layerTable.map(({ definition }) => definition.kind).filter((kind) => kind.includes('_'));
  const wrong = filesIn('src/dsl', '.ts').filter((file) =>
    kinds.some((kind) => read(`src/dsl/${file}`).includes(`'${kind}'`)),
  );
  expect(wrong).toEqual([]);
});

test('a circle is seen', () => {
  const edge = (from: string, to: string) => ({ from, to, byValue: true });
  expect(circles([edge('a', 'b'), edge('b', 'c'), edge('c', 'a'), edge('c', 'd')])).toEqual([['a', 'b', 'c']]);
});
