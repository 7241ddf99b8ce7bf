import type { Tensor } from '../dsl/tensor.js';
import type { Named } from '../layers/shared/parameters.js';

/** Most positions that are computed while recording; more are computed at run time. */
export const mostPositions = 2 ** 16;

/** A result under the caller's name, where there is one. */
export const named = (result: Tensor, { name }: Named = {}): Tensor =>
  name === undefined ? result : result.identity({ name });
