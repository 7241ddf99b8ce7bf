import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  float32,
  loadWeights,
  type Network,
  network,
  saveSafetensors,
  TensorRTError,
  type Weights,
  weight,
} from '../../src/index.js';
import { refusal } from '../refusal.js';

const folder = mkdtempSync(join(tmpdir(), 'blame '));
const file = join(folder, 'unet.safetensors');
const shapes: Record<string, number[]> = {
  'inc.conv.0.weight': [8, 3, 3, 3],
  'inc.conv.0.bias': [7],
  'fc.weight': [2, 8],
  'fc.bias': [2],
  'bn.running_mean': [4],
  'bn.running_var': [5],
  'bn.weight': [4],
  'lstm.weight_ih_l0': [8, 5],
  'lstm.weight_hh_l0': [8, 3],
  gamma: [5],
};
const zeros = (shape: readonly number[]) => weight(new Float32Array(shape.reduce((a, b) => a * b)), shape);
let w: Weights;
let net: Network;
beforeAll(async () => {
  await saveSafetensors(file, Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, zeros(shape)])));
  w = await loadWeights(file);
  net = network('n', { x: float32(1, 4, 8, 8) });
});
afterAll(() => {
  w.dispose();
  rmSync(folder, { recursive: true });
});

const operand = (role: string, name: string) => ({ role, name, file, dtype: 'float32', shape: shapes[name] });
const line = (role: string, name: string) => `\n    ${role}: '${name}' of ${file} [${shapes[name]!.join(', ')}]`;

test('a weight that does not fit is named with its file, in the message, the stack and a field', () => {
  const error = refusal(() => net.conv2d({ ...w.layer('inc.conv.0'), bias: undefined }));
  expect(error.message).toMatch(/^conv2d 'inc.conv.0': the weight \[8, 3, 3, 3\] .*takes 3 input channels/);
  expect(error.message).toMatch(/recorded at .*weights-at-fault\.test\.ts:\d+/);
  expect(error.message.endsWith(line('weight', 'inc.conv.0.weight'))).toBe(true);
  expect(error.stack).toContain(error.message);
  expect(error.weights).toEqual([operand('weight', 'inc.conv.0.weight')]);
});

test.each<[string, () => unknown, [string, string][]]>([
  [
    'bias',
    () =>
      net
        .tensor()
        .slice({ start: [0, 0, 0, 0], size: [1, 3, 8, 8] })
        .conv2d(w.layer('inc.conv.0')),
    [['bias', 'inc.conv.0.bias']],
  ],
  ['linear, weight', () => net.reshape([1, 256]).linear(w.layer('fc')), [['weight', 'fc.weight']]],
  ['linear, bias', () => net.linear({ weight: w.get('fc.weight'), bias: w.get('gamma') }), [['bias', 'gamma']]],
  [
    'batch norm',
    () => net.batchNorm(w.layer('bn')),
    [
      ['running_mean', 'bn.running_mean'],
      ['running_var', 'bn.running_var'],
    ],
  ],
  ['a recurrent weight', () => net.reshape([1, 4, 64]).lstm(w.layer('lstm')), [['weight_hh_l0', 'lstm.weight_hh_l0']]],
  ['an operand', () => net.mul(w.get('gamma')), [['weight', 'gamma']]],
])('%s', (_, call, expected) => {
  const error = refusal(call);
  expect(error.weights).toEqual(expected.map(([role, name]) => operand(role, name)));
  expect(error.message.endsWith(expected.map(([role, name]) => line(role, name)).join(''))).toBe(true);
});

test('weights of no file, and other mistakes than theirs, name none', () => {
  const own = refusal(() => net.conv2d({ weight: zeros([8, 3, 3, 3]) }));
  expect(own.message).not.toContain('of ');
  expect('weights' in own).toBe(false);
});

test('inside a loop, of the layer that failed alone', () => {
  const error = refusal(() =>
    net.scope('s', () =>
      net.loop({ state: { s: net.tensor() }, count: 2 }, ({ s }) => ({ state: { s: s.mul(w.get('gamma')) } })),
    ),
  );
  expect(error.weights).toEqual([operand('weight', 'gamma')]);
});

test('many weights are counted', () => {
  const many = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`bias_${i}`, w.get('gamma')]));
  const error = refusal(() => net.lstm(many));
  expect(error.weights).toHaveLength(12);
  expect(error.message.match(/'gamma' of/g)).toHaveLength(8);
  expect(error.message).toMatch(/and 4 weights more$/);
});

test('details that are not known are no fields that printing would show', () => {
  const error = new TensorRTError('ERR_X', 'x', { layer: undefined, actual: 0 });
  expect({ ...error }).toStrictEqual({ name: 'TensorRTError', code: 'ERR_X', actual: 0 });
});

test('a parameter at fault names no weights', () => {
  const given = { ...w.layer('inc.conv.0'), strides: 2 };
  let error: unknown;
  try {
    net.conv2d(given as never);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code: 'ERR_PARAMETER' });
  expect((error as TensorRTError).weights).toBeUndefined();
  expect((error as Error).message).toMatch(/unknown option 'strides'; did you mean 'stride'\?/);
});
