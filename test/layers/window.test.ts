import { expect, test } from 'vitest';
import { createCpuModel } from '../../src/cpu/session.js';
import { float32, type Network, network, type Tensor } from '../../src/index.js';
import { readFixture, type Stored } from './fixture.js';
import { expectClose } from './harness.js';

/** A layer of a sweep, with PyTorch's result. */
interface Swept {
  record(x: Tensor): Tensor;
  expected: Stored;
}

/** The layers of a sweep over one input. The fixture's first two numbers of each are the input and the layer's type. */
function layersOf(
  sweep: string,
  input: number,
  record: (x: Tensor, type: number, numbers: readonly number[]) => Tensor,
): Swept[] {
  const [windows, shapes, values] = readFixture(sweep).get('sweep')!.outputs as [Stored, Stored, Stored];
  const [count, length] = windows.shape as [number, number];
  const layers: Swept[] = [];
  for (let i = 0, at = 0; i < count; i++) {
    const [of, type, ...numbers] = windows.data.slice(length * i, length * (i + 1)) as Uint8Array;
    const [height, width] = shapes.data.slice(2 * i, 2 * i + 2) as Uint8Array;
    const shape = [1, 1, height!, width!];
    const data = (values.data as Float32Array).slice(at, at + height! * width!);
    at += data.length;
    if (of === input)
      layers.push({ record: (x) => record(x, type!, numbers), expected: { dtype: 'float32', shape, data } });
  }
  return layers;
}

/** Runs many layers of one input at once, and compares each. */
async function expectLayers(net: Network, { shape, data }: Stored, layers: readonly Swept[]): Promise<void> {
  expect(layers.length).toBeGreaterThan(100);
  const x = net.tensor();
  layers.forEach(({ record }, i) => {
    record(x).output(`y${i}`);
  });
  using model = await createCpuModel(net);
  const results = await model.run({ x: { shape, data } });
  layers.forEach(({ expected }, i) => {
    expectClose(results[`y${i}`]!, expected);
  });
}

/** Pairs of numbers, one for each axis. */
const pairs = (numbers: readonly number[]) =>
  [0, 2, 4].map((k) => numbers.slice(k, k + 2)) as [number[], number[], number[]];

const ceilMode = (x: Tensor, type: number, numbers: readonly number[]) => {
  const [kernel, stride, padding] = pairs(numbers);
  const options = { kernel, stride, padding, ceilMode: true };
  return type === 0 ? x.maxPool2d(options) : x.avgPool2d({ ...options, countIncludePad: type === 1 });
};

const weight = readFixture('same-padding').get('sweep')!.weights.weight!;

const same = (x: Tensor, type: number, [upper, ...numbers]: readonly number[]) => {
  const [kernel, stride, dilation] = pairs(numbers);
  const options = { stride, paddingMode: upper ? 'same_upper' : 'same_lower' } as const;
  if (type === 1) return x.maxPool2d({ ...options, kernel });
  if (type > 1) return x.avgPool2d({ ...options, kernel, countIncludePad: type === 2 });
  const [rows, columns] = kernel as [number, number];
  const data = (weight.data as Float32Array).filter((_, i) => i % 4 < columns && i < 4 * rows);
  return x.conv2d({ ...options, dilation, weight: { shape: [1, 1, rows, columns], data } });
};

const sweeps = { 'ceil-mode': ceilMode, 'same-padding': same };

test.each(Object.keys(sweeps).flatMap((sweep) => [0, 1, 2, 3, 4].map((input) => ({ sweep, input }))))(
  'a sweep of $sweep gives the numbers of PyTorch, over input $input of known sizes and of dynamic ones',
  async ({ sweep, input }) => {
    const x = readFixture(sweep).get('sweep')!.inputs[input]!;
    const layers = layersOf(sweep, input, sweeps[sweep as keyof typeof sweeps]);
    await expectLayers(network('static', { x: float32(...x.shape) }), x, layers);
    await expectLayers(network('dynamic', { x: float32('n', 'c', 'h', 'w') }), x, layers);
  },
);
