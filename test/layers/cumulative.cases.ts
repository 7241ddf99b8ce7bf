import type { CumulativeOptions } from '../../src/layers/kinds/cumulative.js';
import type { LayerCase } from './harness.js';

const options: Record<string, CumulativeOptions> = {
  inclusive_forward: { axis: 1 },
  inclusive_backward: { axis: 1, reverse: true },
  exclusive_forward: { axis: 1, exclusive: true },
  exclusive_backward: { axis: -2, exclusive: true, reverse: true },
  axis0: { axis: 0 },
  last: {},
  vector: {},
  size1: { axis: 1 },
  empty_axis: { axis: 1 },
  empty: { axis: 1 },
  float16: { axis: 1 },
  bfloat16: { axis: 1 },
  int32: { axis: 1 },
  int64: { axis: 1 },
};

export const cases: LayerCase[] = Object.entries(options).map(([name, given]) => ({
  name,
  build: ({ x }) => x!.cumsum(given),
  ...(/clusive|axis0/.test(name) && { dynamic: { x: ['n', 'h', 5] } }),
  // bfloat16 sums may be rounded after every addition.
  ...(name === 'bfloat16' && { tolerance: { atol: 6e-2, rtol: 2e-2 } }),
}));
