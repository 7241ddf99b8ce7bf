import type { Fail, InferredValue } from '../../dsl/define-layer.js';
import { Tensor } from '../../dsl/tensor.js';
import { addDims, type Dim, isStatic } from '../../values/dim.js';
import { maxContents } from './constants.js';
import type { Liftable } from './lift.js';
import { shapeTensor } from './shape-tensor.js';

/**
 * Refuses known indices beyond their axis, for which TensorRT reads zeros, and negative ones on a dynamic axis, for which
 * its behavior is undefined. `sizes` are the sizes of the axes that the elements of `indices` refer to, in turn.
 */
export function requireWithin(indices: InferredValue, sizes: readonly Dim[], fail: Fail, what = 'indices'): void {
  const known = indices.elements ?? indices.contents;
  if (!known) return;
  for (let i = 0; i < known.length; i++) {
    const given = known[i]!;
    if (typeof given === 'string') continue;
    const index = Number(given);
    const size = sizes[i % sizes.length]!;
    if (isStatic(size) ? index < size && index >= -size : index >= 0) continue;
    const expected = isStatic(size) ? `from ${-size} to ${size - 1}` : `from 0 for the dynamic size ${size}`;
    fail('ERR_VALUE', `expected whole numbers ${expected}, given ${index}`, { option: what, expected, actual: index });
  }
}

/** Turns numbers that count from the end of a dynamic axis into a tensor that TensorRT computes; returns anything else unchanged. */
export function fromEnd(indices: Liftable, size: Dim | undefined, x: Tensor, method: string): Liftable {
  if (size === undefined || isStatic(size) || indices instanceof Tensor) return indices;
  const list = (typeof indices === 'number' ? [indices] : indices) as readonly number[];
  if (!Array.isArray(list) || list.length > maxContents || !list.every(Number.isSafeInteger)) return indices;
  if (list.every((index) => index >= 0)) return indices;
  const dims = list.map((index) => (index < 0 ? addDims(size, index) : index));
  const tensor = shapeTensor(x.network, dims, method);
  return typeof indices === 'number' ? tensor.reshape([]) : tensor;
}
