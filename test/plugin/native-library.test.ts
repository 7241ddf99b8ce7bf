import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { TensorRTError } from '../../src/errors/error.js';
import { attr } from '../../src/plugin/attributes.js';
import { type AnyPlugin, definePlugin } from '../../src/plugin/define.js';
import { emptyLibraryPath, libraryTail, writePluginLibrary } from '../../src/plugin/library-file.js';

const folder = mkdtempSync(join(tmpdir(), 'plugin-library-'));
const path = (name: string): string => join(folder, name);
const source = fileURLToPath(new URL('./programs/creators.c', import.meta.url));

const plugin = (name: string, version = '1'): AnyPlugin =>
  definePlugin({
    name,
    version,
    inputs: ['x'],
    attributes: { eps: attr.float32(1e-6), title: attr.string('t'), shape: attr.dims([1]), many: attr.int64s([1n]) },
    types: [{ x: 'float32', y: 'float32' }],
    outputs: ({ x }) => ({ y: x.shape }),
    cuda: 'extern "C" __global__ void k(float const* x, float* y) {}',
    launch: ({ x, y }) => [{ kernel: 'k', grid: 1, block: 1, args: [x, y] }],
  }) as unknown as AnyPlugin;
const scale = plugin('ScaleIt');
const [old, young] = [plugin('Twice', '1'), plugin('Twice', '2')];

beforeAll(() => {
  execFileSync('g++', ['-x', 'c++', '-fpermissive', '-w', source, '-o', path('creators'), '-ldl'], { stdio: 'pipe' });
}, 120_000);

/** What the program prints of a library: to stdout, and the library's own messages to stderr. */
function run(library: string): { lines: string[]; messages: string; status: number | null } {
  const { stdout, stderr, status } = spawnSync(path('creators'), [library], { encoding: 'utf8' });
  return { lines: stdout.trimEnd().split('\n'), messages: stderr, status };
}

test('the library exports what TensorRT asks for, and needs no C++ library', () => {
  const exported = execFileSync('nm', ['-D', '--defined-only', emptyLibraryPath()], { encoding: 'utf8' });
  const names = exported
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ')[2]);
  expect(names.sort()).toEqual(['getCreators', 'setLoggerFinder']);
  const needed = execFileSync('readelf', ['-d', emptyLibraryPath()], { encoding: 'utf8' });
  expect([...needed.matchAll(/NEEDED.*\[(.*)\]/g)].map(([, name]) => name)).not.toContainEqual(
    expect.stringMatching(/stdc|gcc|cuda|node/),
  );
});

test('appended definitions become creators, whose broken plugins fail and do not crash', async () => {
  const library = path('libscale.so');
  expect(await writePluginLibrary([scale, old, young, scale], library)).toEqual(
    [scale, old, young].map(({ name, version }) => ({
      name,
      version,
      attributes: [
        { name: 'eps', type: 'float32' },
        { name: 'title', type: 'char' },
        { name: 'shape', type: 'dims' },
        { name: 'many', type: 'int64' },
      ],
    })),
  );
  const { lines, messages, status } = run(library);
  expect(status).toBe(0);
  expect(lines.filter((line) => line.startsWith('name'))).toEqual([
    'name ScaleIt version 1 namespace node_tensorrt',
    'name Twice version 1 namespace node_tensorrt',
    'name Twice version 2 namespace node_tensorrt',
  ]);
  expect(lines.slice(0, 21)).toEqual([
    '3 creators',
    'creator: PLUGIN CREATOR_V3ONE 1.0, language 0',
    'name ScaleIt version 1 namespace node_tensorrt',
    'field eps 1',
    'field title 6',
    'field shape 7',
    'field many 10',
    'build phase: null',
    'plugin: PLUGIN 1.0, language 0',
    'capability: PLUGIN_V3ONE_CORE 1.0, language 0',
    'capability: PLUGIN_V3ONE_BUILD 1.0, language 0',
    'capability: PLUGIN_V3ONE_RUNTIME 1.0, language 0',
    'capability: null',
    'getOutputDataTypes -1',
    'enqueue -1',
    'fields null',
    'attached object',
    'creator: PLUGIN CREATOR_V3ONE 1.0, language 0',
    'name Twice version 1 namespace node_tensorrt',
    'field eps 1',
    'field title 6',
  ]);
  expect(messages).toContain("plugin 'ScaleIt' version 1: it makes plugins for engines that node-tensorrt has built");
  expect(messages).toContain("plugin 'ScaleIt' version 1: field '.recipe' is missing");
});

describe('a file without usable definitions says so', () => {
  const library = readFileSync(emptyLibraryPath());
  const creator = { name: 'A', version: '1', attributes: [{ name: 'a', type: 'int8' as const }] };
  const tail = libraryTail([creator], library.length);
  const withTail = (change: (bytes: Uint8Array, view: DataView) => void) => {
    const bytes = tail.slice();
    change(bytes, new DataView(bytes.buffer));
    return Buffer.concat([library, bytes]);
  };
  const end = tail.length - 24;
  const cases: [string, Buffer, string][] = [
    ['nothing appended', library, 'has no definitions'],
    ['cut', Buffer.concat([library, tail.subarray(0, -1)]), 'has no definitions'],
    ['newer', withTail((_, view) => view.setUint32(end + 8, 2, true)), 'made by a newer node-tensorrt'],
    [
      'an offset beyond the end',
      withTail((_, view) => view.setBigUint64(end + 16, 2n ** 63n, true)),
      'damaged plugin data',
    ],
    ['too many', withTail((_, view) => view.setUint32(end + 12, 0xffffffff, true)), 'damaged plugin data'],
    ['a giant text', withTail((_, view) => view.setUint32(0, 0xfffffff0, true)), 'damaged plugin data'],
    ['an unknown type', withTail((bytes) => bytes.fill(99, end - 1, end)), 'damaged plugin data'],
  ];
  test.each(cases)('%s', (name, bytes, message) => {
    const file = path(`${name.replaceAll(' ', '-')}.so`);
    writeFileSync(file, bytes);
    const { lines, messages, status } = run(file);
    expect({ lines, status }).toEqual({ lines: ['0 creators'], status: 0 });
    expect(messages).toContain(message);
  });
});

test('a library is refused without plugins, and with two of one name and version', async () => {
  await expect(writePluginLibrary([], path('none.so'))).rejects.toMatchObject({ code: 'ERR_PLUGIN' });
  await expect(writePluginLibrary([{} as never], path('none.so'))).rejects.toBeInstanceOf(TensorRTError);
  copyFileSync(emptyLibraryPath(), path('read-only'));
  await expect(writePluginLibrary([scale], path('nowhere/lib.so'))).rejects.toMatchObject({ code: 'ERR_SAVE' });
});
