import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { type Dim, formatShape, isStatic } from '../../values/dim.js';
import { type AttentionForm, attentionForms } from '../shared/attention-form.js';
import { floats, indexTypes, requireDType } from '../shared/dtypes.js';
import { constantTensor } from '../shared/lift.js';
import type { ConstantData } from '../shared/literal.js';
import type { Named } from '../shared/parameters.js';
import { requireRank } from '../shared/shapes.js';

/** Inputs: the cache, the update, its position, and the lengths of a packed update. */
export const kvCacheUpdate = defineLayer({
  kind: 'kv_cache_update',
  hasEffects: true,
  params: z.strictObject({ mode: z.enum(['linear']), updateForm: z.enum(attentionForms) }),
  infer({ input, inputs, params: { updateForm }, fail }) {
    const [{ dtype, shape }, update, at] = [input(0), input(1), input(2)];
    requireDType(dtype, floats, fail, 'cache');
    requireRank(shape, 4, 4, fail, 'cache');
    if (update.dtype !== dtype)
      fail('ERR_DTYPE', `expected ${dtype}, as the cache has, given ${update.dtype}`, { option: 'update' });
    const packed = updateForm === 'packed_nhd';
    const [batch, heads, tokens, size] = shape as readonly [Dim, Dim, Dim, Dim];
    const expected: Dim[] = packed ? ['tokens', heads, size] : [batch, heads, 'tokens', size];
    const differs = (a: Dim, b: Dim) => isStatic(a) && isStatic(b) && a !== b;
    const fits = update.shape.length === expected.length && !update.shape.some((dim, i) => differs(dim, expected[i]!));
    const count = update.shape[packed ? 0 : 2]!;
    if (!fits || (!packed && isStatic(count) && isStatic(tokens) && count > tokens)) {
      fail(
        'ERR_SHAPE',
        `expected ${formatShape(expected)} with at most ${tokens} tokens, given ${formatShape(update.shape)}`,
        { option: 'update', expected, actual: update.shape },
      );
    }
    requireDType(at.dtype, indexTypes, fail, 'positions');
    if (at.shape.length !== 1 || differs(at.shape[0]!, batch)) {
      fail('ERR_SHAPE', `expected [${batch}], given ${formatShape(at.shape)}`, { option: 'positions' });
    }
    if (Boolean(inputs[3]) !== packed)
      fail('ERR_INPUT', 'expected with the packed form, and with no other', { option: 'updateLengths' });
    return { dtype, shape };
  },
  cpu(g, { input, params: { updateForm } }) {
    if (updateForm !== 'padded_bhnd') throw new Error('packed forms run on a GPU only');
    const [cache, update, at] = [input(0), input(1), g.cast(input(2), 'int64')];
    const int64 = (...values: number[]) => g.constant('int64', [values.length], values);
    const scalar = (v: number) => g.constant('int64', [], [v]);
    const sizes = g.op('Shape', [update]);
    const steps = g.op('Range', [scalar(0), g.op('Gather', [sizes, scalar(2)]), scalar(1)]);
    const rows = g.op('Add', [g.op('Unsqueeze', [at, int64(1, 2, 3)]), g.op('Unsqueeze', [steps, int64(1)])]);
    return g.op('ScatterElements', [cache, g.op('Expand', [rows, sizes]), update], { axis: 2 });
  },
});

export interface KVCacheUpdateOptions extends Named {
  /** `packed_nhd` [tokens, heads, size] from TensorRT 11 on. Default `padded_bhnd`. */
  updateForm?: AttentionForm | undefined;
  /** Of a packed update: tokens before each batch and in all, int32 [batch + 1]. */
  updateLengths?: Tensor | ConstantData | undefined;
}

const methods = {
  /**
   * This cache of keys or values [batch, heads, capacity, size] with `update` [batch, heads, tokens, size] written from
   * `positions` [batch] (int32, int64) on, and never past its end. From TensorRT 10.15 on, the cache must be an input
   * of the network and the result an output. TensorRT then writes in place, in the GPU's copy of the cache; the array
   * fed to `run` does not change. (That is tested with a stand-in that follows TensorRT's headers; no release that
   * works in place has run it yet.) Before 10.15 it is made from scatter. TensorRT kind: kv_cache_update.
   *
   * @throws ERR_SHAPE, ERR_RANK, ERR_DTYPE, ERR_INPUT
   */
  kvCacheUpdate(
    this: TensorSource,
    update: Tensor,
    positions: Tensor | ConstantData,
    options: KVCacheUpdateOptions = {},
  ): Tensor {
    const method = 'kvCacheUpdate';
    const cache = this.tensor();
    const { updateForm = 'padded_bhnd', updateLengths, name } = options;
    const lengths = updateLengths === undefined ? null : constantTensor(cache.network, updateLengths, 'int32', method);
    return cache.network.record(kvCacheUpdate, {
      method,
      name,
      inputs: [cache, update, constantTensor(cache.network, positions, 'int32', method), lengths],
      params: { mode: 'linear', updateForm },
    })[0]!;
  },
};

export { methods as kvCacheUpdateMethods };
export type KvCacheUpdateMethods = typeof methods;
