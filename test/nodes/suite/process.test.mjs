import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { float32, network } from 'node-tensorrt';

const require = createRequire(import.meta.url);
const project = fileURLToPath(new URL('..', import.meta.url));
const crashing = process.env.CRASHING_LIBRARY;
const major = Number(process.versions.node.split('.')[0]);

/** Runs Node; one that does not end by itself is ended, and then has a signal. */
const run = (args, env = {}) =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: project, env: { ...process.env, ...env }, timeout: 60_000 });
    const ended = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'])
      child[name].setEncoding('utf8').on('data', (text) => {
        ended[name] += text;
      });
    child.on('close', (code, signal) => resolve({ ...ended, end: signal ?? code }));
  });
const program = (type, code, env) => run([`--input-type=${type}`, '-e', code], env);

const build = `const small = t.network('small', { x: t.float32('batch', 8) }).relu().output('y').network;`;

test('require() gives the same as import', async () => {
  const required = require('node-tensorrt');
  assert.equal(required.network, network);
  const { stdout, stderr, end } = await program(
    'commonjs',
    `const t = require('node-tensorrt');
     ${build}
     small.build().then((engine) => console.log('built', engine.size > 1000));`,
  );
  assert.deepEqual([stdout, end], ['built true\n', 0], stderr);
});

test('a process that built and ran ends by itself, with 0', async () => {
  const { stdout, stderr, end } = await program(
    'module',
    `import * as t from 'node-tensorrt';
     ${build}
     await small.build();
     await small.build({ isolate: true });
     const model = await small.compile({ backend: 'cpu' });
     await model.run({ x: new Float32Array(8) });
     console.log('ran');`,
  );
  assert.deepEqual([stdout, end], ['ran\n', 0], stderr);
});

const weights = `const w = await t.loadWeights('lenet.safetensors');
  const layer = w.layer('conv1');`;

test('using disposes', {
  skip: major < 24 && 'Node has the syntax from 24 on; Symbol.dispose is tested beside',
}, async () => {
  const { stdout, stderr, end } = await program(
    'module',
    `import * as t from 'node-tensorrt';
     let kept;
     { using w = await t.loadWeights('lenet.safetensors'); kept = w; }
     try { kept.layer('conv1'); } catch (error) { console.log(error.code); }`,
  );
  assert.deepEqual([stdout, end], ['ERR_DISPOSED\n', 0], stderr);
});

test('weights that nobody disposed of let the process end, and can be collected', async () => {
  const { stdout, stderr, end } = await program(
    'module',
    `import * as t from 'node-tensorrt';
     ${weights}
     console.log(layer.weight.data.length);`,
  );
  assert.deepEqual([stdout, end], ['500\n', 0], stderr);
  const collected = await run([
    '--expose-gc',
    '--input-type=module',
    '-e',
    `import * as t from 'node-tensorrt';
     await (async () => { ${weights} })();
     for (let i = 0; i < 5; i++) { await new Promise((r) => setTimeout(r, 5)); globalThis.gc(); }
     console.log('collected');`,
  ]);
  assert.deepEqual([collected.stdout, collected.end], ['collected\n', 0], collected.stderr);
});

test('a crash of TensorRT fails the build, not the process', async () => {
  const { stdout, stderr, end } = await program(
    'module',
    `import * as t from 'node-tensorrt';
     ${build}
     process.env.CRASH = 'null';
     const crashed = await small.build({ library: ${JSON.stringify(crashing)} }).then(() => 'built', ({ code }) => code);
     console.log(crashed, (await small.build({ library: 'rtx1' })).size > 1000);`,
  );
  assert.deepEqual([stdout, end], ['ERR_TENSORRT_CRASHED true\n', 0], stderr);
});

test('worker threads build beside each other and the main thread, and may be ended while they do', async () => {
  const code = `
    import { parentPort } from 'node:worker_threads';
    import * as t from 'node-tensorrt';
    ${build}
    parentPort.postMessage('ready');
    for (;;) { parentPort.postMessage((await small.build()).size); }`;
  const workers = [1, 2, 3].map(
    () =>
      new Worker(
        new URL(
          `data:text/javascript,${encodeURIComponent(code.replace("'node-tensorrt'", JSON.stringify(import.meta.resolve('node-tensorrt'))))}`,
        ),
      ),
  );
  const sizes = await Promise.all(
    workers.map(
      (worker) =>
        new Promise((resolve, reject) => {
          worker.on('error', reject).on('message', (message) => message !== 'ready' && resolve(message));
        }),
    ),
  );
  const small = network('small', { x: float32('batch', 8) })
    .relu()
    .output('y').network;
  const building = small.build();
  await Promise.all(workers.map((worker) => worker.terminate()));
  const { size } = await building;
  assert.deepEqual(sizes, [size, size, size]);
});

test('node --test ends after tests that build', async () => {
  const { end, stdout } = await run(['--test', 'suite/fixtures/builds.mjs'], { NODE_TEST_CONTEXT: undefined });
  assert.match(stdout, /pass 1\b/);
  assert.equal(end, 0);
});

test('the command line says what works', async () => {
  const { stdout, stderr } = await run(['node_modules/node-tensorrt/dist/cli/main.js', 'doctor', '--json']);
  const report = JSON.parse(stdout);
  assert.equal(stderr, '');
  assert.equal(report.node, process.versions.node);
  assert.deepEqual([report.addon.compiled, report.works.build, report.works.cpu], [true, true, true]);
  assert.match(report.addon.path, /node_modules\/@node-tensorrt\/linux-\w+\/node_tensorrt\.node$/);
});
