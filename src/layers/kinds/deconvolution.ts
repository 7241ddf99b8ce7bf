import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import { addDims, type Dim, isStatic, minDims, mulDims, subDims } from '../../values/dim.js';
import type { WeightLike } from '../../values/weight.js';
import {
  givenShape,
  type KernelOptions,
  kernelOutput,
  kernelParams,
  kernelShape,
  kernelWindow,
  recordKernel,
} from '../shared/kernel.js';
import { kernelOverOneAxis } from '../shared/one-axis.js';
import { type PerAxis, perAxis } from '../shared/parameters.js';
import { recordSlice } from '../shared/record-slice.js';
import { shownAxis, shownList, shownShape } from '../shared/spatial-text.js';
import { resolvePadding } from '../shared/window.js';

/** Options of `convTranspose1d`, `convTranspose2d` and `convTranspose3d`. */
export interface DeconvolutionOptions extends KernelOptions {
  /** Kernel of shape [inChannels, outChannels / groups, ...kernel]: known weights, or a tensor. */
  weight: WeightLike | Tensor;
  /** Elements added after each axis of the result, fewer than the stride or the dilation, as in PyTorch. Default 0. */
  outputPadding?: PerAxis | undefined;
}

export const deconvolution = defineLayer({
  kind: 'deconvolution',
  params: z.strictObject(kernelParams),
  infer(context) {
    const { input, params: p, fail } = context;
    const kernel = kernelShape(context);
    const { shape } = input(0);
    const channels = shape[1]!;
    const expected = kernel[0]!;
    if (isStatic(expected) && expected % p.groups !== 0) {
      fail('ERR_SHAPE', `expected a divisor of the ${expected} input channels, given ${p.groups}`, {
        option: 'groups',
      });
    }
    if (!isStatic(channels) || (isStatic(expected) && channels !== expected)) {
      fail(
        'ERR_SHAPE',
        `the weight ${shownShape(kernel)} takes ${expected} input channels, the input ${shownShape(shape)} has ${channels}`,
        { involved: ['weight'], expected, actual: channels },
      );
    }
    return kernelOutput(context, (i) => {
      const size = outputSize(shape[i + 2]!, i, p);
      if (isStatic(size) && size < 0) {
        const cut = `${p.prePadding[i]} and ${p.postPadding[i]} cut off more than the ${outputSize(shape[i + 2]!, i, unpadded(p))}`;
        fail('ERR_SHAPE', `${cut} elements along spatial axis ${shownAxis(i)}`, { option: 'padding', actual: size });
      }
      return size;
    });
  },
  cpu(g, { input, inputs, weights, params: p, outputTypes }) {
    const wide = (value: string | null) => value && g.cast(value, 'float32');
    const [pre, post] = paddingOf(p);
    const operands = [input(0), weights.kernel ?? inputs[1]!, weights.bias ?? inputs[2] ?? null].map(wide);
    const y = g.op('ConvTranspose', operands, {
      kernel_shape: p.kernel,
      strides: p.stride,
      dilations: p.dilation,
      group: p.groups,
      pads: [...pre, ...post],
    });
    return g.cast(y, outputTypes[0]!.dtype);
  },
});

interface Window {
  kernel: number[];
  stride: number[];
  dilation: number[];
  prePadding: number[];
  postPadding: number[];
  paddingMode: string;
}

const extentOf = (p: Window, i: number): number => p.dilation[i]! * (p.kernel[i]! - 1) + 1;

/** TensorRT's PaddingMode for a deconvolution: explicit, or `max(extent − stride, 0)` split between both sides. */
function paddingOf(p: Window): [number[], number[]] {
  if (p.paddingMode.startsWith('explicit')) return [p.prePadding, p.postPadding];
  const total = p.kernel.map((_, i) => Math.max(extentOf(p, i) - p.stride[i]!, 0));
  const less = total.map((t) => Math.floor(t / 2));
  const more = total.map((t, i) => t - less[i]!);
  return p.paddingMode === 'same_upper' ? [less, more] : [more, less];
}

/** Output size according to TensorRT's PaddingMode: `(size − 1)·stride + extent − padding`, at most `size·stride` for the `same_*` modes. */
function outputSize(size: Dim, i: number, p: Window): Dim {
  const full = addDims(mulDims(subDims(size, 1), p.stride[i]!), extentOf(p, i));
  if (p.paddingMode.startsWith('explicit')) return subDims(full, p.prePadding[i]! + p.postPadding[i]!);
  return extentOf(p, i) >= p.stride[i]! ? mulDims(size, p.stride[i]!) : minDims(mulDims(size, p.stride[i]!), full);
}

const unpadded = (p: Window): Window => ({
  ...p,
  prePadding: p.kernel.map(() => 0),
  postPadding: p.kernel.map(() => 0),
});

function deconvolve(self: TensorSource, method: string, axes: number, given: DeconvolutionOptions): Tensor {
  const options = given ?? {};
  const { groups = 1 } = options;
  const x = self.tensor();
  const shape = givenShape(options.weight);
  const windows = kernelWindow(shape, options, axes);
  const padding = resolvePadding(options, axes);
  const extra = perAxis(options.outputPadding, axes, 0);
  checkOutputPadding(extra, { ...windows, ...padding }, axes, method);
  const { input, postPadding } = withOutputPadding(x, extra, windows.stride, padding.postPadding, method);
  return recordKernel(deconvolution, input, method, options, {
    ...windows,
    outChannels: ((shape[1] ?? 1) as number) * groups,
    groups,
    ...padding,
    postPadding,
  });
}

function checkOutputPadding(extra: readonly number[], p: Window, axes: number, method: string): void {
  const most = extra.map((_, i) => Math.max(p.stride[i] ?? 1, p.dilation[i] ?? 1) - 1);
  const fits =
    extra.length === axes && extra.every((v, i) => v === 0 || (Number.isSafeInteger(v) && v > 0 && v <= most[i]!));
  const same = p.paddingMode.startsWith('same') && extra.some((v) => v !== 0);
  if (fits && !same) return;
  const expected = same ? `0 with paddingMode ${p.paddingMode}` : 'whole numbers less than the stride or the dilation';
  const given = extra.length === axes ? shownList(extra) : `[${extra.join(', ')}]`;
  refuse(method, 'ERR_PARAMETER', `expected ${expected}, given ${given}`, { option: 'outputPadding', actual: extra });
}

/**
 * Takes output padding from the padding after each axis. Where there is less, zeros are added to the input, each of which
 * makes the result longer by one stride, and the padding cuts off what is too much.
 */
function withOutputPadding(
  x: Tensor,
  extra: readonly number[],
  stride: readonly number[],
  padding: readonly number[],
  method: string,
): { input: Tensor; postPadding: number[] } {
  // The kind refuses what does not fit.
  const fits = x.rank === padding.length + 2 && !x.shape.slice(2).includes(0) && padding.every((post) => post >= 0);
  if (!fits || extra.every((more) => more === 0)) return { input: x, postPadding: [...padding] };
  const rest = padding.map((post, i) => post - extra[i]!);
  const zeros = rest.map((v, i) => (v < 0 ? Math.ceil(-v / stride[i]!) : 0));
  if (zeros.every((count) => count === 0)) return { input: x, postPadding: rest };
  const input = recordSlice(x, {
    method,
    axes: zeros.map((_, i) => i + 2),
    start: zeros.map(() => 0),
    size: zeros.map((count, i) => x.dim(i + 2).add(count)),
    mode: 'fill',
  });
  return { input, postPadding: rest.map((v, i) => v + zeros[i]! * stride[i]!) };
}

const methods = {
  /**
   * 1-D transposed convolution of a [batch, channels, length] tensor with a kernel [inChannels, outChannels / groups,
   * length]; see `convTranspose2d`. TensorRT kinds: unsqueeze, deconvolution, squeeze.
   */
  convTranspose1d(this: TensorSource, options: DeconvolutionOptions): Tensor {
    const method = 'convTranspose1d';
    return kernelOverOneAxis(this, method, options, (x, wide) => deconvolve(x, method, 2, wide));
  },
  /**
   * 2-D transposed convolution of a [batch, channels, height, width] tensor (float32, float16, bfloat16).
   * TensorRT kind: deconvolution.
   * @throws ERR_SHAPE where channels or groups do not fit; ERR_DTYPE where weight and input differ; ERR_PARAMETER
   */
  convTranspose2d(this: TensorSource, options: DeconvolutionOptions): Tensor {
    return deconvolve(this, 'convTranspose2d', 2, options);
  },
  /** 3-D transposed convolution of a [batch, channels, depth, height, width] tensor; see `convTranspose2d`. TensorRT kind: deconvolution. */
  convTranspose3d(this: TensorSource, options: DeconvolutionOptions): Tensor {
    return deconvolve(this, 'convTranspose3d', 3, options);
  },
};

export { methods as deconvolutionMethods };
export type DeconvolutionMethods = typeof methods;
