import { expect, test } from 'vitest';
import { concat, float16, float32, network, stack, type Tensor, uint8, weight } from '../../src/index.js';
import { cases } from './concatenation.cases.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';

testLayer('concatenation', cases);

test('sizes along the axis add up, also where they have names', () => {
  const net = network('sizes', { a: float32('m', 3), b: float32('n', 'c'), d: float32('m', 3) });
  const [a, b, d] = net.inputs;
  expect(concat([a!, b!, d!]).shape).toEqual(['2*m + n', 3]);
  expect(a!.concat([b!, d!], { axis: 1 }).shape).toEqual(['m', 'c + 6']);
});

test('known integers are followed', () => {
  const net = network('contents');
  const [one, two] = [net.constant([1], { dtype: 'int64' }), net.constant([2, 3], { dtype: 'int64' })];
  expect(concat([one, two]).contents).toEqual([1, 2, 3]);
});

test('one class token for a batch of any size is refused', () => {
  const net = network('tokens', { x: float32('batch', 16, 4), y: float32('batch', 'h', 4) });
  const [x, y] = net.inputs as unknown as [Tensor, Tensor];
  const token = net.constant(new Float32Array(4), { shape: [1, 1, 4] });
  const message = /tensor 0 \[1, 1, 4\] has 1 along axis 0, others have batch: repeat it with \.expand/;
  expectRefusal(() => concat([token, x], { axis: 1 }), 'ERR_SHAPE', message);
  expectRefusal(() => concat([x, token], { axis: 1 }), 'ERR_SHAPE', /tensor 1 \[1, 1, 4\] has 1 along axis 0/);
  expect(concat([token.expand([x.dim(0), 1, 4]), x], { axis: 1 }).shape).toEqual(['batch', 17, 4]);
  // Along the joined axis anything goes.
  const half = y.slice({ start: [0, 0, 0], size: [y.dim(0), 1, 4] });
  expect(concat([half, y], { axis: 1 }).shape).toEqual(['batch', 'h + 1', 4]);
});

test('tensors that do not fit are refused', () => {
  const net = network('bad', { x: float32(2, 3), h: float16(2, 3), r: float32(2), y: float32(3, 4), u: uint8(2) });
  const [x, h, r, y, u] = net.inputs as unknown as [Tensor, Tensor, Tensor, Tensor, Tensor];
  expectRefusal(() => concat([]), 'ERR_INPUT', /given none/);
  expectRefusal(() => concat(x as never), 'ERR_INPUT', /expected a list of tensors/);
  expectRefusal(() => concat([x, 1 as never]), 'ERR_INPUT', /tensor 1: expected a tensor, given 1/);
  expectRefusal(
    () => concat([weight(new Float32Array(3)) as never]),
    'ERR_INPUT',
    /tensor 0: expected a tensor, given Weight\(.*\); join weights with Weight\.concat, or make it a net\.constant/,
  );
  expectRefusal(() => concat([x, h]), 'ERR_DTYPE', /tensor 1 is float16, tensor 0 is float32.*\.cast/);
  expectRefusal(() => concat([x, r]), 'ERR_RANK', /tensor 1 \[2\] and tensor 0 \[2, 3\]/);
  expectRefusal(() => concat([x, y]), 'ERR_SHAPE', /differ at axis 1/);
  expectRefusal(() => concat([x, x], { axis: 2 }), 'ERR_AXIS', /from -2 to 1.*given 2/);
  expectRefusal(() => concat([x, x], { axis: 0.5 }), 'ERR_PARAMETER', /axis/);
  expectRefusal(() => stack([]), 'ERR_INPUT', /^stack: tensors: expected a list of tensors, given none/);
  expectRefusal(() => stack([x, y]), 'ERR_SHAPE', /^stack .*: tensor 1 \[1, 3, 4\] and tensor 0 \[1, 2, 3\] differ/);
  expectRefusal(() => stack([x, h]), 'ERR_DTYPE', /tensor 1 is float16/);
  expectRefusal(() => stack([x, x], { axis: 3 }), 'ERR_AXIS', /from -3 to 2.*given 3/);
  expectRefusal(() => x.stack(1 as never), 'ERR_INPUT', /tensor 1: expected a tensor, given 1/);
  expectRefusal(() => concat([u, u]), 'ERR_DTYPE', /given uint8/);
  expectRefusal(() => concat([x, oneInput(2, 3)]), 'ERR_FOREIGN_TENSOR');
  expectRefusal(() => x.concat(undefined as never), 'ERR_INPUT', /given undefined/);
});
