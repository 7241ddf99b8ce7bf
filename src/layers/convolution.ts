import { z } from 'zod';
import { defineLayer } from '../dsl/define-layer.js';
import { type Dim, formatShape, isStatic } from '../dsl/dim.js';
import type { TypedArray } from '../dsl/dtype.js';
import { type Chain, Tensor } from '../dsl/tensor.js';
import { isWeightLike, type WeightLike } from '../dsl/weight.js';
import {
  floats,
  type Named,
  type PaddingOptions,
  type PerAxis,
  paddingParams,
  perAxis,
  positive,
  requireDType,
  requirePerAxis,
  requireRank,
  resolvePadding,
  wholeNumbers,
  window,
  windowSize,
} from './common.js';

export interface ConvolutionOptions extends PaddingOptions, Named {
  /** Kernel of shape [outChannels, inChannels / groups, ...kernel]: known weights, or a tensor. */
  weight: WeightLike | Tensor;
  /** [outChannels] */
  bias?: WeightLike | TypedArray | Tensor;
  /** Default 1. */
  stride?: PerAxis;
  /** Default 1. */
  dilation?: PerAxis;
  /** Default 1. */
  groups?: number;
}

export const convolution = defineLayer({
  kind: 'convolution',
  params: z.strictObject({
    kernel: wholeNumbers(1, 0, 3),
    outChannels: positive,
    stride: window,
    dilation: window,
    groups: positive,
    ...paddingParams,
  }),
  infer({ input, inputs, weights, params: p, fail }) {
    const { dtype, shape } = input(0);
    const axes = p.stride.length;
    requireDType(dtype, floats, fail);
    requireRank(shape, axes + 2, axes + 2, fail);
    const kernel = weights.kernel ?? inputs[1] ?? fail('ERR_INPUT', 'weight is missing');
    requireRank(kernel.shape, axes + 2, axes + 2, fail, 'weight');
    requirePerAxis(
      { kernel: p.kernel, dilation: p.dilation, prePadding: p.prePadding, postPadding: p.postPadding },
      axes,
      fail,
    );
    const bias = weights.bias ?? inputs[2];
    const [batch, channels] = shape as readonly [Dim, Dim];
    if (p.outChannels % p.groups !== 0) {
      fail('ERR_SHAPE', `groups: expected a divisor of the ${p.outChannels} output channels, given ${p.groups}`);
    }
    const expected = kernel.shape[1];
    if (isStatic(channels) && isStatic(expected!) && channels !== expected * p.groups) {
      fail(
        'ERR_SHAPE',
        `the weight ${formatShape(kernel.shape)} with groups ${p.groups} takes ${expected * p.groups} input channels, the input ${formatShape(shape)} has ${channels}`,
        { expected: expected * p.groups, actual: channels },
      );
    }
    for (const [what, type] of [
      ['weight', kernel],
      ['bias', bias],
    ] as const) {
      if (type && type.dtype !== dtype) {
        fail('ERR_DTYPE', `${what}: expected the input's dtype ${dtype}, given ${type.dtype}`, {
          expected: dtype,
          actual: type.dtype,
        });
      }
    }
    if (bias && (bias.shape.length !== 1 || bias.shape[0] !== p.outChannels)) {
      fail('ERR_SHAPE', `bias: expected [${p.outChannels}], given ${formatShape(bias.shape)}`, {
        expected: [p.outChannels],
        actual: bias.shape,
      });
    }
    const spatial = p.kernel.map((k, i) => windowSize(shape[i + 2]!, i, p.dilation[i]! * (k - 1) + 1, p, fail));
    return { dtype, shape: [batch, p.outChannels, ...spatial] };
  },
  cpu(g, { input, inputs, weights, params: p }) {
    const explicit = p.paddingMode.startsWith('explicit');
    // Rounding up is rounding down after stride − 1 further zeros.
    const extra = p.stride.map((s) => (p.paddingMode === 'explicit_round_up' ? s - 1 : 0));
    return g.op('Conv', [input(0), weights.kernel ?? inputs[1]!, weights.bias ?? inputs[2] ?? null], {
      kernel_shape: p.kernel,
      strides: p.stride,
      dilations: p.dilation,
      group: p.groups,
      ...(explicit
        ? { pads: [...p.prePadding, ...p.postPadding.map((pad, i) => pad + extra[i]!)] }
        : { auto_pad: p.paddingMode.toUpperCase() }),
    });
  },
});

function convolve(self: Chain, method: string, axes: number, options: ConvolutionOptions): Tensor {
  const { weight, bias } = options;
  const { network } = self.tensor();
  const shape = weight instanceof Tensor || isWeightLike(weight) ? weight.shape : [];
  const known = weight instanceof Tensor ? {} : { kernel: weight };
  return network.record(convolution, {
    method,
    name: options.name,
    inputs: [self.tensor(), weight instanceof Tensor ? weight : null, bias instanceof Tensor ? bias : null],
    weights: { ...known, ...(bias instanceof Tensor ? {} : { bias }) },
    params: {
      kernel: shape.slice(2) as number[],
      outChannels: (shape[0] ?? 1) as number,
      stride: perAxis(options.stride, axes, 1),
      dilation: perAxis(options.dilation, axes, 1),
      groups: options.groups ?? 1,
      ...resolvePadding(options, axes),
    },
  })[0]!;
}

const methods = {
  /**
   * 2-D convolution of a [batch, channels, height, width] tensor (float32, float16, bfloat16). TensorRT kind: convolution.
   * @throws ERR_SHAPE where channels, groups or the window do not fit; ERR_DTYPE where weight and input differ
   */
  conv2d(this: Chain, options: ConvolutionOptions): Tensor {
    return convolve(this, 'conv2d', 2, options);
  },
  /** 3-D convolution of a [batch, channels, depth, height, width] tensor; see `conv2d`. TensorRT kind: convolution. */
  conv3d(this: Chain, options: ConvolutionOptions): Tensor {
    return convolve(this, 'conv3d', 3, options);
  },
};

export { methods as convolutionMethods };
export type ConvolutionMethods = typeof methods;
