import type { LayerCase } from './harness.js';
import { narrowCases } from './narrow.js';

const dtypes = ['float16', 'bfloat16', 'int32', 'int64', 'int8', 'bool'];

export const cases: LayerCase[] = [
  { name: 'one', build: ({ x }) => x!.squeeze(2), dynamic: { x: [1, 'c', 1, 'w', 1] } },
  { name: 'several', build: ({ x }) => x!.squeeze([0, -1]), dynamic: { x: [1, 'c', 1, 'w', 1] } },
  { name: 'all', build: ({ x }) => x!.squeeze(), dynamic: { x: [1, 'c', 1, 5, 1] } },
  { name: 'none', build: ({ x }) => x!.squeeze() },
  { name: 'to_scalar', build: ({ x }) => x!.squeeze([0, 1]) },
  { name: 'size0', build: ({ x }) => x!.squeeze(2) },
  ...dtypes.map((name): LayerCase => ({ name, build: ({ x }) => x!.squeeze(2) })),
  ...narrowCases((q) => q.squeeze(1), 'n', 1, 'm', 6),
];
