import { expect, test } from 'vitest';
import { DimValue, float32, network, TensorRTError } from '../../src/index.js';
import { expectRefusal, expectSameInference, oneInput, testLayer } from './harness.js';
import { cases } from './shape.cases.js';

testLayer('shape', cases);

test('arithmetic on dims stays symbolic, and is exact where dims are known', () => {
  const x = oneInput('n', 7);
  expect(String(x.dim(0).mul(2).add(1))).toBe('2*n + 1');
  expect(String(x.dim(0).add(3).ceilDiv(2))).toBe('ceil((n - 1) / 2) + 2');
  expect(x.dim(-1).div(2).dim).toBe(3);
  expect(Number(x.dim(1)) + 1).toBe(8);
  expect(x.dim(0).sub('n').dim).toBe(0);
});

test("JavaScript's operators on a dynamic dim are an error, not a wrong number", () => {
  const dim = oneInput('n').dim(0);
  expect(() => Number(dim)).toThrow(TensorRTError);
  expect(() => (dim as unknown as number) * 2).toThrow(/'n' is dynamic: use .add\(\), .mul\(\)/);
  expect(`${dim}`).toBe('n');
});

test('the sizes of a shape tensor are followed through arithmetic, slices and reshapes', () => {
  const x = oneInput('n', 'h', 5);
  const shape = x.shapeTensor();
  expect(shape.contents).toEqual(['n', 'h', 5]);
  const merged = shape.slice({ start: [0], size: [2] }).prod({ axis: 0, keepDims: true });
  expect(merged.contents).toEqual(['h*n']);
  expect(x.reshape(merged.concat(shape.gather([2]))).shape).toEqual(['h*n', 5]);
  expect(shape.gather([1]).squeeze().unsqueeze(0).mul([2]).contents).toEqual(['2*h']);
});

test('a dim that only the data tells can be used again', async () => {
  const net = network('data', { x: { dtype: 'float32', shape: [6] } });
  const found = net.nonZero();
  found.reshape([found.dim(1), 1]).output('y');
  await expectSameInference(net);
  using model = await net.compile({ backend: 'cpu' });
  const { y } = await model.run({ x: Float32Array.of(0, 2, 0, 3, 4, 0) });
  expect(y!.shape).toEqual([3, 1]);
  expect([...(y!.data as Int32Array)]).toEqual([1, 3, 4]);
});

test('what is no dim is refused', () => {
  const x = oneInput('n', 4);
  expectRefusal(() => x.dim(2), 'ERR_AXIS', /axis: expected a whole number from -2 to 1/);
  expectRefusal(() => x.dim(0).add('3x' as never), 'ERR_DIM', /expected a dim, given 3x/);
  expectRefusal(() => x.dim(0).div(0), 'ERR_DIM', /divisor other than 0/);
  expectRefusal(() => x.network.dims(['m']), 'ERR_SHAPE', /no dynamic dim is named 'm' here; known are n/);
  expectRefusal(() => x.network.dims([1.5]), 'ERR_SHAPE', /given 1.5/);
  expectRefusal(() => x.reshape([new DimValue('k'), 4]), 'ERR_SHAPE', /no dynamic dim is named 'k'/);
});

test('sizes computed inside a loop are not used outside of it', async () => {
  const net = network('nested', { x: float32('n', 3) });
  const x = net.tensor();
  const rows = x.dim(0).mul(2);
  const { state } = net.loop({ state: { sum: x }, count: 3 }, ({ sum }) => ({
    state: { sum: sum.add(net.ones([rows, 3]).narrow(0, 0, x.dim(0))) },
  }));
  state.sum.add(net.ones([rows, 3]).narrow(0, 0, x.dim(0))).output('y');
  await expectSameInference(net);
  using engine = await net.build({ profiles: [{ n: 2 }] });
  expect(engine.bytes.byteLength).toBeGreaterThan(1000);
  using model = await net.compile({ backend: 'cpu' });
  const { y } = await model.run({ x: new Float32Array(6) });
  expect([...(y!.data as Float32Array)]).toEqual(Array(6).fill(4));
});
