import type { LayerCase } from './harness.js';
import { narrowCases } from './narrow.js';

const dtypes = ['float16', 'bfloat16', 'int32', 'int64', 'int8', 'bool'];

export const cases: LayerCase[] = [
  { name: 'front', build: ({ x }) => x!.unsqueeze(0), dynamic: { x: ['n', 5] } },
  { name: 'middle', build: ({ x }) => x!.unsqueeze([1]), dynamic: { x: ['n', 'w'] } },
  { name: 'end', build: ({ x }) => x!.unsqueeze(-1) },
  { name: 'several', build: ({ x }) => x!.unsqueeze([4, 0, -3]), dynamic: { x: ['n', 'w'] } },
  { name: 'none', build: ({ x }) => x!.unsqueeze([]) },
  { name: 'scalar', build: ({ x }) => x!.unsqueeze([0, 1]) },
  { name: 'size0', build: ({ x }) => x!.unsqueeze(1) },
  ...dtypes.map((name): LayerCase => ({ name, build: ({ x }) => x!.unsqueeze(1) })),
  ...narrowCases((q) => q.unsqueeze([1, -1]), 'n', 'm'),
];
