import { describe, expect, test } from 'vitest';
import { float32, type ImageInputOptions, imageInput, Network, network, type Result } from '../../src/index.js';
import { readFixture } from '../layers/fixture.js';
import { expectRefusal } from '../layers/harness.js';

const fixture = readFixture('image-input', 'modules');
const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const cases: Record<string, Omit<ImageInputOptions, 'height' | 'width'>> = {
  imagenet,
  one: { mean: 0.5, std: 0.25 },
  grey: { mean: 0.1307, std: [0.3081], channels: 1 },
  alpha: { mean: [0.1, 0.2, 0.3, 0.4], std: [0.9, 0.8, 0.7, 0.6], channels: 4 },
};

/** Of values up to 4.4: a few roundings of float32, and the last one of the dtype. */
const tolerance = { float32: 1.5e-6, float16: 2.2e-3, bfloat16: 1.8e-2 };
type Float = keyof typeof tolerance;

async function run(name: string, options: Omit<ImageInputOptions, 'height' | 'width'>, open: boolean): Promise<Result> {
  const { shape, data } = fixture.get(name)!.inputs.image!;
  const [batch, height, width] = shape as [number, number, number];
  const net = network(name);
  const sizes = open ? { height: 'rows', width: 'columns' } : { batch, height, width };
  imageInput(net, 'image', { ...sizes, ...options }).output('y');
  using model = await net.compile({ backend: 'cpu' });
  return (await model.run({ image: { data, shape } })).y!;
}

describe('computes what torchvision does', () => {
  const variants = Object.keys(cases).flatMap((name) =>
    (Object.keys(tolerance) as Float[]).flatMap((dtype) => [false, true].map((open) => ({ name, dtype, open }))),
  );
  test.each(variants)('$name in $dtype, dynamic: $open', async ({ name, dtype, open }) => {
    const [expected] = fixture.get(name)!.outputs;
    const result = await run(name, { ...cases[name], dtype }, open);
    expect([result.dtype, result.shape]).toEqual([dtype, expected!.shape]);
    const wanted = expected!.data as Float32Array;
    const most = Math.max(...result.toFloat32().map((value, i) => Math.abs(value - wanted[i]!)));
    expect(most).toBeLessThan(tolerance[dtype]);
  });
});

test('takes bytes as they are, and divides by 255, unless told otherwise', () => {
  const net = network('plain');
  const y = imageInput(net, 'image', { height: 2, width: 'w' });
  expect(net.inputs.map(String)).toEqual(['Tensor(image: uint8[batch, 2, w, 3])']);
  expect(y.shape).toEqual(['batch', 3, 2, 'w']);
  expect(net.graph.nodes.map(({ kind }) => kind)).toEqual(['cast', 'shuffle', 'scale']);
});

test('builds with TensorRT', async () => {
  for (const dtype of Object.keys(tolerance) as Float[]) {
    const net = network('image');
    imageInput(net, 'image', { height: 8, width: 8, ...imagenet, dtype }).output('y');
    using engine = await net.build({ profiles: [{ batch: [1, 2, 8] }] });
    expect(engine.inputs).toMatchObject([{ name: 'image', dtype: 'uint8', shape: ['batch', 8, 8, 3] }]);
    await net.check();
  }
});

test('what does not fit is refused, and adds nothing', () => {
  const net = network('net', { x: float32(1) });
  const size = { height: 4, width: 4 };
  const refused = (options: object, code: string, message: RegExp) => {
    expectRefusal(() => imageInput(net, 'image', options as never), code, message);
    expect(net.inputs).toHaveLength(1);
  };
  const threes = /^imageInput: mean: expected a number, or 3 of them, given/;
  for (const mean of ['0.5', [0.1, 0.2], [0.1, 0.2, '0.3'], [0.1, 0.2, Number.NaN], Number.POSITIVE_INFINITY, null, {}])
    refused({ ...size, mean }, 'ERR_PARAMETER', threes);
  const positive = /^imageInput: std: expected a number above 0, or 3 of them, given/;
  for (const std of [0, -1, [1, 1, 0], [1, 1, 1, 1]]) refused({ ...size, std }, 'ERR_PARAMETER', positive);
  refused({ ...size, std: 1e-45 }, 'ERR_PARAMETER', /mean and std: expected numbers whose quotient float32 holds/);
  refused({ ...size, channels: 2 }, 'ERR_PARAMETER', /channels: expected 1, 3, 4, given 2/);
  refused({ ...size, dtype: 'uint8' }, 'ERR_PARAMETER', /dtype: expected float32, float16, bfloat16, given 'uint8'/);
  refused({ width: 4 }, 'ERR_SHAPE', /^imageInput: height: expected .*, given undefined/);
  refused({ ...size, height: 1.5 }, 'ERR_SHAPE', /^imageInput: height: expected .*, given 1.5/);
  refused({ ...size, means: 1 }, 'ERR_PARAMETER', /did you mean 'mean'/);
  expectRefusal(() => imageInput(net, 'x', size), 'ERR_DUPLICATE_NAME', /x/);
  expectRefusal(() => imageInput(net.tensor() as never, 'y', size), 'ERR_INPUT', /net: expected a network/);
  expect(net).toBeInstanceOf(Network);
});
