import type { Tensor } from '../../dsl/tensor.js';
import type { Named } from './parameters.js';
import { recordKind } from './record-kind.js';

/** Removes axes of size 1, counted from the front. */
export const recordSqueeze = (x: Tensor, axes: readonly number[], method: string, { name }: Named = {}): Tensor =>
  recordKind(x.network, 'squeeze', { method, name, inputs: [x], params: { axes: axes as number[] } });

/** Inserts axes of size 1, counted from the front in the result. */
export const recordUnsqueeze = (x: Tensor, axes: readonly number[], method: string, { name }: Named = {}): Tensor =>
  recordKind(x.network, 'unsqueeze', { method, name, inputs: [x], params: { axes: axes as number[] } });
