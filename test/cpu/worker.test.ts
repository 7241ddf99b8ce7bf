import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { root } from '../setup/checkout.js';

const ours = JSON.stringify(pathToFileURL(join(root, 'src/cpu/runtime.ts')).href);
const binding = JSON.stringify(join(root, 'node_modules/onnxruntime-node/dist/binding.js'));
const tsx = JSON.stringify(pathToFileURL(join(root, 'node_modules/tsx/dist/esm/api/index.mjs')).href);

/** Ends a worker thread as soon as it says so, in a process of its own. */
function end(worker: string) {
  const script = `
    import { Worker } from 'node:worker_threads';
    const said = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(${JSON.stringify(worker)}, { eval: true, execArgv: [], workerData: said });
    worker.on('error', (error) => console.log(error.message));
    await Atomics.waitAsync(said, 0, 0).value;
    console.log('ended', await worker.terminate());
    process.exit();`;
  const { status, signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: root,
  });
  return { status, signal, stdout };
}

const head = `
  const { workerData: said } = require('node:worker_threads');
  const load = () => import(${tsx}).then(({ register }) => register() && import(${ours})).then(({ loadOnnxruntime }) => loadOnnxruntime());
  const say = () => { Atomics.store(said, 0, 1); Atomics.notify(said, 0); };`;

// In onnxruntime's C++ code, where a call of Node-API fails from the moment on when the thread is ended.
test('a worker thread that is ended while it calls onnxruntime takes nobody with it', () => {
  const result = end(`${head}
    load().then(() => {
      const { binding, initOrt } = require(${binding});
      initOrt();
      const options = { get graphOptimizationLevel() { say(); for (;;); } };
      new binding.InferenceSession().loadModel(new Uint8Array(8).buffer, 0, 8, options);
    });`);
  expect(result).toEqual({ status: 0, signal: null, stdout: 'ended 1\n' });
});

test('nor does one that is ended while it loads onnxruntime', () => {
  const result = end(`${head}
    const { dlopen } = process;
    process.dlopen = (...args) => { if (args[1].includes('onnxruntime')) say(); return dlopen.apply(process, args); };
    load();`);
  expect(result).toMatchObject({ status: 0, signal: null, stdout: expect.stringMatching(/^ended [01]\n$/) });
});
