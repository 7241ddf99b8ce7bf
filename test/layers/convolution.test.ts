import { expect, test } from 'vitest';
import { float16, network } from '../../src/index.js';
import { cases } from './convolution.cases.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';

testLayer('convolution', cases);

const weight = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });

test('what does not fit is refused, with what was expected and given', () => {
  const x = oneInput(1, 4, 8, 8);
  expectRefusal(() => x.conv2d({ weight: weight(6, 3, 3, 3) }), 'ERR_SHAPE', /takes 3 input channels.* has 4/);
  expectRefusal(() => x.conv2d({ weight: weight(6, 4, 9, 3) }), 'ERR_SHAPE', /spans 9 along spatial axis 0.*8/);
  expectRefusal(() => x.conv2d({ weight: weight(6, 4, 3) }), 'ERR_RANK', /weight: expected rank 4, given rank 3/);
  expectRefusal(() => x.conv2d({ weight: weight(6, 2, 3, 3), groups: 4 }), 'ERR_SHAPE', /groups/);
  expectRefusal(
    () => x.conv2d({ weight: weight(6, 4, 3, 3), bias: weight(5) }),
    'ERR_SHAPE',
    /bias: expected \[6\], given \[5\]/,
  );
  const empty = { weight: weight(6, 4, 1, 1), padding: 1 };
  expectRefusal(() => oneInput(1, 4, 0, 8).conv2d(empty), 'ERR_SHAPE', /axis 0 of \[1, 4, 0, 8\] is empty.* have 2/);
  // The kernel of a transposed convolution: what is wrong is not its bias.
  const transposed = { weight: weight(4, 2, 2, 2), bias: weight(2) };
  expectRefusal(() => x.conv2d(transposed), 'ERR_SHAPE', /\[4, 2, 2, 2\] with groups 1 takes 2 input channels/);
  expectRefusal(() => x.conv2d({ weight: weight(6, 4, 3, 3), stride: 0 }), 'ERR_PARAMETER', /stride/);
  expectRefusal(() => x.conv2d({ weight: weight(6, 4, 3, 3), stride: Number.NaN }), 'ERR_PARAMETER', /stride/);
  expectRefusal(
    () => x.conv2d({ weight: weight(6, 4, 3, 3), padding: [1, 1, 1] }),
    'ERR_PARAMETER',
    /: padding: .* 2, given/,
  );
  expectRefusal(
    () => x.conv2d({ weight: weight(6, 4, 3, 3), padding: -1 }),
    'ERR_PARAMETER',
    /: padding: expected a whole number of 0 or more, given -1/,
  );
  const sides = { prePadding: 1, postPadding: [1, 1, 1] };
  for (const [given, name] of [
    [sides, 'postPadding'],
    [{ ...sides, padding: 0 }, 'postPadding'],
    [{ padding: [1, 1, 1], postPadding: 1 }, 'padding'],
    [{ padding: [1, 1, 1], prePadding: 1 }, 'padding'],
  ] as const) {
    const message = new RegExp(`^conv2d '\\w+': ${name}: expected one number or 2, given \\[1, 1, 1\\]`);
    expectRefusal(() => x.conv2d({ weight: weight(6, 4, 3, 3), ...given }), 'ERR_PARAMETER', message);
  }
  expectRefusal(
    () => x.conv2d({ weight: undefined as never }),
    'ERR_INPUT',
    /weight: expected a weight or a tensor, given none/,
  );
  expectRefusal(() => x.conv2d({ weight: 'conv1' as never }), 'ERR_WEIGHT', /: weight: expected a weight/);
});

test('padding by name, and windows along one axis, say what was expected', () => {
  const x = oneInput(1, 4, 8, 8);
  const kernel = weight(6, 4, 3, 3);
  expectRefusal(
    () => x.conv2d({ weight: kernel, padding: 'same', stride: 2 }),
    'ERR_PARAMETER',
    /: padding: same: expected stride 1, given \[2, 2\]; with a stride, paddingMode: 'same_upper' keeps/,
  );
  expectRefusal(
    () => x.conv2d({ weight: kernel, padding: 'full' as never }),
    'ERR_PARAMETER',
    /same or valid, given full/,
  );
  const line = oneInput(1, 4, 8);
  expectRefusal(() => x.conv1d({ weight: weight(6, 4, 3) }), 'ERR_RANK', /rank 3 \[batch, channels, length\]/);
  expectRefusal(() => line.conv1d({ weight: kernel }), 'ERR_RANK', /weight: expected rank 3, given rank 4/);
  expectRefusal(
    () => line.conv1d({ weight: weight(6, 4, 3), stride: [1, 2] }),
    'ERR_PARAMETER',
    /stride: expected one number/,
  );
  expectRefusal(
    () => line.conv1d({ weight: undefined as never }),
    'ERR_INPUT',
    /weight: expected a weight or a tensor, given none/,
  );
  expectRefusal(() => line.conv1d({ weight: weight(6, 4, 9) }), 'ERR_SHAPE', /spans 9/);
});

test('a kernel over one axis that is used twice is stored once', () => {
  const x = oneInput(1, 4, 8);
  const shared = weight(4, 4, 3);
  x.conv1d({ weight: shared }).conv1d({ weight: shared });
  expect(x.network.weights).toHaveLength(1);
});

test('layers over one axis are named after their weights, the result as asked', () => {
  const named = { name: 'stem.conv.weight', ...weight(6, 4, 3) };
  const y = oneInput(1, 4, 8).conv1d({ weight: named, name: 'stem' });
  expect(y.name).toBe('stem');
  expect(y.network.graph.nodes.map(({ name }) => name)).toEqual(['unsqueeze', 'stem.conv', 'stem']);
});

test('weights must have the dtype of the input', () => {
  const net = network('half', { x: float16(1, 4, 8, 8) });
  expectRefusal(
    () => net.conv2d({ weight: weight(6, 4, 3, 3) }),
    'ERR_DTYPE',
    /weight: expected the input's dtype float16, given float32/,
  );
});

test('a weight whose length does not fit its shape is refused', () => {
  expectRefusal(
    () => oneInput(1, 4, 8, 8).conv2d({ weight: { shape: [6, 4, 3, 3], data: new Float32Array(7) } }),
    'ERR_WEIGHT',
    /takes 864 bytes.*given 28/,
  );
});

test('a kernel may be a tensor', async () => {
  const net = network('dynamic kernel');
  const x = net.input('x', { dtype: 'float32', shape: [1, 2, 5, 5] });
  const kernel = net.input('kernel', { dtype: 'float32', shape: [3, 2, 3, 3] });
  x.conv2d({ weight: kernel }).output('y');
  expect(net.outputs[0]!.tensor.shape).toEqual([1, 3, 3, 3]);
  await net.check();
});
