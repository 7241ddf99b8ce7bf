import { expect, test } from 'vitest';
import { float32, int32, network, type Tensor } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './slice.cases.js';

testLayer('slice', cases);

test('sizes stay symbolic', () => {
  const x = oneInput('n', 6);
  expect(x.slice({ axes: [0], start: [1] }).shape).toEqual(['n - 1', 6]);
  expect(x.slice({ axes: [0], stride: [2] }).shape).toEqual(['floor((n - 1) / 2) + 1', 6]);
  expect(x.slice({ axes: [0], start: [-3] }).shape).toEqual([3, 6]);
  expect(x.split([2, 4], { axis: 1 }).map((part) => part.shape)).toEqual([
    ['n', 2],
    ['n', 4],
  ]);
});

test('an even dynamic dim is chunked', () => {
  const x = oneInput('n', 4);
  expect(
    x
      .expand([2, -1, -1])
      .reshape(['2*n', 4])
      .chunk(2)
      .map((part) => part.shape),
  ).toEqual([
    ['n', 4],
    ['n', 4],
  ]);
});

test('what lies outside, or fits no axis, is refused', () => {
  const x = oneInput(4, 6);
  expectRefusal(
    () => x.slice({ start: [0, 3], size: [4, 4] }),
    'ERR_SHAPE',
    /expected elements 0 to 5 along axis 1, given 3 to 6$/m,
  );
  expectRefusal(
    () => x.slice({ start: [0, 1], size: [4, 3], stride: [1, -1] }),
    'ERR_SHAPE',
    /expected elements 0 to 5 along axis 1, given -1 to 1$/m,
  );
  expectRefusal(
    () => x.slice({ start: [-5, 0], size: [1, 1] }),
    'ERR_SHAPE',
    /start: expected -4 to 3 along axis 0, given -5$/m,
  );
  expectRefusal(() => x.slice({ start: [0], size: [4, 4] }), 'ERR_PARAMETER', /start: expected one number per axis, 2/);
  expectRefusal(() => x.slice({ axes: [2], start: [0] }), 'ERR_AXIS', /axes.*given 2/);
  expectRefusal(() => x.slice({ axes: [1, -1], start: [0, 0] }), 'ERR_AXIS', /each axis once/);
  expectRefusal(() => x.slice({ size: [4, -1] }), 'ERR_SHAPE', /size: expected whole numbers from 0/);
  expectRefusal(() => x.slice({ stride: [0, 1] }), 'ERR_PARAMETER', /size: expected sizes, as a stride is 0/);
  expectRefusal(() => x.slice({ start: [0, 'k'], size: [1, 1] }), 'ERR_SHAPE', /no dynamic dim is named 'k'/);
  expectRefusal(() => x.slice({ mode: 'mirror' as never }), 'ERR_PARAMETER', /mode/);
  expectRefusal(() => x.slice({ fill: 1 }), 'ERR_INPUT', /fill: expected a value in mode fill/);
  expectRefusal(() => x.slice({ size: 4 as never }), 'ERR_SHAPE', /size: expected a list of dims, given 4/);
  expectRefusal(() => oneInput(0, 2).slice({ size: [3, 2], mode: 'clamp' }), 'ERR_SHAPE', /nothing to read/);
});

test('tensors that are no positions are refused', () => {
  const net = network('slice');
  const x = net.input('x', float32(4, 6));
  const [short, floats] = [net.input('short', int32(1)), net.input('floats', float32(2))];
  expectRefusal(() => x.slice({ start: short, size: [1, 1] }), 'ERR_SHAPE', /start: expected a tensor of shape \[2\]/);
  expectRefusal(() => x.slice({ size: floats }), 'ERR_DTYPE', /size: expected int32, int64, given float32/);
  expectRefusal(() => x.slice({ start: net.input('s', int32(2)) }), 'ERR_PARAMETER', /size: expected sizes/);
  expectRefusal(() => x.slice({ mode: 'fill', fill: floats }), 'ERR_RANK', /fill: expected a scalar/);
});

test('parts that do not add up are refused', () => {
  const x = oneInput(4, 'n');
  expectRefusal(() => x.narrow(0, 3, 2), 'ERR_SHAPE', /elements 0 to 3 along axis 0, given 3 to 4$/m);
  expectRefusal(() => x.select(0, -5), 'ERR_SHAPE', /^select: index: expected -4 to 3 along axis 0, given -5$/m);
  expectRefusal(
    () => x.slice({ start: [1, 0], size: [2, 2], stride: [5, 1] }),
    'ERR_SHAPE',
    /given 1 to 6 in steps of 5$/m,
  );
  const y = oneInput('n', 2);
  expectRefusal(() => y.select(0, 'n'), 'ERR_SHAPE', /elements 0 to n - 1 along axis 0, given n$/m);
  expectRefusal(() => y.narrow(0, 1, 'n'), 'ERR_SHAPE', /given 1 to n$/m);
  expectRefusal(() => y.narrow(0, 'n', 1).shape, 'ERR_SHAPE', /given n$/m);
  expect(y.narrow(0, 0, 'n').shape).toEqual(['n', 2]);
  expect(y.select(0, y.dim(0).sub(1)).shape).toEqual([2]);
  expectRefusal(() => x.select(0, 4), 'ERR_SHAPE', /elements 0 to 3 along axis 0, given 4$/m);
  expectRefusal(() => x.split([1, 2]), 'ERR_SHAPE', /expected 4 in all along axis 0, given \[1, 2\]/);
  expectRefusal(() => x.split(0), 'ERR_PARAMETER', /from 1, given 0/);
  expectRefusal(
    () => x.split(2, { axis: 1 }),
    'ERR_SHAPE',
    /along axis 1, which is dynamic \('n'\), given 2; a size may be x.dim\(1\).sub\(2\)/,
  );
  expectRefusal(() => x.chunk(2, { axis: 1 }), 'ERR_SHAPE', /not known to be a multiple of 2/);
  expectRefusal(() => x.chunk(0), 'ERR_PARAMETER', /count/);
  expectRefusal(() => x.expand([4]), 'ERR_SHAPE', /at least 2/);
  expectRefusal(() => x.expand([8, 'n']), 'ERR_SHAPE', /does not expand to \[8, n\]: axis 0 has 4/);
  expectRefusal(() => x.flip(2), 'ERR_AXIS', /given 2/);
});

test('positions may be an input, whose range the profile tells', async () => {
  const net = network('crop', { x: float32(6, 4), start: int32(2) });
  const [x, start] = net.inputs as [Tensor, Tensor];
  x.slice({ start, size: [2, 3] }).output('y');
  await expect(net.build()).rejects.toThrow(/start: \[min, opt, max\], each a list of 2/);
  using engine = await net.build({
    profiles: [
      {
        start: [
          [0, 0],
          [1, 1],
          [4, 1],
        ],
      },
    ],
  });
  expect(engine.bytes.byteLength).toBeGreaterThan(1000);
  await expect(net.build({ profiles: [{ start: [0, 1, 4] }] })).rejects.toThrow(
    /min of input 'start' must be a list of 2, .* int32 \[2\], given 0/,
  );
  using model = await net.compile({ backend: 'cpu' });
  const { y } = await model.run({ x: Float32Array.from({ length: 24 }, (_, i) => i), start: Int32Array.of(3, 1) });
  expect([...(y!.data as Float32Array)]).toEqual([13, 14, 15, 17, 18, 19]);
});

test('an empty axis is reversed, and divided into as many empty parts, as by PyTorch', async () => {
  const x = oneInput(3, 0);
  const parts = x.chunk(2, { axis: 1 });
  expect(parts.map(({ shape }) => shape)).toEqual([
    [3, 0],
    [3, 0],
  ]);
  expect(x.chunk(5).map(({ shape }) => shape)).toEqual([
    [1, 0],
    [1, 0],
    [1, 0],
  ]);
  x.flip([0, 1]).output('reversed');
  parts[1]!.output('part');
  using engine = await x.network.build();
  expect(engine.outputs.map(({ shape }) => shape)).toEqual([
    [3, 0],
    [3, 0],
  ]);
});
