import { expect, test } from 'vitest';
import { bool, int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './reduce.cases.js';

testLayer('reduce', cases);

test('what does not fit is refused', () => {
  const x = oneInput(2, 3, 4);
  expectRefusal(() => x.reduce(undefined as never), 'ERR_PARAMETER', /operation/);
  expectRefusal(() => x.sum({ axis: 3 }), 'ERR_AXIS', /from -3 to 2 .* given 3/);
  expectRefusal(() => x.sum({ axes: [1, -2] }), 'ERR_AXIS', /each axis once/);
  expectRefusal(() => x.sum({ axes: 3 }), 'ERR_AXIS', /from -3 to 2 .* given 3/);
  expectRefusal(() => x.sum({ axes: 'all' as never }), 'ERR_PARAMETER', /axes/);
  expectRefusal(() => x.sum({ axes: [] }), 'ERR_PARAMETER', /axes/);
  expectRefusal(() => x.sum({ axes: [0.5] }), 'ERR_PARAMETER', /: axes: .*given 0.5/);
  expectRefusal(() => x.sum({ axis: 1, axes: [1] }), 'ERR_AXIS', /each axis once/);
  expectRefusal(() => x.reduce({ operation: 'median' as never }), 'ERR_PARAMETER', /operation/);
  expectRefusal(() => network('flags', { x: bool(2) }).sum(), 'ERR_DTYPE', /given bool/);
  expectRefusal(() => network('ints', { x: int32(2) }).mean(), 'ERR_DTYPE', /given int32/);
});

test('a result keeps the names of the axes that stay', () => {
  const x = oneInput('batch', 3, 'n');
  expect(x.sum({ axis: 1 }).shape).toEqual(['batch', 'n']);
  expect(x.mean({ axes: [1, 2], keepDims: true }).shape).toEqual(['batch', 1, 1]);
});
