import { writeFileSync } from 'node:fs';
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
