import { expect, test } from 'vitest';
import { int32, network } from '../../src/index.js';
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
