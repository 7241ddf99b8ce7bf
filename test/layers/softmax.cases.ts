import type { Tensor } from '../../src/index.js';
import type { LayerCase } from './harness.js';

const axes: Record<string, number | undefined> = {
  default: undefined,
  axis_0: 0,
  axis_1: 1,
  axis_2: 2,
  axis_minus2: -2,
  float16: 1,
  bfloat16: 1,
  large: -1,
  rank1: undefined,
  rank5: undefined,
  size0: undefined,
  size1: undefined,
};

export const cases: LayerCase[] = Object.entries(axes).map(([name, axis]) => ({
  name,
  build: ({ x }: Record<string, Tensor>) => (axis === undefined ? x!.softmax() : x!.softmax({ axis })),
  ...(['default', 'axis_0', 'float16'].includes(name) && { dynamic: { x: ['batch', 3, 'n'] } }),
}));
