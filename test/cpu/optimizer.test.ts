import { expect, test } from 'vitest';
import { float32, network } from '../../src/index.js';

// Networks that onnxruntime 1.30 refuses once it has optimized them. Found by the random graphs.
test('padding before a pool with a window no larger than it', async () => {
  const net = network('pad and pool', { x: float32(1, 1, 1, 1) });
  net
    .pad({ padding: [0, 0, 2, 1] })
    .maxPool2d({ kernel: [2, 1], stride: 2 })
    .output('y');
  using model = await net.compile({ backend: 'cpu' });
  const { y } = await model.run({ x: Float32Array.of(-3) });
  expect([y!.shape, [...y!.data]]).toEqual([
    [1, 1, 2, 1],
    [0, 0],
  ]);
});

test('a conditional on a constant, with a value that another layer gives unchanged', async () => {
  const net = network('known condition', { x: float32(1, 3) });
  const copy = net.reshape([1, 3]);
  const condition = net.constant([1], { dtype: 'float32' }).max().gt(2);
  copy.shapeTensor().output('shape');
  net
    .if(
      condition,
      () => copy.neg(),
      () => copy.abs(),
    )
    .output('y');
  using model = await net.compile({ backend: 'cpu' });
  const { y, shape } = await model.run({ x: Float32Array.of(-1, 2, -3) });
  expect([...y!.data]).toEqual([1, 2, 3]);
  expect([...shape!.data]).toEqual([1n, 3n]);
});
