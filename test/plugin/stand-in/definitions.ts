import { attr, definePlugin } from '../../../src/index.js';

// Plugins for the stand-in TensorRT. Their CUDA is only scanned for parameters; kernels.cc computes.

/** y = factor · x, in float32 and float16. */
export const scale = definePlugin({
  name: 'Scale',
  version: '1',
  inputs: ['x'],
  attributes: { factor: attr.float32(2), note: attr.string('') },
  types: [
    { x: 'float32', y: 'float32' },
    { x: 'float16', y: 'float16' },
  ],
  outputs: ({ x }) => ({ y: x.shape }),
  cuda: 'template <typename T> __global__ void scale(const T* x, T* y, int n, float factor) {}',
  launch: ({ x, y, factor, int32, ceilDiv }) => [
    {
      kernel: 'scale',
      template: [x.dtype],
      grid: ceilDiv(x.size, 256),
      block: 256,
      args: [x, y, int32(x.size), factor],
    },
  ],
});

/** The same name, another version: y = factor · x + 100. */
export const scale2 = definePlugin({
  name: 'Scale',
  version: '2',
  inputs: ['x'],
  attributes: { factor: attr.float32(2) },
  types: [{ x: 'float32', y: 'float32' }],
  outputs: ({ x }) => ({ y: x.shape }),
  cuda: '__global__ void scaleShifted(const float* x, float* y, int n, float factor) {}',
  launch: ({ x, y, factor, int32, ceilDiv }) => [
    { kernel: 'scaleShifted', grid: ceilDiv(x.size, 256), block: 256, args: [x, y, int32(x.size), factor] },
  ],
});

/** Sums of rows, in two kernels through the workspace, which is filled with zeros first. */
export const rowSums = definePlugin({
  name: 'RowSums',
  version: '1',
  inputs: ['x'],
  ranks: { x: 2 },
  types: [{ x: 'float32', sum: 'float32', twice: 'float32' }],
  outputs: ({ x }) => ({ sum: [x.shape[0]], twice: [x.shape[0]] }),
  workspace: ({ x, mul }) => mul(x.shape[0], 4),
  cuda: `
    __global__ void addRows(const float* x, float* sums, int rows, int columns) {}
    __global__ void copyRows(const float* sums, float* sum, float* twice, long long rows) {}`,
  launch: ({ x, sum, twice, workspace, int32, int64, mul }) => [
    { fill: workspace, value: 0, bytes: mul(x.shape[0], 4) },
    { kernel: 'addRows', grid: x.shape[0], block: 32, args: [x, workspace, int32(x.shape[0]), int32(x.shape[1])] },
    { kernel: 'copyRows', grid: 1, block: 32, args: [workspace, sum, twice, int64(x.shape[0])] },
  ],
});

/** Two kernels that TensorRT times. */
export const tuned = definePlugin({
  name: 'Tuned',
  version: '1',
  inputs: ['x'],
  attributes: { factor: attr.float32(3) },
  types: [{ x: 'float32', y: 'float32' }],
  outputs: ({ x }) => ({ y: x.shape }),
  cuda: `
    __global__ void first(const float* x, float* y, int n, float factor) {}
    __global__ void second(const float* x, float* y, int n, float factor) {}`,
  tactics: [
    { kernel: 'first', block: 128 },
    { kernel: 'second', block: 256 },
  ],
  launch: ({ x, y, factor, int32, ceilDiv }, { kernel, block }) => [
    { kernel, grid: ceilDiv(x.size, block), block, args: [x, y, int32(x.size), factor] },
  ],
});

/** The positive elements, and how many they are. */
export const positives = definePlugin({
  name: 'Positives',
  version: '1',
  inputs: ['x'],
  ranks: { x: 1 },
  types: [{ x: 'float32', y: 'float32', count: 'int32' }],
  outputs: ({ x, sizeTensor, ceilDiv }) => ({
    y: [sizeTensor('count', { opt: ceilDiv(x.shape[0], 2), upper: x.shape[0] })],
  }),
  cuda: '__global__ void positives(const float* x, float* y, int* count, int n) {}',
  launch: ({ x, y, count, int32 }) => [
    { kernel: 'positives', grid: 1, block: 1, args: [x, y, count, int32(x.shape[0])] },
  ],
});

/** Adds `step` to every element of the cache, in place. */
export const advance = definePlugin({
  name: 'Advance',
  version: '1',
  inputs: ['cache', 'step'],
  types: [{ cache: 'float32', step: 'float32', next: 'float32' }],
  outputs: ({ cache }) => ({ next: cache.shape }),
  aliases: { next: 'cache' },
  cuda: '__global__ void advance(float* next, const float* step, int n) {}',
  launch: ({ next, step, int32 }) => [{ kernel: 'advance', grid: 1, block: 32, args: [next, step, int32(next.size)] }],
});

/** x, repeated `times[0]` times; the launch reads it too. */
export const repeat = definePlugin({
  name: 'Repeat',
  version: '1',
  inputs: ['x'],
  shapeInputs: ['times'],
  ranks: { x: 1, times: 1 },
  types: [{ x: 'float32', times: 'int32', y: 'float32' }],
  outputs: ({ x, times, mul }) => ({ y: [mul(x.shape[0], times.values[0])] }),
  cuda: '__global__ void repeat(const float* x, float* y, int n, int times) {}',
  launch: ({ x, times, y, int32 }) => [
    { kernel: 'repeat', grid: times.values[0], block: 32, args: [x, y, int32(x.shape[0]), int32(times.values[0])] },
  ],
});

/** y = x + shift + Σ (k + 1) · many[k]. All nine elements reach the launch, and one the workspace. */
export const weigh = definePlugin({
  name: 'Weigh',
  version: '1',
  inputs: ['x'],
  shapeInputs: ['many', 'shift'],
  ranks: { x: 1, many: 1, shift: 0 },
  types: [{ x: 'float32', many: 'int32', shift: 'int64', y: 'float32' }],
  outputs: ({ x }) => ({ y: x.shape }),
  workspace: ({ many, mul }) => mul(many.values[7], 4),
  cuda: `__global__ void weigh(const float* x, float* y, float* last, int n,
    int a, int b, int c, int d, int e, int f, int g, int h, long long shift) {}`,
  tactics: [{ block: 32 }, { block: 64 }],
  launch: ({ x, many, shift, y, workspace, int32, int64 }, { block }) => [
    {
      kernel: 'weigh',
      grid: 1,
      block,
      args: [x, y, workspace, int32(x.shape[0]), ...many.values.map((one) => int32(one)), int64(shift.values[0])],
    },
  ],
});

/** `length` elements, the first of them 10 · x[0]. The launch does not depend on `length`. */
export const tenfold = definePlugin({
  name: 'Tenfold',
  version: '1',
  inputs: ['x'],
  shapeInputs: ['length'],
  ranks: { x: 1, length: 0 },
  types: [{ x: 'float32', length: 'int64', y: 'float32' }],
  outputs: ({ length }) => ({ y: [length.values[0]] }),
  cuda: '__global__ void tenfold(const float* x, float* y) {}',
  launch: ({ x, y }) => [{ kernel: 'tenfold', grid: 1, block: 32, args: [x, y] }],
});

/** The positive elements of x, of which there are `most` at most. */
export const atMost = definePlugin({
  name: 'AtMost',
  version: '1',
  inputs: ['x'],
  shapeInputs: ['most'],
  ranks: { x: 1, most: 0 },
  types: [{ x: 'float32', most: 'int32', y: 'float32', count: 'int32' }],
  outputs: ({ most, sizeTensor }) => ({ y: [sizeTensor('count', { opt: 0, upper: most.values[0] })] }),
  cuda: '__global__ void positives(const float* x, float* y, int* count, int n) {}',
  launch: ({ x, y, count, int32 }) => [
    { kernel: 'positives', grid: 1, block: 1, args: [x, y, count, int32(x.shape[0])] },
  ],
});

/** A grid of `blocks` blocks, whatever the sizes are. */
export const gridOf = (blocks: number | 'size - 4' | 'large at 4') =>
  definePlugin({
    name: `Grid.${blocks}`.replaceAll(/ /g, ''),
    version: '1',
    inputs: ['x'],
    types: [{ x: 'float32', y: 'float32' }],
    outputs: ({ x }) => ({ y: x.shape }),
    cuda: '__global__ void nothing(const float* x, float* y) {}',
    launch: ({ x, y, sub, mul, max }) => {
      const grid = {
        'size - 4': () => sub(x.size, 4),
        // 80,000 for 4 elements; up to 65,535 for 0, 6 and 8.
        'large at 4': () => [1, max(1, mul(mul(x.size, sub(8, x.size)), 5000))],
      };
      return [
        { kernel: 'nothing', grid: typeof blocks === 'number' ? blocks : grid[blocks](), block: 1, args: [x, y] },
      ];
    },
  });
