import { attr, definePlugin } from '../../src/index.js';

type Numbers = ArrayLike<number>;

const kernel = `
#include <cuda_fp16.h>
template <typename T>
__global__ void scale(const T* x, T* y, float factor, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = T(float(x[i]) * factor);
}
`;

let count = 0;

/** What a test changes of the plugin. */
export interface Changes {
  cuda?: string;
  reference?: 'none' | ((x: Numbers, factor: number) => number[]);
  /** What it multiplies by, or another decomposition. */
  decompose?: 'none' | 'other shape' | number;
  tactics?: { block: number }[];
  ranks?: { x: number };
  /** Throws where it does not take the sizes. */
  rule?: (shape: readonly unknown[]) => void;
  /** A grid of so many elements a block, rounded down: too few blocks. */
  perBlock?: number;
}

/** y = x · factor, in float32 and float16: a right plugin, but for what a test changes. Each has a name of its own. */
export function scalePlugin({
  cuda = kernel,
  reference = (x, factor) => Array.from(x, (one) => one * factor),
  decompose = 1,
  tactics = [{ block: 128 }],
  ranks,
  rule,
  perBlock,
}: Changes = {}) {
  count++;
  return definePlugin({
    name: `Scale${count}`,
    version: '1',
    inputs: ['x'],
    attributes: { factor: attr.float32(2) },
    types: [
      { x: 'float32', y: 'float32' },
      { x: 'float16', y: 'float16' },
    ],
    ranks,
    outputs: ({ x }) => {
      rule?.(x.shape);
      return { y: x.shape };
    },
    cuda,
    tactics,
    launch: ({ x, y, factor, int32, ceilDiv, floorDiv }, { block }) => [
      {
        kernel: 'scale',
        template: [x.dtype],
        grid: perBlock ? floorDiv(x.size, perBlock) : ceilDiv(x.size, block),
        block,
        args: [x, y, factor, int32(x.size)],
      },
    ],
    reference:
      reference === 'none'
        ? undefined
        : ({ x }, { factor }) => ({ y: { shape: x.shape, data: reference(x.data as Float32Array, factor) } }),
    decompose:
      decompose === 'none'
        ? undefined
        : ({ x }, { factor }) => ({ y: decompose === 'other shape' ? x.unsqueeze([0]) : x.mul(factor * decompose) }),
  });
}

/** Adds 1 to x in place. */
export function updatingPlugin() {
  count++;
  return definePlugin({
    name: `Updating${count}`,
    version: '1',
    inputs: ['x'],
    types: [{ x: 'float32', y: 'float32' }],
    outputs: ({ x }) => ({ y: x.shape }),
    aliases: { y: 'x' },
    cuda: '__global__ void update(float* y, int n) {}',
    launch: ({ y, int32, ceilDiv }) => [
      { kernel: 'update', grid: ceilDiv(y.size, 32), block: 32, args: [y, int32(y.size)] },
    ],
    reference: ({ x }) => ({ y: Array.from(x.data as Float32Array, (one) => one + 1) }),
  });
}

/** y repeats x up to the size in `size`; the kernel also counts what is above 0 and keeps that many in `above`. */
export function shapedPlugin() {
  count++;
  return definePlugin({
    name: `Shaped${count}`,
    version: '1',
    inputs: ['x'],
    shapeInputs: ['size'],
    ranks: { x: 1, size: 1 },
    types: [{ x: 'float32', size: 'int32', y: 'float32', above: 'float32', kept: 'int32' }],
    outputs: ({ x, size, sizeTensor }) => ({
      y: [size.values[0]!],
      above: [sizeTensor('kept', { opt: x.size, upper: x.size })],
    }),
    cuda: '__global__ void shaped(const float* x, float* y, float* above, int* kept, int n, int size) {}',
    launch: ({ x, y, above, kept, int32 }) => [
      { kernel: 'shaped', grid: 1, block: 32, args: [x, y, above, kept, int32(x.size), int32(y.size)] },
    ],
    reference: ({ x, size }) => {
      const data = x.data as Float32Array;
      const above = data.filter((one) => one > 0);
      const y = Float32Array.from({ length: Number(size.data[0]) }, (_, i) => data[i % data.length]!);
      return {
        y: { shape: [y.length], data: y },
        above: { shape: [above.length], data: above },
        kept: { shape: [], data: [above.length] },
      };
    },
  });
}
