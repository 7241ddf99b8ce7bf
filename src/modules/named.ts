import type { Tensor } from '../dsl/tensor.js';
import type { Named } from '../layers/shared/parameters.js';

/** A result under the caller's name, where there is one. */
export const named = (result: Tensor, { name }: Named = {}): Tensor =>
  name === undefined ? result : result.identity({ name });
