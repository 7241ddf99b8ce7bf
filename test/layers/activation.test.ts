import { expect, test } from 'vitest';
import { int32, network } from '../../src/index.js';
import { cases } from './activation.cases.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';

testLayer('activation', cases);

test('an integer input is refused where TensorRT takes floats only', () => {
  const net = network('ints', { x: int32(2) });
  expectRefusal(() => net.sigmoid(), 'ERR_DTYPE', /expected float32, float16, bfloat16, given int32/);
});

test('bad parameters are refused', () => {
  const x = oneInput(2, 3);
  expectRefusal(() => x.leakyRelu({ negativeSlope: Number.NaN }), 'ERR_PARAMETER', /: negativeSlope: /);
  expectRefusal(
    () => x.gelu({ approximate: 'fast' as never }),
    'ERR_PARAMETER',
    /approximate: expected none or tanh, given 'fast'/,
  );
  expectRefusal(() => x.activation({ type: 'swish' as never }), 'ERR_PARAMETER', /type/);
});

test('an infinite bound becomes the largest float32', () => {
  const x = oneInput(2);
  x.clamp({ max: 1 });
  expect(x.network.graph.nodes[0]!.params).toMatchObject({ alpha: -3.4028234663852886e38, beta: 1 });
});
