import { type DimLike, int32, type Network, network, type Tensor, type Weights } from 'node-tensorrt';
import type { Precision } from '../run.js';
import { attention, blocks, embed, type Gpt2Config, logitsOf } from './network.js';

export interface DecoderOptions {
  /** Tokens that the caches have room for: at most as many as GPT-2 has positions. */
  length: number;
  /** Tokens that a run reads: 1 in a step, the name `tokens` for a prompt. */
  tokens: number | string;
  /** Default 1. */
  batch?: number | undefined;
  /**
   * How keys and values get into the caches. `select` (default) writes new caches, `in-place` uses kvCacheUpdate: from TensorRT
   * 10.15 on it writes the new rows only, before it is a scatter.
   */
  update?: CacheUpdate | undefined;
}

export type CacheUpdate = 'select' | 'in-place';

/**
 * GPT-2 whose sizes are the same in every step, so that a CUDA graph can replay it: caches have `length` places, and the network counts
 * itself. What it writes as `next.X` is its input X of the step after: the likeliest token, its place (`position`), all tokens so far at
 * their places (`written`), and keys and values. Nothing of it has to leave the GPU. Caches have to be finite: what is beyond
 * the position is multiplied by 0.
 */
export function decoder(
  weights: Weights,
  config: Gpt2Config,
  dtype: Precision,
  { length, tokens, batch = 1, update = 'select' }: DecoderOptions,
): Network {
  const w = weights.as(dtype).scope('transformer');
  const [positions, features] = w.get('wpe.weight').shape as [number, number];
  if (length > positions) throw new RangeError(`length: expected at most ${positions}, given ${length}`);
  const net = network(tokens === 1 ? 'gpt2-step' : 'gpt2-prompt');
  const ids = net.input('tokens', int32(batch, tokens));
  const position = net.input('position', int32(1));
  const written = net.input('written', int32(batch, length));
  const shape = [batch, config.heads, length, features / config.heads];
  const caches = Array.from({ length: config.layers }, (_, i) => ({
    key: net.input(`cache.${i}.key`, { dtype, shape }),
    value: net.input(`cache.${i}.value`, { dtype, shape }),
  }));

  const count: DimLike = ids.dim(1);
  const numbers = net.constant(Int32Array.from({ length }, (_, i) => i));
  const places = numbers.narrow(0, 0, count).add(position);
  const future = numbers.unsqueeze(0).gt(places.unsqueeze(1)).unsqueeze([0, 1]);
  // By place in the cache: which of the new tokens it gets, if any.
  const fromNew = numbers.sub(position);
  const isNew = fromNew.ge(0).logicalAnd(fromNew.lt(count)).reshape([1, 1, length, 1]);
  const rows = fromNew.maximum(0).minimum(count.sub(1));
  const starts = batch === 1 ? position : position.expand([batch]);
  const updated = (cache: Tensor, some: Tensor) => {
    if (update === 'in-place') return cache.kvCacheUpdate(some, starts);
    return (tokens === 1 ? some : some.gather(rows, { axis: 2 })).where(isNew, cache);
  };

  const x = blocks(w, config, embed(w, ids, places), (q, k, v, i) => {
    const keys = updated(caches[i]!.key, k).output(`next.cache.${i}.key`);
    const values = updated(caches[i]!.value, v).output(`next.cache.${i}.value`);
    return attention(q, keys, values, future);
  });
  const last = x.narrow(1, count.sub(1), 1).reshape([batch, features]);
  const [, next] = logitsOf(w, config, last).output('logits').topk(1);
  const after = position.add(count);
  next.output('next.tokens');
  after.output('next.position');
  next.where(numbers.eq(after).unsqueeze(0), written).output('next.written');
  return net;
}
