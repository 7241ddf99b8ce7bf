import { concat, type Tensor } from '../../src/index.js';
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

export const cases: LayerCase[] = [
  ...Object.entries(axes).map(([name, axis]) => ({
    name,
    build: (inputs: Record<string, Tensor>) => concat(Object.values(inputs), { axis }),
    ...(dynamic[name] && { dynamic: dynamic[name] }),
  })),
  { name: 'method', build: ({ a, b }) => a!.concat(b!, { axis: -2 }) },
  ...narrowCases((q) => concat([q, q], { axis: 1 }), 'n', 6),
];
