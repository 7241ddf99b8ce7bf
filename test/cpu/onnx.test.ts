import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { encodeModel, type OnnxAttribute, type OnnxType } from '../../src/cpu/onnx.js';

/** The value of ONNX's Constant operator with one attribute, as onnxruntime read it. */
async function constant(attributes: Record<string, OnnxAttribute>, type: OnnxType): Promise<unknown[]> {
  const model = encodeModel({
    name: 'g',
    nodes: [{ op: 'Constant', name: 'c', inputs: [], outputs: ['y'], attributes }],
    inputs: [],
    outputs: [{ name: 'y', type }],
    values: [],
    initializers: [],
  });
  const session = await ort.InferenceSession.create(model);
  return Array.from((await session.run({})).y!.data as BigInt64Array);
}

it('writes attributes that onnxruntime reads back', async () => {
  const ints = [0, 1, 127, 128, 300, 2 ** 31 - 1, 2 ** 31, 2 ** 53 - 1, -1, -(2 ** 40)];
  expect(await constant({ value_ints: ints }, 'int64')).toEqual(ints.map(BigInt));
  expect(await constant({ value_int: -7 }, 'int64')).toEqual([-7n]);
  expect(await constant({ value_float: { float: 0.5 } }, 'float32')).toEqual([0.5]);
  expect(await constant({ value_floats: { floats: [1.5, -2] } }, 'float32')).toEqual([1.5, -2]);
});

it('writes names of any length and script', async () => {
  const name = 'größe/層'.repeat(60);
  const model = encodeModel({
    name: 'g',
    nodes: [{ op: 'Gelu', name, inputs: [name], outputs: ['y'], attributes: { approximate: 'tanh' } }],
    inputs: [{ name, type: 'float32', shape: ['n', 2] }],
    outputs: [{ name: 'y', type: 'float32' }],
    values: [],
    initializers: [],
  });
  const session = await ort.InferenceSession.create(model);
  expect(session.inputNames).toEqual([name]);
  expect(session.inputMetadata[0]).toMatchObject({ shape: ['n', 2], type: 'float32' });
  const { y } = await session.run({ [name]: new ort.Tensor('float32', Float32Array.of(0, 10), [1, 2]) });
  expect(Array.from(y!.data as Float32Array)).toEqual([0, 10]);
});
