import { test } from 'vitest';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './squeeze.cases.js';

testLayer('squeeze', cases);

test('axes of another size, or none, are refused', () => {
  const x = oneInput(1, 3, 'n');
  expectRefusal(() => x.squeeze(1), 'ERR_SHAPE', /axis 1 of \[1, 3, n\]: expected size 1, given 3/);
  expectRefusal(() => x.squeeze(2), 'ERR_SHAPE', /given n/);
  expectRefusal(() => x.squeeze(3), 'ERR_AXIS', /given 3/);
  expectRefusal(() => x.squeeze(-4), 'ERR_PARAMETER', /axes/);
  expectRefusal(() => x.squeeze([0, 0]), 'ERR_AXIS', /each axis once/);
  expectRefusal(() => x.squeeze('0' as never), 'ERR_PARAMETER', /axes/);
});
