import type { Tensor } from '../dsl/tensor.js';
import { refuse } from '../errors/refusal.js';
import { floats } from '../layers/shared/dtypes.js';
import type { Named } from '../layers/shared/parameters.js';

/** Refuses all dtypes but floats. */
export function requireFloat(x: Tensor, method: string): void {
  if (!floats.includes(x.dtype)) {
    refuse(method, 'ERR_DTYPE', `expected ${floats.join(', ')}, given ${x}`, { expected: floats, actual: x.dtype });
  }
}

/** Computes in float32, where narrower floats would overflow or round too often. The result has the input's dtype. */
export function inFloat32(
  x: Tensor,
  method: string,
  { name }: Named,
  compute: (wide: Tensor, last: Named) => Tensor,
): Tensor {
  requireFloat(x, method);
  return x.dtype === 'float32' ? compute(x, { name }) : compute(x.cast('float32'), {}).cast(x.dtype, { name });
}

/** An operand beside one that was widened. */
export const widened = (x: Tensor): Tensor => (x.dtype === 'float32' ? x : x.cast('float32'));
