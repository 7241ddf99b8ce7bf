import type { LayerCase } from './harness.js';

const dynamic: Record<string, LayerCase['dynamic']> = {
  plain: { cache: ['b', 2, 6, 3], update: ['b', 2, 'n', 3], at: ['b'] },
  whole: { cache: ['b', 2, 6, 3], update: ['b', 2, 'n', 3], at: ['b'] },
  int64: { cache: ['b', 2, 6, 3], update: ['b', 2, 2, 3], at: ['b'] },
  f16: { cache: ['b', 2, 6, 3], update: ['b', 2, 'n', 3], at: ['b'] },
};

/** TensorRT's own layer takes an input of the network alone as its cache. */
const looped: LayerCase = {
  name: 'in_loop',
  build: ({ cache, update, at }) =>
    cache!.network.loop({ count: 2, state: { cache: cache!, at: at! } }, ({ cache, at }) => ({
      state: { cache: cache.kvCacheUpdate(update!, at), at: at.add(1) },
    })).state.cache,
};

const direct: LayerCase[] = ['plain', 'end', 'one', 'whole', 'int64', 'f16', 'bf16'].map((name) => ({
  name,
  build: ({ cache, update, at }) => cache!.kvCacheUpdate(update!, at!),
  ...(dynamic[name] && { dynamic: dynamic[name] }),
}));

export const cases: LayerCase[] = [...direct, looped];
