import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { node, root, write } from './checkout.js';
import { temporaryFolder } from './fake-library.js';

const dir = temporaryFolder();
const script = join(root, 'scripts/check-abi.mjs');
const check = (...args: string[]) => node(dir, [script, ...args]);

const METHODS = `INTERFACE(Layer, Layer, 8, "apiv::VLayer")
METHOD(Layer, setName, void(char const*), "void setName(const char *)", "3", "3", "3")
METHOD(Layer, getAxis, int32_t(), "int getAxis() const", "4@10.7.0", "4", "-")
INTERFACE(ScaleLayer, Layer, 16, "apiv::VScaleLayer")
METHOD(ScaleLayer, setMode, void(int32_t), "void setMode(Mode)", "2", "2", "2")
`;
const ENUMS = `ENUM(Mode, kA, "0", "0", "0")
ENUM(Mode, kB, "1@10.6.0", "2", "-")
`;
const SLOTS = `interface	method	trt10	trt11	rtx1
apiv::VLayer	void setName(const char *)	3	3	3
apiv::VLayer	int getAxis() const	4@10.7.0	4	-
apiv::VScaleLayer	void setMode(Mode)	2	2	2
`;
const ENUMERATORS = `enum	name	trt10	trt11	rtx1
Mode	kA	0	0	0
Mode	kB	1	2	-
`;

function tables(name: string, methods = METHODS, enums = ENUMS) {
  return ['--methods', write(dir, `${name}/methods.def`, methods), '--enums', write(dir, `${name}/enums.def`, enums)];
}

let folders = 0;

/** Headers in the shape of TensorRT's: a table class, a handle that keeps it at 8 or 16, an enum. */
function headers(release: string, { axis = true, before = '', mode = 'int32_t', kB = 1 } = {}) {
  const [major, minor, patch] = release.split('.');
  const include = join(dir, `include${folders++}`);
  mkdirSync(include, { recursive: true });
  const macros = { MAJOR: major, MINOR: minor, PATCH: patch };
  write(
    include,
    'NvInferVersion.h',
    Object.entries(macros)
      .map(([k, v]) => `#define NV_TENSORRT_${k} ${v}\n`)
      .join(''),
  );
  write(
    include,
    'NvInfer.h',
    `#include <cuda_runtime_api.h>
#include <cstdint>
namespace nvinfer1 {
struct Dims64 { int32_t nbDims; int64_t d[8]; };
struct Permutation { int32_t order[8]; };
struct Weights { int32_t type; void const* values; int64_t count; };
enum class Mode : ${mode} { kA = 0, kB = ${kB} };
namespace apiv {
class VRoot { public: virtual ~VRoot() noexcept = default; };
class VLayer : public VRoot { public: virtual int getType() const noexcept = 0; ${before}
  virtual void setName(char const*) noexcept = 0; ${axis ? 'virtual int32_t getAxis() const noexcept = 0;' : ''} };
class VScaleLayer : public VRoot { public: virtual void setMode(Mode) noexcept = 0; };
}
class ILayer { public: virtual ~ILayer() = default; protected: apiv::VLayer* mLayer; };
class IScaleLayer : public ILayer { protected: apiv::VScaleLayer* mImpl; };
}
`,
  );
  return include;
}

describe('against tables', () => {
  const against = (...args: string[]) =>
    check(
      ...args,
      '--slots',
      write(dir, 'abi/slots.tsv', SLOTS),
      '--enumerators',
      write(dir, 'abi/enums.tsv', ENUMERATORS),
    );

  test('equal rows agree', () => {
    const { status, stdout } = against(...tables('equal'));
    expect(stdout).toMatch(/5 rows agree/);
    expect(status).toBe(0);
  });

  test.each([
    ['a slot', METHODS.replace('"4@10.7.0"', '"5@10.7.0"'), ENUMS, /VLayer::getAxis: here 5@10\.7\.0 4 -/],
    ['a release', METHODS.replace('@10.7.0', '@10.6.0'), ENUMS, /VLayer::getAxis/],
    ['a row that nobody knows', METHODS.replace('const char *)', 'char *)'), ENUMS, /setName: no such row/],
    ['the width of a result', METHODS.replace('int32_t()', 'int64_t()'), ENUMS, /passes \(int64_t\)/],
    ['a missing argument', METHODS.replace('void(int32_t)', 'void()'), ENUMS, /passes \(void,int32_t\)/],
    [
      'a value for a pointer',
      METHODS.replace('void(char const*)', 'void(uint64_t)'),
      ENUMS,
      /passes \(void,uint64_t\)/,
    ],
    ['an enumerator', METHODS, ENUMS.replace('"2"', '"1"'), /Mode::kB: here 1@10\.6\.0 1 -/],
  ])('another %s differs', (name, methods, enums, expected) => {
    const { status, stdout } = against(...tables(name.replaceAll(' ', '-'), methods, enums));
    expect(stdout).toMatch(expected);
    expect(status).toBe(1);
  });

  test('a row that cannot be read is an error, not skipped', () => {
    const { status, stderr } = against(...tables('unreadable', METHODS.replace('"3", "3", "3")', '"3", "3")')));
    expect(stderr).toMatch(/cannot read the row METHOD\(Layer, setName/);
    expect(status).toBe(1);
  });
});

describe('against headers', () => {
  test.each([
    ['10.7.0', {}],
    ['10.6.0', { axis: false }],
    ['11.0.0', { kB: 2 }],
  ])('%s agrees', (release, options) => {
    const { status, stdout, stderr } = check(...tables('headers'), headers(release, options));
    expect(stderr).toBe('');
    expect(stdout).toMatch(new RegExp(`TensorRT ${release}.*rows agree`));
    expect(status).toBe(0);
  });

  test.each([
    ['a method too early', '10.6.0', {}, /getAxis: here absent, headers 4/],
    ['a method that is not there', '10.7.0', { axis: false }, /getAxis: here 4, headers lack it/],
    ['a method before it', '10.7.0', { before: 'virtual void other() noexcept = 0;' }, /setName: here 3, headers 4/],
    ['an enumerator too early', '10.5.0', { axis: false }, /Mode::kB: here absent, headers 1/],
    ['another value of an enumerator', '11.0.0', { kB: 1 }, /Mode::kB: here 2, headers 1/],
    ['a present enumerator said absent', '1.5.0', { axis: false }, /Mode::kB: here absent, headers 1/],
  ])('%s differs', (_, release, options, expected) => {
    const { status, stdout } = check(...tables('headers'), headers(release, options));
    expect(stdout).toMatch(expected);
    expect(status).toBe(1);
  });

  test('another place of the implementation pointer differs', () => {
    const moved = tables('moved', METHODS.replace('ScaleLayer, Layer, 16', 'ScaleLayer, Layer, 8'));
    expect(check(...moved, headers('10.7.0')).stdout).toMatch(/VScaleLayer: pointer at 8 here, 16 in the headers/);
  });

  test.each([
    ['10.8.0', /10\.8\.0 .*refused/],
    ['9.3.0', /no flavor for TensorRT 9\.3\.0/],
  ])('%s is not compared', (release, expected) => {
    const { status, stderr } = check(...tables('headers'), headers(release));
    expect(stderr).toMatch(expected);
    expect(status).toBe(1);
  });

  test('a folder without headers is an error', () => {
    const { status, stderr } = check(...tables('headers'), dir);
    expect(stderr).toMatch(/NvInferVersion\.h/);
    expect(status).toBe(1);
  });
});

test("every slot of the project's own tables has a release it knows", () => {
  const text = readFileSync(join(root, 'native/tensorrt/methods.def'), 'utf8');
  for (const [cell] of text.matchAll(/(?<=")\d+@[^"]*/g)) expect(cell).toMatch(/^\d+@(10|11|1)\.\d+(\.\d+)?$/);
});
