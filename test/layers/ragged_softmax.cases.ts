import type { LayerCase } from './harness.js';

const dynamic: Record<string, LayerCase['dynamic']> = {
  plain: { x: ['b', 'z', 5], lengths: ['b', 'z', 1] },
  whole: { x: ['b', 2, 'n'], lengths: ['b', 2, 1] },
  one: { x: ['b', 'z', 'n'], lengths: ['b', 'z', 1] },
  f16: { x: [1, 'z', 5], lengths: [1, 'z', 1] },
};

export const cases: LayerCase[] = ['plain', 'whole', 'one', 'f16', 'bf16'].map((name) => ({
  name,
  build: ({ x, lengths }) => x!.raggedSoftmax(lengths!),
  ...(dynamic[name] && { dynamic: dynamic[name] }),
}));
