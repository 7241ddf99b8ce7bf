import type { LayerCase } from './harness.js';
import { narrowCases } from './narrow.js';

export const cases: LayerCase[] = [
  { name: 'reshape', build: ({ x }) => x!.reshape([6, 20]) },
  { name: 'infer', build: ({ x }) => x!.reshape([2, -1, 5]), dynamic: { x: [2, 'c', 'h', 5] } },
  { name: 'copy', build: ({ x }) => x!.reshape([0, 0, -1]), dynamic: { x: ['b', 'c', 'h', 'w'] } },
  { name: 'no_copy', build: ({ x }) => x!.reshape([0, 7], { zeroIsPlaceholder: false }) },
  {
    name: 'names',
    build: ({ x }) => x!.reshape([x!.shape[0]!, x!.shape[1]!, 20]),
    dynamic: { x: ['b', 'c', 4, 5] },
  },
  { name: 'split', build: ({ x }) => x!.reshape([0, -1, 4]), dynamic: { x: ['b', 'n'] } },
  {
    name: 'computed',
    build: ({ x }) => {
      const [b, c, h, w] = x!.shape as [never, never, never, never];
      const merged = typeof b === 'number' ? b * h : `${b}*${h}`;
      return x!.shuffle({ firstTranspose: [0, 2, 1, 3], reshape: [merged, c, w] });
    },
    dynamic: { x: ['b', 'c', 'h', 'w'] },
  },
  {
    name: 'computed_names',
    build: ({ x, like }) => x!.reshape([...like!.shape, 4, 5]),
    dynamic: { x: ['m', 20], like: ['rows', 'columns'] },
    otherSizes: { m: 15, rows: 5, columns: 3 },
  },
  {
    name: 'doubled',
    onlySize: true,
    build: ({ x }) => {
      const [b, c] = x!.shape as [never, never];
      return typeof b === 'number' ? x!.reshape([4, 3, 10]) : x!.reshape([`2*${b}`, c, 10]);
    },
    dynamic: { x: ['b', 'c', 4, 5] },
  },
  {
    name: 'tensor_int32',
    build: ({ x }, _, net) => x!.reshape(net.constant([0, 12, -1], { dtype: 'int32' })),
    dynamic: { x: ['b', 3, 4, 'w'] },
  },
  {
    name: 'tensor_int64',
    build: ({ x }, _, net) => x!.reshape(net.constant([2, -1, 5], { dtype: 'int64' }), { zeroIsPlaceholder: false }),
  },
  {
    name: 'tensor_transposed',
    build: ({ x }, _, net) =>
      x!.shuffle({
        firstTranspose: [3, 2, 1, 0],
        reshape: net.constant([6, 20], { dtype: 'int64' }),
        secondTranspose: [1, 0],
      }),
  },
  {
    name: 'sizes_input',
    unknown: { 0: [0, 1, 2] },
    build: ({ x, sizes }) => x!.reshape(sizes!),
    dynamic: { x: ['b', 'c', 4, 5] },
    ranges: {
      sizes: [
        [1, 1, 1],
        [2, 10, 6],
        [120, 120, 120],
      ],
    },
  },
  {
    name: 'sizes_input_infer',
    unknown: { 0: [0, 1, 2] },
    build: ({ x, sizes }) => x!.reshape(sizes!),
    ranges: {
      sizes: [
        [0, -1, 1],
        [0, -1, 6],
        [0, -1, 60],
      ],
    },
  },
  {
    name: 'sizes_computed',
    unknown: { 0: [0, 1] },
    build: ({ x, halves }) => x!.reshape(halves!.mul(2)),
    ranges: {
      halves: [
        [1, 1],
        [6, 5],
        [30, 30],
      ],
    },
  },
  { name: 'transpose', build: ({ x }) => x!.transpose(), dynamic: { x: ['b', 'c', 'h', 'w'] } },
  { name: 'view', build: ({ x }) => x!.view([6, 20]), dynamic: { x: [2, 3, 'h', 'w'] }, otherSizes: { h: 2, w: 10 } },
  { name: 'view_tensor', build: ({ x }) => x!.view(x!.network.constant([2, 12, 5], { dtype: 'int64' })) },
  { name: 'unflatten', build: ({ x }) => x!.unflatten(-1, [5, 1]), dynamic: { x: ['b', 'c', 'h', 5] } },
  { name: 'unflatten_infer', build: ({ x }) => x!.unflatten(1, [2, -1]), dynamic: { x: ['b', 'n'] } },
  { name: 'unflatten_first', build: ({ x }) => x!.unflatten(0, [-1, 2, 1]), dynamic: { x: ['b', 'n'] } },
  {
    name: 'unflatten_names',
    build: ({ x, like }) => x!.unflatten(0, [like!.dim(0), like!.dim(1)]),
    dynamic: { x: ['n', 8], like: ['p', 'q'] },
    otherSizes: { n: 15, p: 5, q: 3 },
  },
  { name: 'swap', build: ({ x }) => x!.transpose(1, 3), dynamic: { x: ['b', 'c', 'h', 'w'] } },
  { name: 'swap_negative', build: ({ x }) => x!.transpose(-1, -2) },
  { name: 'swap_same', build: ({ x }) => x!.transpose(0, -4) },
  { name: 'permute', build: ({ x }) => x!.permute([0, 3, 1, 2]) },
  { name: 'negative', build: ({ x }) => x!.transpose([0, -1, -3, -2]) },
  {
    name: 'full',
    build: ({ x }) => x!.shuffle({ firstTranspose: [0, 2, 1, 3], reshape: [-1, 15], secondTranspose: [-1, -2] }),
    dynamic: { x: ['b', 3, 'h', 5] },
  },
  {
    name: 'full_copy',
    build: ({ x }) => x!.shuffle({ firstTranspose: [1, 0, 2, 3], reshape: [0, 0, -1], secondTranspose: [2, 0, 1] }),
    dynamic: { x: ['b', 'c', 'h', 'w'] },
  },
  { name: 'flatten', build: ({ x }) => x!.flatten(), dynamic: { x: ['b', 'c', 'h', 'w'] } },
  { name: 'flatten_all', build: ({ x }) => x!.flatten({ startDim: 0 }), dynamic: { x: ['b', 'c', 'h', 'w'] } },
  {
    name: 'flatten_middle',
    build: ({ x }) => x!.flatten({ startDim: 1, endDim: 2 }),
    dynamic: { x: ['b', 'c', 'h', 5] },
  },
  { name: 'flatten_negative', build: ({ x }) => x!.flatten({ startDim: -3, endDim: -2 }) },
  { name: 'scalar', build: ({ x }) => x!.flatten() },
  { name: 'to_scalar', build: ({ x }) => x!.reshape([]) },
  { name: 'size0', build: ({ x }) => x!.flatten({ startDim: 1 }).reshape([0, 6], { zeroIsPlaceholder: false }) },
  ...['float16', 'bfloat16'].map(
    (name): LayerCase => ({
      name,
      build: ({ x }) => x!.shuffle({ firstTranspose: [0, 2, 3, 1], reshape: [0, -1] }),
    }),
  ),
  ...['int32', 'int64', 'int8', 'bool'].map(
    (name): LayerCase => ({
      name,
      build: ({ x }) => x!.transpose([0, 2, 1]).flatten(),
    }),
  ),
  ...narrowCases((q) => q.transpose([1, 0]).reshape([3, -1]), 'n', 6),
];
