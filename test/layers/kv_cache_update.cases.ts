import type { LayerCase } from './harness.js';

const dynamic: Record<string, LayerCase['dynamic']> = {
  plain: { cache: ['b', 2, 6, 3], update: ['b', 2, 'n', 3], at: ['b'] },
  whole: { cache: ['b', 2, 6, 3], update: ['b', 2, 'n', 3], at: ['b'] },
  int64: { cache: ['b', 2, 6, 3], update: ['b', 2, 2, 3], at: ['b'] },
  f16: { cache: ['b', 2, 6, 3], update: ['b', 2, 'n', 3], at: ['b'] },
};

export const cases: LayerCase[] = ['plain', 'end', 'one', 'whole', 'int64', 'f16', 'bf16'].map((name) => ({
  name,
  build: ({ cache, update, at }) => cache!.kvCacheUpdate(update!, at!),
  ...(dynamic[name] && { dynamic: dynamic[name] }),
}));
