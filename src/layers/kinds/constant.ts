import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Network } from '../../dsl/network.js';
import { Tensor } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import { countOf, formatShape, isStatic } from '../../values/dim.js';
import { type DType, isNarrow } from '../../values/dtype.js';
import { maxRank } from '../../values/spec.js';
import { maxContents, recordConstant } from '../shared/constants.js';
import { constantTensor, type Liftable } from '../shared/lift.js';
import { type ConstantData, type LiteralOptions, toLiteral } from '../shared/literal.js';
import { type Named, nonNegative } from '../shared/parameters.js';
import { recordSlice } from '../shared/record-slice.js';
import { type FillShape, sizesOf } from '../shared/shape-tensor.js';

export const constant = defineLayer({
  kind: 'constant',
  params: z.strictObject({ shape: z.array(nonNegative).max(8) }),
  infer({ weights: { value }, params: { shape }, fail }) {
    if (!value) return fail('ERR_INPUT', 'the value is missing');
    const count = countOf(shape);
    if (count !== countOf(value.shape)) {
      fail('ERR_SHAPE', `expected ${countOf(value.shape)} elements, given ${formatShape(shape)}`, {
        option: 'shape',
        expected: value.shape,
        actual: shape,
      });
    }
    const { dtype, data } = value;
    if (isNarrow(dtype)) return { dtype, shape };
    if (dtype !== 'int32' && dtype !== 'int64') return { dtype, shape, elements: data };
    const small = shape.length <= 1 && count <= maxContents;
    const contents = small && data ? Array.from(data as ArrayLike<number | bigint>, Number) : undefined;
    return { dtype, shape, elements: data, ...(contents?.every(Number.isSafeInteger) && { contents }) };
  },
  cpu(g, { weights, weightTypes, params: { shape } }) {
    const value = weights.value!;
    if (String(weightTypes.value!.shape) === String(shape)) return value;
    return g.op('Reshape', [value, g.constant('int64', [shape.length], shape)], { allowzero: 1 });
  },
});

export interface ConstantOptions extends LiteralOptions, Named {}

export interface FullOptions extends Named {
  /** Default float32. */
  dtype?: DType | undefined;
}

/** One value in every element of a shape: a constant repeated by a slice with stride 0. */
function full(net: Network, given: FillShape, value: Liftable, dtype: DType, method: string, { name }: Named): Tensor {
  const scalar = constantTensor(net, value, dtype, method);
  if (scalar.rank > 0)
    refuse(method, 'ERR_RANK', `expected one number, given ${formatShape(scalar.shape)}`, { option: 'value' });
  const shape = sizesOf(net, given, method);
  const rank = shape instanceof Tensor ? shape.shape[0]! : shape.length;
  if (!isStatic(rank)) return refuse(method, 'ERR_SHAPE', 'expected a tensor of known length', { option: 'shape' });
  if (rank > maxRank)
    refuse(method, 'ERR_RANK', `expected at most ${maxRank} sizes, given ${rank}`, { option: 'shape' });
  const ones = Array<number>(rank).fill(1);
  const zeros = ones.map(() => 0);
  return recordSlice(scalar.reshape(ones), { method, name, start: zeros, size: shape, stride: zeros });
}

const methods = {
  /**
   * A constant. Numbers are rounded to nearest even. float16, bfloat16 and the narrow dtypes may also be given as their
   * bits (Uint16Array, Uint8Array; 4-bit types packed two to a byte). Elements are copied
   * at the build, not here. TensorRT kind: constant.
   *
   * @throws ERR_VALUE where a number has no place in the dtype; ERR_SHAPE, ERR_DTYPE, ERR_INPUT, ERR_WEIGHT
   */
  constant(this: Network, data: ConstantData, options: ConstantOptions = {}): Tensor {
    return recordConstant(this, toLiteral(data, options, 'constant'), { method: 'constant', name: options.name });
  },
  /**
   * A tensor filled with one value (float32 unless `dtype` is given). TensorRT kinds: constant, slice.
   * @throws ERR_SHAPE, ERR_VALUE
   */
  full(this: Network, shape: FillShape, value: Liftable, options: FullOptions = {}): Tensor {
    return full(this, shape, value, options.dtype ?? 'float32', 'full', options);
  },
  /** Zeros; see `full`. TensorRT kinds: constant, slice. */
  zeros(this: Network, shape: FillShape, options: FullOptions = {}): Tensor {
    return full(this, shape, options.dtype === 'bool' ? false : 0, options.dtype ?? 'float32', 'zeros', options);
  },
  /** Ones; see `full`. TensorRT kinds: constant, slice. */
  ones(this: Network, shape: FillShape, options: FullOptions = {}): Tensor {
    return full(this, shape, options.dtype === 'bool' ? true : 1, options.dtype ?? 'float32', 'ones', options);
  },
};

export { methods as constantMethods };
export type ConstantMethods = typeof methods;
