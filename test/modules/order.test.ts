import { expect, test } from 'vitest';
import { float32, int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from '../layers/harness.js';
import { cases } from './order.cases.js';

testLayer('order', cases, 'modules');

test('what does not fit is refused', () => {
  const net = network('repeats', { x: float32(2, 3), r: int32(3), wide: int32(2, 2), f: float32(3) });
  const [x, r, wide, f] = net.inputs;
  expectRefusal(() => x!.repeatInterleave(-1), 'ERR_SHAPE', /repeats: expected whole numbers from 0/);
  expectRefusal(() => x!.repeatInterleave(0.5), 'ERR_SHAPE', /repeats/);
  expectRefusal(() => x!.repeatInterleave(2, { axis: 2 }), 'ERR_AXIS', /^repeatInterleave: .*given 2/);
  expectRefusal(() => x!.repeatInterleave([1, 2], { axis: 1 }), 'ERR_SHAPE', /repeats: expected numbers for each/);
  expectRefusal(() => oneInput('n').repeatInterleave([1, 2]), 'ERR_SHAPE', /repeats: expected numbers for each/);
  expectRefusal(() => x!.repeatInterleave(r!, { axis: 1 }), 'ERR_PARAMETER', /outputSize: expected their sum/);
  expectRefusal(() => x!.repeatInterleave(r!, { axis: 0, outputSize: 2 }), 'ERR_SHAPE', /one per element of axis 0/);
  expectRefusal(() => x!.repeatInterleave(wide!, { axis: 0, outputSize: 2 }), 'ERR_SHAPE', /repeats/);
  expectRefusal(() => x!.repeatInterleave(f!, { axis: 1, outputSize: 2 }), 'ERR_DTYPE', /repeats/);
  expectRefusal(() => x!.repeatInterleave(oneInput(3), { axis: 1, outputSize: 2 }), 'ERR_FOREIGN_TENSOR');
  expectRefusal(() => x!.movedim(2, 0), 'ERR_AXIS', /^movedim: .*given 2/);
  expectRefusal(() => x!.movedim([0, 0], [0, 1]), 'ERR_AXIS', /each axis once/);
  expectRefusal(() => x!.movedim([0, 1], [1]), 'ERR_PARAMETER', /as many places as axes/);
  expectRefusal(() => x!.movedim('0' as never, 1), 'ERR_AXIS', /source: .*given 0/);
});

test('sizes stay symbolic', () => {
  expect(oneInput('n', 3).repeatInterleave(2, { axis: 0 }).shape).toEqual(['2*n', 3]);
  expect(oneInput('n', 3, 'w').movedim(0, -1).shape).toEqual([3, 'w', 'n']);
});
