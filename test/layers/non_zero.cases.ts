import type { LayerCase } from './harness.js';

/** TensorRT-RTX's message for every network with this kind. */
const refused = { build: /non_zero has no runners that implement it/ };

export const cases: LayerCase[] = [
  ...['float32', 'vector', 'nothing', 'size0', 'float16', 'bfloat16', 'int32', 'int64', 'bool'].map(
    (name): LayerCase => ({
      name,
      build: ({ x }) => x!.nonZero(),
      refused,
      unknown: { 0: [1] },
      ...(name === 'float32' && { dynamic: { x: ['n', 4, 'w'] } }),
    }),
  ),
  { name: 'int64_indices', build: ({ x }) => x!.nonZero({ indices: 'int64' }), refused, unknown: { 0: [1] } },
  {
    name: 'compress',
    build: ({ x }) => {
      const rows = x!.select(1, 1).select(1, 0).nonZero();
      return x!.indexSelect(0, rows.reshape([-1]));
    },
    dynamic: { x: ['n', 4, 2] },
    refused,
    unknown: { 0: [0] },
  },
];
