import type { TopKOptions } from '../../src/layers/kinds/topk.js';
import type { LayerCase } from './harness.js';

const options: Record<string, [k: number, options: TopKOptions]> = {
  last: [3, {}],
  axis1: [2, { axis: 1 }],
  axis0: [1, { axis: 0 }],
  smallest: [3, { axis: -2, largest: false }],
  whole_axis: [6, {}],
  int64_indices: [3, { indices: 'int64' }],
  vector: [2, {}],
  float16: [2, {}],
  bfloat16: [2, {}],
  int32: [2, {}],
  int64: [2, {}],
};

export const cases: LayerCase[] = [
  ...Object.entries(options).map(
    ([name, [k, given]]): LayerCase => ({
      name,
      build: ({ x }) => x!.topk(k, given),
      ...(['last', 'smallest', 'int64_indices'].includes(name) && { dynamic: { x: ['n', 3, 4, 6] } }),
    }),
  ),
  { name: 'k_constant', build: ({ x }, _, net) => x!.topk(net.constant(2, { dtype: 'int32' })) },
  {
    name: 'k_dim',
    build: ({ x }) =>
      x!.topk(
        x!.network
          .dims([x!.dim(1)])
          .cast('int32')
          .squeeze(),
      ),
    dynamic: { x: [2, 'c', 4, 6] },
  },
  {
    name: 'k_input',
    unknown: { 0: [3], 1: [3] },
    build: ({ x, count }) => x!.topk(count!),
    dynamic: { x: ['n', 3, 4, 6] },
    ranges: { count: [1, 2, 5] },
  },
  {
    name: 'k_input_axis1',
    unknown: { 0: [1], 1: [1] },
    build: ({ x, count }) => x!.topk(count!, { axis: 1, largest: false }),
    ranges: { count: [1, 3, 3] },
  },
  ...['float16', 'bfloat16', 'int32', 'int64'].map(
    (dtype): LayerCase => ({ name: `smallest_${dtype}`, build: ({ x }) => x!.topk(2, { largest: false }) }),
  ),
  { name: 'empty', build: ({ x }) => x!.topk(2) },
  { name: 'argmax', build: ({ x }) => x!.argmax({ axis: -1 }), dynamic: { x: ['n', 3, 'h', 6] } },
  { name: 'argmax_keep', build: ({ x }) => x!.argmax({ axis: 1, keepDims: true, indices: 'int64' }) },
  { name: 'argmin', build: ({ x }) => x!.argmin({ axis: 2 }) },
  { name: 'k_size', build: ({ x }) => x!.topk(x!.dim(1)), dynamic: { x: [2, 'c', 4, 6] } },
  {
    name: 'k_size_min',
    build: ({ x }) => x!.topk(x!.dim(2).min(3), { axis: 2, indices: 'int64' }),
    dynamic: { x: ['n', 3, 'h', 6] },
  },
  { name: 'sort', build: ({ x }) => x!.sort(), dynamic: { x: ['n', 3, 'h', 'w'] } },
  { name: 'sort_down', build: ({ x }) => x!.sort({ axis: 1, descending: true }), dynamic: { x: ['n', 3, 'h', 'w'] } },
  { name: 'sort_int32', build: ({ x }) => x!.sort({ axis: -2 }) },
  { name: 'sort_f16', build: ({ x }) => x!.sort() },
  { name: 'sort_vector', build: ({ x }) => x!.sort({ descending: true }), dynamic: { x: ['n'] } },
  { name: 'sort_one', build: ({ x }) => x!.sort({ axis: 0 }) },
  {
    name: 'argsort',
    build: ({ x }) => x!.argsort({ axis: 2, descending: true, indices: 'int64' }),
    dynamic: { x: ['n', 3, 'h', 6] },
  },
  { name: 'argmax_all', build: ({ x }) => x!.argmax(), dynamic: { x: ['n', 3, 'h', 6] } },
  { name: 'argmin_all', build: ({ x }) => x!.argmin({ indices: 'int64' }) },
  { name: 'argmax_all_keep', build: ({ x }) => x!.argmax({ keepDims: true }), dynamic: { x: ['n', 3, 'h', 6] } },
  { name: 'argmax_vector', build: ({ x }) => x!.argmax(), dynamic: { x: ['n'] } },
  { name: 'argmax_rank0', build: ({ x }) => x!.argmax() },
];
