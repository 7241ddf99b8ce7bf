import type { LayerCase } from './harness.js';

export const cases: LayerCase[] = ['plain', 'whole', 'one', 'f16', 'bf16'].map((name) => ({
  name,
  build: ({ x, lengths }) => x!.raggedSoftmax(lengths!),
  ...(name === 'plain' && { dynamic: { x: ['b', 'z', 5], lengths: ['b', 'z', 1] } }),
}));
