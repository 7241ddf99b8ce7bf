import { attr, definePlugin, type ReferenceTensor } from '../../src/index.js';

// Definitions for tests that never reach CUDA.

export const cuda = '__global__ void nothing() {}';
export const launch = () => [{ kernel: 'nothing', grid: 1, block: 1, args: [] }];

type Numbers = Float32Array;
const numbers = ({ data }: ReferenceTensor): Numbers => data as Numbers;

/** y = factor · x + 1 in every float dtype. */
export const affine = definePlugin({
  name: 'test_affine',
  version: '1',
  inputs: ['x'],
  attributes: { factor: attr.float32(2) },
  types: [
    { x: 'float32', y: 'float32' },
    { x: 'float16', y: 'float16' },
    { x: 'bfloat16', y: 'bfloat16' },
  ],
  outputs: ({ x }) => ({ y: x.shape }),
  cuda,
  launch,
  reference: ({ x }, { factor }) => ({ y: numbers(x).map((v) => factor * v + 1) }),
  decompose: ({ x }, { factor }) => ({ y: x.mul(factor).add(1) }),
});

/** The sums of rows, and what is left of each element. Two inputs, two outputs of other ranks. */
export const rows = definePlugin({
  name: 'test_rows',
  version: '1',
  inputs: ['x', 'bias'],
  ranks: { x: 2, bias: 1 },
  types: [{ x: 'float32', bias: 'float32', sum: 'float32', rest: 'float32' }],
  outputs: ({ x }) => ({ sum: [x.shape[0]!], rest: x.shape }),
  cuda,
  launch,
  reference({ x, bias }) {
    const [n, width] = x.shape as [number, number];
    const sum = new Float32Array(n);
    const rest = new Float32Array(n * width);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < width; j++) sum[i]! += numbers(x)[i * width + j]! + numbers(bias)[j]!;
      for (let j = 0; j < width; j++) rest[i * width + j] = sum[i]! - numbers(x)[i * width + j]!;
    }
    return { sum: { shape: [n], data: sum }, rest: { dtype: 'float32', shape: [n, width], data: rest } };
  },
  decompose({ x, bias }) {
    const sum = x.add(bias).sum({ axis: 1 });
    return { sum, rest: sum.unsqueeze(1).sub(x) };
  },
});

/** The positive elements, and how many there are. */
export const positives = definePlugin({
  name: 'test_positives',
  version: '1',
  inputs: ['x'],
  ranks: { x: 1 },
  types: [{ x: 'float32', values: 'float32', count: 'int64' }],
  outputs: ({ x, sizeTensor, floorDiv }) => ({
    values: [sizeTensor('count', { opt: floorDiv(x.shape[0]!, 2), upper: x.shape[0]! })],
  }),
  cuda,
  launch,
  reference({ x }) {
    const values = numbers(x).filter((v) => v > 0);
    return { values: { shape: [values.length], data: values }, count: [values.length] };
  },
});

const one = { inputs: ['x'], types: [{ x: 'float32', y: 'float32' }], cuda, launch, version: '1' } as const;

/** y = x + 1; its reference works in its input and spoils it afterwards. */
let last: Numbers | undefined;
export const greedy = definePlugin({
  ...one,
  name: 'test_greedy',
  outputs: ({ x }) => ({ y: x.shape }),
  reference({ x }) {
    last?.fill(Number.NaN);
    last = numbers(x);
    for (let i = 0; i < last.length; i++) last[i]! += 1;
    return { y: last };
  },
});

/** A reference and layers that differ, to tell which ran. */
export const twoWays = definePlugin({
  ...one,
  name: 'test_two_ways',
  outputs: ({ x }) => ({ y: x.shape }),
  reference: ({ x }) => ({ y: numbers(x).map(() => 1) }),
  decompose: ({ x }) => ({ y: x.mul(0).add(99) }),
});

export const layersOnly = definePlugin({
  ...one,
  name: 'test_layers_only',
  outputs: ({ x }) => ({ y: x.shape }),
  decompose: ({ x }) => ({ y: x.mul(3) }),
});

export const bare = definePlugin({ ...one, name: 'test_bare', outputs: ({ x }) => ({ y: x.shape }) });

/** Writes a row into a cache in place. */
export const writeRow = definePlugin({
  name: 'test_write_row',
  version: '1',
  inputs: ['cache', 'row', 'at'],
  types: [{ cache: 'float32', row: 'float32', at: 'int32', cacheOut: 'float32' }],
  outputs: ({ cache }) => ({ cacheOut: cache.shape }),
  aliases: { cacheOut: 'cache' },
  cuda,
  launch,
  reference({ cache, row, at }) {
    numbers(cache).set(numbers(row), Number(at.data[0]) * row.shape[0]!);
    return { cacheOut: cache };
  },
});

/** x again and again: as often as the host says. */
export const tile = definePlugin({
  name: 'test_tile',
  version: '1',
  inputs: ['x'],
  shapeInputs: ['times'],
  types: [{ x: 'float32', times: 'int64', y: 'float32' }],
  outputs: ({ x, times, mul }) => ({ y: [mul(x.shape[0]!, times.values[0]!)] }),
  cuda,
  launch,
  reference: ({ x, times }) => ({
    y: Array.from({ length: Number(times.data[0]) }, () => [...numbers(x)]).flat(),
  }),
});

/** What `test_lies` returns. */
export let lied: { count: unknown; values: unknown };
export const lie = (what: typeof lied): void => {
  lied = what;
};
export const lies = definePlugin({
  name: 'test_lies',
  version: '1',
  inputs: ['x'],
  types: [{ x: 'float32', values: 'float32', count: 'int32' }],
  outputs: ({ x, sizeTensor }) => ({ values: [sizeTensor('count', { opt: 1, upper: x.shape[0]! })] }),
  cuda,
  launch,
  reference: () => lied as { count: number; values: number[] },
});
