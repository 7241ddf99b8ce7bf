import { expect, test } from 'vitest';
import { float16, float32, int8, int32, network, type Tensor } from '../../src/index.js';
import { lift } from '../../src/layers/shared/lift.js';
import { cases } from './constant.cases.js';
import { expectRefusal, testLayer } from './harness.js';

testLayer('constant', cases);

test('small integer constants have known contents', () => {
  const net = network('contents');
  expect(net.constant([2, 3], { dtype: 'int32' }).contents).toEqual([2, 3]);
  expect(net.constant(5n).contents).toEqual([5]);
  expect(net.constant([[2, 3]], { dtype: 'int32' }).contents).toBeUndefined();
  expect(net.constant(2n ** 60n + 1n).contents).toBeUndefined();
  expect(net.constant([2, 3]).contents).toBeUndefined();
});

test('bad data is refused', () => {
  const net = network('bad');
  expectRefusal(() => net.constant('1' as never), 'ERR_INPUT', /expected a number.*given '1'/);
  expectRefusal(() => net.constant(undefined as never), 'ERR_INPUT', /given undefined/);
  expectRefusal(() => net.constant([1, 'a'] as never), 'ERR_VALUE', /expected a number, given .a./);
  expectRefusal(() => net.constant([[1], [2, 3]]), 'ERR_SHAPE', /equal lengths/);
  expectRefusal(() => net.constant([[1], 2]), 'ERR_SHAPE', /equal lengths/);
  expectRefusal(() => net.constant([1, 2, 3], { shape: [2, 2] }), 'ERR_SHAPE', /expected 3 elements, given \[2, 2\]/);
  expectRefusal(() => net.constant(1, { shape: [-1] }), 'ERR_SHAPE', /whole numbers/);
  expectRefusal(() => net.constant(1, { shape: [1e9, 1e9] }), 'ERR_SHAPE', /below 2\^31/);
  expectRefusal(() => net.constant(1, { dtype: 'int16' as never }), 'ERR_DTYPE', /given int16/);
  expectRefusal(() => net.constant(new Float64Array(2)), 'ERR_DTYPE', /Float64Array stands for no single dtype/);
  expectRefusal(() => net.constant(1.5, { dtype: 'int32' }), 'ERR_VALUE', /whole number.*for int32, given 1.5/);
  expectRefusal(() => net.constant(300, { dtype: 'uint8' }), 'ERR_VALUE', /0 to 255 for uint8, given 300/);
  expectRefusal(() => net.constant(1e5, { dtype: 'float16' }), 'ERR_VALUE', /within float16, given 100000/);
  expectRefusal(() => net.constant(new Uint8Array([0, 2]), { dtype: 'bool' }), 'ERR_VALUE', /0 and 1/);
  const weight = { dtype: 'float32', shape: [1], data: new Float32Array(1) };
  expectRefusal(() => net.constant(weight, { dtype: 'float16' }), 'ERR_DTYPE', /\.as\('float16'\)/);
  expectRefusal(() => net.constant({ ...weight, shape: [2] }), 'ERR_WEIGHT', /takes 8 bytes.*given 4/);
  expectRefusal(() => net.constant({ ...weight, shape: 'x' as never }), 'ERR_INPUT', /given Object/);
  expectRefusal(() => net.constant(1, { shape: Array(9).fill(1) }), 'ERR_PARAMETER', /shape/);
});

test('lifting takes the dtype and rank of the peer', () => {
  const net = network('lift', { h: float16(2, 3), i: int32('n'), s: float32() });
  const [h, i, s] = net.inputs as unknown as [Tensor, Tensor, Tensor];
  const type = (value: Parameters<typeof lift>[0], peer: Tensor) => {
    const { dtype, shape } = lift(value, peer);
    return [dtype, shape];
  };
  expect(type(0.1, h)).toEqual(['float16', [1, 1]]);
  expect(type(new Float32Array(3), h)).toEqual(['float16', [1, 3]]);
  expect(type(new Uint16Array(3), h)).toEqual(['float16', [1, 3]]);
  expect(type([[1], [2]], h)).toEqual(['float16', [2, 1]]);
  expect(type({ shape: [3], data: new Float32Array(3) }, h)).toEqual(['float16', [1, 3]]);
  expect(type({ dtype: 'float32', shape: [3], data: new Float32Array(3) }, h)).toEqual(['float32', [1, 3]]);
  expect(type(5, i)).toEqual(['int32', [1]]);
  expect(type(5n, i)).toEqual(['int32', [1]]);
  expect(type(true, s)).toEqual(['float32', []]);
  expectRefusal(() => lift(0.5, i), 'ERR_VALUE', /lift: expected a whole number/);
  expectRefusal(() => lift(2 ** 31, i), 'ERR_VALUE', /given 2147483648/);
  expectRefusal(() => lift(new BigInt64Array([2n ** 40n]), i), 'ERR_VALUE', /given 1099511627776/);
  expectRefusal(() => lift(70000, h), 'ERR_VALUE', /within float16/);
  expectRefusal(() => lift(null as never, h), 'ERR_INPUT', /given null/);
});

test('equal numbers share their elements', () => {
  const net = network('shared', { x: float32(2) });
  const x = net.tensor();
  for (const value of [2, 2, -0, 0]) lift(value, x);
  expect(net.weights.map((w) => Array.from(w.data as Float32Array))).toEqual([[2], [-0], [0]]);
});

test('known int8 operands come as a cast, since TensorRT takes int8 constants before dequantize layers only', async () => {
  const net = network('operands', { x: int8(3) });
  const x = net.tensor();
  const data = Int8Array.of(1, -2, 3);
  x.add(100).output('sum');
  x.mul({ dtype: 'int8', shape: [3], data }).output('product');
  x.clamp({ min: -1, max: 1 }).output('clamped');
  x.maskedFill(net.constant([true, false, true]), -128).output('filled');
  expectRefusal(() => x.add(128), 'ERR_VALUE', /128/);
  expectRefusal(() => x.add(0.5), 'ERR_VALUE', /0.5/);
  using engine = await net.build();
  expect(engine.outputs).toHaveLength(4);
  using model = await net.compile({ backend: 'cpu' });
  const { sum, product, clamped, filled } = await model.run({ x: Int8Array.of(5, -7, 0) });
  expect([sum, product, clamped, filled].map((result) => [...(result!.data as Int8Array)])).toEqual([
    [105, 93, 100],
    [5, 14, 0],
    [1, -1, 0],
    [-128, -7, -128],
  ]);
});

/** ONNX would read the size 0 as that of the array. */
test('a constant without elements may have another shape than its array', async () => {
  const net = network('empty');
  const array = { dtype: 'float32', shape: [0, 3], data: new Float32Array(0) } as const;
  net.constant(array, { shape: [3, 0] }).output('y');
  using model = await net.compile({ backend: 'cpu' });
  expect((await model.run({})).y!.shape).toEqual([3, 0]);
});
