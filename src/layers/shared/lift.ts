import type { Network } from '../../dsl/network.js';
import { Tensor } from '../../dsl/tensor.js';
import { isStatic } from '../../values/dim.js';
import type { DType } from '../../values/dtype.js';
import { isScalar } from '../../values/elements.js';
import { originOf, recipeOf, stepOf } from '../../values/recipe.js';
import { checkMapping, isWeightLike, mappingOf } from '../../values/weight.js';
import { recordConstant, scalar } from './constants.js';
import { DimValue, resolveDim } from './dim-value.js';
import { type ConstantData, toLiteral } from './literal.js';
import { shapeTensor } from './shape-tensor.js';

/** Anything accepted as an operand: numbers, arrays and sizes (`x.dim(0)`) become tensors of the other operand's dtype. */
export type Liftable = Tensor | ConstantData | DimValue;

/** A size as a tensor whose axes have size 1. A dynamic size is computed at run time. */
function sizeOf(net: Network, size: DimValue, dtype: DType, rank: number, method: string): Tensor {
  const dim = resolveDim(net, size, 'size', method, -(2 ** 31));
  if (isStatic(dim)) return scalar(net, dtype, dim, rank, method);
  const wide = shapeTensor(net, [dim], method);
  const sizes = dtype === 'int64' ? wide : wide.cast(dtype);
  return rank === 1 ? sizes : sizes.reshape(Array(rank).fill(1));
}

const isTyped = (value: ConstantData): boolean => isWeightLike(value) && value.dtype !== undefined;

/**
 * An operand as a tensor. Numbers, typed arrays and sizes become tensors with the dtype of `peer`, converted exactly: a
 * fractional number for an integer dtype is an error, and so is a number out of range. A weight with a dtype keeps it.
 * @param rank rank of the constant, or a function of the data's rank; shorter shapes get leading ones. Default: the rank of `peer`
 * @throws ERR_INPUT, ERR_VALUE, ERR_DTYPE, ERR_SHAPE
 */
export function lift(
  value: Liftable,
  peer: Tensor,
  method = 'lift',
  rank: number | ((own: number) => number) = peer.rank,
): Tensor {
  if (value instanceof Tensor) return value;
  const target = (own: number) => (typeof rank === 'number' ? rank : rank(own));
  if (value instanceof DimValue) return sizeOf(peer.network, value, peer.dtype, target(0), method);
  if (isScalar(value) && peer.dtype !== 'int8') {
    return scalar(peer.network, peer.dtype, value, target(0), method);
  }
  const literal = toLiteral(value, isTyped(value) ? {} : { dtype: peer.dtype }, method);
  const shape = withRank(literal.shape, target(literal.shape.length));
  if (literal.weight.dtype !== 'int8') return recordConstant(peer.network, { ...literal, shape }, { method });
  // TensorRT treats int8 constants as quantized numbers, which it allows only before a dequantize layer.
  const data = Int32Array.from(literal.weight.data as Int8Array);
  const recipe = recipeOf(literal.weight);
  const origin = originOf(recipe && stepOf('as', { weight: recipe }, { dtype: 'int32' }), data);
  const wide = { shape: literal.weight.shape, dtype: 'int32', data, origin };
  checkMapping(mappingOf(literal.weight.data));
  return recordConstant(peer.network, { weight: wide, shape }, { method }).cast('int8');
}

/**
 * An operand as a tensor of its own shape. Numbers, typed arrays and sizes become tensors of `dtype`, if given.
 * @param rank shorter shapes of constants get leading ones
 * @throws ERR_INPUT, ERR_VALUE, ERR_DTYPE, ERR_SHAPE
 */
export function constantTensor(
  net: Network,
  value: Liftable,
  dtype: DType | undefined,
  method: string,
  rank = 0,
): Tensor {
  if (value instanceof Tensor) return value;
  if (value instanceof DimValue) return sizeOf(net, value, dtype ?? 'int64', rank, method);
  const literal = toLiteral(value, isTyped(value) ? {} : { dtype }, method);
  return recordConstant(net, { ...literal, shape: withRank(literal.shape, rank) }, { method });
}

/** A shape with leading ones up to a rank. */
const withRank = (shape: readonly number[], rank: number): number[] => [
  ...Array(Math.max(0, rank - shape.length)).fill(1),
  ...shape,
];
