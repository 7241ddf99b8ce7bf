import { test } from 'vitest';
import { float16, float32, int32, network } from '../../src/index.js';
import { expectRefusal, testLayer } from './harness.js';
import { cases } from './scatter.cases.js';

testLayer('scatter', cases);

test('what does not fit is refused', () => {
  const net = network('scatter');
  const x = net.input('x', float32(4, 3, 5));
  const at = net.input('at', int32(2, 3, 5));
  const updates = net.input('updates', float32(2, 3, 5));
  expectRefusal(() => x.scatter(updates, updates), 'ERR_DTYPE', /indices: expected int32, int64, given float32/);
  expectRefusal(
    () => x.scatter(at, net.input('half', float16(2, 3, 5))),
    'ERR_DTYPE',
    /updates.*float32, given float16/,
  );
  expectRefusal(() => x.scatter(at, net.input('few', float32(1, 3, 5))), 'ERR_SHAPE', /updates: expected \[2, 3, 5\]/);
  expectRefusal(() => x.scatter(at, updates, { axis: 3 }), 'ERR_AXIS', /given 3/);
  expectRefusal(() => x.scatter(net.input('flat', int32(2)), updates), 'ERR_RANK', /indices: expected rank 3/);
  expectRefusal(() => x.scatter(net.input('wide', int32(2, 4, 5)), updates), 'ERR_SHAPE', /exceed the data.*axis 1/);
  expectRefusal(
    () => x.scatter(net.input('deep', int32(2, 4)), updates, { mode: 'nd' }),
    'ERR_SHAPE',
    /last dim from 1 to 3/,
  );
  expectRefusal(() => x.scatter(at, updates, { mode: 'sum' as never }), 'ERR_PARAMETER', /mode/);
});

test('known indices beyond their axis are refused', () => {
  const net = network('scatter');
  const x = net.input('x', float32(3, 2));
  expectRefusal(
    () => x.scatter([[9, 0]], [[1, 1]]),
    'ERR_VALUE',
    /indices: expected whole numbers from -3 to 2, given 9/,
  );
  expectRefusal(() => x.scatter([[2]], [[1]], { axis: 1 }), 'ERR_VALUE', /from -2 to 1, given 2/);
  expectRefusal(() => x.scatter([[1, 2]], [1], { mode: 'nd' }), 'ERR_VALUE', /from -2 to 1, given 2/);
  const open = net.input('open', float32('n'));
  expectRefusal(() => open.scatter([-1], [1]), 'ERR_VALUE', /from 0 for the dynamic size n, given -1/);
});
