import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { float32, loadWeights, network, saveSafetensors, TensorRTError, weight } from '../src/index.js';
import { refusal } from './refusal.js';

const folder = mkdtempSync(join(tmpdir(), 'inspect-'));
afterAll(() => rmSync(folder, { recursive: true }));

const net = network('lenet', { data: float32('batch', 3) });
const tensor = net.relu({ name: 'act' });
tensor.softmax().output('prob');

test('tensors and networks print as one line, however deep they lie', () => {
  expect(inspect(tensor)).toBe('Tensor(act: float32[batch, 3])');
  expect(inspect({ a: { b: { c: { tensor } } } }, { depth: 5 })).toContain('tensor: Tensor(act: float32[batch, 3])');
  expect(inspect(net)).toBe('Network(lenet: data float32[batch, 3] → prob float32[batch, 3], 2 layers)');
  expect(inspect(network('empty'))).toBe('Network(empty: none → none, 0 layers)');
});

test('weights and stores print where they come from', async () => {
  const file = join(folder, 'w.safetensors');
  const fc = weight(new Float32Array(6), [2, 3], 'float32', 'own');
  expect(inspect(fc)).toBe('Weight(own: float32[2, 3])');
  await saveSafetensors(file, { 'fc.weight': fc, 'fc.bias': weight(new Float32Array(2)) });
  const w = await loadWeights(file);
  expect(inspect(w)).toBe(`Weights(2 tensors of ${file})`);
  expect(inspect(w.get('fc.weight'))).toBe(`Weight(fc.weight of ${file}: float32[2, 3])`);
  w.dispose();
  expect(inspect(w)).toBe('Weights()');
});

test('models and engines', async () => {
  using cpu = await net.compile({ backend: 'cpu' });
  expect(inspect(cpu)).toBe('Model(cpu)');
  using engine = await net.build({ profiles: [{ batch: [1, 2, 4] }] });
  const { library, size } = engine;
  const text = `${library.flavor} ${library.version}, ${size} bytes: data float32[batch, 3] → prob float32[batch, 3]`;
  expect(inspect(engine)).toBe(`Engine(${text})`);
});

test('String() shows them too', async () => {
  using cpu = await net.compile({ backend: 'cpu' });
  const { prob } = await cpu.run({ data: new Float32Array(3) });
  expect([String(tensor), `${net}`, String(cpu), `${prob}`, `${tensor} and`]).toEqual([
    'Tensor(act: float32[batch, 3])',
    'Network(lenet: data float32[batch, 3] → prob float32[batch, 3], 2 layers)',
    'Model(cpu)',
    'Result(float32[1, 3])',
    'Tensor(act: float32[batch, 3]) and',
  ]);
  using engine = await net.build({ profiles: [{ batch: [1, 2, 4] }] });
  expect(String(engine)).toBe(inspect(engine));
  const file = join(folder, 'string.safetensors');
  await saveSafetensors(file, { one: weight(new Float32Array(1)) });
  using w = await loadWeights(file);
  expect([String(w), `${w.get('one')}`]).toEqual([`Weights(1 tensor of ${file})`, `float32 [1] one of ${file}`]);
});

test('operators on what is no number throw, and name the method', async () => {
  using cpu = await net.compile({ backend: 'cpu' });
  const { prob } = await cpu.run({ data: new Float32Array(3) });
  const [x, n, w, r] = [tensor, net, weight(new Float32Array(2)), prob] as unknown as [number, number, number, number];
  const cases: [() => unknown, RegExp][] = [
    [() => x * 2, /^Tensor\(act: float32\[batch, 3\]\) is not a number: \.mul\(2\) stands for \* 2/],
    [() => 1 - x, /stands for/],
    [() => x / x, /stands for/],
    [() => -x, /stands for/],
    [() => x < 1, /\.lt and \.gt/],
    [() => Math.max(x, 0), /stands for/],
    [() => n * 2, /^Network\(lenet.*is not a number: \.mul\(2\)/],
    [() => w * 2, /^float32 \[2\] weight is not a number: make it a net\.constant/],
    [() => r * 2, /^Result\(float32\[1, 3\]\) is not a number: its elements are in \.data/],
  ];
  for (const [run, message] of cases) {
    const error = refusal(run);
    expect([error.code, error.source?.file]).toEqual(['ERR_INPUT', import.meta.filename]);
    expect(error.message).toMatch(message);
  }
  expect(`a ${tensor}`).toBe('a Tensor(act: float32[batch, 3])');
});

test('an error prints only what it knows', () => {
  const printed = inspect(new TensorRTError('ERR_X', 'no', { expected: 1, layer: undefined, log: undefined }));
  expect(printed).toMatch(/^TensorRTError: no\n( +at .*\n?)+ \{\n {2}code: 'ERR_X',\n {2}expected: 1\n\}$/);
});
