import { test } from 'vitest';
import { float32, int32, int64, network, type Tensor } from '../../src/index.js';
import { expectRefusal, testLayer } from './harness.js';
import { cases } from './ragged_softmax.cases.js';

testLayer('ragged_softmax', cases);

test('what does not fit is refused', () => {
  const net = network('ragged', {
    x: float32('b', 3, 5),
    short: int32('b', 2, 1),
    long: int64('b', 3, 1),
    flat: float32(3, 5),
  });
  const [x, short, long, flat] = net.inputs as [Tensor, Tensor, Tensor, Tensor];
  expectRefusal(() => x.raggedSoftmax(short), 'ERR_SHAPE', /lengths: expected \[b, 3, 1\], given \[b, 2, 1\]/);
  expectRefusal(() => x.raggedSoftmax([[1, 2, 3]]), 'ERR_SHAPE', /given \[1, 3\]/);
  // TensorRT refuses a dynamic size beside a known one.
  expectRefusal(
    () => x.raggedSoftmax([[[1], [2], [3]]]),
    'ERR_SHAPE',
    /lengths: expected \[b, 3, 1\], given \[1, 3, 1\]/,
  );
  expectRefusal(() => x.raggedSoftmax(long), 'ERR_DTYPE', /lengths: expected int32/);
  expectRefusal(() => flat.raggedSoftmax(short), 'ERR_RANK', /rank 3/);
});
