import { attr, definePlugin } from '../../src/index.js';
import type { LayerCase } from './harness.js';

/** Pointwise, with an attribute. */
export const hardSwish = definePlugin({
  name: 'HardSwishCase',
  version: '1',
  inputs: ['x'],
  attributes: { offset: attr.float32(3) },
  types: [
    { x: 'float32', y: 'float32' },
    { x: 'float16', y: 'float16' },
  ],
  outputs: ({ x }) => ({ y: x.shape }),
  cuda: `
#include <cuda_fp16.h>
template <typename T> __global__ void hardSwish(const T* x, T* y, long long n, float offset) {
  long long i = blockIdx.x * 256ll + threadIdx.x;
  if (i >= n) return;
  float v = x[i];
  y[i] = v * fminf(fmaxf(v + offset, 0.0f), 6.0f) / 6.0f;
}`,
  launch: ({ x, y, offset, int64, ceilDiv }) => [
    {
      kernel: 'hardSwish',
      template: [x.dtype],
      grid: ceilDiv(x.size, 256),
      block: 256,
      args: [x, y, int64(x.size), offset],
    },
  ],
  reference: ({ x }, { offset }) => {
    const data = Float32Array.from(x.data as Float32Array, (v) => (v * Math.min(Math.max(v + offset, 0), 6)) / 6);
    return { y: { shape: x.shape, data } };
  },
});

/** Two outputs of other shapes than the input. */
export const cumulativeRows = definePlugin({
  name: 'CumulativeRowsCase',
  version: '1',
  inputs: ['x'],
  ranks: { x: 2 },
  types: [{ x: 'float32', sums: 'float32', total: 'float32' }],
  outputs: ({ x, add }) => ({ sums: [x.shape[0], add(x.shape[1], 1)], total: [x.shape[0]] }),
  cuda: `
extern "C" __global__ void cumulativeRows(const float* x, float* sums, float* total, int columns) {
  float sum = 0;
  long long row = blockIdx.x;
  for (int i = 0; i <= columns; i++) {
    sums[row * (columns + 1) + i] = sum;
    if (i < columns) sum += x[row * columns + i];
  }
  total[row] = sum;
}`,
  launch: ({ x, sums, total, int32 }) => [
    { kernel: 'cumulativeRows', grid: x.shape[0], block: 1, args: [x, sums, total, int32(x.shape[1])] },
  ],
  reference: ({ x }) => {
    const [rows, columns] = x.shape as [number, number];
    const [sums, total] = [new Float32Array(rows * (columns + 1)), new Float32Array(rows)];
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < columns; i++) {
        sums[row * (columns + 1) + i + 1] =
          sums[row * (columns + 1) + i]! + (x.data as Float32Array)[row * columns + i]!;
      }
      total[row] = sums[row * (columns + 1) + columns]!;
    }
    return { sums: { shape: [rows, columns + 1], data: sums }, total: { shape: [rows], data: total } };
  },
});

// TensorRT-RTX, which these tests build with, has no plugin layers.
const refused = { build: /plugin/ };

export const cases: LayerCase[] = [
  { name: 'hard_swish', build: ({ x }) => x!.plugin(hardSwish), refused },
  {
    name: 'hard_swish_half',
    build: ({ x }) => x!.plugin(hardSwish, { offset: 2.5 }),
    refused,
  },
  {
    name: 'cumulative_rows',
    build: ({ x }) => {
      const { sums, total } = x!.plugin(cumulativeRows);
      return [sums, total];
    },
    refused,
  },
];
