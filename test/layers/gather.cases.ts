import type { GatherOptions } from '../../src/layers/kinds/gather.js';
import type { LayerCase } from './harness.js';

const options: Record<string, GatherOptions> = {
  default: { axis: 1 },
  int64: { axis: 1 },
  last_axis: { axis: -1 },
  scalar: {},
  vector: {},
  empty: { axis: 1 },
  batched: { axis: 2, elementWiseDims: 1 },
  batched_axis1: { axis: 1, elementWiseDims: 1 },
  batched_one: { axis: -1, elementWiseDims: 1 },
  element: { mode: 'element', axis: 2 },
  element_int64: { mode: 'element', axis: -1 },
  element_longer: { mode: 'element' },
  element_f16: { mode: 'element' },
  nd: { mode: 'nd' },
  nd_slices: { mode: 'nd' },
  nd_int64: { mode: 'nd' },
  nd_batched: { mode: 'nd', elementWiseDims: 1 },
};

const dynamic: Record<string, LayerCase['dynamic']> = {
  default: { x: ['n', 'c', 5], indices: ['k', 2] },
  batched: { x: ['n', 3, 5], indices: ['n', 'k'] },
  element: { x: ['n', 3, 5], indices: ['n', 3, 2] },
  nd: { x: ['n', 'c', 5], indices: ['k', 3] },
  nd_slices: { x: ['n', 'c', 'w'], indices: ['k', 2, 2] },
};

const dtypes = ['float16', 'bfloat16', 'int32', 'int64', 'int8', 'bool'];

export const cases: LayerCase[] = [
  ...(Object.entries(options).map(([name, given]) => ({
    name,
    build: ({ x, indices }) => x!.gather(indices!, given),
    ...(dynamic[name] && { dynamic: dynamic[name] }),
  })) satisfies LayerCase[]),
  ...(dtypes.map((dtype) => ({
    name: `of_${dtype}`,
    build: ({ x, indices }) => x!.gather(indices!, { axis: 1 }),
  })) satisfies LayerCase[]),
  ...['float16', 'bfloat16', 'int32', 'int64', 'int8', 'bool'].flatMap((dtype): LayerCase[] => [
    { name: `element_of_${dtype}`, build: ({ x, indices }) => x!.gather(indices!, { mode: 'element', axis: 1 }) },
    { name: `nd_of_${dtype}`, build: ({ x, indices }) => x!.gather(indices!, { mode: 'nd' }) },
  ]),
  { name: 'empty_data', build: ({ x, indices }) => x!.gather(indices!, { axis: 1 }) },
  { name: 'empty_element', build: ({ x, indices }) => x!.gather(indices!, { mode: 'element' }) },
  { name: 'empty_nd', build: ({ x, indices }) => x!.gather(indices!, { mode: 'nd' }) },
  { name: 'numbers', build: ({ x }) => x!.gather([2, 0], { axis: 1 }) },
  { name: 'from_end', build: ({ x }) => x!.gather([-1, 0, -5], { axis: 2 }), dynamic: { x: ['n', 3, 'w'] } },
  { name: 'last', build: ({ x }) => x!.gather(-1), dynamic: { x: ['n', 3, 'w'] } },
  { name: 'index_select', build: ({ x }) => x!.indexSelect(-1, [4, 1]), dynamic: { x: ['n', 3, 5] } },
  {
    name: 'embedding',
    build: ({ tokens }, { table }) => tokens!.embedding({ weight: table! }),
    dynamic: { tokens: ['n', 'length'] },
  },
];
