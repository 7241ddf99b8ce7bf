import { bfloat16, float16, float32, int8 } from '../../../src/index.js';
import { type PlanCases, ramp } from '../case.js';

export const cases: PlanCases = {
  convolution(net) {
    net
      .input('x', float32(1, 4, 9, 10))
      .conv2d({
        weight: ramp([6, 2, 3, 2]),
        bias: ramp([6], 1),
        stride: [2, 1],
        dilation: [1, 2],
        groups: 2,
        prePadding: [1, 2],
        postPadding: [0, 3],
      })
      .output('y');
  },

  convolution_padding(net) {
    const x = net.input('x', float32(1, 2, 8, 9));
    const weight = ramp([3, 2, 3, 2]);
    for (const paddingMode of ['explicit_round_down', 'explicit_round_up'] as const)
      x.conv2d({ weight, stride: 2, prePadding: [1, 0], postPadding: [0, 1], paddingMode }).output(paddingMode);
    for (const paddingMode of ['same_upper', 'same_lower'] as const)
      x.conv2d({ weight, stride: 2, paddingMode }).output(paddingMode);
    x.conv2d({ weight, padding: 'same', dilation: [1, 3] }).output('same');
  },

  convolution_1d(net) {
    const x = net.input('x', float32(1, 2, 8));
    x.conv1d({ weight: ramp([3, 2, 4]), bias: ramp([3]), padding: 2, stride: 3 }).output('y');
  },

  convolution_3d(net) {
    const x = net.input('x', float32(1, 2, 5, 6, 7));
    x.conv3d({ weight: ramp([2, 2, 1, 2, 3]), stride: [1, 2, 1], padding: [0, 1, 2] }).output('y');
  },

  convolution_tensors(net) {
    const x = net.input('x', float16(1, 2, 5, 5));
    const weight = net.input('weight', float16(3, 2, 3, 3));
    const bias = net.input('bias', float16(3));
    x.conv2d({ weight, bias }).output('y');
  },

  deconvolution(net) {
    net
      .input('x', float32(1, 4, 3, 4))
      .convTranspose2d({
        weight: ramp([4, 3, 3, 2]),
        bias: ramp([6], 1),
        stride: [2, 3],
        groups: 2,
        padding: [1, 2],
        outputPadding: [0, 1],
      })
      .output('y');
  },

  /** TensorRT-RTX has no kernel with stride and dilation. */
  deconvolution_dilation(net) {
    const x = net.input('x', float32(1, 2, 3, 4));
    x.convTranspose2d({ weight: ramp([2, 3, 3, 2]), dilation: [2, 1] }).output('y');
  },

  deconvolution_padding(net) {
    const x = net.input('x', float32(1, 2, 4, 5));
    const weight = ramp([2, 3, 3, 3]);
    for (const paddingMode of ['explicit_round_down', 'explicit_round_up'] as const)
      x.convTranspose2d({ weight, stride: 2, prePadding: [1, 0], postPadding: [0, 1], paddingMode }).output(
        paddingMode,
      );
    for (const paddingMode of ['same_upper', 'same_lower'] as const)
      x.convTranspose2d({ weight, stride: 2, paddingMode }).output(paddingMode);
  },

  deconvolution_3d(net) {
    const x = net.input('x', float16(1, 2, 3, 3, 3));
    x.convTranspose3d({ weight: ramp([2, 1, 2, 2, 2], 0, 'float16') }).output('y');
  },

  deconvolution_tensors(net) {
    const x = net.input('x', float32(1, 2, 3, 3));
    const weight = net.input('weight', float32(2, 3, 2, 2));
    x.convTranspose2d({ weight }).output('y');
  },

  /** TensorRT has no kernel for it: it is computed in float32. */
  deconvolution_bfloat16(net) {
    const x = net.input('x', bfloat16(1, 2, 3, 3));
    x.convTranspose2d({ weight: ramp([2, 1, 2, 2], 0, 'bfloat16'), bias: ramp([1], 3, 'bfloat16') }).output('y');
  },

  pooling(net) {
    const x = net.input('x', float32(1, 2, 7, 8));
    x.maxPool2d({ kernel: [3, 2], stride: [2, 1], prePadding: [1, 0], postPadding: [0, 1] }).output('max');
    x.avgPool2d({ kernel: [2, 3], stride: [1, 2], padding: [1, 0] }).output('average');
    x.avgPool2d({ kernel: 3, stride: 2, padding: 1, countIncludePad: false }).output('valid');
    x.pool({ type: 'maxAverageBlend', kernel: 2, stride: 2, blendFactor: 0.25 }).output('blend');
  },

  pooling_padding(net) {
    const x = net.input('x', float32(1, 2, 7, 8));
    for (const paddingMode of ['same_upper', 'same_lower'] as const)
      x.maxPool2d({ kernel: 3, stride: 2, paddingMode }).output(paddingMode);
    x.maxPool2d({ kernel: 3, stride: 2, ceilMode: true }).output('ceil');
    x.avgPool2d({ kernel: 3, stride: 2, padding: 1, ceilMode: true, countIncludePad: false }).output('ceilValid');
    x.avgPool2d({ kernel: 3, stride: 2, ceilMode: true }).output('ceilNone');
  },

  /** PyTorch counts the requested padding, but not what rounding up adds; TensorRT's average cannot tell them apart. */
  pooling_ceil_average(net) {
    const x = net.input('x', float32(1, 2, 7, 8));
    x.avgPool2d({ kernel: 3, stride: 2, padding: [1, 0], ceilMode: true }).output('average');
    x.avgPool2d({ kernel: 3, stride: 2, prePadding: [1, 0], postPadding: [0, 1], ceilMode: true }).output('uneven');
    x.pool({ type: 'maxAverageBlend', kernel: 3, stride: 2, padding: 1, ceilMode: true, blendFactor: 0.25 }).output(
      'blend',
    );
  },

  /** PyTorch drops a last window that would start in the padding; TensorRT's rounding up keeps it. */
  pooling_ceil_drop(net) {
    const x = net.input('x', float32(1, 2, 7, 7));
    x.maxPool2d({ kernel: 2, padding: 1, ceilMode: true }).output('max');
    x.avgPool2d({ kernel: 2, padding: 1, ceilMode: true }).output('average');
    // Along the width the last window reaches two elements beyond the padding, which no average counts.
    x.avgPool2d({ kernel: [2, 5], stride: [2, 4], padding: [1, 2], ceilMode: true }).output('mixed');
  },

  pooling_3d(net) {
    const x = net.input('x', float32(1, 1, 4, 5, 6));
    x.maxPool3d({ kernel: [1, 2, 3] }).output('max');
    net
      .input('z', float32(1, 2, 9))
      .avgPool1d({ kernel: 3, padding: 1 })
      .output('average');
  },

  padding(net) {
    const x = net.input('x', float32(1, 2, 4, 5));
    x.pad({ padding: [1, 2, 3, 0] }).output('zeros');
    x.pad({ padding: [-1, 0, 0, -2] }).output('cut');
    net
      .input('i', int8(1, 1, 2, 2))
      .pad({ padding: [1, 1, 0, 0] })
      .output('int8');
  },
};
