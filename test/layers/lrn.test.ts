import { test } from 'vitest';
import { int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './lrn.cases.js';

testLayer('lrn', cases);

test('what does not fit is refused, with what was expected and given', () => {
  const x = oneInput(1, 4, 8, 8);
  expectRefusal(() => x.localResponseNorm(undefined as never), 'ERR_PARAMETER', /: size: /);
  for (const size of [2, 0, 17, 1.5, Number.NaN]) {
    expectRefusal(() => x.localResponseNorm({ size }), 'ERR_PARAMETER', /: size: /);
  }
  expectRefusal(() => x.localResponseNorm({ size: 3, k: 0 }), 'ERR_PARAMETER', /k: expected a number from 0.00001/);
  expectRefusal(() => x.localResponseNorm({ size: 3, beta: 0 }), 'ERR_PARAMETER', /beta: expected a number from 0.01/);
  expectRefusal(() => x.localResponseNorm({ size: 3, alpha: 1e21 }), 'ERR_PARAMETER', /alpha/);
  expectRefusal(() => oneInput(4, 8, 8).localResponseNorm({ size: 3 }), 'ERR_RANK', /rank 4, given rank 3/);
  expectRefusal(() => network('i', { x: int32(1, 4, 8, 8) }).localResponseNorm({ size: 3 }), 'ERR_DTYPE', /int32/);
});
