import { expect, test } from 'vitest';
import { float32, int32, network } from '../../src/index.js';
import { nearestScale } from '../../src/layers/shared/resize-scales.js';
import { readFixture } from './fixture.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './resize.cases.js';

testLayer('resize', cases);

test('sizes stay symbolic where the scale is exact', () => {
  const x = oneInput('n', 3, 'h', 'w');
  expect(x.interpolate({ scaleFactor: 2 }).shape).toEqual(['n', 3, '2*h', '2*w']);
  expect(x.interpolate({ scaleFactor: 0.5 }).shape).toEqual(['n', 3, 'floor(h / 2)', 'floor(w / 2)']);
  expect(x.interpolate({ size: [x.dim(2), 8] }).shape).toEqual(['n', 3, 'h', 8]);
});

test('sizes are those of PyTorch, in whose float64 100 · 0.57 is less than 57', () => {
  expect(oneInput(1, 1, 100).interpolate({ scaleFactor: 0.57 }).shape).toEqual([1, 1, 56]);
  expect(oneInput(1, 1, 900).interpolate({ scaleFactor: 0.57 }).shape).toEqual([1, 1, 513]);
  // TensorRT's own method has TensorRT's size, of which float32 is the arithmetic.
  expect(oneInput(1, 1, 100).resize({ scales: [1, 1, 0.57] }).shape).toEqual([1, 1, 57]);
});

test('what nearest picks by a fraction is gathered where sizes are known, and resized where they are not', () => {
  const kinds = (...dims: (number | string)[]) => {
    const net = network('n', { x: float32(1, 1, ...dims) });
    net.interpolate({ scaleFactor: [0.57, 1 / 7], name: 'small' }).output('y');
    return net.graph.nodes.filter(({ kind }) => kind !== 'constant').map(({ kind, name }) => `${kind} ${name}`);
  };
  expect(kinds(100, 21)).toEqual(['gather gather', 'gather small']);
  expect(kinds(100, 'w')).toEqual(['resize small']);
});

test("TensorRT's scale picks PyTorch's rows, whether positions are divided by it or multiplied by its inverse", () => {
  const { inputs, outputs } = readFixture('resize').get('torch_nearest_seventh')!;
  const [x, y] = [inputs.x!, outputs[0]!];
  const [from, to] = [x.shape[2]!, y.shape[2]!];
  const scale = nearestScale(from, to, 1 / 7, 0);
  for (let i = 0; i < to; i++) {
    // All elements differ.
    const at = Array.from(x.data as Float32Array).indexOf((y.data as Float32Array)[i * y.shape[3]!]!);
    const row = Math.floor(at / x.shape[3]!);
    for (const position of [i / scale, i * Math.fround(1 / scale)]) expect(Math.floor(Math.fround(position))).toBe(row);
  }
});

test('what does not fit is refused', () => {
  const x = oneInput(1, 2, 4, 5);
  expectRefusal(() => x.resize({}), 'ERR_PARAMETER', /either scales or sizes, given none/);
  expectRefusal(() => x.resize({ scales: [1, 1, 2, 2], sizes: [1, 2, 8, 10] }), 'ERR_PARAMETER', /given both/);
  expectRefusal(() => x.resize({ sizes: [8, 10] }), 'ERR_PARAMETER', /sizes: expected 4 numbers, given \[8, 10\]/);
  expectRefusal(() => x.resize({ scales: [1, 1, 0, 2] }), 'ERR_PARAMETER', /scales: expected positive/);
  expectRefusal(() => x.resize({ mode: 'linear', sizes: [2, 4, 8, 10] }), 'ERR_SHAPE', /last 3 axes only.*axis 0/);
  expectRefusal(() => x.resize({ mode: 'cubic', sizes: [1, 4, 8, 10] }), 'ERR_SHAPE', /last 2 axes only.*axis 1/);
  expectRefusal(() => x.resize({ mode: 'area' as never, sizes: [1, 2, 8, 10] }), 'ERR_PARAMETER', /mode/);
  expectRefusal(
    () => x.resize({ sizes: x.network.input('s', int32(3)) }),
    'ERR_SHAPE',
    /sizes: expected a tensor of shape \[4\]/,
  );
  expectRefusal(() => x.resize({ sizes: x.network.input('f', float32(4)) }), 'ERR_DTYPE', /sizes/);
  expectRefusal(() => network('i', { x: int32(1, 1, 4) }).resize({ sizes: [1, 1, 8] }), 'ERR_DTYPE', /given int32/);
  expectRefusal(() => x.interpolate({ mode: 'area' as never }), 'ERR_PARAMETER', /mode: expected nearest/);
  expectRefusal(() => x.interpolate({ mode: 'linear', size: 3 }), 'ERR_RANK', /mode linear: expected rank 3/);
  expectRefusal(() => x.interpolate({ mode: 'linear', size: 3 }), 'ERR_RANK', /; rank 4 takes bilinear/);
  expectRefusal(() => x.interpolate({ scaleFactor: 0.2 }), 'ERR_SHAPE', /scaleFactor: nothing would be left of axis 2/);
  expectRefusal(() => x.interpolate({ size: [1, 0] }), 'ERR_SHAPE', /size: nothing would be left of axis 3/);
  expectRefusal(
    () => x.interpolate({ scaleFactor: [1.5, true] as never }),
    'ERR_PARAMETER',
    /scaleFactor: expected a number/,
  );
  expectRefusal(() => x.interpolate({ size: [3] }), 'ERR_PARAMETER', /size: expected one number or 2, given \[3\]/);
  expectRefusal(() => x.interpolate({ size: 3, alignCorners: true }), 'ERR_PARAMETER', /alignCorners/);
});
