import type { Network, Tensor } from '../../src/index.js';
import type { LayerCase } from './harness.js';

const builders: Record<string, (net: Network, inputs: Record<string, Tensor>) => Tensor> = {
  float32: (net) => net.fill([7], { alpha: 0.5, beta: 0.25 }),
  int32: (net) => net.fill([7], { alpha: -3, beta: 2, dtype: 'int32' }),
  int64: (net) => net.fill([7], { alpha: 2 ** 40, beta: -3, dtype: 'int64' }),
  matrix: (net) => net.fill([3, 4], { alpha: 1, beta: [100, 10] }),
  matrix_int32: (net) => net.fill([3, 4], { alpha: 1, beta: [100, 10], dtype: 'int32' }),
  cube_int64: (net) => net.fill([2, 3, 2], { alpha: 5, beta: [7, -1, 0], dtype: 'int64' }),
  dynamic: (net, { like }) => net.fill([like!.dim(0), like!.dim(1).mul(2)], { alpha: 1, beta: [10, 1] }),
  dynamic_vector: (net, { like }) => net.fill([like!.dim(0)], { alpha: 2, beta: 3, dtype: 'int32' }),
  shape_tensor: (net, { like }) => net.fill(like!.shapeTensor(), { beta: [1, 1] }),
  tensors: (net, { like, alpha, beta }) => net.fill(like!.shape, { alpha: alpha!, beta: beta! }),
  shape_input: (net, { sizes }) => net.fill(sizes!, { alpha: 1, beta: [100, 10] }),
  arange_input: (net, { sizes }) => net.fill(sizes!, { dtype: 'int32' }),
  arange: (net) => net.arange(6),
  arange_step: (net) => net.arange(8, { start: 1, step: 2.5, dtype: 'float32' }),
  arange_down: (net) => net.arange(-2, { start: 5, step: -3, dtype: 'int64' }),
  arange_dim: (net, { like }) => net.arange(like!.dim(1), { start: 1, step: 2 }),
  linspace: (net) => net.linspace(-1, 2, 7),
  size0: (net) => net.arange(0),
  full: (net) => net.full([2, 3], 2.5),
  full_scalar: (net) => net.full([], 7, { dtype: 'int32' }),
  zeros_float16: (net) => net.zeros([2, 3], { dtype: 'float16' }),
  ones_bool: (net) => net.ones([2, 3], { dtype: 'bool' }),
  ones_dynamic: (net, { like }) => net.ones([like!.dim(1), like!.dim(0)]),
  arange_start_dim: (net, { like }) => net.arange(12, { start: like!.dim(0), step: 2 }),
  arange_dims_int64: (net, { like }) =>
    net.arange(like!.dim(1).mul(4), { start: like!.dim(0), step: 3, dtype: 'int64' }),
  arange_dims_float: (net, { like }) => net.arange(like!.dim(1).mul(2), { start: like!.dim(0), dtype: 'float32' }),
  linspace_dim: (net, { like }) => net.linspace(-1, 2, like!.dim(1)),
  linspace_dim_one: (net, { like }) => net.linspace(-1, 2, like!.dim(0)),
  full_dim: (net, { like }) => net.full([like!.dim(0), like!.dim(1)], like!.dim(1)),
  zeros_tensor: (net, { like }) => net.zeros(like!.shapeTensor(), { dtype: 'int64' }),
};

const ranges: Record<string, LayerCase['ranges']> = {
  shape_input: {
    sizes: [
      [1, 1],
      [2, 8],
      [16, 16],
    ],
  },
  arange_input: { sizes: [[0], [5], [64]] },
};

const unknown: Record<string, LayerCase['unknown']> = { shape_input: { 0: [0, 1] }, arange_input: { 0: [0] } };

export const cases: LayerCase[] = Object.entries(builders).map(([name, build]) => ({
  name,
  build: (inputs, _, net) => build(net, inputs),
  ...(ranges[name] && { ranges: ranges[name], unknown: unknown[name] }),
  ...(/dynamic|tensor|dim/.test(name) && { dynamic: { like: ['n', 'w'] } }),
}));
