import type { Tensor } from '../../dsl/tensor.js';

/** A tensor for each of a tuple's sizes; a list for one size, or if their number is not known. */
export type PartsOf<Sizes> = Sizes extends readonly unknown[] ? { -readonly [Index in keyof Sizes]: Tensor } : Tensor[];

/** As many tensors as a literal number up to 128 says; otherwise a list. `List` counts. */
export type Tensors<N extends number, List extends unknown[] = []> = number extends N
  ? Tensor[]
  : List['length'] extends N
    ? PartsOf<List>
    : List['length'] extends 128
      ? Tensor[]
      : Tensors<N, [...List, unknown]>;
