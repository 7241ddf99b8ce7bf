import type { Network } from '../../dsl/network.js';
import { Tensor } from '../../dsl/tensor.js';
import { formatShape, isStatic } from '../../values/dim.js';
import type { DType } from '../../values/dtype.js';
import { maxRank } from '../../values/spec.js';
import { constantTensor, type Liftable } from '../kinds/constant.js';
import { type FillShape, sizesOf } from '../kinds/fill.js';
import { recordSlice } from '../kinds/slice.js';
import type { Named } from './parameters.js';
import { refuse } from './refuse.js';

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
   * A tensor filled with one value (float32 unless `dtype` is given). TensorRT kinds: constant, slice.
   * @throws ERR_SHAPE, ERR_VALUE
   */
  full(this: Network, shape: FillShape, value: Liftable, options: { dtype?: DType } & Named = {}): Tensor {
    return full(this, shape, value, options.dtype ?? 'float32', 'full', options);
  },
  /** Zeros; see `full`. TensorRT kinds: constant, slice. */
  zeros(this: Network, shape: FillShape, options: { dtype?: DType } & Named = {}): Tensor {
    return full(this, shape, options.dtype === 'bool' ? false : 0, options.dtype ?? 'float32', 'zeros', options);
  },
  /** Ones; see `full`. TensorRT kinds: constant, slice. */
  ones(this: Network, shape: FillShape, options: { dtype?: DType } & Named = {}): Tensor {
    return full(this, shape, options.dtype === 'bool' ? true : 1, options.dtype ?? 'float32', 'ones', options);
  },
};

export { methods as fullMethods };
export type FullMethods = typeof methods;
