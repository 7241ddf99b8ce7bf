import type { InterpolateOptions, ResizeOptions } from '../../src/layers/kinds/resize.js';
import type { LayerCase } from './harness.js';

const [up, down] = [
  [2, 3, 9, 8],
  [2, 3, 3, 4],
];
const halfPixel = { coordinateTransformation: 'half_pixel' } as const;

const options: Record<string, ResizeOptions> = {
  ...Object.fromEntries(
    (['nearest', 'linear', 'cubic'] as const).flatMap((mode) =>
      (['align_corners', 'asymmetric', 'half_pixel'] as const).flatMap((coordinateTransformation) => [
        [`${mode}_${coordinateTransformation}_up`, { mode, coordinateTransformation, sizes: up! }],
        [`${mode}_${coordinateTransformation}_down`, { mode, coordinateTransformation, sizes: down! }],
      ]),
    ),
  ),
  ...Object.fromEntries(
    (['half_up', 'half_down', 'floor', 'ceil'] as const).map((nearestRounding) => [
      `rounding_${nearestRounding}`,
      { ...halfPixel, nearestRounding, sizes: up! },
    ]),
  ),
  nearest_scales: { scales: [1, 1, 1.5, 2] },
  linear_scales: { mode: 'linear', scales: [1, 1, 1.5, 2] },
  nearest_fraction: { ...halfPixel, scales: [1, 1, 0.7, 0.4] },
  linear_fraction: { ...halfPixel, mode: 'linear', scales: [1, 1, 0.7, 0.4] },
  single_formula: { ...halfPixel, mode: 'linear', sizes: [2, 3, 1, 4] },
  single_upper: { ...halfPixel, mode: 'linear', selector: 'upper', sizes: [2, 3, 1, 4] },
  cubic_coefficient: { ...halfPixel, mode: 'cubic', cubicCoeff: -0.5, sizes: up! },
  cubic_exclude: { ...halfPixel, mode: 'cubic', excludeOutside: true, sizes: up! },
  cubic_scales: { ...halfPixel, mode: 'cubic', scales: [1, 1, 2, 2] },
  nearest_all_axes: { sizes: [4, 6, 10, 3] },
  linear_three_axes: { ...halfPixel, mode: 'linear', sizes: [2, 5, 4, 9] },
  vector: { mode: 'linear', coordinateTransformation: 'align_corners', sizes: [7] },
  linear_float16: { ...halfPixel, mode: 'linear', sizes: up! },
  linear_bfloat16: { ...halfPixel, mode: 'linear', sizes: up! },
  cubic_float16: { ...halfPixel, mode: 'cubic', sizes: up! },
  cubic_bfloat16: { ...halfPixel, mode: 'cubic', sizes: up! },
  empty_nearest: { scales: [1, 1, 2, 2] },
  empty_linear: { ...halfPixel, mode: 'linear', scales: [1, 1, 2, 2] },
  nearest_float16: { sizes: up! },
  nearest_bfloat16: { sizes: up! },
  nearest_int8: { sizes: up! },
};

const interpolations: Record<string, InterpolateOptions> = {
  nearest: {},
  'nearest-exact': { mode: 'nearest-exact' },
  linear: { mode: 'linear' },
  linear_corners: { mode: 'linear', alignCorners: true },
  bilinear: { mode: 'bilinear' },
  bilinear_corners: { mode: 'bilinear', alignCorners: true },
  trilinear: { mode: 'trilinear' },
  bicubic: { mode: 'bicubic' },
  bicubic_corners: { mode: 'bicubic', alignCorners: true },
};

/** Beside a rounding boundary. */
const beside: Record<string, InterpolateOptions> = {
  nearest_whole_ratio: { size: [2, 4] },
  'nearest-exact_whole_ratio': { size: [2, 2], mode: 'nearest-exact' },
  nearest_41: { size: [82, 3] },
  nearest_57: { scaleFactor: [0.57, 1] },
  nearest_seventh: { scaleFactor: 1 / 7 },
  bilinear_09: { scaleFactor: 0.9, mode: 'bilinear' },
  bicubic_09: { scaleFactor: 0.9, mode: 'bicubic' },
  bicubic_57: { scaleFactor: [0.57, 1], mode: 'bicubic' },
  ...Object.fromEntries(
    (['nearest', 'nearest-exact', 'bilinear', 'bicubic'] as const).map((mode) => [
      `${mode}_same_size`,
      { scaleFactor: [1.07, 1.5], mode },
    ]),
  ),
};

const dynamic = { x: ['n', 3, 'h', 'w'] };

export const cases: LayerCase[] = [
  ...Object.entries(options).map(
    ([name, given]): LayerCase => ({
      name,
      build: ({ x }) => x!.resize(given),
      ...(/^(nearest|linear|cubic)_scales$|^linear_fraction$/.test(name) && { dynamic }),
      // TensorRT rounds sizes that come from fractional scales.
      ...(name === 'linear_fraction' && { unknown: { 0: [2, 3] } }),
    }),
  ),
  {
    name: 'sizes_tensor',
    build: ({ x }, _, net) => x!.resize({ mode: 'linear', sizes: net.constant(up!, { dtype: 'int32' }) }),
    dynamic,
  },
  {
    name: 'sizes_input',
    build: ({ x, sizes }) => x!.resize({ mode: 'linear', sizes: sizes! }),
    dynamic,
    unknown: { 0: [0, 1, 2, 3] },
    ranges: {
      sizes: [
        [1, 3, 1, 1],
        [2, 3, 8, 8],
        [4, 3, 32, 32],
      ],
    },
  },
  {
    name: 'sizes_symbolic',
    build: ({ x }) => {
      const [n, c, h, w] = [0, 1, 2, 3].map((axis) => x!.dim(axis));
      return x!.resize({ ...halfPixel, mode: 'linear', sizes: [n!, c!, h!.mul(2), w!.mul(2)] });
    },
    dynamic,
  },
  ...Object.entries(interpolations).flatMap(([name, given]): LayerCase[] => [
    {
      name: `torch_${name}`,
      build: ({ x }) => x!.interpolate({ ...given, size: [7, 9, 4].slice(0, x!.rank - 2) }),
      ...(name === 'bilinear' && { dynamic }),
    },
    ...(given.alignCorners
      ? []
      : [{ name: `torch_${name}_scale`, build: ({ x }) => x!.interpolate({ ...given, scaleFactor: 2 }) } as LayerCase]),
  ]),
  ...Object.entries(beside).map(
    ([name, given]): LayerCase => ({
      name: `torch_${name}`,
      build: ({ x }) => x!.interpolate(given),
      // A position near 98 is a float32 that is off by up to 4e-6, which cubic weights multiply by up to 10.
      ...(name === 'bicubic_57' && { tolerance: { atol: 4e-5, rtol: 1e-5 } }),
    }),
  ),
];
