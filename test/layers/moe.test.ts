import { test } from 'vitest';
import { float32, int32, network, type Tensor } from '../../src/index.js';
import { readFixture } from './fixture.js';
import { expectRefusal, expectSameInference, record, testLayer } from './harness.js';
import { cases } from './moe.cases.js';

testLayer('moe', cases);

test.each(cases.map((one) => [one.name, one] as const))(
  'TensorRT takes the layer %s, and infers the same',
  async (_, one) => {
    const stored = readFixture('moe').get(one.name)!;
    await expectSameInference(record(one, stored, false).net);
    if (one.dynamic) await expectSameInference(record(one, stored, true).net);
  },
);

function mixture() {
  const net = network('moe', { x: float32('b', 'n', 6), experts: int32('b', 'n', 2), scores: float32('b', 'n', 2) });
  const [x, experts, scores] = net.inputs as [Tensor, Tensor, Tensor];
  const weight = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });
  const options = { experts, scores, gate: weight(4, 6, 5), up: weight(4, 6, 5), down: weight(4, 5, 6) };
  return { net, x, options, weight };
}

test('static quantization reaches TensorRT', async () => {
  const { net, x, options } = mixture();
  x.moe({ ...options, quantize: { to: 'float8e4m3', scale: 0.5 } }).output('y');
  await net.check();
});

test('what does not fit is refused', () => {
  const { x, options, weight } = mixture();
  expectRefusal(
    () => x.moe({ ...options, up: weight(4, 6, 4) }),
    'ERR_SHAPE',
    /up: expected \[4, 6, 5\], given \[4, 6, 4\]/,
  );
  expectRefusal(() => x.moe({ ...options, down: weight(4, 6, 5) }), 'ERR_SHAPE', /down: expected \[4, 5, 6\]/);
  expectRefusal(() => x.moe({ ...options, scores: x }), 'ERR_SHAPE', /scores: expected \[b, n, 2\]/);
  expectRefusal(() => x.moe({ ...options, experts: options.scores }), 'ERR_DTYPE', /experts: expected int32, int64/);
  expectRefusal(() => x.moe({ ...options, gateBias: weight(4, 5) }), 'ERR_INPUT', /or none, given 1/);
  expectRefusal(() => x.moe({ ...options, activation: 'relu' as never }), 'ERR_PARAMETER', /activation/);
  expectRefusal(
    () => x.moe({ ...options, quantize: { to: 'int8' as never, scale: 1 } }),
    'ERR_PARAMETER',
    /quantize.to/,
  );
  expectRefusal(() => x.sum({ axis: 0 }).moe(options), 'ERR_RANK', /rank 3/);
});
