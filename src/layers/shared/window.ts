import { z } from 'zod';
import type { Fail } from '../../dsl/define-layer.js';
import { addDims, ceilDivDims, type Dim, floorDivDims, isStatic, subDims } from '../../values/dim.js';
import { type PerAxis, perAxis, wholeNumbers } from './parameters.js';
import { shownAxis } from './spatial-text.js';

/** TensorRT's PaddingMode. */
const paddingModes = ['explicit_round_down', 'explicit_round_up', 'same_upper', 'same_lower'] as const;

/** TensorRT's PaddingMode. @useDeclaredType */
export type PaddingMode = (typeof paddingModes)[number];

/** Padding options in PyTorch's and TensorRT's terms. */
export interface PaddingOptions {
  /** Zeros added on both sides of each spatial axis. Default 0. */
  padding?: PerAxis | undefined;
  /** Zeros before each axis, if the two sides differ (TensorRT's pre-padding). */
  prePadding?: PerAxis | undefined;
  /** Zeros after each axis (TensorRT's post-padding). */
  postPadding?: PerAxis | undefined;
  /** TensorRT's padding mode; the `same_*` modes compute the padding and ignore the options above. Default `explicit_round_down`. */
  paddingMode?: PaddingMode | undefined;
}

export const window = wholeNumbers(1, 1, 3);

const paddings = wholeNumbers(0, 1, 3);

export const paddingParams = { prePadding: paddings, postPadding: paddings, paddingMode: z.enum(paddingModes) };

/** The IR's form of padding options. */
export const resolvePadding = (options: PaddingOptions, rank: number) => ({
  prePadding: perAxis(options.prePadding ?? options.padding, rank, 0),
  postPadding: perAxis(options.postPadding ?? options.padding, rank, 0),
  paddingMode: options.paddingMode ?? ('explicit_round_down' as const),
});

interface WindowParams {
  stride: readonly number[];
  prePadding: readonly number[];
  postPadding: readonly number[];
  paddingMode: PaddingMode;
}

/**
 * Output size of a sliding window along one axis, according to TensorRT's PaddingMode:
 * explicit: `round((size + pre + post − extent) / stride) + 1`; same: `ceil(size / stride)`.
 * @throws ERR_SHAPE if the window is larger than the padded input
 */
export function windowSize(size: Dim, axis: number, extent: number, p: WindowParams, fail: Fail): Dim {
  const stride = p.stride[axis]!;
  if (p.paddingMode.startsWith('same')) return ceilDivDims(size, stride);
  const padded = addDims(size, p.prePadding[axis]! + p.postPadding[axis]!);
  const span = subDims(padded, extent);
  if (isStatic(span) && span < 0) {
    fail(
      'ERR_SHAPE',
      `the window spans ${extent} along spatial axis ${shownAxis(axis)}, more than the padded input of ${String(padded)}`,
      { expected: `<= ${String(padded)}`, actual: extent },
    );
  }
  const divide = p.paddingMode === 'explicit_round_up' ? ceilDivDims : floorDivDims;
  return addDims(divide(span, stride), 1);
}
