import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { saveSafetensors, weight } from '../../src/index.js';
import { root } from '../setup/checkout.js';
import { writeContainer } from '../triton/container.js';

// Each runs processes, which take long where the machine is busy.
vi.setConfig({ testTimeout: 180_000 });

const folder = mkdtempSync(join(tmpdir(), 'cli-compare-'));
const at = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** Runs the command in a process of its own. */
const run = (...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const loader = join(root, 'node_modules/tsx/dist/loader.mjs');
    const child = spawn(process.execPath, ['--import', loader, join(root, 'dist/cli/main.js'), ...args], {
      env: { ...process.env, NO_COLOR: '1' },
      cwd: root,
    });
    const parts = { out: '', err: '' };
    child.stdout.on('data', (text) => (parts.out += text));
    child.stderr.on('data', (text) => (parts.err += text));
    child.on('close', (code) => resolve({ code, ...parts }));
  });

const model = (alpha: number) => `
import { float32, network } from 'node-tensorrt';
console.log('a module may print');
export default ({ size = 4 } = {}) => {
  const net = network('demo', { x: float32('batch', size) });
  net.tensor('x').relu({ name: 'first' }).mul(${alpha}, { name: 'scaled' }).sigmoid({ name: 'last' })
    .output('y', { note: 'shares \\u001b[31m of one' });
  return net;
};
`;

/** In the form of TensorRT 10 and of 11. */
const information = {
  ten: {
    Layers: [{ Name: 'first + scaled', LayerType: 'kgen', TacticName: 'k1', Inputs: [], Outputs: [] }],
    Bindings: ['x', 'y'],
  },
  eleven: {
    Layers: [
      { Name: 'first', LayerType: 'kgen', TacticName: 'k1', Inputs: [], Outputs: [] },
      { Name: 'scaled \u001b[31m', LayerType: 'kgen', TacticName: 'k2', Inputs: [], Outputs: [] },
      {
        Name: 'scaled',
        LayerType: 'kgen',
        TacticName: 'k2',
        Inputs: [{ Name: 'x', Datatype: 'Half', Dimensions: [1] }],
        Outputs: [],
      },
    ],
    'I/O Tensors': [
      {
        Name: 'x',
        IOMode: 'Input',
        DataType: 'Float',
        Dimensions: [-1, 4],
        ProfileInfo: [{ MinShape: [1, 4], OptShape: [2, 4], MaxShape: [8, 4] }],
      },
      { Name: 'y', IOMode: 'Output', DataType: 'Float', Dimensions: [-1, 4] },
    ],
  },
};

beforeAll(async () => {
  // Inside the checkout, from where `node-tensorrt` is found.
  writeFileSync(join(root, 'test/cli/.compare-a.ts'), model(1));
  writeFileSync(join(root, 'test/cli/.compare-b.ts'), model(1.5));
  for (const [name, json] of Object.entries(information)) writeFileSync(at(`${name}.json`), JSON.stringify(json));
  const stored = (value: number) => ({
    y: weight(new Float32Array([0.5, value]), [2]),
    z: weight(new Float32Array([1]), [1]),
  });
  await saveSafetensors(at('a.safetensors'), stored(1));
  await saveSafetensors(at('b.safetensors'), stored(1.25));
  await saveSafetensors(at('nan.safetensors'), stored(Number.NaN));
});
afterAll(() => {
  for (const name of ['a', 'b']) rmSync(join(root, `test/cli/.compare-${name}.ts`));
});
const [a, b] = ['a', 'b'].map((name) => `cpu:test/cli/.compare-${name}.ts`);

test('stored outputs agree, differ, or have NaN', async () => {
  const [other, nan] = await Promise.all([
    run('compare', at('a.safetensors'), at('b.safetensors'), '--json'),
    run('compare', at('a.safetensors'), at('nan.safetensors')),
  ]);
  expect(other.code).toBe(1);
  const { agrees, outputs } = JSON.parse(other.out);
  expect(agrees).toBe(false);
  expect(outputs[0]).toMatchObject({ output: 'y', agrees: false, max: 0.25, worst: { index: [1], a: 1, b: 1.25 } });
  expect(outputs[1]).toMatchObject({ output: 'z', agrees: true });
  expect(nan.code).toBe(1);
  expect(nan.out).toContain('B has 1 NaN, the first at [1]');
});

test('limits, for all outputs or for one', async () => {
  const files = [at('a.safetensors'), at('b.safetensors')];
  const [passes, usage] = await Promise.all([
    run('compare', ...files, '--max', 'y=0.25', '--max', '0'),
    run('compare', ...files, '--max', 'much'),
  ]);
  expect([passes.code, usage.code]).toEqual([0, 2]);
  expect(passes).toMatchObject({ err: '', out: expect.stringMatching(/All outputs agree\.\n$/) });
  expect(usage.err).toContain('Expected a number, or output=number.');
});

test('--bisect names the layer, and where its module recorded it', async () => {
  const found = await run('compare', a!, b!, '--dims', 'batch=3', '--input', 'random:7', '--bisect');
  expect(found.code).toBe(1);
  expect(found.out).toMatch(/The first layer that differs is constant 'constant', recorded at .*\.compare-b\.ts:6/);
  expect(found.out).toContain('value: A has "float32[] 1", B "float32[] 1.5"');
  expect(found.err).toContain('running B, all tensors marked');
});

test('engines cannot be bisected', async () => {
  const { code, err } = await run('compare', 'x.engine', 'y.engine', '--bisect');
  expect(code).toBe(2);
  expect(err).toContain('--bisect: expected two modules of networks');
});

test('inspect shows networks, and both forms of saved descriptions', async () => {
  const [net, text, eleven] = await Promise.all([
    run('inspect', 'test/cli/.compare-a.ts', '--set', 'size=6', '--json'),
    run('inspect', 'test/cli/.compare-a.ts'),
    run('inspect', at('eleven.json')),
  ]);
  expect(net.code).toBe(0);
  expect(JSON.parse(net.out)).toMatchObject({
    kind: 'network',
    name: 'demo',
    inputs: [{ name: 'x', shape: ['batch', 6] }],
    outputs: [{ name: 'y', shape: ['batch', 6], note: 'shares \u001b[31m of one' }],
  });
  expect(text.out).toMatch(/output {2,}y {2,}float32\[batch, 4\] {2,}shares \\u001b\[31m of one$/m);
  expect(text.out).not.toContain('\u001b');
  expect(eleven.out).toMatch(/input {2,}x {2,}float32\[-1, 4\]/);
  expect(eleven.out).toContain('scaled \\u001b[31m');
  expect(eleven.out).not.toContain('\u001b');
});

test('inspect of two engines says what is fused otherwise', async () => {
  const other = await run('inspect', at('ten.json'), at('eleven.json'));
  expect(other.code).toBe(1);
  expect(other.out).toMatch(/fused {2,}\[first \+ scaled\] k1 {2,}\[first\] k1; \[scaled\] k2/);
});

test('an engine file with metadata is shown and served without a GPU', async () => {
  const metadata = {
    name: 'lenet',
    library: { flavor: 'trt10', version: '10.6.0' },
    options: { profiles: [{ x: { min: [1, 4], opt: [8, 4], max: [64, 4] } }] },
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 4], note: 'grey,\u001b[31m 0 to 1' }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 4] }],
    user: { 'label\u001b[31m': 'red' },
  };
  await writeContainer(at('lenet.engine'), metadata, new Uint8Array(100));
  const [shown, served] = await Promise.all([
    run('inspect', at('lenet.engine')),
    run('triton', at('lenet.engine'), '-o', at('models'), '--max-queue-delay', '500', '--json'),
  ]);
  expect(shown.code).toBe(0);
  expect(shown.out).toMatch(/input {2,}x: float32 \[batch, 4\], grey,\\u001b\[31m 0 to 1$/m);
  expect(shown.out).toMatch(/0 {2,}x {2,}\[1, 4\] {2,}\[8, 4\] {2,}\[64, 4\]/);
  expect(shown.out).toMatch(/Layers are not known: /);
  expect(shown.out).not.toContain('\u001b');
  expect(served.code).toBe(0);
  expect(JSON.parse(served.out)).toMatchObject({ name: 'lenet', maxBatchSize: 64 });
  expect(readFileSync(at('models/lenet/config.pbtxt'), 'utf8')).toContain('max_queue_delay_microseconds: 500');
});

test('files of another kind, or none, are errors', async () => {
  const [noJson, triton] = await Promise.all([
    run('inspect', join(root, 'package.json')),
    run('triton', at('missing.engine'), '-o', at('repo')),
  ]);
  expect([noJson.code, triton.code]).toEqual([1, 1]);
  expect(noJson.err).toContain("expected an object with 'Layers'");
});
