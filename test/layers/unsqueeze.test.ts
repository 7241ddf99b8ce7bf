import { test } from 'vitest';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './unsqueeze.cases.js';

testLayer('unsqueeze', cases);

test('axes that the result does not have are refused', () => {
  const x = oneInput(2, 3);
  expectRefusal(() => x.unsqueeze(3), 'ERR_AXIS', /from -3 to 2 .*given 3/);
  expectRefusal(() => x.unsqueeze(-4), 'ERR_PARAMETER', /axes/);
  expectRefusal(() => x.unsqueeze([1, 1]), 'ERR_AXIS', /each axis once/);
  expectRefusal(() => x.unsqueeze(undefined as never), 'ERR_PARAMETER', /axes/);
  expectRefusal(() => oneInput(...Array(8).fill(1)).unsqueeze(0), 'ERR_SHAPE', /at most 8 dims/);
});
