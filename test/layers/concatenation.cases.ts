import { concat, stack, type Tensor } from '../../src/index.js';
import type { LayerCase } from './harness.js';
import { narrowCases } from './narrow.js';

const axes: Record<string, number | undefined> = {
  axis1: 1,
  axis0: undefined,
  last: -1,
  three: -2,
  single: 0,
  rank1: -1,
  size0: 1,
  empty: 1,
  empty_both: 0,
  float16: 1,
  bfloat16: 1,
  int32: 0,
  int64: 0,
  int8: 0,
  bool: 0,
};
const dynamic: Record<string, LayerCase['dynamic']> = {
  axis1: { a: ['batch', 'm', 4], b: ['batch', 'n', 4] },
  last: { a: ['p', 3, 4], b: ['q', 'r', 's'] },
  three: { a: ['batch', 'm', 4], b: ['batch', 'm2', 4], c: [2, 1, 'w'] },
};

const stacked: Record<string, number | undefined> = {
  stack: undefined,
  stack_last: -1,
  stack_middle: 1,
  stack_one: 1,
  stack_rank0: 0,
  stack_size0: 2,
  stack_int64: -2,
  stack_bool: 0,
};

export const cases: LayerCase[] = [
  ...Object.entries(axes).map(([name, axis]) => ({
    name,
    build: (inputs: Record<string, Tensor>) => concat(Object.values(inputs), { axis }),
    ...(dynamic[name] && { dynamic: dynamic[name] }),
  })),
  ...Object.entries(stacked).map(
    ([name, axis]): LayerCase => ({
      name,
      build: ({ a, ...others }) =>
        name === 'stack_middle'
          ? a!.stack(Object.values(others), { axis })
          : stack([a!, ...Object.values(others)], { axis }),
      ...(['stack', 'stack_middle'].includes(name) && { dynamic: { a: ['n', 3, 'w'], b: ['n', 'h', 'w'] } }),
    }),
  ),
  { name: 'method', build: ({ a, b }) => a!.concat(b!, { axis: -2 }) },
  ...narrowCases((q) => concat([q, q], { axis: 1 }), 'n', 6).map((one) =>
    one.name === 'narrow_int4' ? { ...one, refused: { gpu: /not all inputs are int8\/fp8/ } } : one,
  ),
];
