import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import { isStatic } from '../../values/dim.js';
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
import type { PerAxis } from '../shared/parameters.js';
import { samePadding } from '../shared/same-padding.js';
import { shownList, shownShape } from '../shared/spatial-text.js';
import { type PaddingOptions, resolvePadding, windowSize } from '../shared/window.js';

/** Options of `conv1d`, `conv2d` and `conv3d`. */
export interface ConvolutionOptions extends Omit<KernelOptions, 'padding'> {
  /**
   * Zeros added on both sides of each spatial axis. PyTorch's `same`: as many as keep its size, for a stride of 1, the odd
   * one behind; `valid`: none. Default 0.
   */
  padding?: PerAxis | 'same' | 'valid' | undefined;
  /** Kernel of shape [outChannels, inChannels / groups, ...kernel]: known weights, or a tensor. */
  weight: WeightLike | Tensor;
}

export const convolution = defineLayer({
  kind: 'convolution',
  params: z.strictObject(kernelParams),
  infer(context) {
    const { input, params: p, fail } = context;
    const kernel = kernelShape(context);
    const { shape } = input(0);
    const channels = shape[1]!;
    if (p.outChannels % p.groups !== 0) {
      fail('ERR_SHAPE', `expected a divisor of the ${p.outChannels} output channels, given ${p.groups}`, {
        option: 'groups',
      });
    }
    const expected = kernel[1]!;
    if (isStatic(channels) && isStatic(expected) && channels !== expected * p.groups) {
      fail(
        'ERR_SHAPE',
        `the weight ${shownShape(kernel)} with groups ${p.groups} takes ${expected * p.groups} input channels, the input ${shownShape(shape)} has ${channels}`,
        { involved: ['weight'], expected: expected * p.groups, actual: channels },
      );
    }
    return kernelOutput(context, (i) => windowSize(shape[i + 2]!, i, p.dilation[i]! * (p.kernel[i]! - 1) + 1, p, fail));
  },
  cpu(g, { input, inputs, weights, params: p, inputTypes }) {
    // Rounding up equals rounding down with stride − 1 more zeros.
    const extra = p.stride.map((s) => (p.paddingMode === 'explicit_round_up' ? s - 1 : 0));
    const { attributes, pads } = p.paddingMode.startsWith('explicit')
      ? { attributes: { pads: [...p.prePadding, ...p.postPadding.map((pad, i) => pad + extra[i]!)] } }
      : samePadding(g, input(0), inputTypes[0]!.shape, p);
    const x = pads ? g.op('Pad', [input(0), pads]) : input(0);
    return g.op('Conv', [x, weights.kernel ?? inputs[1]!, weights.bias ?? inputs[2] ?? null], {
      kernel_shape: p.kernel,
      strides: p.stride,
      dilations: p.dilation,
      group: p.groups,
      ...attributes,
    });
  },
});

/** Converts named padding to numbers. */
function namedPadding(
  options: ConvolutionOptions,
  { kernel, stride, dilation }: ReturnType<typeof kernelWindow>,
  method: string,
): PaddingOptions {
  const { padding } = options;
  if (typeof padding !== 'string') return options as PaddingOptions;
  if (padding === 'valid') return { ...options, padding: 0 };
  if (padding !== 'same') {
    refuse(method, 'ERR_PARAMETER', `expected numbers, same or valid, given ${String(padding)}`, { option: 'padding' });
  }
  if (stride.some((s) => s !== 1)) {
    const remedy = "with a stride, paddingMode: 'same_upper' keeps ⌈size / stride⌉ elements";
    refuse(method, 'ERR_PARAMETER', `same: expected stride 1, given ${shownList(stride)}; ${remedy}`, {
      option: 'padding',
      actual: stride,
    });
  }
  const total = kernel.map((k, i) => dilation[i]! * (k - 1));
  const prePadding = total.map((t) => Math.floor(t / 2));
  return { paddingMode: options.paddingMode, prePadding, postPadding: total.map((t, i) => t - prePadding[i]!) };
}

function convolve(self: TensorSource, method: string, axes: number, options: ConvolutionOptions): Tensor {
  const x = self.tensor();
  const shape = givenShape(options.weight);
  const window = kernelWindow(shape, options, axes);
  // Fields are listed, because V8 spreads objects slowly and networks have many convolutions.
  const { kernel, stride, dilation } = window;
  const { prePadding, postPadding, paddingMode } = resolvePadding(namedPadding(options, window, method), axes);
  const { groups = 1 } = options;
  const outChannels = (shape[0] ?? 1) as number;
  const params = { kernel, outChannels, stride, dilation, groups, prePadding, postPadding, paddingMode };
  return recordKernel(convolution, x, method, options, params);
}

const methods = {
  /**
   * 1-D convolution of a [batch, channels, length] tensor with a kernel [outChannels, inChannels / groups, length]; see
   * `conv2d`. TensorRT kinds: unsqueeze, convolution, squeeze.
   */
  conv1d(this: TensorSource, options: ConvolutionOptions): Tensor {
    const method = 'conv1d';
    return kernelOverOneAxis(this, method, options, (x, wide) => convolve(x, method, 2, wide));
  },
  /**
   * 2-D convolution of a [batch, channels, height, width] tensor (float32, float16, bfloat16). TensorRT kind: convolution.
   * @throws ERR_SHAPE where channels, groups or the window do not fit; ERR_DTYPE where weight and input differ
   */
  conv2d(this: TensorSource, options: ConvolutionOptions): Tensor {
    return convolve(this, 'conv2d', 2, options);
  },
  /** 3-D convolution of a [batch, channels, depth, height, width] tensor; see `conv2d`. TensorRT kind: convolution. */
  conv3d(this: TensorSource, options: ConvolutionOptions): Tensor {
    return convolve(this, 'conv3d', 3, options);
  },
};

export { methods as convolutionMethods };
export type ConvolutionMethods = typeof methods;
