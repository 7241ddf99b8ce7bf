import { test } from 'vitest';
import { int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './softmax.cases.js';

testLayer('softmax', cases);

test('what does not fit is refused', () => {
  expectRefusal(() => oneInput(2, 3).softmax({ axis: 2 }), 'ERR_AXIS', /from -2 to 1 .* given 2/);
  expectRefusal(() => oneInput(2, 3).softmax({ axis: -3 }), 'ERR_AXIS', /given -3/);
  expectRefusal(() => oneInput(2, 3).softmax({ axis: 0.5 }), 'ERR_PARAMETER', /axis.*given 0.5/);
  expectRefusal(() => oneInput(2, 3).softmax({ axis: '1' as never }), 'ERR_PARAMETER', /axis.*given '1'/);
  expectRefusal(() => oneInput().softmax(), 'ERR_AXIS', /rank 0/);
  expectRefusal(() => network('ints', { x: int32(2) }).softmax(), 'ERR_DTYPE', /given int32/);
});
