import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compileLibrary, fakeTensorRT, temporaryFolder } from '../../setup/fake-library.js';
import { chain, rejection } from '../networks.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const file = (name: string, content: string) => {
  writeFileSync(at(name), content);
  return at(name);
};

describe('a library that', () => {
  test.each<[string, () => string, RegExp]>([
    ['is TensorRT 10.8', () => fakeTensorRT(at('libnvinfer.so.10.8.0'), 100800), /^ERR_LIBRARY_REFUSED .*10\.8/],
    [
      'is TensorRT-RTX 1.4',
      () => fakeTensorRT(at('libtensorrt_rtx.so.1.4.0'), 10400),
      /^ERR_LIBRARY_REFUSED .*1\.5 or later/,
    ],
    ['is TensorRT 12', () => fakeTensorRT(at('libnvinfer.so.12'), 120000), /^ERR_LIBRARY_REFUSED .*120000/],
    ['is TensorRT 9', () => fakeTensorRT(at('libnvinfer.so.9'), 90300), /^ERR_LIBRARY_REFUSED .*90300/],
    ['says a negative release', () => fakeTensorRT(at('libnvinfer.so.7'), -5), /^ERR_LIBRARY_REFUSED /],
    [
      'has a good release and nothing else',
      () => fakeTensorRT(at('libtensorrt_rtx.so.1.7.9'), 10709),
      /^ERR_LIBRARY_INVALID .*createInferBuilder_INTERNAL/,
    ],
    [
      'has no symbol of TensorRT',
      () => compileLibrary(at('libother.so'), 'int other(void) { return 1; }'),
      /^ERR_LIBRARY_INVALID .*getInferLibVersion/,
    ],
    ['lacks a library it needs', () => lacking(), /^ERR_LIBRARY_NOT_FOUND .*libgone\.so/],
    ['is text', () => file('libnvinfer.so.10', 'no library'), /^ERR_LIBRARY_INVALID .*not an ELF file/],
    ['is empty', () => file('libnvinfer.so.11', ''), /^ERR_LIBRARY_INVALID .*empty/],
    ['is not there', () => at('libnvinfer.so.13'), /^ERR_LIBRARY_NOT_FOUND .*libnvinfer\.so\.13/],
    ['is a folder without one', () => '/usr/share', /^ERR_LIBRARY_NOT_FOUND /],
    ['is a flavor nobody has', () => 'trt9', /^ERR_LIBRARY_NOT_FOUND .*trt9/],
  ])('%s', async (_, library, message) => {
    const path = library();
    for (const use of [
      chain(1).build({ library: path }),
      chain(1).check({ library: path }),
      chain(1).compile({ library: path }),
    ].map(rejection)) {
      const error = await use;
      expect(`${error.code} ${error.message}`.replaceAll('\n', ' ')).toMatch(message);
    }
  });
});

function lacking(): string {
  const gone = compileLibrary(at('libgone.so'), 'int gone(void) { return 1; }');
  const path = fakeTensorRT(at('libtensorrt_rtx.so.1'), 10701, '-L', folder, '-Wl,--no-as-needed', '-lgone');
  writeFileSync(gone, '');
  return path;
}

describe('the addon', () => {
  /** The package's sources somewhere else, without an addon. */
  function elsewhere(name: string): string {
    const root = at(name);
    cpSync(new URL('../../../src', import.meta.url).pathname, join(root, 'src'), { recursive: true });
    symlinkSync(new URL('../../../node_modules', import.meta.url).pathname, join(root, 'node_modules'));
    writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
    mkdirSync(join(root, 'build', 'Release'), { recursive: true });
    writeFileSync(
      join(root, 'main.ts'),
      `import { network, float32 } from './src/index.js';
       const net = network('n', { x: float32(2) }).relu().output('y').network;
       console.log(await net.build().then((engine) => ['built', engine.size > 0], (error) => [error.code, error.message]).then(JSON.stringify));`,
    );
    return root;
  }
  const run = (root: string): [string, string] =>
    JSON.parse(execFileSync(process.execPath, ['--import', 'tsx', join(root, 'main.ts')], { encoding: 'utf8' }));
  const addon = (root: string) => join(root, 'build', 'Release', 'node_tensorrt.node');

  test('is missing: recording works, building says what to do', () => {
    const [code, message] = run(elsewhere('missing'));
    expect([code, message]).toEqual([
      'ERR_ADDON_MISSING',
      expect.stringMatching(/missing\/build.*Cannot find module.*npm run build/),
    ]);
  });

  test('is missing in a project of one’s own: npm run build would be that project’s', () => {
    const [code, message] = run(elsewhere(join('project', 'node_modules', 'node-tensorrt')));
    expect([code, message]).toEqual([
      'ERR_ADDON_MISSING',
      expect.stringMatching(/: npx node-tensorrt install --no-fetch$/),
    ]);
  });

  test('is damaged', () => {
    const root = elsewhere('damaged');
    writeFileSync(addon(root), 'not an addon');
    expect(run(root)[0]).toBe('ERR_ADDON_MISSING');
  });

  test('is a library that is no addon', () => {
    const root = elsewhere('another');
    compileLibrary(addon(root), 'int other(void) { return 1; }');
    expect(run(root)).toEqual(['ERR_ADDON_MISSING', expect.stringContaining('did not self-register')]);
  });

  test('lies in a folder with spaces, signs and letters of all kinds', () => {
    const root = elsewhere('a folder (ä%20#1)');
    copyFileSync(new URL('../../../build/Release/node_tensorrt.node', import.meta.url).pathname, addon(root));
    expect(run(root)).toEqual(['built', true]);
  });
});
