import type { Fail } from '../../dsl/define-layer.js';
import { type DType, dtypes } from '../../values/dtype.js';

/** The tensor that a method is called on is not an option; messages call it the input. */
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

/** How to convert known elements, or a tensor, to an input's dtype. */
export const convertTo = (dtype: DType): string =>
  `convert a weight with .as('${dtype}'), a tensor with .cast('${dtype}')`;

/** Refuses weights (or tensors used as weights) whose dtype differs from the input's. */
export function requireInputsDType(what: string, given: DType, dtype: DType, fail: Fail): void {
  if (given === dtype) return;
  fail('ERR_DTYPE', `expected the input's dtype ${dtype}, given ${given}; ${convertTo(dtype)}`, {
    option: what,
    expected: dtype,
    actual: given,
  });
}

export const floats: readonly DType[] = ['float32', 'float16', 'bfloat16'];

/** Dtypes for layers that only move elements. uint8 is limited to inputs, outputs and casts. */
export const movable: readonly DType[] = dtypes.filter((dtype) => dtype !== 'uint8');

/** Dtypes of indices, sizes and positions. */
export const indexTypes: readonly DType[] = ['int32', 'int64'];
