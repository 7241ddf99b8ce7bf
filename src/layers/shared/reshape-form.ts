import type { Tensor } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import { divideExactly, formatShape, isStatic, type Shape, volume } from '../../values/dim.js';
import { type DimLike, resolveDims } from './dim-value.js';
import { shapeTensor } from './shape-tensor.js';

/** Target of a reshape: numbers, −1 for one to infer, 0 for a copy, names and expressions of dynamic dims. */
export type ReshapeDims = readonly DimLike[];

interface ReshapeForm {
  /** In TensorRT's form; null if a tensor gives them. */
  dims: number[] | null;
  tensor: Tensor | undefined;
  zeroIsPlaceholder: boolean;
}

/**
 * Expresses the target of a reshape for TensorRT: a dim that keeps its index is copied, one other dynamic dim is inferred
 * from the number of elements if possible, and the remaining ones are computed at run time.
 */
export function reshapeForm(
  x: Tensor,
  from: Shape,
  given: ReshapeDims,
  zeroIsPlaceholder: boolean,
  method: string,
): ReshapeForm {
  const target = resolveDims(x.network, given, 'dims', method, -1);
  const wanted = target.map((dim, i) => (dim === 0 && zeroIsPlaceholder ? (from[i] ?? 0) : dim));
  const copied = wanted.map((dim, i) => !isStatic(dim) && dim === from[i]);
  const open = wanted.flatMap((dim, i) => (isStatic(dim) || copied[i] ? [] : [i]));
  const literalZero = wanted.some((dim, i) => dim === 0 && from[i] !== 0);
  const dims = wanted.map((dim, i) => (copied[i] ? 0 : (dim as number)));
  if (literalZero && zeroIsPlaceholder && given.some((dim, i) => dim === 0 && i >= from.length)) {
    refuse(
      method,
      'ERR_SHAPE',
      `0 in ${formatShape(target)} copies a dim that the input ${formatShape(from)} does not have`,
      {
        option: 'dims',
      },
    );
  }
  const copies = copied.includes(true);
  if (!(copies && literalZero)) {
    if (open.length === 0) return { dims, tensor: undefined, zeroIsPlaceholder: copies };
    const [index, ...others] = open as [number, ...number[]];
    const rest = volume(wanted.filter((_, i) => i !== index));
    if (
      others.length === 0 &&
      rest !== 0 &&
      !wanted.includes(-1) &&
      divideExactly(volume(from), rest) === wanted[index]
    ) {
      return { dims: dims.with(index, -1), tensor: undefined, zeroIsPlaceholder: copies };
    }
  }
  return { dims: null, tensor: shapeTensor(x.network, wanted, method), zeroIsPlaceholder: false };
}
