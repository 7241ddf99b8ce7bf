import { test } from 'vitest';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './reverse_sequence.cases.js';

testLayer('reverse_sequence', cases);

test('what does not fit is refused', () => {
  const x = oneInput(5, 3, 4);
  expectRefusal(
    () => x.reverseSequence([1, 2]),
    'ERR_SHAPE',
    /lengths: expected one per element of axis 1, 3, given 2/,
  );
  expectRefusal(
    () => x.reverseSequence([1, 2, 3], { sequenceAxis: 1 }),
    'ERR_AXIS',
    /batchAxis and sequenceAxis: expected different axes, given 1 for both/,
  );
  expectRefusal(() => x.reverseSequence([1, 2, 3], { batchAxis: 3 }), 'ERR_AXIS', /batchAxis.*given 3/);
  expectRefusal(() => x.reverseSequence([[1, 2, 3]]), 'ERR_RANK', /lengths: expected rank 1/);
  expectRefusal(() => x.reverseSequence(x), 'ERR_DTYPE', /lengths: expected int32, int64, given float32/);
  expectRefusal(() => oneInput(5).reverseSequence([1]), 'ERR_RANK', /rank 2 or more/);
});
