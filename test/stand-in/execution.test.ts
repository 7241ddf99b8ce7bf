import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { compile, type Release, sources } from './compile.js';
import { compiling, prepare, standInEnv } from './harness.js';

const releases = ['10.6.0', '11.1.0'] as const;

/** programs/execute.cc: a network of two layers, by TensorRT's slots. */
const program = (release: Release) => {
  const [major, minor] = release.split('.').map(Number) as [number, number];
  return compile('execute', [join(sources, 'programs', 'execute.cc')], [`-DRELEASE=${major * 10000 + minor * 100}`]);
};

beforeAll(async () => {
  await prepare(...releases);
  await Promise.all(releases.map(program));
}, compiling);

async function ran(release: Release, part: string, more: NodeJS.ProcessEnv = {}) {
  const env: NodeJS.ProcessEnv = { ...process.env, ...(await standInEnv({ release })), ...more };
  const path = await program(release);
  return new Promise<{ numbers: number[]; stderr: string }>((resolve) => {
    execFile(path, [env.NODE_TENSORRT_LIBRARY!, part], { env, timeout: 30_000 }, (_, out, stderr) =>
      resolve({ numbers: JSON.parse(out || '[]'), stderr }),
    );
  });
}

const [success, notReady] = [0, 600];

describe.each(releases)('what a runtime needs of TensorRT %s', (release) => {
  test('enqueueV3 returns before its work is done; the event of consumed inputs too', async () => {
    const { numbers } = await ran(release, 'later');
    expect(numbers).toEqual([1, notReady, notReady, success, success, 5, 0]);
  });

  test('an enqueue is captured, and a launch computes from what is there then', async () => {
    expect((await ran(release, 'captured')).numbers).toEqual([1, success, success, 3, success, 4]);
  });

  test('a profiler hears of each layer, a listener of debug tensors that are turned on', async () => {
    const [layers, shown] = [
      [1, 1],
      [1, 0, 0, 22, 1],
    ];
    expect((await ran(release, 'told')).numbers).toEqual([
      ...[...layers, 1, success],
      ...[1, ...layers, 1, 0],
      ...[1, 1, ...shown, 1],
    ]);
  });

  test('an error recorder is counted, and told the code and the text', async () => {
    const invalidArgument = 3;
    expect((await ran(release, 'recorded')).numbers).toEqual([111, invalidArgument, 1, 0, -111]);
  });

  test('contexts compute in memory that they are given, one after another', async () => {
    expect((await ran(release, 'memory')).numbers).toEqual([1, 1, 0, 0, 1, 1, 1, success]);
    const { stderr } = await ran(release, 'overlap', { STANDIN_COMPUTE_US: '200000' });
    expect(stderr).toContain('at the same time');
  });

  test('one context on two threads at once ends the process; an enqueue fails where it is told to', async () => {
    const { stderr } = await ran(release, 'threads', { STANDIN_ENQUEUE_US: '200000' });
    expect(stderr).toContain('enqueueV3 of one context on two threads at once');
    expect((await ran(release, 'captured', { STANDIN_FAIL_ENQUEUE: '1' })).numbers[0]).toBe(0);
  });
});
