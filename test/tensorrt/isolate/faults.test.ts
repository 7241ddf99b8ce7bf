import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Engine } from '../../../src/index.js';
import { temporaryFolder } from '../../setup/fake-library.js';
import { crashes, crashingTensorRT } from '../compile/crashing-library.js';
import { chain, rejection } from '../networks.js';
import { childrenOf, pause, runs, until } from './children.js';

const folder = temporaryFolder();
const library = crashingTensorRT(join(folder, 'libtensorrt_rtx.so.1'));

afterEach(() => {
  delete process.env.CRASH;
  delete process.env.WHERE;
  delete process.env.HANGS;
});

/** Whether the next build works, with the same library. */
async function next(): Promise<boolean> {
  delete process.env.CRASH;
  using engine = await chain(1).build({ library, isolate: true });
  return engine.size > 0;
}

const outcome = (build: Promise<Engine>): Promise<string> =>
  build.then(
    (engine) => {
      engine.dispose();
      return 'built';
    },
    ({ code }) => code,
  );

const failure = (how: string, options = {}) => {
  process.env.CRASH = how;
  return rejection(chain(3).build({ library, isolate: true, ...options }));
};

describe('TensorRT crashes: that build fails, the next one works', () => {
  test.each(['null', 'overflow', 'abort', 'thread'] as const)('%s', async (how) => {
    const signal = crashes[how];
    const error = await failure(how);
    expect(error.code).toBe('ERR_TENSORRT_CRASHED');
    expect(error.message).toContain(`TensorRT-RTX 1.7.1 crashed while building network 'chain' (${signal}`);
    expect(error.message).toMatch(/\); the process of that build has ended, and the next one gets another$/);
    expect(await next()).toBe(true);
  });

  test('at a layer: the error says which, and where it was recorded', async () => {
    process.env.WHERE = 'layer';
    const error = await failure('null');
    expect(error).toMatchObject({ code: 'ERR_TENSORRT_CRASHED', layer: 'activation', kind: 'activation' });
    expect(error.source?.file).toMatch(/networks\.ts$/);
  });

  test('in a way that nobody catches: what the process printed is in the error', async () => {
    const error = await failure('outside');
    expect(error.code).toBe('ERR_TENSORRT_CRASHED');
    expect(error.message).toContain("while building network 'chain' (SIGSEGV)");
    expect(error.message).toContain('damaged');
    expect(await next()).toBe(true);
  });

  test('a process that crashed in a later build may be at fault itself: a fresh one tries once more', async () => {
    expect(await next()).toBe(true);
    const [worn] = childrenOf();
    let begin = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const build = chain(800).build({ isolate: true, onProgress: () => begin() });
    await begun;
    process.kill(worn!, 'SIGSEGV');
    using engine = await build;
    expect(engine.size).toBeGreaterThan(0);
  });
});

describe('the process', () => {
  test('ends itself', async () => {
    const error = await failure('exit');
    expect(error).toMatchObject({ code: 'ERR_BUILD_PROCESS', actual: 3 });
    expect(error.message).toMatch(/^the process of the build ended itself with code 3, while building network 'chain'/);
    expect(await next()).toBe(true);
  });

  test('is killed, as by the system without memory', async () => {
    const error = await failure('killed');
    expect(error).toMatchObject({ code: 'ERR_BUILD_PROCESS', actual: 'SIGKILL' });
    expect(error.message).toMatch(/was ended by SIGKILL: by the system, if memory ran out, or by somebody/);
    expect(await next()).toBe(true);
  });

  test('writes nonsense where its answers go', async () => {
    const error = await failure('babble', { timeout: 20_000 });
    expect(error.code).toBe('ERR_BUILD_PROCESS');
    expect(await next()).toBe(true);
  });
});

describe('limits', () => {
  test('timeout', async () => {
    const began = performance.now();
    const error = await failure('hang', { timeout: 3000 });
    expect(error.code).toBe('ERR_BUILD_TIMEOUT');
    expect(error.message).toBe(
      "the build was ended: it took longer than its timeout of 3000 ms, and was building network 'chain'",
    );
    expect(performance.now() - began).toBeGreaterThan(2900);
    expect(await next()).toBe(true);
  });

  test('memoryLimit', async () => {
    const memoryLimit = 400 * 2 ** 20;
    const error = await failure('grow', { memoryLimit });
    expect(error).toMatchObject({ code: 'ERR_BUILD_MEMORY', expected: memoryLimit });
    expect(error.message).toMatch(/used more memory than memoryLimit allows, 4\d\d MiB \(\d+ bytes\) of 400 MiB/);
    expect(error.actual).toBeGreaterThan(memoryLimit);
    expect(error.actual).toBeLessThan(2 * memoryLimit);
    expect(await next()).toBe(true);
  });

  test('that are not reached change nothing', async () => {
    using engine = await chain(2).build({ isolate: true, timeout: 60_000, memoryLimit: 2 ** 34 });
    expect(engine.size).toBeGreaterThan(0);
  });
});

describe('a signal', () => {
  test('ends a build that hangs, within a second, and its process', async () => {
    const controller = new AbortController();
    process.env.HANGS = join(folder, 'hangs');
    const build = failure('hang', { signal: controller.signal });
    expect(await until(() => existsSync(process.env.HANGS!), 20_000)).toBe(true);
    const [child] = childrenOf();
    const began = performance.now();
    controller.abort(new Error('changed my mind'));
    const error = await build;
    expect(performance.now() - began).toBeLessThan(1000);
    expect(error).toMatchObject({ code: 'ERR_ABORTED', cause: new Error('changed my mind') });
    expect(await until(() => !runs(child!))).toBe(true);
    expect(await next()).toBe(true);
  });

  test('that TensorRT follows by itself leaves the process for the next build', async () => {
    (await chain(2).build({ isolate: true })).dispose();
    const [kept] = childrenOf();
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    const build = chain(40).build({ isolate: true, signal: controller.signal, onProgress });
    expect((await rejection(build)).code).toBe('ERR_ABORTED');
    (await chain(2).build({ isolate: true })).dispose();
    expect(childrenOf()).toEqual([kept]);
  });

  test('at any moment: nothing hangs, and nothing is left', async () => {
    for (const ms of [0, 1, 20, 60, 150, 300, 500, 800]) {
      const controller = new AbortController();
      const build = chain(300).build({ isolate: true, signal: controller.signal });
      const settled = outcome(build);
      await pause(ms);
      const began = performance.now();
      controller.abort();
      expect(['built', 'ERR_ABORTED']).toContain(await settled);
      expect(performance.now() - began).toBeLessThan(1000);
    }
    expect(await until(() => childrenOf().length <= 1)).toBe(true);
  });
});

test('killed at random moments: the build works or says so, and the next one works', async () => {
  const outcomes = new Set<string>();
  for (let i = 0; i < 8; i++) {
    const build = outcome(chain(200).build({ isolate: true }));
    await pause(i * 89);
    for (const child of childrenOf()) process.kill(child, 'SIGKILL');
    outcomes.add(await build);
  }
  expect([...outcomes].filter((one) => one !== 'built' && one !== 'ERR_BUILD_PROCESS')).toEqual([]);
  using engine = await chain(2).build({ isolate: true });
  expect(engine.size).toBeGreaterThan(0);
});
