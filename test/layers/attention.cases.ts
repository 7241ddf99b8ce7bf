import type { Tensor } from '../../src/index.js';
import type { AttentionOptions } from '../../src/layers/kinds/attention.js';
import type { LayerCase } from './harness.js';

const options: Record<string, AttentionOptions> = {
  plain: {},
  causal: { causal: true },
  add_mask: {},
  plain_f16: {},
  causal_f16: { causal: 'upper_left' },
  add_mask_f16: {},
  plain_bf16: {},
  causal_bf16: { causal: true },
  add_mask_bf16: {},
  lower_right: { causal: 'lower_right' },
  causal_square: { causal: 'lower_right' },
  bool_mask: {},
  known_mask: { mask: [[[[true]]]] },
  scale: { scale: 0.5, metadata: 'seen by the inspector' },
  shared_heads: {},
  dynamic_heads: {},
  dynamic_query_heads: {},
  dynamic_equal_heads: {},
  one_key_head: { causal: true },
  no_normalization: { normalization: 'none' },
  one_query: { causal: 'lower_right' },
  quantize_int8: { quantize: { to: 'int8', scale: 3 / 256 } },
  quantize_fp8: { quantize: { to: 'float8e4m3', scale: 3 / 256 } },
  size1: {},
  no_queries: {},
  no_batch: {},
  no_keys: {},
  blind: {},
  blind_heads: {},
  blind_add: {},
  blind_add_f16: {},
  blind_add_bf16: {},
  blind_batch: {},
  blind_to_all: {},
  blind_add_to_all: {},
  mask_of_rank2: {},
  mask_of_rank3: {},
  blind_constant: {},
  blind_constant_add: {},
  blind_constant_f16: {},
  blind_constant_bf16: {},
  more_queries: { causal: 'lower_right' },
  more_queries_f16: { causal: 'lower_right' },
  small_values: {},
  large_values: {},
  large_values_f16: {},
  left_padded: {},
  left_padded_f16: {},
};

const padded = { q: ['b', 2, 'queries', 8], k: ['b', 2, 'keys', 8], v: ['b', 2, 'keys', 8] };
const dynamic: Record<string, LayerCase['dynamic']> = {
  plain: padded,
  causal: padded,
  lower_right: padded,
  shared_heads: { q: ['b', 4, 'queries', 8], k: ['b', 2, 'keys', 8], v: ['b', 2, 'keys', 8] },
  dynamic_heads: { q: ['b', 'heads', 3, 8], k: ['b', 'groups', 5, 8], v: ['b', 'groups', 5, 8] },
  dynamic_query_heads: { q: ['b', 'heads', 3, 8], k: ['b', 2, 5, 8], v: ['b', 2, 5, 8] },
  dynamic_equal_heads: { q: ['b', 'heads', 3, 8], k: ['b', 'heads', 5, 8], v: ['b', 'heads', 5, 8] },
  bool_mask: { ...padded, mask: ['b', 1, 'queries', 'keys'] },
  blind: { ...padded, mask: ['b', 1, 'queries', 'keys'] },
  blind_add: { ...padded, mask: ['b', 2, 'queries', 'keys'] },
  blind_batch: { ...padded, mask: ['b', 1, 1, 'keys'] },
  blind_to_all: { ...padded, mask: [1, 1, 'queries', 1] },
  mask_of_rank2: { ...padded, mask: ['queries', 'keys'] },
  mask_of_rank3: { ...padded, mask: [2, 'queries', 'keys'] },
  more_queries: padded,
  small_values: { ...padded, v: ['b', 2, 'keys', 3] },
  left_padded: {
    ...{ q: ['b', 2, 'n', 8], k: ['b', 2, 'n', 8], v: ['b', 2, 'n', 8] },
    kept: ['b', 'n'],
  },
};

/** Of a batch whose sequences are padded at their beginning, as for generation: no key later than the query, and none that is padding. */
function causalMask(kept: Tensor): Tensor {
  const at = kept.network.arange(kept.dim(1));
  return at
    .unsqueeze(1)
    .ge(at)
    .logicalAnd(kept.unsqueeze([1, 2]));
}

/** A step of int8, and of E4M3, which has three bits of mantissa and subnormals from 2⁻⁹; both in units of the scale, and with float16's rounding. */
const steps: Record<string, NonNullable<LayerCase['step']>> = {
  int8: { atol: (3 / 256) * 1.01, rtol: 0 },
  float8e4m3: { atol: (3 / 256) * 2 ** -9, rtol: (1 / 8) * 1.01 },
};

/** Those of TensorRT-RTX's attentions that lie in a loop or branch are made of other layers. */
const nested: LayerCase[] = [
  {
    name: 'in_loop',
    build: ({ q, k, v }) =>
      q!.network.loop({ count: 2, state: { q: q! } }, ({ q }) => ({ state: { q: q.attention(k!, v!) } })).state.q,
    dynamic: { q: ['b', 2, 'n', 8], k: ['b', 2, 'n', 8], v: ['b', 2, 'n', 8] },
  },
  {
    name: 'in_branch',
    build: ({ q, k, v, mask, cond }) =>
      q!.network.if(
        cond!,
        () => q!.attention(k!.mul(1), v!, { mask: mask! }),
        () => q!,
      ),
  },
];

const direct: LayerCase[] = Object.entries(options).map(([name, given]) => ({
  name,
  build: ({ q, k, v, mask, kept }, weights) => {
    const either = kept ? causalMask(kept) : (mask ?? weights.mask);
    return q!.attention(k!, v!, either ? { ...given, mask: either } : given);
  },
  ...(dynamic[name] && { dynamic: dynamic[name] }),
  // The output is the quantized weights, in float16, whose rounding is a small part of every step.
  ...(given.quantize && { tolerance: { atol: 0, rtol: 2 ** -10 }, step: steps[given.quantize.to] }),
}));

export const cases: LayerCase[] = [...direct, ...nested];
