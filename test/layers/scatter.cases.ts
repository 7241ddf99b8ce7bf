import { int8Refused, type LayerCase } from './harness.js';

const dtypes = ['float16', 'bfloat16', 'int32', 'int64', 'bool'];

export const cases: LayerCase[] = [
  ...['element', 'element_int64', 'element_of_int8', ...dtypes.map((dtype) => `element_of_${dtype}`)].map(
    (name): LayerCase => ({
      name,
      build: ({ x, indices, updates }) => x!.scatter(indices!, updates!),
      ...(name === 'element_of_int8' && { refused: int8Refused }),
      ...(name === 'element' && {
        dynamic: { x: ['n', 3, 'w'], indices: ['k', 3, 'w'], updates: ['k', 3, 'w'] },
      }),
    }),
  ),
  { name: 'element_last', build: ({ x, indices, updates }) => x!.scatter(indices!, updates!, { axis: -1 }) },
  ...['nd', 'nd_slices', 'nd_pairs', 'nd_int64', ...dtypes.map((dtype) => `nd_of_${dtype}`)].map(
    (name): LayerCase => ({
      name,
      build: ({ x, indices, updates }) => x!.scatter(indices!, updates!, { mode: 'nd' }),
      ...(name === 'nd_slices' && { dynamic: { x: ['n', 3, 'w'], indices: ['k', 1], updates: ['k', 3, 'w'] } }),
    }),
  ),
  {
    name: 'nd_of_int8',
    build: ({ x, indices, updates }) => x!.scatter(indices!, updates!, { mode: 'nd' }),
    refused: int8Refused,
  },
  { name: 'empty_element', build: ({ x, indices, updates }) => x!.scatter(indices!, updates!) },
  { name: 'empty_nd', build: ({ x, indices, updates }) => x!.scatter(indices!, updates!, { mode: 'nd' }) },
  { name: 'empty_data', build: ({ x, indices, updates }) => x!.scatter(indices!, updates!, { axis: 1 }) },
  {
    name: 'numbers',
    build: ({ x }) =>
      x!.scatter(
        [
          [2, 1],
          [0, 0],
        ],
        [
          [1, 1, 1, 1, 1],
          [2, 2, 2, 2, 2],
        ],
        { mode: 'nd' },
      ),
  },
];
