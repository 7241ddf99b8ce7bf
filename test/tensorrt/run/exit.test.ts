import { describe, expect, test } from 'vitest';
import { runChild } from '../child.js';

/** A build of many seconds, under way. */
const building = `
let begin = () => {};
const begun = new Promise<void>((resolve) => { begin = resolve; });
const build = chain(2500).build({ onProgress: () => begin() });
build.catch(() => {});
await begun;
`;

/** The same in a worker thread; \`message\` is what the thread says once TensorRT builds. */
const inWorker = (then: string) => `
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
if (!isMainThread) {
  ${building.replaceAll('\n', '\n  ')}
  parentPort!.postMessage('building');
  ${then}
}
`;
const worker = `new Worker(new URL('worker.mjs', import.meta.url))`;

describe('the process ends during a build', () => {
  test.each<[string, string, number]>([
    ['process.exit', `${building} process.exit(7);`, 7],
    ['process.exit before TensorRT was reached', 'chain(2500).build(); process.exit(8);', 8],
    ['process.exitCode and no further work', `process.exitCode = 9; const e = await chain(2).build(); e.dispose();`, 9],
    ['an uncaught exception', `${building} throw new Error('mine');`, 1],
    ['an unhandled rejection', `${building} Promise.reject(new Error('mine')); await build;`, 1],
    ['process.exit with builds waiting', `${building} chain(5).build(); chain(5).check(); process.exit(6);`, 6],
    [
      'a build that begins while the process exits',
      `process.on('exit', () => { chain(2).build(); });
       const e = await chain(1).build(); process.on('exit', () => { chain(2).build(); }); process.exit(5);`,
      5,
    ],
    ['an engine disposed at the end', `const e = await chain(2).build(); e.dispose(); process.exit(4);`, 4],
    [
      'engines left to the end',
      `const e = await chain(2).build(); const f = await chain(2).build(); process.exitCode = 3;`,
      3,
    ],
  ])('%s', async (_, program, code) => {
    const ended = await runChild(program);
    expect([ended.code, ended.signal], ended.stderr).toEqual([code, null]);
    expect(ended.ms).toBeLessThan(30_000);
    if (code === 1) expect(ended.stderr).toContain('mine');
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('%s', async (signal) => {
    const ended = await runChild(`${building} process.kill(process.pid, '${signal}'); await build;`);
    expect([ended.code, ended.signal]).toEqual([null, signal]);
  });
});

describe('a worker thread ends during its build', () => {
  test.each<[string, string, string]>([
    ['terminated by its parent', inWorker('await build;'), `await w.terminate();`],
    ['by process.exit within', inWorker('process.exit(0);'), `await new Promise((r) => w.on('exit', r));`],
    ['by an exception', inWorker(`throw new Error('mine');`), `await new Promise((r) => w.on('error', r));`],
    ['with builds waiting', inWorker(`chain(3).build().catch(() => {}); await build;`), `await w.terminate();`],
  ])('%s', async (_, program, end) => {
    const ended = await runChild(`${program}
      if (isMainThread) {
        const w = ${worker};
        await new Promise((r) => w.once('message', r));
        ${end}
        // The main thread goes on building.
        const engine = await chain(3).build();
        console.log(engine.size > 0);
      }`);
    expect([ended.code, ended.signal], ended.stderr).toEqual([0, null]);
    expect(ended.stdout.trim()).toBe('true');
  });

  test('while the main thread builds, which is not disturbed', async () => {
    const ended = await runChild(`
      import { Worker, isMainThread, parentPort } from 'node:worker_threads';
      if (isMainThread) {
        const long = chain(1500).build();
        const w = ${worker};
        await new Promise((r) => w.once('message', r));
        const began = performance.now();
        await w.terminate();
        const took = performance.now() - began;
        const engine = await long;
        console.log(JSON.stringify([engine.size > 0, took < 1000]));
      } else {
        chain(2).build().catch(() => {});
        await new Promise((r) => setTimeout(r, 50));
        parentPort!.postMessage('waiting');
        await new Promise(() => setInterval(() => {}, 1000));
      }`);
    expect([ended.code, ended.signal], ended.stderr).toEqual([0, null]);
    expect(ended.stdout.trim()).toBe('[true,true]');
  });

  test('the main process exits while workers build', async () => {
    const ended = await runChild(`${inWorker('await build;')}
      if (isMainThread) {
        const w = ${worker};
        await new Promise((r) => w.once('message', r));
        process.exit(11);
      }`);
    expect([ended.code, ended.signal], ended.stderr).toEqual([11, null]);
  });
});
