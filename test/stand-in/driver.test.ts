import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { compile, driver, sources } from './compile.js';
import { compiling, readCounters, readLog } from './harness.js';

let [program, cuda] = ['', ''];
beforeAll(async () => {
  [program, cuda] = await Promise.all([compile('use-driver', [join(sources, 'programs', 'driver.cc')]), driver()]);
}, compiling);

/** Runs a part of programs/driver.cc. What CUDA answers is stated from its documentation. */
function ran(part: string, more: NodeJS.ProcessEnv = {}): Promise<{ numbers: number[]; stderr: string }> {
  const env = { ...process.env, LD_LIBRARY_PATH: dirname(cuda), ...more };
  return new Promise((resolve) => {
    execFile(program, [part], { env, timeout: 30_000 }, (_, out, stderr) =>
      resolve({ numbers: JSON.parse(out || '[]'), stderr }),
    );
  });
}

const [success, outOfMemory, notReady, illegalAddress] = [0, 2, 600, 700];

describe.each(['0', '300,1', '300,2'])('with delays of up to %s µs', (STANDIN_DELAY) => {
  test('work is done in the order of its stream, after the calls returned', async () => {
    const { numbers } = await ran('order', { STANDIN_DELAY });
    expect(numbers).toEqual([notReady, success, success, 2, 1]);
  });

  test('ordinary memory of the host is read at the call, page-locked memory later', async () => {
    expect((await ran('staging', { STANDIN_DELAY })).numbers).toEqual([1, 2, 3]);
  });

  test('events order streams; a wait is for what was recorded before it', async () => {
    const invalidHandle = 400;
    const { numbers } = await ran('events', { STANDIN_DELAY });
    const waited = [success, notReady, notReady, success, notReady, success, 2];
    expect(numbers).toEqual([...waited, success, 1, invalidHandle]);
  });

  test('a captured graph does its work at each launch', async () => {
    const { numbers } = await ran('capture', { STANDIN_DELAY });
    expect(numbers).toEqual([success, 1, success, 0, 2, success, success, 7, success, 8]);
  });
});

test('mistakes while a stream captures', async () => {
  const [unsupported, invalidated, unjoined, isolation, captured, wrongThread] = [900, 901, 904, 905, 907, 908];
  const lost = [invalidated, 1, 0];
  expect((await ran('captures')).numbers).toEqual([
    ...[unsupported, ...lost],
    ...[unsupported, ...lost],
    ...[unsupported, ...lost],
    ...[unsupported, ...lost],
    ...[captured, ...lost],
    ...[isolation, ...lost],
    ...[success, unjoined, 1, 0],
    // On another thread: only the global mode forbids it.
    ...[unsupported, ...lost],
    ...[success, success, 0, 0],
    wrongThread,
  ]);
});

test('memory ends where the environment says', async () => {
  const env = { STANDIN_MEMORY: '1000', STANDIN_PINNED_LIMIT: '150' };
  expect((await ran('limits', env)).numbers).toEqual([
    ...[success, outOfMemory, 400, 1000],
    ...[success, 400, 1000],
    ...[success, outOfMemory, success],
  ]);
});

test('memory of another device is refused; work that uses it loses its context, and no other', async () => {
  const invalidValue = 1;
  const lost = [illegalAddress, illegalAddress, illegalAddress];
  expect((await ran('devices', { STANDIN_DEVICES: '2' })).numbers).toEqual([
    0,
    invalidValue,
    success,
    ...lost,
    success,
  ]);
});

test('a stream that is destroyed still does what it was given', async () => {
  expect((await ran('destroyed stream')).numbers).toEqual([success, 5]);
});

test('what is alive is counted, in the process and in a file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'counters-'));
  try {
    const [counters, log] = [join(folder, 'counters'), join(folder, 'log')];
    const { numbers } = await ran('counters', { STANDIN_COUNTERS: counters, STANDIN_LOG: log });
    expect(numbers).toEqual([1, 100, 1, 4, 1, 1, 1, 1, ...Array(8).fill(0)]);
    expect(Object.values(readCounters(counters))).toEqual(Array(8).fill(0));
    expect(readLog(log).at(-1)).toMatchObject({ call: 'exit', allocations: 0, pinned: 0, streams: 0, events: 0 });
    await ran('order', { STANDIN_COUNTERS: counters });
    expect(readCounters(counters)).toMatchObject({ allocations: 2, bytes: 8, streams: 1, events: 0 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  ['free', 'memory of the GPU is freed that queued work (cuMemsetD32Async) uses'],
  ['free host', 'cuMemFreeHost of memory that queued work (cuMemcpyHtoDAsync) uses'],
  ['after free', 'memory of the GPU is used after cuMemFreeAsync'],
  ['twice', 'memory of the GPU is freed twice'],
  ['event', 'cuStreamWaitEvent of what was destroyed'],
  ['stream', 'cuStreamSynchronize of what was destroyed'],
  ['unordered', 'uses memory that another stream has not yet allocated'],
  ['graph', 'queued work (cuMemsetD32Async) uses memory of the GPU that is not allocated'],
])('a mistake that ends the process: %s', async (part, line) => {
  expect((await ran(part)).stderr).toContain(line);
});
