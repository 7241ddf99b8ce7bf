import type { LayerCase } from './harness.js';

export const cases: LayerCase[] = ['plain', 'end', 'one', 'whole', 'int64', 'f16', 'bf16'].map((name) => ({
  name,
  build: ({ cache, update, at }) => cache!.kvCacheUpdate(update!, at!),
  ...(name === 'plain' && { dynamic: { cache: ['b', 2, 6, 3], update: ['b', 2, 'n', 3], at: ['b'] } }),
}));
