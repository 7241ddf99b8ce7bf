import type { Tensor } from '../../src/index.js';
import type { LayerCase } from './harness.js';

/** PyTorch drops a last window along height; along width the last one reaches beyond the padding. */
const mixed = { kernel: [2, 5], stride: [2, 4], padding: [1, 2], ceilMode: true };

/** Leaves gaps between the windows. */
const gap = { kernel: [2, 1], stride: [3, 2] };

const methods: Record<string, (x: Tensor) => Tensor> = {
  max: (x) => x.maxPool({ kernel: 2 }),
  max_stride: (x) => x.maxPool2d({ kernel: 3, stride: [1, 2] }),
  max_padding: (x) => x.pool({ type: 'max', kernel: 3, stride: 2, padding: 1 }),
  max_window: (x) => x.maxPool({ kernel: [2, 3], stride: [2, 1], padding: [1, 0] }),
  max_asymmetric: (x) => x.maxPool({ kernel: 3, stride: 2, prePadding: [2, 1], postPadding: [1, 0] }),
  max_ceil: (x) => x.maxPool({ kernel: 3, stride: 2, ceilMode: true }),
  max_ceil_padding: (x) => x.maxPool({ kernel: 3, stride: 2, padding: 1, paddingMode: 'explicit_round_up' }),
  max_same_upper: (x) => x.maxPool({ kernel: 3, stride: 2, paddingMode: 'same_upper' }),
  max_same_lower: (x) => x.maxPool({ kernel: 3, stride: 2, paddingMode: 'same_lower' }),
  max_negative: (x) => x.maxPool({ kernel: 3, stride: 2, padding: 1 }),
  average: (x) => x.avgPool({ kernel: 2 }),
  average_include: (x) => x.avgPool2d({ kernel: 3, stride: 2, padding: 1 }),
  average_exclude: (x) => x.avgPool({ kernel: 3, stride: 2, padding: 1, countIncludePad: false }),
  average_ceil: (x) => x.avgPool({ kernel: 3, stride: 2, ceilMode: true }),
  average_ceil_include: (x) => x.avgPool({ kernel: [4, 3], stride: [4, 2], padding: [2, 1], ceilMode: true }),
  average_ceil_exclude: (x) =>
    x.avgPool({ kernel: [4, 3], stride: [4, 2], padding: [2, 1], ceilMode: true, countIncludePad: false }),
  average_asymmetric: (x) => x.avgPool({ kernel: 3, stride: 2, prePadding: [1, 2], postPadding: [1, 0] }),
  average_same_upper: (x) => x.avgPool({ kernel: 3, stride: 2, paddingMode: 'same_upper', countIncludePad: false }),
  average_same_upper_include: (x) => x.avgPool({ kernel: 3, stride: 2, paddingMode: 'same_upper' }),
  average_same_lower: (x) => x.avgPool({ kernel: 3, stride: 2, paddingMode: 'same_lower', countIncludePad: false }),
  max_same_lower_gap: (x) => x.maxPool({ ...gap, paddingMode: 'same_lower' }),
  average_same_lower_gap: (x) => x.avgPool({ ...gap, paddingMode: 'same_lower', countIncludePad: false }),
  average_same_upper_gap_include: (x) => x.avgPool({ ...gap, paddingMode: 'same_upper' }),
  max_ceil_drop: (x) => x.maxPool({ kernel: 2, padding: 1, ceilMode: true }),
  max_ceil_large: (x) => x.maxPool({ kernel: [9, 3], stride: 3, ceilMode: true }),
  average_ceil_drop: (x) => x.avgPool({ kernel: 2, padding: 1, ceilMode: true }),
  average_ceil_mixed: (x) => x.avgPool(mixed),
  average_ceil_mixed_exclude: (x) => x.avgPool({ ...mixed, countIncludePad: false }),
  average_ceil_mixed_f16: (x) => x.avgPool(mixed),
  blend_ceil_mixed: (x) => x.pool({ type: 'maxAverageBlend', ...mixed, blendFactor: 0.25 }),
  blend_ceil_mixed_f16: (x) => x.pool({ type: 'maxAverageBlend', ...mixed, blendFactor: 0.25 }),
  global: (x) => x.avgPool({ kernel: [7, 8] }),
  blend: (x) => x.pool({ type: 'maxAverageBlend', kernel: 3, stride: 2, padding: 1, blendFactor: 0.25 }),
  blend_default: (x) => x.pool({ type: 'maxAverageBlend', kernel: 3, stride: 2, padding: 1 }),
  blend_ceil: (x) => x.pool({ type: 'maxAverageBlend', kernel: 3, stride: 2, ceilMode: true, blendFactor: 0.5 }),
  blend_ceil_include: (x) =>
    x.pool({ type: 'maxAverageBlend', kernel: 3, stride: 2, padding: 1, ceilMode: true, blendFactor: 0.25 }),
  blend_ceil_f16: (x) =>
    x.pool({ type: 'maxAverageBlend', kernel: 3, stride: 2, padding: 1, ceilMode: true, blendFactor: 0.25 }),
  max_f16: (x) => x.maxPool({ kernel: 2 }),
  average_f16: (x) => x.avgPool({ kernel: 2 }),
  max_bf16: (x) => x.maxPool({ kernel: 2 }),
  average_bf16: (x) => x.avgPool({ kernel: 2 }),
  blend_bf16: (x) => x.pool({ type: 'maxAverageBlend', kernel: 3, stride: 2, padding: 1, blendFactor: 0.25 }),
  max_empty: (x) => x.maxPool({ kernel: 2 }),
  average_empty: (x) => x.avgPool({ kernel: 2 }),
  max_i8: (x) => x.maxPool({ kernel: 3, stride: 2, padding: 1, ceilMode: true }),
  max3d: (x) => x.maxPool3d({ kernel: [2, 3, 2], stride: [1, 2, 2], padding: [1, 1, 0] }),
  average3d: (x) => x.avgPool3d({ kernel: 2 }),
  average3d_exclude: (x) => x.avgPool({ kernel: 3, stride: 2, padding: 1, countIncludePad: false }),
  max3d_ceil: (x) => x.maxPool3d({ kernel: 2, padding: 1, ceilMode: true }),
  average3d_ceil: (x) => x.avgPool3d({ kernel: [2, 4, 2], stride: [2, 3, 2], padding: 1, ceilMode: true }),
  max1d: (x) => x.maxPool1d({ kernel: 3, stride: 2, padding: 1 }),
  max1d_default: (x) => x.maxPool1d({ kernel: [2] }),
  max1d_ceil: (x) => x.maxPool1d({ kernel: 2, ceilMode: true }),
  max1d_ceil_drop: (x) => x.maxPool1d({ kernel: 2, padding: 1, ceilMode: true }),
  average1d_ceil: (x) => x.avgPool1d({ kernel: 4, stride: 3, padding: 2, ceilMode: true }),
  average1d: (x) => x.avgPool1d({ kernel: 3, stride: 1, padding: 1 }),
  average1d_exclude: (x) => x.avgPool1d({ kernel: 3, stride: 2, padding: 1, countIncludePad: false }),
  average1d_f16: (x) => x.avgPool1d({ kernel: 2 }),
  size1: (x) => x.maxPool({ kernel: 1 }),
};
const dynamic = [
  'max',
  'max_padding',
  'max_ceil',
  'max_same_upper',
  'average_exclude',
  'average_ceil_include',
  'blend_ceil_include',
  'max_ceil_drop',
  'max_same_lower_gap',
  'average_same_lower_gap',
  'average_same_upper_gap_include',
  'max_ceil_large',
  'average_ceil_drop',
  'average_ceil_mixed',
  'average_ceil_mixed_exclude',
  'blend_ceil_mixed',
];

export const cases: LayerCase[] = Object.entries(methods).map(([name, method]) => ({
  name,
  build: ({ x }: Record<string, Tensor>) => method(x!),
  // TensorRT 10.6's message.
  ...(name === 'blend_bf16' && { refused: { gpu: /Could not find any implementation for node/ } }),
  ...(['max1d', 'average1d', 'max1d_ceil_drop', 'average1d_ceil'].includes(name) && {
    dynamic: { x: ['batch', 3, 'length'] },
  }),
  ...(['max3d_ceil', 'average3d_ceil'].includes(name) && { dynamic: { x: ['batch', 2, 'depth', 'height', 'width'] } }),
  ...(dynamic.includes(name) && { dynamic: { x: ['batch', 3, 'height', 'width'] } }),
}));
