import { type Dim, isStatic } from '../../values/dim.js';

/** The windows of a pool: one number per spatial axis in each list. */
interface Windows {
  kernel: readonly number[];
  stride: readonly number[];
  prePadding: readonly number[];
  postPadding: readonly number[];
}

/** How far the last windows of PyTorch's `ceil_mode` reach beyond the padded input, along each axis. */
export interface CeilForm {
  /** Whether TensorRT's `explicit_round_up` makes the same windows. */
  roundsUp: boolean;
  /** Elements after the padding that make rounding down give these windows. No average counts them. */
  beyond: number[];
}

/**
 * PyTorch rounds the number of windows up and drops a last one that would start in the padding after the axis:
 * `min(⌈(padded − kernel) / stride⌉ + 1, ⌈(size + pre) / stride⌉)`. TensorRT's rounding keeps it. Rounding down gives
 * PyTorch's number where `min(stride − 1, kernel − 1 − post)` elements more stand after the padding.
 */
export function ceilForm(sizes: readonly Dim[], p: Windows): CeilForm {
  const axes = p.kernel.map((kernel, i) => {
    const [size, stride, pre, post] = [sizes[i]!, p.stride[i]!, p.prePadding[i]!, p.postPadding[i]!];
    const most = Math.min(stride - 1, kernel - 1 - post);
    if (!isStatic(size)) return { drops: most < stride - 1, beyond: most };
    const padded = size + pre + post;
    const last = Math.floor((padded + most - kernel) / stride);
    const beyond = Math.max(0, last * stride + kernel - padded);
    // TensorRT refuses a window larger than the padded input; PyTorch takes one that begins inside.
    return { drops: padded < kernel || last < Math.ceil((padded - kernel) / stride), beyond };
  });
  return { roundsUp: !axes.some(({ drops }) => drops), beyond: axes.map(({ beyond }) => beyond) };
}
