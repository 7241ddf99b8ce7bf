import { expect, test } from 'vitest';
import { float16, int32, network, weight } from '../../src/index.js';
import { decodeElements } from '../../src/values/elements.js';
import { expectRefusal, oneInput, testLayer } from '../layers/harness.js';
import { cases } from './batch-norm.cases.js';

testLayer('batch-norm', cases, 'modules');

const ones = (n: number, name?: string) => ({ name, shape: [n], data: new Float32Array(n).fill(1) });

test('what does not fit is refused, with what was expected and given', () => {
  const x = oneInput(2, 3, 4, 4);
  const running_mean = ones(3);
  const running_var = ones(3);
  expectRefusal(() => x.batchNorm(undefined as never), 'ERR_INPUT', /given none/);
  expectRefusal(() => x.batchNorm({ running_mean }), 'ERR_INPUT', /expected running_mean and running_var/);
  expectRefusal(() => x.batchNorm({ running_mean, running_var: ones(4) }), 'ERR_SHAPE', /running_var: expected \[3\]/);
  expectRefusal(() => x.batchNorm({ running_mean, running_var, bias: ones(1) }), 'ERR_SHAPE', /bias.*given \[1\]/);
  expectRefusal(
    () => x.batchNorm({ mean: ones(4), variance: ones(4) }),
    'ERR_SHAPE',
    /: mean: expected \[3\], one per channel of \[2, 3, 4, 4\], given \[4\]/,
  );
  expectRefusal(() => x.batchNorm({ running_mean, running_var, eps: -1 }), 'ERR_VALUE', /expected more than 0/);
  expectRefusal(() => x.batchNorm({ running_mean, running_var, eps: '0' as never }), 'ERR_PARAMETER', /eps/);
  expectRefusal(() => x.batchNorm({ running_mean: 'bn1' as never, running_var }), 'ERR_WEIGHT', /running_mean/);
  expectRefusal(() => oneInput(3).batchNorm({ running_mean, running_var }), 'ERR_RANK', /rank 2 or more/);
  expectRefusal(() => network('i', { x: int32(2, 3) }).batchNorm({ running_mean, running_var }), 'ERR_DTYPE', /int32/);
});

test('the layer is named after its weights, however often it is used', () => {
  const x = oneInput(2, 3);
  const options = { running_mean: ones(3, 'bn1.running_mean'), running_var: ones(3, 'bn1.running_var') };
  x.batchNorm(options)
    .batchNorm(options)
    .batchNorm({ ...options, name: 'last' });
  expect(x.network.graph.nodes.map(({ kind, name }) => [kind, name])).toEqual([
    ['scale', 'bn1'],
    ['scale', 'bn1_1'],
    ['scale', 'last'],
  ]);
});

test('what is not finite is refused, and what becomes so', () => {
  const x = oneInput(2, 2);
  const given = { running_mean: ones(2), running_var: ones(2), weight: ones(2), bias: ones(2) };
  const holding = (value: number) => ({ shape: [2], data: Float32Array.of(1, value) });
  for (const role of Object.keys(given)) {
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      const message = new RegExp(`${role}: expected finite elements, given ${value}`);
      expectRefusal(() => x.batchNorm({ ...given, [role]: holding(value) }), 'ERR_VALUE', message);
    }
  }
  const negative = { ...given, running_var: holding(-1) };
  expectRefusal(
    () => x.batchNorm(negative),
    'ERR_VALUE',
    /running_var \+ eps: expected more than 0, given -1 \+ 0.00001/,
  );
  const half = network('half', { x: float16(2, 2) });
  expectRefusal(
    () => half.batchNorm({ ...given, running_var: holding(1e-12), eps: 0 }),
    'ERR_VALUE',
    /the scale of channel 1 is 1000000\.\d+, which the input's float16 cannot hold; cast the input to float32/,
  );
  expectRefusal(() => half.batchNorm({ ...given, bias: holding(1e5) }), 'ERR_VALUE', /the shift of channel 1 is/);
});

test('a rounded weight gives the elements from before, also an own one', () => {
  const variances = weight(Float32Array.of(1e5, 3)).as('float16');
  const net = network('half', { x: float16(2, 2) });
  net.batchNorm({ running_mean: weight(new Float32Array(2)).as('bfloat16'), running_var: variances, eps: 0 });
  const [scale] = net.weights;
  expect(decodeElements('float16', scale!.data, 2)[0]).toBeCloseTo(1e5 ** -0.5, 5);
  const own = { shape: [2], data: new Uint16Array(2), dtype: 'float16', exact: () => new Float64Array(3) };
  expectRefusal(
    () => net.batchNorm({ running_mean: own, running_var: variances }),
    'ERR_WEIGHT',
    /running_mean: shape \[2\]/,
  );
});
