import { test } from 'vitest';
import { int8, network } from '../../src/index.js';
import { readFixture } from './fixture.js';
import { expectRefusal, expectSameInference, oneInput, record, testLayer } from './harness.js';
import { cases } from './non_zero.cases.js';

testLayer('non_zero', cases);

// TensorRT-RTX builds none of them, but infers their shapes.
test.each(cases)('TensorRT infers the same for $name', async (one) => {
  const stored = readFixture('non_zero').get(one.name)!;
  for (const dynamic of one.dynamic ? [false, true] : [false])
    await expectSameInference(record(one, stored, dynamic).net);
});

test('what TensorRT does not take is refused', () => {
  expectRefusal(() => oneInput().nonZero(), 'ERR_RANK', /rank 1 or more/);
  expectRefusal(() => network('i', { x: int8(3) }).nonZero(), 'ERR_DTYPE', /given int8/);
  expectRefusal(() => oneInput(3).nonZero({ indices: 'float32' as never }), 'ERR_PARAMETER', /indices/);
});
