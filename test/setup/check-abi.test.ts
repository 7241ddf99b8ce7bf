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
const CALLBACKS = `CALLBACKS(Logger, "v_1_0::ILogger")
CALLBACK(Logger, getAPILanguage, int32_t(), "APILanguage getAPILanguage() const", "-", "0", "0")
CALLBACK(Logger, destroy, void(), "~ILogger() [D1]", "1", "1", "1")
CALLBACK(Logger, destroy, void(), "~ILogger() [D0]", "2", "2", "2")
CALLBACK(Logger, log, void(int32_t, char const*), "void log(v_1_0::ILogger::Severity, const char *)", "0", "3", "3")
`;
const ENUMS = `ENUM(Mode, kA, "0", "0", "0")
ENUM(Mode, kB, "1@10.6.0", "2", "-")
`;
const SLOTS = `interface	method	trt10	trt11	rtx1
apiv::VLayer	void setName(const char *)	3	3	3
apiv::VLayer	int getAxis() const	4@10.7.0	4	-
apiv::VScaleLayer	void setMode(Mode)	2	2	2
ILogger	void log(ILogger::Severity, const char *)	0	-	-
ILogger	~ILogger() [D1]	1	-	-
ILogger	~ILogger() [D0]	2	-	-
v_1_0::ILogger	APILanguage getAPILanguage() const	-	0	0
v_1_0::ILogger	~ILogger() [D1]	-	1	1
v_1_0::ILogger	~ILogger() [D0]	-	2	2
v_1_0::ILogger	void log(v_1_0::ILogger::Severity, const char *)	-	3	3
`;
const ENUMERATORS = `enum	name	trt10	trt11	rtx1
Mode	kA	0	0	0
Mode	kB	1	2	-
APILanguage	kCPP	0	0	0
v_1_0::ILogger::Severity	kERROR	-	1	1
`;

function tables(name: string, methods = METHODS, enums = ENUMS, callbacks = CALLBACKS) {
  const files = { methods, enums, callbacks };
  return Object.entries(files).flatMap(([file, text]) => [`--${file}`, write(dir, `${name}/${file}.def`, text)]);
}

let folders = 0;

/** The logger as TensorRT 10 has it, and as 11 and RTX do; `more` stands behind, `first` before it. */
const logger = (isOld: boolean, first: string, more: string) => {
  const body = (language: string, log: string) =>
    `class ILogger { public: enum class Severity : int32_t { kERROR = 1 }; ${language} ${first} ${log} ${more} };`;
  const log = 'virtual void log(Severity, char const*) noexcept = 0;';
  const end = 'virtual ~ILogger() = default;';
  if (isOld) return body('', `${log} ${end}`);
  const language = 'virtual APILanguage getAPILanguage() const noexcept { return APILanguage::kCPP; }';
  return `namespace v_1_0 { ${body(language, `${end} ${log}`)} } using ILogger = v_1_0::ILogger;`;
};

/** Headers in the shape of TensorRT's: a table class, a handle that keeps it at 8 or 16, an enum, an interface of ours. */
function headers(release: string, { axis = true, before = '', mode = 'int32_t', kB = 1, first = '', more = '' } = {}) {
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
enum class APILanguage : int32_t { kCPP = 0 };
${logger(major === '10', first, more)}
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
    expect(stdout).toMatch(/9 rows agree/);
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

  test.each<[string, string, RegExp]>([
    ['a slot', CALLBACKS.replace('"0", "3", "3"', '"0", "3", "4"'), /ILogger::log: here 0 3 4, there 0 3 3/],
    ["an older flavor's slot", CALLBACKS.replace('"0", "3", "3"', '"-", "3", "3"'), /ILogger::log: here - 3 3/],
    ["a destructor's slot", CALLBACKS.replace('"1", "1", "1"', '"1", "2", "1"'), /ILogger::destroy: here 1 2 1/],
    ['a missing row', CALLBACKS.replace(/.*getAPILanguage.*\n/, ''), /ILogger::APILanguage getAPILanguage.*no row/],
    ['a missing argument', CALLBACKS.replace('(int32_t, char const*)', '(int32_t)'), /passes \(void,int32_t\), but/],
    ['a wider argument', CALLBACKS.replace('(int32_t, char', '(int64_t, char'), /passes \(void,int64_t,char\*\), but/],
  ])('of what TensorRT calls on us, %s differs', (name, callbacks, expected) => {
    const { status, stdout } = against(...tables(name.replace(/\W/g, '-'), METHODS, ENUMS, callbacks));
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

  test.each<[string, string, string, object, RegExp]>([
    ['a slot', '11.0.0', CALLBACKS.replace('"0", "3", "3"', '"0", "4", "3"'), {}, /ILogger::log: here 4, headers 3/],
    [
      'a destructor',
      '11.0.0',
      CALLBACKS.replace('[D1]", "1", "1"', '[D1]", "1", "2"'),
      {},
      /ILogger::destroy: here 2, headers 1/,
    ],
    [
      'a method before it',
      '10.7.0',
      CALLBACKS,
      { first: 'virtual void other() noexcept {}' },
      /log: here 0, headers 1/,
    ],
    [
      'a method that is not here',
      '11.0.0',
      CALLBACKS,
      { more: 'virtual void other() noexcept = 0;' },
      /ILogger::destroy: here 1, headers lack it \(.*abstract/,
    ],
  ])('%s of what TensorRT calls on us differs', (name, release, callbacks, options, expected) => {
    const own = tables(`headers-${name.replace(/\W/g, '-')}`, METHODS, ENUMS, callbacks);
    const { status, stdout } = check(...own, headers(release, { ...(release === '11.0.0' && { kB: 2 }), ...options }));
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
  const text = ['methods', 'callbacks']
    .map((name) => readFileSync(join(root, `native/tensorrt/${name}.def`), 'utf8'))
    .join();
  for (const [cell] of text.matchAll(/(?<=")\d+@[^"]*/g)) expect(cell).toMatch(/^\d+@(10|11|1)\.\d+(\.\d+)?$/);
});
