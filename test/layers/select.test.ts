import { test } from 'vitest';
import { bool, float32, int32, network, where } from '../../src/index.js';
import { expectRefusal, testLayer } from './harness.js';
import { cases } from './select.cases.js';

testLayer('select', cases);

test('what does not fit is refused', () => {
  const net = network('select', { mask: bool(2, 3), a: float32(2, 3), b: int32(2, 3), c: float32(2, 4) });
  const [mask, a, b, c] = net.inputs as [never, never, never, never];
  expectRefusal(() => where(a, a, a), 'ERR_DTYPE', /condition: expected bool, given float32/);
  expectRefusal(() => where(mask, a, b), 'ERR_DTYPE', /a is float32, b is int32/);
  expectRefusal(() => where(mask, a, c), 'ERR_SHAPE', /do not broadcast: axis 1 has 3 and 4/);
  expectRefusal(() => where(mask, a, 2, { dtype: 'int32' }), 'ERR_DTYPE', /dtype: expected .* float32, given int32/);
  expectRefusal(() => where(true as never, a, 2), 'ERR_INPUT', /condition: expected a tensor of bool, given true/);
  expectRefusal(() => where(mask, b, 0.5), 'ERR_VALUE', /0.5/);
});
