import { expect, test } from 'vitest';
import { bool, int64, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './topk.cases.js';

testLayer('topk', cases);

test('k may be a size', () => {
  const x = oneInput('n', 8);
  const [values] = x.topk(
    x.network
      .dims([x.dim(0)])
      .cast('int32')
      .squeeze(),
  );
  expect(values.shape).toEqual(['n', 'n']);
});

test('what TensorRT does not take is refused', () => {
  const x = oneInput(2, 3, 4, 5, 6);
  expectRefusal(() => x.topk(7), 'ERR_PARAMETER', /k: expected at most the 6 elements of axis 4, given 7/);
  expectRefusal(() => x.topk(0), 'ERR_PARAMETER', /k/);
  expectRefusal(() => oneInput(4000).topk(3841), 'ERR_PARAMETER', /k/);
  expectRefusal(() => x.topk(1, { axis: 0 }), 'ERR_AXIS', /last four axes, 1 to 4, given 0/);
  expectRefusal(() => x.topk(1, { axis: 5 }), 'ERR_AXIS', /given 5/);
  expectRefusal(() => x.topk(1, { indices: 'int8' as never }), 'ERR_PARAMETER', /indices/);
  expectRefusal(() => oneInput().topk(1, { axis: 0 }), 'ERR_RANK', /rank 1 or more/);
  expectRefusal(() => network('b', { x: bool(4) }).topk(1), 'ERR_DTYPE', /given bool/);
  expectRefusal(() => x.topk(x.network.input('k', int64())), 'ERR_DTYPE', /k: expected int32, given int64/);
});
