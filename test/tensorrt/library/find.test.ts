import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { binding, type CudaInfo } from '../../../src/tensorrt/binding.js';
import { chooseTensorRT, examineTensorRT, findTensorRT } from '../../../src/tensorrt/library/find.js';
import { compileLibrary, fakeTensorRT, temporaryFolder } from '../../setup/fake-library.js';

const none: CudaInfo = { driver: null, devices: [], error: 'no NVIDIA driver' };
const gpu = (computeCapability: string): CudaInfo => ({
  driver: '13.0',
  devices: [{ name: 'a GPU', computeCapability, totalMemory: 2 ** 34 }],
});

const dir = temporaryFolder();
const env = (more: NodeJS.ProcessEnv = {}) => ({
  NODE_TENSORRT_CACHE: join(dir, 'no-cache'),
  HOME: dir,
  PATH: '',
  ...more,
});
let folders = 0;

/** A folder of its own with one fake library. */
function withLibrary(name: string, release: number, ...flags: string[]) {
  const root = join(dir, `root${folders++}`);
  return { root, path: fakeTensorRT(join(root, 'lib', name), release, ...flags) };
}

async function findIn(root: string, cuda = none) {
  const found = await findTensorRT({ env: env({ TENSORRT_ROOT: root }), cuda });
  return found.filter((one) => one.path.startsWith(root));
}

describe('releases', () => {
  test.each([
    [100000, 'libnvinfer.so.10', 'trt10', '10.0.0'],
    [100600, 'libnvinfer.so.10', 'trt10', '10.6.0'],
    [101600, 'libnvinfer.so.10', 'trt10', '10.16.0'],
    [110201, 'libnvinfer.so.11', 'trt11', '11.2.1'],
    [10500, 'libtensorrt_rtx.so.1', 'rtx1', '1.5.0'],
    [10701, 'libtensorrt_rtx.so.1', 'rtx1', '1.7.1'],
  ])('%i is known', async (release, name, flavor, version) => {
    const { root, path } = withLibrary(name, release);
    expect(await findIn(root)).toMatchObject([{ path, flavor, version, source: 'environment' }]);
  });

  test.each([
    [100800, 'libnvinfer.so.10', '10.8.0', /10\.8/],
    [100803, 'libnvinfer.so.10', '10.8.3', /10\.8/],
    [10400, 'libtensorrt_rtx.so.1', '1.4.0', /1\.5 or later/],
    [80601, 'libnvinfer.so.8', '8.6.1', /not a supported release/],
    [120000, 'libnvinfer.so.12', '12.0.0', /not a supported release/],
    [0, 'libnvinfer.so.10', '0.0.0', /not a supported release/],
    [-1, 'libnvinfer.so.10', '-1.-1.-1', /not a supported release/],
  ])('%i is refused, by the search, by choosing it and by the addon', async (release, name, version, reason) => {
    const { root, path } = withLibrary(name, release);
    const usableFor = { build: false, run: false, plugins: false };
    const found = await findIn(root, gpu('8.9'));
    expect(found).toMatchObject([{ path, flavor: null, version, usableFor, refused: expect.stringMatching(reason) }]);
    const chosen = chooseTensorRT({ for: 'build', library: path, env: env(), cuda: gpu('8.9') });
    await expect(chosen).rejects.toMatchObject({ code: 'ERR_LIBRARY_REFUSED', message: expect.stringContaining(path) });
    await expect(binding().loadLibrary(path)).rejects.toMatchObject({ code: 'ERR_LIBRARY_REFUSED' });
  });

  test.each([
    ['-O0'],
    ['-O2'],
    ['-O0', '-fcf-protection'],
    ['-O2', '-fcf-protection'],
    ['-O2', '-fomit-frame-pointer'],
  ])('are read from code compiled with %s %s', async (...flags) => {
    const { root } = withLibrary('libnvinfer.so.10', 100600, ...flags);
    expect(await findIn(root)).toMatchObject([{ version: '10.6.0' }]);
  });

  test('are taken from the file name where the code computes them', async () => {
    const root = join(dir, 'computed');
    const source = 'volatile int minor = 6; int getInferLibVersion(void) { return 100000 + minor * 100; }';
    compileLibrary(join(root, 'libnvinfer.so.10.3.1'), source);
    expect(await findIn(root)).toMatchObject([{ version: '10.3.1' }]);
  });

  test('are asked of the library where nothing else says them', async () => {
    const root = join(dir, 'asked');
    const create =
      'void* createInferBuilder_INTERNAL(void) { return 0; } void* createInferRuntime_INTERNAL(void) { return 0; }';
    const source = 'volatile int minor = 6; int getInferLibVersion(void) { return 100000 + minor * 100; }';
    compileLibrary(join(root, 'libnvinfer.so.10'), `${source} ${create}`);
    expect(await findIn(root)).toMatchObject([{ version: '10.6.0', flavor: 'trt10' }]);
  });
});

describe('files that are no TensorRT', () => {
  const cases: [string, (path: string) => void, RegExp][] = [
    [
      'text',
      (path) => writeFileSync(path, 'INPUT(-lnvinfer) and some more text so that it is longer than a header\n'),
      /not an ELF/,
    ],
    ['an empty file', (path) => writeFileSync(path, ''), /empty/],
    ['a truncated library', (path) => truncateSync(fakeTensorRT(path, 100600), 6000), /truncated/],
    ['an object for another machine', (path) => writeFileSync(path, elfFor(path, 183)), /x86-64/],
    [
      'a library without getInferLibVersion',
      (path) => compileLibrary(path, 'int other(void) { return 1; }'),
      /getInferLibVersion/,
    ],
    [
      'a library that only imports it',
      (path) => compileLibrary(path, 'int getInferLibVersion(void); int f(void) { return getInferLibVersion(); }'),
      /does not export/,
    ],
  ];
  test.each(cases)('%s', async (_, make, reason) => {
    const root = join(dir, `root${folders++}`);
    mkdirSync(root, { recursive: true });
    const path = join(root, 'libnvinfer.so.10');
    make(path);
    expect(await findIn(root)).toMatchObject([
      { path, flavor: null, version: null, refused: expect.stringMatching(reason) },
    ]);
    const chosen = chooseTensorRT({ for: 'build', library: path, env: env(), cuda: none });
    await expect(chosen).rejects.toMatchObject({ code: 'ERR_LIBRARY_INVALID' });
  });

  test('never crash the reader, however they are damaged', async () => {
    const good = readFileSync(fakeTensorRT(join(dir, 'good.so'), 100600));
    const root = join(dir, 'damaged');
    mkdirSync(root);
    let seed = 1;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    for (let i = 0; i < 300; i++) {
      const bytes = Buffer.from(good);
      for (let n = 0; n < 8; n++) bytes[random(1024)] = random(256);
      // A name without a version: then what cannot be read is not loaded either, as it exports nothing readable.
      writeFileSync(join(root, `libnvinfer.so.10.0.${i}`), bytes);
    }
    expect(await findIn(root)).toHaveLength(300);
  });

  function elfFor(path: string, machine: number) {
    const bytes = Buffer.from(readFileSync(fakeTensorRT(path, 100600)));
    bytes.writeUInt16LE(machine, 18);
    return bytes;
  }
});

describe('where it is looked for', () => {
  test('a library is listed once, by its real path, however many links lead to it', async () => {
    const { root, path } = withLibrary('libnvinfer.so.10.6.0', 100600);
    symlinkSync(path, join(root, 'lib', 'libnvinfer.so.10'));
    symlinkSync(path, join(root, 'lib', 'libnvinfer.so'));
    const found = await findTensorRT({
      env: env({ TENSORRT_ROOT: root, LD_LIBRARY_PATH: join(root, 'lib') }),
      cuda: none,
    });
    expect(found.filter((one) => one.path.startsWith(root))).toMatchObject([{ path }]);
  });

  test('in this order: NODE_TENSORRT_LIBRARY, TENSORRT_ROOT, LD_LIBRARY_PATH, Python, cache', async () => {
    const root = join(dir, 'order');
    const make = (path: string) => fakeTensorRT(join(root, path), 100600);
    const named = make('named/my-tensorrt.so');
    const below = make('root/lib/libnvinfer.so.10');
    const loader = make('loader/libnvinfer.so.10');
    const python = make('venv/lib/python3.11/site-packages/tensorrt_libs/libnvinfer.so.10');
    const rtx = make('venv/lib/python3.11/site-packages/tensorrt_rtx_libs/libtensorrt_rtx.so.1');
    const cache = make('cache/tensorrt-rtx-1.7.1/tensorrt_rtx_libs/libtensorrt_rtx.so.1');
    make('cache/tensorrt-rtx-1.7.1.tmp-123/tensorrt_rtx_libs/libtensorrt_rtx.so.1');
    const found = await findTensorRT({
      env: {
        NODE_TENSORRT_LIBRARY: named,
        TENSORRT_ROOT: join(root, 'root'),
        LD_LIBRARY_PATH: join(root, 'loader'),
        VIRTUAL_ENV: join(root, 'venv'),
        NODE_TENSORRT_CACHE: join(root, 'cache'),
      },
      cuda: none,
    });
    const order = found.filter((one) => one.path.startsWith(root)).map((one) => one.path);
    expect(order).toEqual([named, below, loader, python, rtx, cache]);
  });

  test.each(['python3.12', 'script'])(
    "beside the active Python, be it a program or a version manager's script (%s)",
    async (kind) => {
      const prefix = join(dir, `python-${kind}`);
      const path = fakeTensorRT(
        join(prefix, 'lib/python3.12/site-packages/tensorrt_rtx_libs/libtensorrt_rtx.so.1'),
        10701,
      );
      mkdirSync(join(prefix, 'bin'));
      const python = join(prefix, 'bin', 'python3');
      if (kind === 'script') {
        writeFileSync(python, `#!/bin/sh\necho ${join(prefix, 'lib/python3.12/site-packages')}\n`, { mode: 0o755 });
      } else {
        writeFileSync(join(prefix, 'bin', 'python3.12'), '\x7fELF', { mode: 0o755 });
        symlinkSync('python3.12', python);
      }
      const found = await findTensorRT({ env: env({ PATH: join(prefix, 'bin') }), cuda: none });
      expect(found.find((one) => one.path === path)).toMatchObject({ source: 'python', flavor: 'rtx1' });
    },
  );

  test('a path that leads nowhere is listed as refused', async () => {
    const path = join(dir, 'nowhere.so');
    const [first] = await findTensorRT({ env: env({ NODE_TENSORRT_LIBRARY: path }), cuda: none });
    expect(first).toMatchObject({ path, refused: expect.stringContaining('NODE_TENSORRT_LIBRARY') });
  });
});

test('a fetched library that is no longer what was installed is refused, and the search says how to mend it', async () => {
  const cache = join(dir, 'fetched');
  const path = fakeTensorRT(join(cache, 'tensorrt-rtx-1/tensorrt_rtx_libs/libtensorrt_rtx.so.1'), 10701);
  const bytes = readFileSync(path);
  const hash = createHash('sha256').update(bytes).digest('base64url');
  const row = `tensorrt_rtx_libs/libtensorrt_rtx.so.1,sha256=${hash},${bytes.length}\n`;
  mkdirSync(join(cache, 'tensorrt-rtx-1/x-1.dist-info'));
  writeFileSync(join(cache, 'tensorrt-rtx-1/x-1.dist-info/RECORD'), row);
  const script = join(import.meta.dirname, '../../../scripts/install/record.mjs');
  const { writeRecord } = await import(pathToFileURL(script).href);
  writeRecord(join(cache, 'tensorrt-rtx-1'), {});
  const options = { env: env({ NODE_TENSORRT_CACHE: cache }), cuda: none };
  const search = async (how: typeof findTensorRT) => (await how(options)).find((one) => one.path === path);
  for (const how of [findTensorRT, examineTensorRT]) expect(await search(how)).toMatchObject({ flavor: 'rtx1' });

  // One byte, in a part that nothing reads.
  writeFileSync(path, Buffer.concat([bytes.subarray(0, -1), Buffer.of(bytes.at(-1)! ^ 1)]));
  for (const how of [findTensorRT, examineTensorRT]) {
    const refused = expect.stringMatching(
      /was changed: its SHA-256 is another; fetch it again with: npx node-tensorrt install/,
    );
    expect(await search(how)).toMatchObject({ flavor: null, refused });
  }
  const chosen = chooseTensorRT({ for: 'build', library: path, ...options });
  await expect(chosen).rejects.toMatchObject({
    code: 'ERR_LIBRARY_INVALID',
    message: expect.stringContaining('SHA-256'),
  });
});

describe('what a library is usable for', () => {
  const trt = withLibrary('libnvinfer.so.10', 100600);
  const rtx = withLibrary('libtensorrt_rtx.so.1', 10701);
  // TensorRT needs a GPU; TensorRT-RTX builds without one and runs on 7.5, 8.x and 12.x.
  test.each([
    ['TensorRT', trt, none, false, false, false],
    ['TensorRT', trt, gpu('9.0'), true, true, true],
    ['TensorRT', trt, gpu('12.0'), true, true, true],
    ['TensorRT', trt, gpu('6.1'), false, false, false],
    ['TensorRT-RTX', rtx, none, true, false, false],
    ['TensorRT-RTX', rtx, gpu('7.5'), true, true, false],
    ['TensorRT-RTX', rtx, gpu('8.0'), true, true, false],
    ['TensorRT-RTX', rtx, gpu('8.9'), true, true, false],
    ['TensorRT-RTX', rtx, gpu('9.0'), true, false, false],
    ['TensorRT-RTX', rtx, gpu('10.0'), true, false, false],
    ['TensorRT-RTX', rtx, gpu('12.1'), true, true, false],
  ])('%s, %#', async (_, { root }, cuda, build, run, plugins) => {
    const [found] = await findIn(root, cuda);
    expect(found!.usableFor).toEqual({ build, run, plugins });
    for (const [purpose, usable] of Object.entries(found!.usableFor))
      expect(typeof found!.limits?.[purpose as 'run']).toBe(usable ? 'undefined' : 'string');
  });
});

describe('the choice', () => {
  test('says what was looked for, what was found and why not, and how to get one', async () => {
    const { root, path } = withLibrary('libnvinfer.so.10', 100600);
    const choice = chooseTensorRT({ for: 'run', library: 'trt10', env: env({ TENSORRT_ROOT: root }), cuda: none });
    await expect(choice).rejects.toMatchObject({ code: 'ERR_LIBRARY_NOT_FOUND' });
    const { message } = (await choice.catch((error) => error)) as Error;
    for (const part of [
      'libnvinfer.so.10',
      'libtensorrt_rtx.so.1',
      root,
      `found ${path} (TensorRT 10.6.0)`,
      'no NVIDIA driver',
      'pip install tensorrt',
    ])
      expect(message).toContain(part);
  });

  test('names the line that gets a library for building', async () => {
    const { root } = withLibrary('libnvinfer.so.10', 100600);
    const choice = chooseTensorRT({ for: 'build', library: 'trt11', env: env({ TENSORRT_ROOT: root }), cuda: none });
    await expect(choice).rejects.toThrow(/it is trt10[\s\S]*npx node-tensorrt install/);
  });

  test('of a path that leads nowhere is an error', async () => {
    const choice = chooseTensorRT({ for: 'build', library: join(dir, 'nowhere'), env: env(), cuda: none });
    await expect(choice).rejects.toMatchObject({ code: 'ERR_LIBRARY_NOT_FOUND' });
  });

  test("reports the addon's refusal of a library that cannot be called", async () => {
    const { path } = withLibrary('libtensorrt_rtx.so.1', 10701);
    const choice = chooseTensorRT({ for: 'build', library: path, env: env(), cuda: none });
    await expect(choice).rejects.toMatchObject({
      code: 'ERR_LIBRARY_INVALID',
      message: expect.stringContaining('createInfer'),
    });
  });

  test('passes over a library that cannot be called, and prefers TensorRT where a GPU can run it', async () => {
    const root = join(dir, 'choice');
    const create =
      'void* createInferBuilder_INTERNAL(void) { return 0; } void* createInferRuntime_INTERNAL(void) { return 0; }';
    const whole = (name: string, release: number) =>
      compileLibrary(join(root, name), `int getInferLibVersion(void) { return ${release}; } ${create}`);
    fakeTensorRT(join(root, 'a', 'libtensorrt_rtx.so.1'), 10701);
    const rtx = whole('b/libtensorrt_rtx.so.1', 10701);
    const trt = whole('c/libnvinfer.so.10', 100600);
    const LD_LIBRARY_PATH = ['a', 'b', 'c'].map((name) => join(root, name)).join(':');
    const choose = (cuda: CudaInfo, purpose: 'build' | 'run' | 'plugins', library?: string) =>
      chooseTensorRT({ for: purpose, library, env: env({ LD_LIBRARY_PATH }), cuda });
    expect(await choose(none, 'build')).toMatchObject({ path: rtx, flavor: 'rtx1' });
    expect(await choose(gpu('8.9'), 'build')).toMatchObject({ path: trt, flavor: 'trt10' });
    expect(await choose(gpu('9.0'), 'run')).toMatchObject({ path: trt });
    expect(await choose(gpu('8.9'), 'run', 'rtx1')).toMatchObject({ path: rtx });
    expect(await choose(gpu('8.9'), 'plugins')).toMatchObject({ path: trt });
  });
});
