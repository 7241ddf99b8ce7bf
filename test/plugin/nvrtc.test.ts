import { mkdirSync, renameSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { addon } from '../../src/addon.js';
import type { TensorRTError } from '../../src/errors/error.js';
import { chooseNvrtc, findNvrtc } from '../../src/plugin/nvrtc.js';
import { compileLibrary, temporaryFolder } from '../setup/fake-library.js';
import { resultOf, runChild } from '../tensorrt/child.js';
import { realNvrtc, write } from './nvrtc-here.js';

const dir = temporaryFolder();
let folders = 0;
let real: Awaited<ReturnType<typeof realNvrtc>>;
beforeAll(async () => {
  real = await realNvrtc();
});

/** Nothing of this machine's, except /usr/local/cuda* and /usr/lib. */
const env = (more: NodeJS.ProcessEnv = {}) => ({
  NODE_TENSORRT_CACHE: join(dir, 'no-cache'),
  HOME: dir,
  PATH: '',
  ...more,
});

/** What NVRTC's functions do in a library that is none: it knows a version and architectures, and cannot compile. */
const source = (major: number, minor: number, architectures: number[]) => `
int nvrtcVersion(int* major, int* minor) { *major = ${major}; *minor = ${minor}; return 0; }
int nvrtcGetNumSupportedArchs(int* count) { *count = ${architectures.length}; return 0; }
int nvrtcGetSupportedArchs(int* list) { int all[] = {${architectures}}; for (int i = 0; i < ${architectures.length}; i++) list[i] = all[i]; return 0; }
char const* nvrtcGetErrorString(int e) { return "an error"; }
int nvrtcCreateProgram() { return 0; } int nvrtcDestroyProgram() { return 0; } int nvrtcAddNameExpression() { return 0; }
int nvrtcCompileProgram() { CRASH return 7; } int nvrtcGetLoweredName() { return 7; } int nvrtcGetCUBINSize() { return 7; }
int nvrtcGetCUBIN() { return 7; } int nvrtcGetProgramLogSize(void* p, unsigned long* n) { *n = 0; return 0; }
int nvrtcGetProgramLog() { return 0; }`;

/** A stand-in with its other half. */
function standIn(lib: string, version: string, { architectures = [80, 90], builtins = version, crash = '' } = {}) {
  const [major, minor] = version.split('.').map(Number) as [number, number];
  const path = join(lib, `libnvrtc.so.${major}`);
  compileLibrary(path, source(major, minor, architectures).replace('CRASH', crash));
  if (builtins) writeFileSync(join(lib, `libnvrtc-builtins.so.${builtins}`), '');
  return path;
}

function headers(include: string, version: number) {
  write(include, 'cuda_fp16.h', '// half\n');
  write(include, 'cuda.h', `#define CUDA_VERSION ${version}\n`);
  return include;
}

const own = () => join(dir, `root${folders++}`);
const find = async (more: NodeJS.ProcessEnv, driver: string | null = null) =>
  (await findNvrtc({ env: env(more), driver })).filter((one) => one.path.startsWith(dir));

describe('it is found', () => {
  test('where NODE_TENSORRT_NVRTC says: a file or a folder', async () => {
    const root = own();
    const path = standIn(join(root, 'somewhere'), '13.2');
    for (const named of [path, dirname(path)])
      expect(await find({ NODE_TENSORRT_NVRTC: named })).toEqual([
        { path, version: '13.2', source: 'environment', include: null },
      ]);
  });

  test.each(['CUDA_HOME', 'CUDA_PATH'])('in the toolkit of %s, with its headers', async (name) => {
    const root = own();
    const path = standIn(join(root, 'targets/x86_64-linux/lib'), '12.8');
    const include = headers(join(root, 'targets/x86_64-linux/include'), 12080);
    symlinkSync('targets/x86_64-linux/lib', join(root, 'lib64'));
    expect(await find({ [name]: root })).toEqual([{ path, version: '12.8', source: 'environment', include }]);
  });

  test.each([
    ['13.5', 'nvidia/cu13/lib', 'nvidia/cu13/include', 13050],
    ['12.9', 'nvidia/cuda_nvrtc/lib', 'nvidia/cuda_runtime/include', 12090],
  ])('in a virtual environment with %s of PyPI', async (version, lib, include, cuda) => {
    const root = own();
    const packages = join(root, 'lib/python3.12/site-packages');
    const path = standIn(join(packages, lib), version);
    headers(join(packages, include), cuda);
    const found = await find({ VIRTUAL_ENV: root });
    expect(found).toEqual([{ path, version, source: 'python', include: join(packages, include) }]);
  });

  test('in LD_LIBRARY_PATH, through a link, once', async () => {
    const root = own();
    const path = standIn(join(root, 'lib'), '12.4');
    const full = join(root, 'lib/libnvrtc.so.12.4.127');
    renameSync(path, full);
    symlinkSync(basename(full), path);
    symlinkSync(basename(full), join(root, 'lib/libnvrtc.so'));
    compileLibrary(join(root, 'lib/libnvrtc.alt.so.12'), 'int f;');
    expect(await find({ LD_LIBRARY_PATH: join(root, 'lib') })).toEqual([
      { path: full, version: '12.4', source: 'loader', include: null },
    ]);
  });

  test('in the cache, and not while it is being unpacked', async () => {
    const root = own();
    const path = standIn(join(root, 'cuda-13.0/nvidia/cu13/lib'), '13.0');
    standIn(join(root, 'cuda-12.9.tmp-abc/nvidia/cuda_nvrtc/lib'), '12.9');
    expect(await find({ NODE_TENSORRT_CACHE: root })).toMatchObject([{ path, source: 'cache' }]);
  });

  test('and takes headers of another place, if they are of its major version', async () => {
    const root = own();
    const cached = join(root, 'cache/cuda-12.9/nvidia/cuda_runtime/include');
    headers(cached, 12090);
    standIn(join(root, 'twelve'), '12.1');
    standIn(join(root, 'thirteen'), '13.1');
    const includeFor = async (name: string) => {
      const more = { NODE_TENSORRT_CACHE: join(root, 'cache'), NODE_TENSORRT_NVRTC: join(root, name) };
      return (await find(more))[0]?.include;
    };
    expect(await includeFor('twelve')).toBe(cached);
    expect(await includeFor('thirteen')).toBeNull();
  });
});

describe('it is refused', () => {
  test.each([
    ['12.9', '12.2', undefined],
    ['12.9', '13.0', undefined],
    ['13.0', '13.0', undefined],
    ['13.5', '13.0', undefined],
    ['13.0', '12.8', /of CUDA 13\.0, and the driver, of CUDA 12\.8, loads no kernels of a later major version/],
    ['13.0', null, undefined],
  ])('%s with a driver of CUDA %s', async (version, driver, reason) => {
    standIn(join(own(), 'lib'), version);
    const [one] = await find({ NODE_TENSORRT_NVRTC: join(dir, `root${folders - 1}`, 'lib') }, driver);
    expect(one?.refused ?? '').toMatch(reason ?? /^$/);
  });

  test.each([
    [
      'without its other half',
      (lib: string) => standIn(lib, '13.0', { builtins: '' }),
      /libnvrtc-builtins\.so\.13, its other half, is not beside it/,
    ],
    ['with the other half of another', (lib: string) => standIn(lib, '13.0', { builtins: '12.9' }), /is not beside it/],
    ['as text', (lib: string) => write(lib, 'libnvrtc.so.13', 'text '.repeat(50)), /not an ELF file/],
    ['cut off', (lib: string) => truncateSync(standIn(lib, '13.0'), 6000), /truncated/],
    [
      'as another library',
      (lib: string) => compileLibrary(join(lib, 'libnvrtc.so.13'), 'int f(void) { return 1; }'),
      /does not export nvrtcVersion/,
    ],
  ])('%s', async (_, make, reason) => {
    const lib = join(own(), 'lib');
    mkdirSync(lib, { recursive: true });
    make(lib);
    const [one] = await find({ NODE_TENSORRT_NVRTC: lib });
    expect(one?.refused).toMatch(reason);
    await expect(chooseNvrtc([90], { env: env({ NODE_TENSORRT_NVRTC: lib }), driver: null })).rejects.toMatchObject({
      code: 'ERR_NVRTC_MISSING',
      message: expect.stringMatching(reason),
    });
  });

  test('where NODE_TENSORRT_NVRTC names nothing', async () => {
    const named = join(dir, 'nowhere');
    expect(await find({ NODE_TENSORRT_NVRTC: named })).toMatchObject(
      [{ path: named, refused: /names it/ }].map(() => expect.objectContaining({ path: named })),
    );
    const error = await chooseNvrtc([90], { env: env({ NODE_TENSORRT_NVRTC: named }), driver: null }).catch((e) => e);
    expect(error).toMatchObject({ code: 'ERR_NVRTC_MISSING' });
    expect(error.message).toMatch(
      /NODE_TENSORRT_NVRTC names it, but no libnvrtc\.so is there[\s\S]*get one with: npx node-tensorrt install --nvrtc/,
    );
  });
});

describe('the one that is chosen', () => {
  test('compiles for all the GPUs: others are passed over', async () => {
    const root = own();
    standIn(join(root, 'old'), '11.8', { architectures: [80, 90] });
    const path = standIn(join(root, 'new'), '12.9', { architectures: [80, 90, 120] });
    const list = ['old', 'new'].map((name) => join(root, name)).join(':');
    const chosen = await chooseNvrtc([80, 120], { env: env({ LD_LIBRARY_PATH: list }), driver: null });
    expect(chosen).toMatchObject({ path, version: '12.9', architectures: [80, 90, 120] });
  });

  test('is the one that the environment names, or none: with the versions that would do', async () => {
    const named = standIn(join(own(), 'lib'), '12.4', { architectures: [80, 90] });
    const choose = (capability: number) =>
      chooseNvrtc([90, capability], { env: env({ NODE_TENSORRT_NVRTC: named }), driver: null }).catch(
        (e) => e as TensorRTError,
      );
    const wanted = async (capability: number) => ((await choose(capability)) as TensorRTError).message;
    expect(await wanted(120)).toContain(
      'no NVRTC here compiles for compute capability 12 (sm_120): expected NVRTC 12.8 or later',
    );
    expect(await wanted(120)).toContain(`found ${named} (12.4)`);
    expect(await wanted(70)).toContain('expected NVRTC 9.0 to 12.9');
    expect(await wanted(250)).toContain('expected NVRTC of a later CUDA');
  });

  test('says its own version and architectures', async () => {
    const { version, architectures } = await chooseNvrtc([80, 90, 120], { driver: null });
    expect(version).toBe(real.version);
    expect(architectures).toEqual(expect.arrayContaining([80, 90, 120]));
  });
});

test('an NVRTC that is no NVRTC is refused by the addon too', async () => {
  const native = addon<{ nvrtcVersion(path: string): Promise<unknown> }>();
  const path = compileLibrary(join(own(), 'libnvrtc.so.13'), 'int nvrtcVersion(void) { return 1; }');
  await expect(native.nvrtcVersion(path)).rejects.toMatchObject({
    code: 'ERR_NVRTC_MISSING',
    message: /does not export/,
  });
  await expect(native.nvrtcVersion('/nowhere.so')).rejects.toMatchObject({ code: 'ERR_NVRTC_MISSING' });
  expect(() => native.nvrtcVersion(null as never)).toThrow(/expected a string/);
});

const compile = (path: string) => {
  const native = addon<{ compileKernel(path: string, request: object): Promise<{ cubin: unknown }> }>();
  return native.compileKernel(path, { source: '', file: 'k.cu', options: [], names: [] });
};

test('one that does not look beside itself, as 13.0 of PyPI, gets its other half all the same', async () => {
  const lib = join(own(), 'lib');
  const body = 'return dlopen("libnvrtc-builtins.so.77.1", 1) ? 6 : 7;';
  const text = `void* dlopen(char const*, int);${source(77, 1, [90]).replace('CRASH return 7;', body)}`;
  const path = compileLibrary(join(lib, 'libnvrtc.so.77'), text);
  const builtins = join(lib, 'libnvrtc-builtins.so.77.1');
  compileLibrary(builtins, 'int f;', `-Wl,-soname,${basename(builtins)}`);
  expect(await compile(path)).toMatchObject({ cubin: null });
});

test('failures of NVRTC itself are told', async () => {
  const path = standIn(join(own(), 'lib'), '78.1');
  await expect(compile(path)).rejects.toMatchObject({
    code: 'ERR_KERNEL',
    message: 'NVRTC 78.1: nvrtcCompileProgram failed: an error',
  });
});

test('a crash inside it fails that build, and the process lives', async () => {
  const path = standIn(join(own(), 'lib'), '79.1', { crash: '*(int volatile*)8 = 1;' });
  const module = (file: string) => JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href);
  const ended = await runChild(
    `const { compileKernels } = await import(${module('plugin/compile.js')});
    const request = { name: 'K', cuda: { source: '__global__ void k() {}' }, options: [], kernels: ['k'], launches: [] };
    const again = () => compileKernels(request, [90], { driver: null }).catch(({ code, message }) => ({ code, message }));
    console.log(JSON.stringify([await again(), await again()]));`,
    { env: { NODE_TENSORRT_NVRTC: path, NODE_TENSORRT_CACHE: join(dir, 'crash-cache') } },
  );
  const [first, second] = resultOf<{ code: string; message: string }[]>(ended);
  expect(first).toMatchObject({ code: 'ERR_TENSORRT_CRASHED' });
  expect(first!.message).toMatch(/^NVRTC 79\.1 crashed while compiling K\.cu \(SIGSEGV in libnvrtc\.so\.79 at 0x/);
  expect(second).toMatchObject({ code: 'ERR_TENSORRT_CRASHED' });
});
