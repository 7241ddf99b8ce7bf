import type { Fail } from '../../dsl/define-layer.js';
import { type DType, dtypes } from '../../values/dtype.js';

export function requireDType(given: DType, allowed: readonly DType[], fail: Fail, what = 'input'): void {
  if (!allowed.includes(given)) {
    fail('ERR_DTYPE', `${what}: expected ${allowed.join(', ')}, given ${given}`, { expected: allowed, actual: given });
  }
}

/** What makes known elements, or else a tensor, fit an input's dtype. */
export const convertTo = (dtype: DType): string =>
  `convert a weight with .as('${dtype}'), a tensor with .cast('${dtype}')`;

/** Refuses weights, or tensors in their place, of another dtype than the input's. */
export function requireInputsDType(what: string, given: DType, dtype: DType, fail: Fail): void {
  if (given === dtype) return;
  fail('ERR_DTYPE', `${what}: expected the input's dtype ${dtype}, given ${given}; ${convertTo(dtype)}`, {
    expected: dtype,
    actual: given,
  });
}

export const floats: readonly DType[] = ['float32', 'float16', 'bfloat16'];

/** What layers that only move elements take: uint8 lives at inputs, outputs and casts alone. */
export const movable: readonly DType[] = dtypes.filter((dtype) => dtype !== 'uint8');

/** What indices, sizes and positions come in. */
export const indexTypes: readonly DType[] = ['int32', 'int64'];
