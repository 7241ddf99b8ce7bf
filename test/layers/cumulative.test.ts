import { test } from 'vitest';
import { bool, network } from '../../src/index.js';
import { cases } from './cumulative.cases.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';

testLayer('cumulative', cases);

test('what TensorRT does not take is refused', () => {
  const x = oneInput(2, 3);
  expectRefusal(() => x.cumsum({ axis: 2 }), 'ERR_AXIS', /axis: expected one from -2 to 1, given 2/);
  expectRefusal(() => x.cumsum({ axis: -3 }), 'ERR_PARAMETER', /axis/);
  expectRefusal(() => x.cumsum({ reverse: 1 as never }), 'ERR_PARAMETER', /reverse/);
  expectRefusal(() => oneInput().cumsum({ axis: 0 }), 'ERR_RANK', /rank 1 or more/);
  expectRefusal(() => network('b', { x: bool(2) }).cumsum(), 'ERR_DTYPE', /given bool/);
});
