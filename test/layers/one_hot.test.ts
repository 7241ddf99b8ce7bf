import { test } from 'vitest';
import { int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './one_hot.cases.js';

testLayer('one_hot', cases);

test('what does not fit is refused', () => {
  const x = network('x', { x: int32(2, 3) }).tensor();
  expectRefusal(() => x.oneHot(0), 'ERR_PARAMETER', /depth/);
  expectRefusal(() => x.oneHot(2.5), 'ERR_PARAMETER', /depth/);
  expectRefusal(() => x.oneHot(4, { axis: 3 }), 'ERR_AXIS', /axis: expected one from -3 to 2, given 3/);
  expectRefusal(() => x.oneHot(4, { values: [1, 2, 3] }), 'ERR_SHAPE', /values: expected \[off, on\] of shape \[2\]/);
  expectRefusal(() => x.oneHot(4, { dtype: 'int8' }), 'ERR_DTYPE', /values/);
  const y = oneInput('n', 3);
  expectRefusal(() => y.oneHot(y.dim(0)), 'ERR_DTYPE', /indices: expected int32, int64, given float32/);
  const n = network('n', { x: int32('n') }).tensor();
  expectRefusal(() => n.oneHot(n.dim(0), { values: [1, 2, 3] }), 'ERR_SHAPE', /values: expected \[off, on\]/);
  expectRefusal(() => n.oneHot('m'), 'ERR_SHAPE', /depth: no dynamic dim is named 'm'/);
  expectRefusal(() => oneInput(3).oneHot(4), 'ERR_DTYPE', /indices: expected int32, int64, given float32/);
});
