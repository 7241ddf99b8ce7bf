import type { Dim, Tensor } from '../../src/index.js';
import type { SliceOptions } from '../../src/layers/shared/record-slice.js';
import { int8Refused, type LayerCase } from './harness.js';

const outside = { start: [-3, 2, -7], size: [9, 6, 19] };
const strided = { start: [5, -4, 0], size: [3, 4, 5], stride: [-3, 3, 1] };
const options: Record<string, SliceOptions> = {
  plain: { start: [1, 0, 2], size: [2, 6, 3] },
  strides: { start: [0, 1, 0], size: [2, 3, 2], stride: [3, 2, 4] },
  backwards: { size: [4, 3, 2], stride: [-1, -2, -3] },
  repeat: { start: [0, 2, 0], size: [3, 2, 5], stride: [0, 0, 1] },
  empty: { start: [1, 2, 0], size: [2, 0, 5] },
  axes: { axes: [1], start: [2], size: [3] },
  axes_mixed: { axes: [-1, 0], start: [3, 1], size: [2, 2], stride: [-3, 2] },
  negative_start: { axes: [0, 2], start: [-2, -2], size: [2, 2] },
  to_the_end: { start: [1, 3, 0], stride: [1, 2, 1] },
  wrap: { ...outside, mode: 'wrap' },
  clamp: { ...outside, mode: 'clamp' },
  reflect: { ...outside, mode: 'reflect' },
  wrap_strides: { ...strided, mode: 'wrap' },
  clamp_strides: { ...strided, mode: 'clamp' },
  reflect_strides: { ...strided, mode: 'reflect' },
  reflect_one: { axes: [1], start: [-2], size: [5], mode: 'reflect' },
  fill: { ...outside, mode: 'fill' },
  fill_value: { ...outside, mode: 'fill', fill: 1.5 },
  fill_strides: { ...strided, mode: 'fill', fill: -2 },
};

const dims: Dim[] = ['n', 'h', 5];
const isDynamic = [
  'axes',
  'axes_mixed',
  'negative_start',
  'to_the_end',
  'wrap',
  'clamp',
  'reflect',
  'fill',
  'backwards',
];
const dtypes = ['float16', 'bfloat16', 'int32', 'int64', 'int8', 'bool'];
const one = (name: string, build: (x: Tensor, inputs: Record<string, Tensor>) => Tensor | Tensor[], x?: Dim[]) => ({
  name,
  build: (inputs: Record<string, Tensor>) => build(inputs.x!, inputs),
  ...(x && { dynamic: { x } }),
});

const int32 = (x: Tensor, ...values: number[]) => x.network.constant(values, { dtype: 'int32' });
const int64 = (x: Tensor, ...values: number[]) => x.network.constant(values, { dtype: 'int64' });

export const cases: LayerCase[] = [
  ...Object.entries(options).map(([name, given]) =>
    one(name, (x) => x.slice(given), isDynamic.includes(name) ? dims : undefined),
  ),
  ...dtypes.flatMap((dtype) =>
    (['wrap', 'clamp', 'reflect'] as const).map((mode) => ({
      ...one(`${mode}_${dtype}`, (x) => x.slice({ ...strided, mode })),
      ...(dtype === 'int8' && { refused: int8Refused }),
      ...(dtype === 'bool' && mode !== 'wrap' && { refused: { gpu: /only supported for kSTRICT_BOUNDS and kWRAP/ } }),
    })),
  ),
  one('empty_input', (x) => x.slice({ axes: [1], start: [2], size: [3] }), ['n', 'h', 5]),
  one('empty_fill', (x) => x.slice({ start: [-1, 0, 0], size: [2, 6, 5], mode: 'fill', fill: 3 })),
  ...dtypes.map((dtype) => one(`of_${dtype}`, (x) => x.slice(options.plain!))),
  ...dtypes.map((dtype) => ({
    ...one(`fill_${dtype}`, (x) => x.slice({ ...options.fill, fill: dtype === 'bool' ? true : 1 })),
    ...(dtype === 'int8' && { refused: int8Refused }),
  })),
  one('start_tensor', (x) => x.slice({ start: int32(x, 1, 2, 0), size: [2, 3, 5] }), dims),
  one('size_tensor', (x) => x.slice({ start: [1, 2, 0], size: int64(x, 2, 3, 5) }), dims),
  one('stride_tensor', (x) => x.slice({ start: [1, 0, 0], size: [2, 3, 5], stride: int64(x, 1, 2, 1) }), dims),
  {
    ...one('inputs', (x, { start, size }) => x.slice({ start: start!, size: size! }), dims),
    unknown: { 0: [0, 1, 2] },
    ranges: {
      start: [
        [0, 0, 0],
        [1, 1, 0],
        [3, 5, 4],
      ],
      size: [
        [0, 0, 0],
        [2, 4, 4],
        [4, 6, 5],
      ],
    },
  },
  one(
    'tensors_axes',
    (x) => x.slice({ axes: [-1, 1], start: int32(x, 1, 2), size: int64(x, 2, 3), stride: int32(x, 2, 1) }),
    dims,
  ),
  one(
    'tensors_fill',
    (x) =>
      x.slice({ axes: [1, 2], start: int64(x, -1, 1), size: [3, 2], stride: int32(x, 2, 1), mode: 'fill', fill: 7 }),
    dims,
  ),
  one(
    'tensors_wrap',
    (x) => x.slice({ axes: [1, 2], start: int64(x, -1, 1), size: [9, 2], stride: int32(x, 2, 1), mode: 'wrap' }),
    dims,
  ),
  one(
    'symbolic',
    (x) =>
      x.slice({ start: [x.dim(0).div(2), 0, 1], size: [x.dim(0).div(2), x.dim(1).ceilDiv(2), 4], stride: [1, 2, 1] }),
    dims,
  ),
  one('rank0', (x) => x.slice({ start: [], size: [] })),
  one('narrow', (x) => x.narrow(1, 2, 3), dims),
  one('narrow_end', (x) => x.narrow(1, -2, 2), dims),
  one('select', (x) => x.select(1, 2), dims),
  one('select_negative', (x) => x.select(0, -1), dims),
  one('select_tensor', (x, { index }) => x.select(-1, index!), dims),
  one('split', (x) => x.split([1, 3, 2], { axis: 1 })),
  one('split_size', (x) => x.split(4, { axis: 1 }), ['n', 6, 5]),
  one('split_symbolic', (x) => x.split([1, x.dim(0).sub(2), 1]), dims),
  one('chunk', (x) => x.chunk(2, { axis: -1 }), dims),
  one('chunk_even', (x) =>
    x
      .reshape([x.dim(0).div(2), 2, 6, 5])
      .reshape([x.dim(0).div(2).mul(2), 6, 5])
      .chunk(2),
  ),
  one('flip', (x) => x.flip([0, -1]), dims),
  one('expand', (x) => x.expand([3, 6, 2])),
  { ...one('expand_rank', (x) => x.expand([3, 2, 6, 4]), ['h', 1]), onlySize: true },
  one('expand_keep', (x) => x.expand([-1, -1, 4]), ['n', 'h', 1]),
  {
    name: 'expand_like',
    build: ({ x, like }) => x!.expand(like!.shape),
    dynamic: { x: [1, 'h', 1], like: ['n', 'h', 'w'] },
  },
  {
    name: 'expand_unknown',
    build: ({ x, like }) => x!.expand(like!.shape),
    dynamic: { x: ['a', 'b', 'c'], like: ['n', 'h', 'w'] },
  },
  {
    name: 'expand_input',
    unknown: { 0: [0, 1, 2] },
    build: ({ x, sizes }) => x!.expand(sizes!),
    ranges: {
      sizes: [
        [1, 6, 1],
        [2, 6, 4],
        [8, 6, 8],
      ],
    },
  },
  {
    name: 'expand_tensor',
    build: ({ x, like }) => x!.expand(like!.shapeTensor()),
    dynamic: { x: [1, 'h', 1], like: ['n', 'h', 'w'] },
  },
];
