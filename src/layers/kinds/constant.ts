import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Network } from '../../dsl/network.js';
import { Tensor } from '../../dsl/tensor.js';
import { formatShape, isStatic } from '../../values/dim.js';
import type { DType } from '../../values/dtype.js';
import { isWeightLike, type WeightLike } from '../../values/weight.js';
import { DimValue, resolveDim } from '../shared/dim-value.js';
import {
  type ConstantData,
  countOf,
  encode,
  isScalar,
  type Literal,
  type LiteralOptions,
  toLiteral,
} from '../shared/literal.js';
import { type Named, nonNegative } from '../shared/parameters.js';
import { shapeTensor } from '../shared/shape-tensor.js';

/** What an operand may be: numbers, arrays and sizes (`x.dim(0)`) become tensors of the other operand's dtype. */
export type Liftable = Tensor | ConstantData | DimValue;

/** Elements of larger integer constants are not followed by shape arithmetic. */
export const maxContents = 64;

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
    if (dtype !== 'int32' && dtype !== 'int64') return { dtype, shape };
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

/** Elements of numbers used more than once in a network. */
const shared = new WeakMap<Network, Map<string, WeightLike>>();

function recordConstant(net: Network, { weight, shape }: Literal, options: Named & { method: string }): Tensor {
  return net.record(constant, {
    ...options,
    hint: typeof weight.name === 'string' && weight.name !== '' ? weight.name : undefined,
    inputs: [],
    weights: { value: weight },
    params: { shape: [...shape] },
  })[0]!;
}

/** A constant of the given rank from one number: its shape is ones. */
export function scalar(
  net: Network,
  dtype: DType,
  value: number | bigint | boolean,
  rank = 0,
  method = 'constant',
): Tensor {
  const known = shared.get(net) ?? new Map<string, WeightLike>();
  shared.set(net, known);
  const key = `${dtype} ${Object.is(value, -0) ? '-0' : String(value)}`;
  const weight = known.get(key) ?? { dtype, shape: [], data: encode(dtype, [value], method, value) };
  known.set(key, weight);
  return recordConstant(net, { shape: Array(rank).fill(1), weight }, { method });
}

/** A size as a tensor of ones; a dynamic one is computed at run time. */
function sizeOf(net: Network, size: DimValue, dtype: DType, rank: number, method: string): Tensor {
  const dim = resolveDim(net, size, 'size', method, -(2 ** 31));
  if (isStatic(dim)) return scalar(net, dtype, dim, rank, method);
  const wide = shapeTensor(net, [dim], method);
  const sizes = dtype === 'int64' ? wide : wide.cast(dtype);
  return rank === 1 ? sizes : sizes.reshape(Array(rank).fill(1));
}

const isTyped = (value: ConstantData): boolean => isWeightLike(value) && value.dtype !== undefined;

/**
 * An operand as a tensor. Numbers, typed arrays and sizes become tensors of the dtype of `peer`, converted exactly: a fractional
 * number for an integer dtype is an error, as is one beyond the range of the dtype. A weight with a dtype keeps it.
 * @param rank of the constant, or a function of the rank of the data; shorter shapes get leading ones. Default: the rank of `peer`
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
  const own = literal.shape.length;
  const shape = [...Array(Math.max(0, target(own) - own)).fill(1), ...literal.shape];
  if (literal.weight.dtype !== 'int8') return recordConstant(peer.network, { ...literal, shape }, { method });
  // TensorRT takes int8 constants for quantized numbers, and these before a dequantize layer only.
  const wide = { shape: literal.weight.shape, dtype: 'int32', data: Int32Array.from(literal.weight.data as Int8Array) };
  return recordConstant(peer.network, { weight: wide, shape }, { method }).cast('int8');
}

/**
 * An operand as a tensor of its own shape. Numbers, typed arrays and sizes become tensors of `dtype`, where given.
 * @throws ERR_INPUT, ERR_VALUE, ERR_DTYPE, ERR_SHAPE
 */
export function constantTensor(net: Network, value: Liftable, dtype: DType | undefined, method: string): Tensor {
  if (value instanceof Tensor) return value;
  if (value instanceof DimValue) return sizeOf(net, value, dtype ?? 'int64', 0, method);
  return recordConstant(net, toLiteral(value, isTyped(value) ? {} : { dtype }, method), { method });
}

const methods = {
  /**
   * A constant. Numbers are rounded to nearest even. float16, bfloat16 and the narrow dtypes may also be given as their
   * bits (Uint16Array, Uint8Array; 4-bit types packed two to a byte). Elements are not copied: do not change them
   * before the build. TensorRT kind: constant.
   *
   * @throws ERR_VALUE where a number has no place in the dtype; ERR_SHAPE, ERR_DTYPE, ERR_INPUT, ERR_WEIGHT
   */
  constant(this: Network, data: ConstantData, options: ConstantOptions = {}): Tensor {
    return recordConstant(this, toLiteral(data, options, 'constant'), { method: 'constant', name: options.name });
  },
};

export { methods as constantMethods };
export type ConstantMethods = typeof methods;
