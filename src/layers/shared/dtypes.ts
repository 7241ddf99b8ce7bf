import type { Fail } from '../../dsl/define-layer.js';
import { type DType, dtypes } from '../../values/dtype.js';

/** The tensor that a method is called on is no option: messages call it the input. */
export const of = (option: string | undefined): string => (option === undefined ? 'input: ' : '');

export function requireDType(given: DType, allowed: readonly DType[], fail: Fail, what?: string): void {
  if (!allowed.includes(given)) {
    fail('ERR_DTYPE', `${of(what)}expected ${allowed.join(', ')}, given ${given}`, {
      option: what,
      expected: allowed,
      actual: given,
    });
  }
}

/** What makes known elements, or else a tensor, fit an input's dtype. */
export const convertTo = (dtype: DType): string =>
  `convert a weight with .as('${dtype}'), a tensor with .cast('${dtype}')`;

/** Refuses weights, or tensors in their place, of another dtype than the input's. */
export function requireInputsDType(what: string, given: DType, dtype: DType, fail: Fail): void {
  if (given === dtype) return;
  fail('ERR_DTYPE', `expected the input's dtype ${dtype}, given ${given}; ${convertTo(dtype)}`, {
    option: what,
    expected: dtype,
    actual: given,
  });
}

export const floats: readonly DType[] = ['float32', 'float16', 'bfloat16'];

/** What layers that only move elements take: uint8 lives at inputs, outputs and casts alone. */
export const movable: readonly DType[] = dtypes.filter((dtype) => dtype !== 'uint8');

/** What indices, sizes and positions come in. */
export const indexTypes: readonly DType[] = ['int32', 'int64'];
