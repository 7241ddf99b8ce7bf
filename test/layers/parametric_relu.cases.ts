import type { LayerCase } from './harness.js';

export const cases: LayerCase[] = [
  ...['one', 'channel'].map(
    (name): LayerCase => ({
      name,
      build: ({ x }, { weight }) => x!.prelu({ weight: weight! }),
      dynamic: { x: ['batch', 3, 'n'] },
    }),
  ),
  ...['trailing', 'full', 'float16', 'bfloat16', 'rank0', 'rank5', 'size0'].map(
    (name): LayerCase => ({
      name,
      build: ({ x }, { slope }) => x!.prelu({ slope: slope! }),
      ...(name === 'trailing' && { dynamic: { x: ['batch', 'm', 4] } }),
    }),
  ),
  { name: 'number', build: ({ x }) => x!.prelu({ slope: 0.3 }) },
  {
    name: 'tensor',
    build: ({ x, slope }) => x!.prelu({ slope: slope! }),
    dynamic: { x: ['batch', 'm', 4], slope: [1, 'm', 1] },
  },
];
