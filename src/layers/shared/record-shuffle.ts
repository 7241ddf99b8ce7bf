import { Tensor } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import { isStatic } from '../../values/dim.js';
import { wrapAxis } from './axes.js';
import type { Named } from './parameters.js';
import { recordKind } from './record-kind.js';
import { type ReshapeDims, reshapeForm } from './reshape-form.js';

export interface ReshapeOptions extends Named {
  /** Whether 0 copies the input's dim at the same index instead of being a size. Default true. */
  zeroIsPlaceholder?: boolean | undefined;
}

export interface ShuffleOptions extends ReshapeOptions {
  /** Order of axes before the reshape: axis `i` of the result is axis `firstTranspose[i]` of the input. */
  firstTranspose?: readonly number[] | undefined;
  /** Numbers, −1 for one to infer, names and expressions of dynamic dims; or a rank-1 tensor of int32 or int64. */
  reshape?: ReshapeDims | Tensor | undefined;
  /** Order of axes after the reshape. */
  secondTranspose?: readonly number[] | undefined;
}

function order(axes: readonly number[] | undefined, rank: number, what: string, method: string): number[] | null {
  if (axes === undefined) return null;
  if (!Array.isArray(axes))
    refuse(method, 'ERR_AXIS', `expected a list of axes, given ${String(axes)}`, { option: what });
  return axes.map((axis) => wrapAxis(axis, rank));
}

/** Records a shuffle. Every method that moves elements without computing ends here. */
export function recordShuffle(x: Tensor, options: ShuffleOptions & { method: string }): Tensor {
  const { method, name, reshape, zeroIsPlaceholder = true } = options;
  const firstTranspose = order(options.firstTranspose, x.rank, 'firstTranspose', method);
  // A bad permutation is refused when the layer is recorded.
  const from = firstTranspose?.length === x.rank ? firstTranspose.map((axis) => x.shape[axis] ?? 1) : x.shape;
  const form =
    reshape === undefined || reshape instanceof Tensor
      ? { dims: null, tensor: reshape, zeroIsPlaceholder }
      : reshapeForm(x, from, reshape, zeroIsPlaceholder, method);
  const rank = form.dims?.length ?? form.tensor?.shape[0] ?? x.rank;
  return recordKind(x.network, 'shuffle', {
    method,
    name,
    inputs: form.tensor ? [x, form.tensor] : [x],
    params: {
      firstTranspose,
      reshape: form.dims,
      secondTranspose: order(options.secondTranspose, rank as number, 'secondTranspose', method),
      zeroIsPlaceholder: form.zeroIsPlaceholder,
    },
  });
}

/** Prepends ones to the shape until it has `rank` axes. */
export function liftRank(x: Tensor, rank: number, method: string): Tensor {
  const ones = rank - x.rank;
  if (ones <= 0) return x;
  const dynamic = x.shape.filter((dim) => !isStatic(dim)).length;
  if (dynamic === 0 || (dynamic === 1 && !x.shape.includes(0))) {
    return recordShuffle(x, { method, reshape: [...Array(ones).fill(1), ...x.shape], zeroIsPlaceholder: false });
  }
  // A reshape copies dims only at their own index, so the ones go to the end and a transpose moves them to the front.
  const axes = Array.from({ length: rank }, (_, i) => (i < ones ? x.rank + i : i - ones));
  return recordShuffle(x, {
    method,
    reshape: [...Array(x.rank).fill(0), ...Array(ones).fill(1)],
    secondTranspose: axes,
  });
}
