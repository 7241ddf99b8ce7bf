import type { LayerCase } from '../layers/harness.js';

const names = ['plain', 'weight', 'two', 'eps', 'float16', 'float16_plain', 'bfloat16', 'rank1', 'zeros'];

export const cases: LayerCase[] = [
  ...names.map(
    (name): LayerCase => ({
      name,
      build: ({ x }, { weight }) =>
        x!.rmsNorm({
          weight,
          ...(name === 'eps' && { eps: 0.25 }),
          ...(name === 'two' && { normalizedShape: [3, 4] }),
        }),
      ...(['plain', 'weight'].includes(name) && { dynamic: { x: ['batch', 'time', 4] } }),
    }),
  ),
  { name: 'tensor', build: ({ x, weight }) => x!.rmsNorm({ weight }) },
];
