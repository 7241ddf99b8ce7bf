import { test } from 'vitest';
import { network, uint8 } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './non_zero.cases.js';

testLayer('non_zero', cases);

test('what TensorRT does not take is refused', () => {
  expectRefusal(() => oneInput().nonZero(), 'ERR_RANK', /rank 1 or more/);
  expectRefusal(() => network('u', { x: uint8(3) }).nonZero(), 'ERR_DTYPE', /given uint8/);
  expectRefusal(() => oneInput(3).nonZero({ indices: 'float32' as never }), 'ERR_PARAMETER', /indices/);
});
