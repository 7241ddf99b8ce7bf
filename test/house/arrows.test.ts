import { describe, expect, test } from 'vitest';
import { arrows, circles, filesIn, read } from './imports.js';

/** What each room of src/ may import besides itself. A room is a folder, or a file that stands in src/ itself. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  values: ['errors'],
  'addon.ts': ['errors'],
  'pace.ts': [],
  'write-file.ts': [],
  dsl: ['errors', 'values'],
  layers: ['errors', 'values', 'dsl'],
  modules: ['errors', 'values', 'dsl', 'layers'],
  passes: ['errors', 'values', 'dsl'],
  weights: ['errors', 'values', 'addon.ts', 'pace.ts', 'write-file.ts'],
  tensorrt: ['errors', 'values', 'dsl', 'addon.ts', 'pace.ts', 'write-file.ts'],
  cpu: ['errors', 'values', 'dsl', 'addon.ts'],
  'model.ts': ['errors', 'values', 'dsl', 'passes', 'tensorrt', 'cpu'],
  'doctor.ts': ['addon.ts', 'cpu', 'tensorrt'],
  'network-methods.ts': ['dsl', 'tensorrt', 'model.ts'],
  'inspect.ts': ['values', 'dsl', 'weights', 'tensorrt', 'model.ts'],
  'index.ts': [
    'cpu',
    'errors',
    'values',
    'dsl',
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
  cli: ['errors', 'values', 'layers', 'weights', 'tensorrt', 'doctor.ts'],
};

/** Arrows between the folders of one room: what each may import of its neighbours. */
const folders: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  layers: { shared: [], calls: ['shared'], kinds: ['shared', 'calls'] },
  tensorrt: { library: [], run: ['library'], compile: ['library', 'run'] },
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
  expect(naming(/require\(addonPath\)/)).toEqual(['addon.ts']);
  expect(naming(/\b(writeFile|appendFile|rename|link|createWriteStream|mkdtemp)\w*[,\s].*from 'node:fs/)).toEqual([
    'write-file.ts',
  ]);
  const onnx = naming(/import\('onnxruntime-node'\)|from 'onnxruntime-node'/);
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
