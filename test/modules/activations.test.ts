import { test } from 'vitest';
import { int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from '../layers/harness.js';
import { cases } from './activations.cases.js';

testLayer('activations', cases, 'modules');

test('what does not fit is refused', () => {
  expectRefusal(() => oneInput(2, 3).glu(), 'ERR_SHAPE', /even size along axis -1/);
  expectRefusal(() => oneInput(2, 3).glu({ axis: 2 }), 'ERR_AXIS', /given 2/);
  expectRefusal(() => oneInput(2, 3).logSoftmax({ axis: 2 }), 'ERR_AXIS', /given 2/);
  expectRefusal(() => network('ints', { x: int32(2) }).silu(), 'ERR_DTYPE', /int32/);
  expectRefusal(() => network('ints', { x: int32(2) }).logSigmoid(), 'ERR_DTYPE', /^logSigmoid: .*int32/);
  expectRefusal(() => network('ints', { x: int32(2) }).celu(), 'ERR_DTYPE', /^celu.*int32/);
  expectRefusal(
    () => oneInput(2).celu({ alpha: 0 }),
    'ERR_PARAMETER',
    /alpha: expected a number other than 0, given 0/,
  );
  expectRefusal(() => oneInput(2).celu({ alpha: '1' as never }), 'ERR_PARAMETER', /alpha/);
});
