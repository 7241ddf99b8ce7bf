import { describe, expect, test } from 'vitest';
import { type DimLike, float32, int64, type Network, network, type Tensor } from '../../src/index.js';
import { cases } from './fill.cases.js';
import { expectRefusal, expectSameInference, testLayer } from './harness.js';

testLayer('fill', cases);

describe('random numbers', () => {
  const draws: Record<string, [draw: (net: Network, shape: DimLike[]) => Tensor, mean: number, std: number]> = {
    uniform: [(net, shape) => net.randomUniform(shape), 0.5, Math.sqrt(1 / 12)],
    uniform_range: [(net, shape) => net.randomUniform(shape, { low: -3, high: 5 }), 1, 8 / Math.sqrt(12)],
    uniform_float16: [(net, shape) => net.randomUniform(shape, { dtype: 'float16' }), 0.5, Math.sqrt(1 / 12)],
    normal: [(net, shape) => net.randomNormal(shape), 0, 1],
    normal_scaled: [(net, shape) => net.randomNormal(shape, { mean: -2, std: 3 }), -2, 3],
    normal_tensors: [
      (net, shape) => net.randomNormal(shape, { mean: net.constant(1), std: net.constant(0.5) }),
      1,
      0.5,
    ],
  };
  test.each(Object.entries(draws))('%s', async (_, [draw, mean, std]) => {
    const net = network('random', { like: float32('n', 50) });
    draw(net, [net.tensor().dim(0), 50]).output('y');
    expect(net.outputs[0]!.tensor.shape).toEqual(['n', 50]);
    await expectSameInference(net);
    using engine = await net.build();
    expect(engine.bytes.byteLength).toBeGreaterThan(1000);
    using model = await net.compile({ backend: 'cpu' });
    const feeds = { like: new Float32Array(100 * 50) };
    const [first, second] = [(await model.run(feeds)).y!, (await model.run(feeds)).y!];
    expect(first.shape).toEqual([100, 50]);
    const values = first.toFloat32();
    const average = values.reduce((a, b) => a + b, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((a, b) => a + (b - average) ** 2, 0) / values.length);
    // Five standard errors of the mean of 5,000 draws.
    expect(Math.abs(average - mean)).toBeLessThan((5 * std) / Math.sqrt(5000));
    expect(Math.abs(deviation / std - 1)).toBeLessThan(0.06);
    expect([...second.toFloat32()]).not.toEqual([...values]);
  });
});

test('whole numbers and sizes are followed', () => {
  const net = network('fill', { x: float32('n', 4) });
  expect(net.arange(4, { start: 1 }).contents).toEqual([1, 2, 3]);
  expect(net.arange('n', { step: 2 }).shape).toEqual(['floor((n - 1) / 2) + 1']);
  expect(net.fill(['n', 3], { beta: [1, 1] }).shape).toEqual(['n', 3]);
});

test('what does not fit is refused', () => {
  const net = network('fill', { x: float32('n', 4), s: int64('k'), b: float32(3) });
  const [x, s, b] = net.inputs as [Tensor, Tensor, Tensor];
  expectRefusal(() => net.fill([2, 3]), 'ERR_SHAPE', /beta: expected \[2\], given \[\]/);
  expectRefusal(() => net.fill([2, 3], { beta: [1, 2, 3] }), 'ERR_SHAPE', /beta: expected \[2\], given \[3\]/);
  expectRefusal(() => net.fill([2], { alpha: 0.5, dtype: 'int32' }), 'ERR_VALUE', /whole numbers for int32, given 0.5/);
  expectRefusal(() => net.fill([2], { dtype: 'float16' }), 'ERR_DTYPE', /dtype: expected float32, int32, int64/);
  expectRefusal(() => net.randomUniform([2], { dtype: 'int32' }), 'ERR_DTYPE', /dtype: expected float32, float16/);
  expectRefusal(() => net.fill([2], { dtype: 'bool' }), 'ERR_PARAMETER', /dtype/);
  expectRefusal(() => net.fill([2], { alpha: Number.NaN }), 'ERR_PARAMETER', /alpha/);
  expectRefusal(() => net.fill([2], { operation: 'zeros' as never }), 'ERR_PARAMETER', /operation/);
  expectRefusal(() => net.fill([-1]), 'ERR_SHAPE', /shape: expected whole numbers from 0/);
  expectRefusal(() => net.fill(['m']), 'ERR_SHAPE', /no dynamic dim is named 'm' here; known are n, k/);
  expectRefusal(() => net.fill(s), 'ERR_SHAPE', /rank 1 and known length, given \[k\]/);
  expectRefusal(() => net.fill(b), 'ERR_DTYPE', /shape: expected int32, int64, given float32/);
  expectRefusal(() => net.fill([4], { alpha: x, beta: b }), 'ERR_RANK', /alpha: expected a scalar/);
  expectRefusal(() => net.arange(4, { step: 0 }), 'ERR_PARAMETER', /step/);
  expectRefusal(() => net.arange('n', { step: 0.5 }), 'ERR_PARAMETER', /whole numbers beside the dim 'n'/);
  expectRefusal(() => net.linspace(0, 1, 0), 'ERR_PARAMETER', /count/);
  expectRefusal(() => net.full([2], [1, 2]), 'ERR_RANK', /value: expected one number/);
});
