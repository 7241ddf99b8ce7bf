import { readdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Env } from '../../src/machine/search.js';
import { compileKernels, type KernelRequest } from '../../src/plugin/compile.js';
import { forgetKernels } from '../../src/plugin/kernel-cache.js';
import type { CudaSource } from '../../src/plugin/kernel-source.js';
import { temporaryFolder } from '../setup/fake-library.js';
import { countCompilations, ownCache, write } from './nvrtc-here.js';

const dir = temporaryFolder();
const fileAt = (file: string) => ({ file });
let caches = 0;
let env: Env;
let folder: string;
let counted: ReturnType<typeof countCompilations>;
beforeEach(async () => {
  const cache = join(dir, `cache${caches++}`);
  env = await ownCache(cache);
  folder = join(cache, 'kernels');
  forgetKernels();
  counted = countCompilations();
});
afterEach(() => counted.stop());

const text = '__global__ void fill(float* x) { x[threadIdx.x] = 1; }\n';
const request = (cuda: string | CudaSource = text, more: Partial<KernelRequest> = {}): KernelRequest => {
  const its = typeof cuda === 'string' ? { source: cuda } : cuda;
  return { name: 'Fill', cuda: its, options: [], kernels: ['fill'], launches: [], ...more };
};

async function compile(one = request(), capabilities = [90], more = {}) {
  const { cubins, lowered } = await compileKernels(one, capabilities, { env, driver: null, ...more });
  return { cubins: cubins.map(({ capability, data }) => ({ capability, data: Buffer.from(data) })), lowered };
}

const compilations = () => counted.options.length;
const files = () => readdirSync(folder).map((name) => join(folder, name));

describe('the second time a kernel', () => {
  test('comes from memory', async () => {
    const first = await compile();
    expect(await compile()).toEqual(first);
    expect(compilations()).toBe(1);
  });

  test('comes from disk in another process', async () => {
    const first = await compile(request(), [80, 90]);
    expect(files()).toHaveLength(2);
    forgetKernels();
    expect(await compile(request(), [80, 90])).toEqual(first);
    expect(compilations()).toBe(2);
  });

  test('is compiled once, however many want it at once', async () => {
    const all = await Promise.all([compile(), compile(), compile()]);
    expect(all[2]).toEqual(all[0]);
    expect(compilations()).toBe(1);
  });
});

describe('it is compiled again', () => {
  test.each([
    ['for another GPU', request(), [80], {}],
    ['with other options', request(text, { options: ['--use_fast_math'] }), [90], {}],
    ['with lines', request(), [90], { lineinfo: true }],
    ['from other source', request(text.replace('1', '2')), [90], {}],
    ['for other kernels', request(text + text.replace('fill', 'more'), { kernels: ['fill', 'more'] }), [90], {}],
  ])('%s', async (_, other, capabilities, options) => {
    await compile();
    await compile(other, capabilities, options);
    expect(compilations()).toBe(2);
    forgetKernels();
    await compile();
    await compile(other, capabilities, options);
    expect(compilations()).toBe(2);
  });

  test('when a header beside it changes, or one of that header', async () => {
    const path = write(dir, 'headers/kernel.cu', `#include "one.cuh"\n${text.replace('1', 'VALUE')}`);
    write(dir, 'headers/one.cuh', '#include "sub/two.cuh"\n');
    write(dir, 'headers/sub/two.cuh', '#define VALUE 1\n');
    const first = await compile(request(fileAt(path)));
    await compile(request(fileAt(path)));
    expect(compilations()).toBe(1);
    write(dir, 'headers/sub/two.cuh', '#define VALUE 2\n');
    const second = await compile(request(fileAt(path)));
    expect(compilations()).toBe(2);
    expect(second.cubins[0]!.data.equals(first.cubins[0]!.data)).toBe(false);
  });

  test('always where a macro names a header', async () => {
    const path = write(dir, 'macro/kernel.cu', `#define HEADER "one.cuh"\n#include HEADER\n${text}`);
    write(dir, 'macro/one.cuh', '\n');
    await compile(request(fileAt(path)));
    await compile(request(fileAt(path)));
    expect(compilations()).toBe(2);
  });

  test('after it did not compile', async () => {
    const wrong = request('__global__ void fill() { x }');
    for (const _ of [1, 2]) await expect(compile(wrong)).rejects.toMatchObject({ code: 'ERR_KERNEL' });
    expect(compilations()).toBe(2);
  });
});

describe('a file of the cache that is damaged is ignored, and written again:', () => {
  const damages: [string, (path: string) => void][] = [
    ['empty', (path) => truncateSync(path, 0)],
    ['cut off', (path) => truncateSync(path, statSync(path).size - 1)],
    ['cut off in its head', (path) => truncateSync(path, 50)],
    ['one bit', (path) => flip(path, statSync(path).size - 7)],
    ['one bit of the head', (path) => flip(path, 50)],
    ['another file', (path) => writeFileSync(path, 'x'.repeat(5000))],
  ];
  const flip = (path: string, at: number) => {
    const bytes = readFileSync(path);
    bytes[at]! ^= 1;
    writeFileSync(path, bytes);
  };
  test.each(damages)('%s', async (_, damage) => {
    const first = await compile();
    const [path] = files();
    const whole = readFileSync(path!);
    damage(path!);
    forgetKernels();
    expect(await compile()).toEqual(first);
    expect(compilations()).toBe(2);
    expect(readFileSync(path!).equals(whole)).toBe(true);
    expect(files()).toEqual([path]);
  });
});

test('the folder is bounded: what was not used for longest goes', async () => {
  await compile();
  const [old] = files();
  const past = new Date(Date.now() - 86_400_000);
  utimesSync(old!, past, past);
  const filler = Buffer.alloc(64 * 2 ** 20);
  for (const name of ['a', 'b', 'c', 'd']) writeFileSync(join(folder, `${name}.kernels`), filler);
  await compile(request(), [80]);
  const left = files();
  expect(left).not.toContain(old);
  expect(left.reduce((sum, path) => sum + statSync(path).size, 0)).toBeLessThan(200 * 2 ** 20);
  expect(left.length).toBeGreaterThan(2);
});

test('what was just used is not the oldest', async () => {
  await compile();
  const [path] = files();
  const past = new Date(Date.now() - 86_400_000);
  utimesSync(path!, past, past);
  forgetKernels();
  await compile();
  expect(statSync(path!).mtimeMs).toBeGreaterThan(past.getTime() + 1000);
});

test('a cache that cannot be written is done without', async () => {
  writeFileSync(env.NODE_TENSORRT_CACHE!, 'a file where a folder should be');
  expect((await compile()).cubins).toHaveLength(1);
  forgetKernels();
  expect((await compile()).cubins).toHaveLength(1);
  expect(compilations()).toBe(2);
});
