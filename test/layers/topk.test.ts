import { expect, test } from 'vitest';
import { bool, float32, int32, int64, network, type Tensor } from '../../src/index.js';
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

test('the name given is that of the result', () => {
  const x = oneInput(2, 8);
  expect(x.argmax({ name: 'best' }).name).toBe('best');
  expect(x.argmax({ name: 'kept', keepDims: true }).name).toBe('kept');
  expect(x.argmax({ name: 'axis', axis: 0, keepDims: true }).name).toBe('axis:1');
});

test('what TensorRT does not take is refused', () => {
  const x = oneInput(2, 3, 4, 5, 6);
  expectRefusal(() => x.topk(7), 'ERR_PARAMETER', /k: expected at most the 6 elements of axis 4, given 7/);
  expectRefusal(() => x.topk(0), 'ERR_PARAMETER', /k/);
  expectRefusal(() => oneInput(4000).topk(3841), 'ERR_PARAMETER', /k/);
  expectRefusal(
    () => oneInput(2, 3841).sort(),
    'ERR_SHAPE',
    /axis -1: TensorRT sorts at most 3840 elements, given 3841/,
  );
  expectRefusal(() => x.argsort({ axis: 5 }), 'ERR_AXIS', /given 5/);
  expectRefusal(() => x.topk('n'), 'ERR_SHAPE', /k: no dynamic dim is named 'n'/);
  expectRefusal(() => x.topk(x.dim(0).sub(2)), 'ERR_SHAPE', /k: expected whole numbers from 1/);
  expectRefusal(() => x.topk(1, { axis: 0 }), 'ERR_AXIS', /last four axes, 1 to 4, given 0/);
  expectRefusal(() => x.topk(1, { axis: 5 }), 'ERR_AXIS', /given 5/);
  expectRefusal(() => x.topk(1, { indices: 'int8' as never }), 'ERR_PARAMETER', /indices/);
  expectRefusal(() => oneInput().topk(1, { axis: 0 }), 'ERR_RANK', /rank 1 or more/);
  expectRefusal(() => network('b', { x: bool(4) }).topk(1), 'ERR_DTYPE', /given bool/);
  expectRefusal(() => x.topk(x.network.input('k', int64())), 'ERR_DTYPE', /k: expected int32, given int64/);
});

test('k may be an input, whose range the profile tells', async () => {
  const net = network('best', { x: float32(2, 5), k: int32() });
  const [x, k] = net.inputs as [Tensor, Tensor];
  x.topk(k)[1].output('indices');
  using engine = await net.build({ profiles: [{ k: [1, 2, 5] }] });
  expect(engine.bytes.byteLength).toBeGreaterThan(1000);
  using model = await net.compile({ backend: 'cpu' });
  const data = Float32Array.of(1, 5, 2, 4, 3, 9, 6, 8, 7, 0);
  const { indices } = await model.run({ x: data, k: Int32Array.of(3) });
  expect(indices!.shape).toEqual([2, 3]);
  expect([...(indices!.data as Int32Array)]).toEqual([1, 3, 4, 0, 2, 3]);
});

test('a dynamic size may turn out 0', async () => {
  const net = network('none', { x: float32('n', 'm', 4) });
  net.topk(2)[0]!.output('y');
  using model = await net.compile({ backend: 'cpu' });
  for (const shape of [
    [0, 3, 4],
    [2, 0, 4],
    [0, 0, 4],
  ]) {
    const { y } = await model.run({ x: { dtype: 'float32', shape, data: new Float32Array(0) } });
    expect(y!.shape).toEqual([...shape.slice(0, 2), 2]);
  }
});
