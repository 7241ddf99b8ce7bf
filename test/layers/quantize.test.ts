import { expect, test } from 'vitest';
import { float32, int32, network, type Tensor } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './quantize.cases.js';

testLayer('quantize', cases);

test('scales that do not fit are refused', () => {
  const x = oneInput(4, 6);
  const scale = [1, 2, 3];
  expectRefusal(() => x.quantize({} as never), 'ERR_INPUT', /scale: expected numbers or a tensor, given none/);
  expectRefusal(() => x.quantize({ scale }), 'ERR_AXIS', /axis: expected that of a scale \[3\], from 0 to 1, given -1/);
  expectRefusal(() => x.quantize({ scale, axis: 2 }), 'ERR_AXIS', /given 2/);
  expectRefusal(() => x.quantize({ scale, axis: 1 }), 'ERR_SHAPE', /scale: expected \[6\] for axis 1/);
  expectRefusal(() => x.quantize({ scale: [[1, 1, 1, 1]] }), 'ERR_SHAPE', /parts of \[4, 6\], given \[1, 4\]/);
  expectRefusal(() => x.quantize({ scale: [[[1]]] }), 'ERR_SHAPE', /given \[1, 1, 1\]/);
  expectRefusal(() => x.sum().quantize({ scale: 1 }), 'ERR_RANK', /rank 1 or more/);
});

test('other bad parameters are refused', () => {
  const x = oneInput(4, 6);
  expectRefusal(() => x.quantize({ scale: 1, zeroPoint: 3 }), 'ERR_VALUE', /symmetrically, expected zeros, given 3/);
  expectRefusal(() => x.quantize({ scale: 1, zeroPoint: x }), 'ERR_SHAPE', /zeroPoint: expected int8\[\]/);
  expectRefusal(() => x.quantize({ scale: 1, to: 'uint8' as never }), 'ERR_PARAMETER', /to/);
  expectRefusal(() => x.quantize({ scale: 1, blockShape: [2] }), 'ERR_PARAMETER', /blockShape: expected 2 sizes/);
  expectRefusal(() => x.quantize({ scale: 1, blockShape: [0, 1] }), 'ERR_PARAMETER', /blockShape/);
  expectRefusal(
    () => x.dequantize({ scale: 1 }),
    'ERR_DTYPE',
    /expected int8, float8e4m3, int4, float4e2m1, given float32/,
  );
  expectRefusal(() => x.quantize({ scale: 1 }).dequantize({ scale: 1, to: 'int8' as never }), 'ERR_PARAMETER', /to/);
  const net = network('i', { x: int32(4), s: int32() });
  const [i, s] = net.inputs as [Tensor, Tensor];
  expectRefusal(() => i.quantize({ scale: 1 }), 'ERR_DTYPE', /given int32/);
  expectRefusal(() => i.cast('float32').quantize({ scale: s }), 'ERR_DTYPE', /scale: expected float32/);
});

/** A weight in blocks of 32 × 1, in a layer that says so. */
function withBlockShape() {
  const net = network('blocks', { x: float32(1, 64) });
  const weight = net.constant(Array(128).fill(2), { dtype: 'float8e4m3', shape: [64, 2] });
  const scale = [
    [1, 2],
    [3, 4],
  ];
  net.matmul(weight.dequantize({ scale, blockShape: [32, 1] })).output('y');
  return net;
}

test('a block shape reaches TensorRT from 10.15 on, and agrees with the scale on the CPU', async () => {
  const net = withBlockShape();
  using engine = await net.build();
  expect(engine.bytes.byteLength).toBeGreaterThan(1000);
  using model = await net.compile({ backend: 'cpu' });
  const { y } = await model.run({ x: new Float32Array(64).fill(1) });
  expect(Array.from(y!.toFloat32())).toEqual([(1 + 3) * 32 * 2, (2 + 4) * 32 * 2]);
});
