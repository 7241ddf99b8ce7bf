import type { Fail, InferredValue } from '../../dsl/define-layer.js';
import { addDims, type Dim, formatShape, isStatic, isUnknown, mulDims, subDims } from '../../values/dim.js';
import { indexTypes, requireDType } from './dtypes.js';

/** TensorRT's SampleMode: how to read beyond the input. */
export const sampleModes = ['strict_bounds', 'wrap', 'clamp', 'fill', 'reflect'] as const;
/** TensorRT's SampleMode: what is read beyond the bounds. @useDeclaredType */
export type SampleMode = (typeof sampleModes)[number];

/** Bounds of a slice along each axis. */
export const sliceParts = ['start', 'size', 'stride'] as const;
export type SlicePartName = (typeof sliceParts)[number];

/** By axis; undefined if known only at run time. */
export type KnownBounds = readonly (Dim | undefined)[];

/** Start, size or stride of a slice, from its parameter or its tensor. */
export function known(
  what: string,
  given: readonly number[] | null,
  tensor: InferredValue | null | undefined,
  rank: number,
  fail: Fail,
): KnownBounds {
  if (given) {
    if (given.length !== rank) {
      fail('ERR_PARAMETER', `expected one number per axis, ${rank}, given [${given.join(', ')}]`, {
        option: what,
        expected: rank,
        actual: given.length,
      });
    }
    return given;
  }
  if (!tensor) return fail('ERR_INPUT', `expected numbers or a tensor`, { option: what });
  requireDType(tensor.dtype, indexTypes, fail, what);
  if (tensor.shape.length !== 1 || tensor.shape[0] !== rank) {
    fail('ERR_SHAPE', `expected a tensor of shape [${rank}], given ${formatShape(tensor.shape)}`, {
      option: what,
      expected: [rank],
      actual: tensor.shape,
    });
  }
  return Array.from({ length: rank }, (_, i) => {
    const dim = tensor.contents?.[i];
    return dim === undefined || (isUnknown(dim) && what !== 'size') ? undefined : dim;
  });
}

/** Refuses slices that read outside in mode `strict_bounds`, and slices of an empty axis in modes `clamp`, `reflect` and `wrap`. */
export function checkBounds(
  axis: number,
  dim: Dim,
  [start, size, stride]: readonly (Dim | undefined)[],
  mode: SampleMode,
  fail: Fail,
): void {
  if (size === undefined || size === 0 || (isStatic(dim) && !isStatic(size))) return;
  if (mode === 'clamp' || mode === 'reflect' || mode === 'wrap') {
    if (dim === 0) fail('ERR_SHAPE', `axis ${axis} is empty: mode ${mode} has nothing to read`);
    return;
  }
  if (mode === 'fill' || start === undefined || stride === undefined || !isStatic(stride)) return;
  const isWhole = start === 0 && size === dim && stride === 1;
  if (isWhole || (isStatic(dim) && !isStatic(start))) return;
  const last = addDims(start, mulDims(subDims(size, 1), stride));
  const outside = (at: Dim) => isBelow(at, 0) || isBelow(subDims(dim, 1), at);
  if (!outside(start) && !outside(last)) return;
  const [from, to] = stride < 0 ? [last, start] : [start, last];
  const given = from === to ? from : `${from} to ${to}`;
  const steps = Math.abs(stride) > 1 && from !== to ? ` in steps of ${Math.abs(stride)}` : '';
  const elements = dim === 0 ? 'nothing' : `elements 0 to ${subDims(dim, 1)}`;
  fail('ERR_SHAPE', `expected ${elements} along axis ${axis}, given ${given}${steps}`, { expected: dim, actual: last });
}

/** Whether one size is known to be less than another. */
function isBelow(a: Dim, b: Dim): boolean {
  const difference = subDims(a, b);
  return isStatic(difference) && difference < 0;
}

/** Elements of a shape tensor that a slice takes. */
export function pick(contents: readonly Dim[], start?: Dim, size?: Dim, stride?: Dim): Dim[] | undefined {
  if (![start, size, stride].every((v) => typeof v === 'number')) return undefined;
  return Array.from({ length: size as number }, (_, i) => contents[(start as number) + i * (stride as number)]!);
}
