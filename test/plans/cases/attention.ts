import { float16, float32, int32, int64, type Network } from '../../../src/index.js';
import type { PlanCases } from '../case.js';

const parts = (net: Network, heads = 2) => {
  const q = net.input('q', float32(1, heads, 3, 8));
  return [q, net.input('k', float32(1, 2, 5, 8)), net.input('v', float32(1, 2, 5, 8))] as const;
};

export const cases: PlanCases = {
  attention(net) {
    const [q, k, v] = parts(net);
    q.attention(k, v, { scale: 1, metadata: 'first', name: 'attention' }).output('y');
  },

  attention_scale(net) {
    const [q, k, v] = parts(net);
    q.attention(k, v, { scale: 0.5, name: 'attention' }).output('y');
  },

  /** The default scale is 1 / √size. */
  attention_mask(net) {
    const [q, k, v] = parts(net, 4);
    const mask = net.input('mask', float32(1, 4, 3, 5));
    q.attention(k, v, { mask, name: 'attention' }).output('y');
  },

  attention_bool_mask(net) {
    const [q, k, v] = parts(net);
    const mask = net.input('mask', { dtype: 'bool', shape: [1, 1, 3, 5] });
    q.attention(k, v, { mask, scale: 1, name: 'attention' }).output('y');
  },

  attention_more_queries(net) {
    const q = net.input('q', float32(1, 2, 5, 8));
    const k = net.input('k', float32(1, 2, 3, 8));
    q.attention(k, k, { causal: 'lower_right', scale: 1, name: 'attention' }).output('y');
  },

  /** With its own kernel or not at all. */
  attention_kernel(net) {
    const q = net.input('q', float16(1, 2, 64, 64));
    const k = net.input('k', float16(1, 2, 64, 64));
    const v = net.input('v', float16(1, 2, 64, 64));
    q.attention(k, v, { scale: 1, decomposable: false, name: 'attention' }).output('y');
  },

  attention_causal(net) {
    const [q, k, v] = parts(net);
    q.attention(k, v, { causal: true, scale: 1, name: 'upper_left' }).output('y');
    q.attention(k, v, { causal: 'lower_right', scale: 1, name: 'lower_right' }).output('z');
  },

  attention_plain(net) {
    const [q, k, v] = parts(net);
    q.attention(k, v, { normalization: 'none', scale: 1, metadata: 'seen', name: 'attention' }).output('y');
  },

  attention_quantized(net) {
    const [q, k, v] = [1, 2, 3].map((i) => net.input(`x${i}`, float16(1, 2, 16, 16))) as never as ReturnType<
      typeof parts
    >;
    q.attention(k, v, { quantize: { to: 'float8e4m3', scale: 0.25 }, scale: 1, name: 'fp8' }).output('y');
    q.attention(k, v, { quantize: { to: 'int8', scale: 0.125 }, scale: 1, name: 'int8' }).output('z');
  },

  /** A dynamic number of query heads with fewer key heads, which TensorRT-RTX does not take. */
  attention_heads: {
    options: { profiles: [{ heads: [2, 4, 8] }] },
    record(net) {
      const q = net.input('q', float32(1, 'heads', 3, 8));
      const k = net.input('k', float32(1, 2, 5, 8));
      const v = net.input('v', float32(1, 2, 5, 8));
      q.attention(k, v, { scale: 1, name: 'attention' }).output('y');
    },
  },

  /** Values of another size than keys, which TensorRT's layer does not take. */
  attention_values(net) {
    const q = net.input('q', float32(1, 2, 3, 8));
    const k = net.input('k', float32(1, 2, 5, 8));
    const v = net.input('v', float32(1, 2, 5, 4));
    q.attention(k, v, { scale: 1, name: 'attention' }).output('y');
  },

  /** In a loop, where TensorRT-RTX does not find the inputs of its layer. */
  attention_loop(net) {
    const [q, k, v] = parts(net);
    const { state } = net.loop({ count: 2, state: { q }, name: 'L' }, ({ q }) => ({
      state: { q: q.attention(k, v, { scale: 1 }) },
    }));
    state.q.output('y');
  },

  rotary_embedding(net) {
    const x = net.input('x', float32(1, 2, 3, 8));
    const cos = net.input('cos', float32(1, 3, 4));
    const sin = net.input('sin', float32(1, 3, 4));
    x.rotaryEmbedding({ cos, sin }).output('halves');
    x.rotaryEmbedding({ cos, sin, interleaved: true }).output('interleaved');
  },

  rotary_embedding_positions(net) {
    const x = net.input('x', float32(1, 2, 3, 8));
    const cos = net.input('cos', float32(6, 2));
    const sin = net.input('sin', float32(6, 2));
    const positions = net.input('positions', int64(1, 3));
    x.rotaryEmbedding({ cos, sin, positions, rotaryDim: 4 }).output('y');
  },

  kv_cache_update(net) {
    const cache = net.input('cache', float16(2, 2, 6, 3));
    const update = net.input('update', float16(2, 2, 2, 3));
    cache.kvCacheUpdate(update, net.input('at', int32(2))).output('cache2');
  },

  kv_cache_update_packed(net) {
    const cache = net.input('cache', float16(2, 2, 6, 8));
    const update = net.input('update', float16(3, 2, 8));
    const at = net.input('at', int32(2));
    const updateLengths = net.input('lengths', int32(3));
    cache.kvCacheUpdate(update, at, { updateForm: 'packed_nhd', updateLengths }).output('cache2');
  },

  kv_cache_update_int64(net) {
    const cache = net.input('cache', float32(2, 2, 6, 3));
    const update = net.input('update', float32(2, 2, 2, 3));
    cache.kvCacheUpdate(update, net.input('at', int64(2))).output('cache2');
  },
};
