import { float16, float32, int32, int64 } from '../../../src/index.js';
import { type PlanCases, ramp } from '../case.js';

const two = { profiles: [{ n: [1, 2, 4] as const, m: [1, 3, 9] as const }] };

/** Compositions for kinds that older releases lack; TensorRT-RTX builds their layers too. */
export const cases: PlanCases = {
  fallback_squeeze: {
    without: ['addSqueeze'],
    record(net) {
      net
        .input('x', float32(1, 3, 1))
        .squeeze(0)
        .output('y');
    },
  },

  /** A shape with several dynamic dims is given as a tensor. */
  fallback_unsqueeze: {
    without: ['addUnsqueeze'],
    options: two,
    record(net) {
      net.input('x', float32('n', 'm')).unsqueeze(1).output('y');
    },
  },

  fallback_cumulative: {
    without: ['addCumulative'],
    record(net) {
      net.input('x', float32(2, 3)).cumsum({ axis: 1, name: 'S' }).output('y');
    },
  },

  /** One loop each: the plans of two in one network differ from build to build. */
  fallback_cumulative_exclusive: {
    without: ['addCumulative'],
    record(net) {
      net.input('x', float32(2, 3)).cumsum({ axis: 1, exclusive: true, name: 'E' }).output('y');
    },
  },

  fallback_cumulative_reverse: {
    without: ['addCumulative'],
    record(net) {
      net.input('x', float32(2, 3)).cumsum({ axis: 1, reverse: true, name: 'R' }).output('y');
    },
  },

  fallback_cumulative_exclusive_reverse: {
    without: ['addCumulative'],
    record(net) {
      net.input('x', float32(2, 3)).cumsum({ axis: 0, exclusive: true, reverse: true, name: 'B' }).output('y');
    },
  },

  fallback_attention: {
    without: ['addAttention'],
    record(net) {
      const q = net.input('q', float32(1, 4, 3, 8));
      const k = net.input('k', float32(1, 2, 5, 8));
      const v = net.input('v', float32(1, 2, 5, 8));
      const mask = net.input('mask', { dtype: 'bool', shape: [1, 1, 3, 5] });
      q.attention(k, v, { mask, scale: 1 }).output('y');
    },
  },

  /** A mask of numbers is added. */
  fallback_attention_mask: {
    without: ['addAttention'],
    record(net) {
      const q = net.input('q', float32(1, 2, 3, 8));
      const k = net.input('k', float32(1, 2, 5, 8));
      const mask = net.input('mask', float32(1, 2, 3, 5));
      q.attention(k, k, { mask, scale: 1 }).output('y');
    },
  },

  fallback_attention_causal: {
    without: ['addAttention'],
    record(net) {
      const q = net.input('q', float16(1, 2, 3, 8));
      const k = net.input('k', float16(1, 2, 5, 8));
      q.attention(k, k, { causal: 'lower_right', scale: 1 }).output('y');
    },
  },

  fallback_rotary_embedding: {
    without: ['addRotaryEmbedding'],
    record(net) {
      const x = net.input('x', float32(1, 2, 3, 6));
      const cos = net.input('cos', float32(5, 2));
      const sin = net.input('sin', float32(5, 2));
      const positions = net.input('positions', int64(1, 3));
      x.rotaryEmbedding({ cos, sin, positions, rotaryDim: 4, interleaved: true }).output('y');
    },
  },

  fallback_kv_cache_update: {
    without: ['addKVCacheUpdate'],
    record(net) {
      const cache = net.input('cache', float32(2, 2, 6, 3));
      const update = net.input('update', float32(2, 2, 2, 3));
      cache.kvCacheUpdate(update, net.input('at', int32(2))).output('cache2');
    },
  },

  /** The first adder takes one scale and bias per group. */
  fallback_normalization: {
    without: ['addNormalizationV2'],
    record(net) {
      const x = net.input('x', float32(2, 4, 3));
      x.instanceNorm({ weight: ramp([4]), bias: ramp([4], 1), eps: 0.25 }).output('instance');
      x.groupNorm({ groups: 2, weight: ramp([4], 2), bias: ramp([4], 3) }).output('group');
      x.layerNorm({ weight: ramp([4, 3]), bias: ramp([4, 3], 1) }).output('layer');
    },
  },

  fallback_padding: {
    without: ['addPaddingNd'],
    record(net) {
      net
        .input('x', float32(1, 2, 4, 5))
        .pad({ padding: [1, 2, 3, -1] })
        .output('y');
    },
  },

  fallback_topk: {
    without: ['setIndicesType'],
    record(net) {
      const [values, indices] = net.input('x', float32(3, 8)).topk(2, { indices: 'int64' });
      values.output('values');
      indices.output('indices');
    },
  },
};
