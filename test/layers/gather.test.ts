import { expect, test } from 'vitest';
import { float32, int32, int64, network } from '../../src/index.js';
import { cases } from './gather.cases.js';
import { expectRefusal, testLayer } from './harness.js';

testLayer('gather', cases);

test('what does not fit is refused', () => {
  const net = network('gather');
  const x = net.input('x', float32(4, 3, 5));
  const at = net.input('at', int32(2, 3));
  const wrong = net.input('wrong', float32(2));
  expectRefusal(() => x.gather(wrong), 'ERR_DTYPE', /indices: expected int32, int64, given float32/);
  expectRefusal(() => x.gather(at, { axis: 3 }), 'ERR_AXIS', /axis: expected one from 0 to 2, given 3/);
  expectRefusal(() => x.gather(at, { axis: -4 }), 'ERR_PARAMETER', /axis/);
  expectRefusal(() => x.gather(at, { axis: 0, elementWiseDims: 1 }), 'ERR_AXIS', /from 1 to 2/);
  expectRefusal(() => x.gather(at, { axis: 1, elementWiseDims: 1 }), 'ERR_SHAPE', /axis 0 has 2 and 4/);
  expectRefusal(() => x.gather(at, { axis: 2, elementWiseDims: 2 }), 'ERR_PARAMETER', /0 or 1 in mode default/);
  expectRefusal(() => x.gather(at, { mode: 'element' }), 'ERR_RANK', /indices: expected rank 3, given rank 2/);
  expectRefusal(
    () => x.gather(net.input('wide', int32(4, 2, 6)), { mode: 'element', axis: 2 }),
    'ERR_SHAPE',
    /axis 1 has 2 and 3/,
  );
  expectRefusal(() => x.gather(net.input('deep', int64(2, 4)), { mode: 'nd' }), 'ERR_SHAPE', /last dim from 1 to 3/);
  expectRefusal(() => x.gather(net.input('open', int32(2, 'k')), { mode: 'nd' }), 'ERR_SHAPE', /static last dim/);
  expectRefusal(() => x.gather(at, { mode: 'nd', elementWiseDims: 3 }), 'ERR_RANK', /indices/);
  expectRefusal(() => x.gather(at, { mode: 'all' as never }), 'ERR_PARAMETER', /mode/);
  expectRefusal(() => x.gather('ab' as never), 'ERR_INPUT', /expected a number, numbers/);
  expectRefusal(() => x.gather([0.5]), 'ERR_VALUE', /0.5/);
  expectRefusal(() => x.indexSelect(0, at), 'ERR_RANK', /expected rank 1/);
});

test('known indices beyond their axis are refused, negative ones of a dynamic axis only where they can be counted', () => {
  const net = network('gather');
  const x = net.input('x', float32(3, 2));
  expectRefusal(() => x.gather([7]), 'ERR_VALUE', /indices: expected whole numbers from -3 to 2, given 7/);
  expectRefusal(() => x.gather(-4), 'ERR_VALUE', /from -3 to 2, given -4/);
  expectRefusal(() => x.gather([[2]], { axis: 1 }), 'ERR_VALUE', /from -2 to 1, given 2/);
  expectRefusal(() => x.indexSelect(1, [0, 2]), 'ERR_VALUE', /from -2 to 1, given 2/);
  expectRefusal(() => x.gather([[3, 0]], { mode: 'element' }), 'ERR_VALUE', /from -3 to 2, given 3/);
  expectRefusal(() => x.gather([[1, 2]], { mode: 'nd' }), 'ERR_VALUE', /from -2 to 1, given 2/);
  expectRefusal(() => x.gather(net.constant(new Int32Array(100).fill(3))), 'ERR_VALUE', /given 3/);
  expectRefusal(() => x.gather(net.dims([x.dim(0)])), 'ERR_VALUE', /given 3/);
  const batched = { mode: 'nd', elementWiseDims: 1 } as const;
  expectRefusal(() => x.gather([[1], [1], [2]], batched), 'ERR_VALUE', /from -2 to 1, given 2/);
  const open = net.input('open', float32('n', 'm'));
  expectRefusal(
    () => open.gather(net.constant([-1], { dtype: 'int32' })),
    'ERR_VALUE',
    /from 0 for the dynamic size n/,
  );
  expectRefusal(() => open.gather([[0, -1]], { mode: 'nd' }), 'ERR_VALUE', /dynamic size m, given -1/);
  expect(open.gather([-1, 5]).shape).toEqual([2, 'm']);
  expect(open.indexSelect(-1, [-1, 5]).shape).toEqual(['n', 2]);
});
