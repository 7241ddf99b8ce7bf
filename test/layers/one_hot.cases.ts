import type { OneHotOptions } from '../../src/layers/kinds/one_hot.js';
import type { LayerCase } from './harness.js';

const options: Record<string, OneHotOptions> = {
  plain: {},
  axis0: { axis: 0 },
  axis1: { axis: -2 },
  int64_indices: {},
  rank0: {},
  size0: {},
  values: { values: [-1.5, 2.5] },
  float16: { dtype: 'float16' },
  bfloat16: { dtype: 'bfloat16' },
  int32: { dtype: 'int32', values: [7, 9] },
  int64: { dtype: 'int64' },
  bool: { dtype: 'bool' },
};

const sized: Record<string, OneHotOptions> = {
  dim: {},
  dim_axis0: { axis: 0, dtype: 'float16' },
  dim_bool: { axis: 1, dtype: 'bool' },
  dim_int64: { dtype: 'int64', values: [3, 8] },
  dim_rank0: {},
};

export const cases: LayerCase[] = [
  ...Object.entries(options).map(
    ([name, given]): LayerCase => ({
      name,
      build: ({ indices }) => indices!.oneHot(4, given),
      ...(['plain', 'axis1'].includes(name) && { dynamic: { indices: ['n', 'length'] } }),
    }),
  ),
  ...Object.entries(sized).map(
    ([name, given]): LayerCase => ({
      name,
      build: ({ indices, classes }) => indices!.oneHot(classes!.dim(0), given),
      dynamic: { ...(name !== 'dim_rank0' && { indices: ['n', 'length'] }), classes: ['classes'] },
    }),
  ),
  { name: 'depth1', build: ({ indices }) => indices!.oneHot(1) },
  { name: 'tensor', build: ({ indices, values }) => indices!.oneHot(4, { values: values! }) },
];
