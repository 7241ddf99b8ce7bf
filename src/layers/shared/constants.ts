import type { Network } from '../../dsl/network.js';
import type { Tensor } from '../../dsl/tensor.js';
import type { DType } from '../../values/dtype.js';
import type { WeightLike } from '../../values/weight.js';
import { encode, type Literal } from './literal.js';
import type { Named } from './parameters.js';
import { recordKind } from './record-kind.js';

/** Shape arithmetic ignores integer constants with more elements. */
export const maxContents = 64;

/** Caches elements of numbers that a network uses more than once. */
const shared = new WeakMap<Network, Map<string, WeightLike>>();

/** Records a constant. */
export function recordConstant(net: Network, { weight, shape }: Literal, options: Named & { method: string }): Tensor {
  return recordKind(net, 'constant', {
    ...options,
    hint: typeof weight.name === 'string' && weight.name !== '' ? weight.name : undefined,
    inputs: [],
    weights: { value: weight },
    params: { shape: [...shape] },
  });
}

/** A constant of the given rank from one number, with every axis of size 1. */
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
