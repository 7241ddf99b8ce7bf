import type { ConvolutionOptions } from '../../src/layers/kinds/convolution.js';
import type { LayerCase } from './harness.js';

const options: Record<string, Partial<ConvolutionOptions>> = {
  plain: {},
  bias: {},
  stride: { stride: [2, 3] },
  padding: { padding: [2, 1] },
  dilation: { dilation: [3, 2] },
  groups: { groups: 2 },
  depthwise: { groups: 4 },
  asymmetric: { prePadding: [1, 0], postPadding: [0, 2] },
  round_up: { stride: 2, paddingMode: 'explicit_round_up' },
  same_upper: { stride: 2, paddingMode: 'same_upper' },
  same_lower: { stride: 2, paddingMode: 'same_lower' },
  same_upper_dilated: { stride: 2, dilation: 2, paddingMode: 'same_upper' },
  same_upper_dilated_f16: { stride: 2, dilation: 2, paddingMode: 'same_upper' },
  same_lower_dilated: { stride: 2, dilation: 2, paddingMode: 'same_lower' },
  same_lower_gap: { stride: 2, paddingMode: 'same_lower' },
  same: { padding: 'same' },
  same_even: { padding: 'same', dilation: [1, 3] },
  valid: { padding: 'valid', stride: 2 },
  one_by_one: {},
  empty: {},
  float16: {},
  bfloat16: {},
};

const lines: Record<string, Partial<ConvolutionOptions>> = {
  conv1d: { stride: 2, padding: [1], dilation: 2 },
  conv1d_groups: { groups: 4 },
  conv1d_same: { padding: 'same' },
  conv1d_same_upper: { stride: 2, dilation: 2, paddingMode: 'same_upper' },
  conv1d_float16: {},
  conv1d_one: {},
};

export const cases: LayerCase[] = [
  ...(Object.entries(options).map(([name, given]) => ({
    name,
    build: ({ x }, { weight, bias }) => x!.conv2d({ weight: weight!, bias, ...given }),
    ...((name.startsWith('same_') || ['bias', 'stride', 'round_up', 'same'].includes(name)) && {
      dynamic: { x: ['batch', 4, 'height', 'width'] },
    }),
  })) satisfies LayerCase[]),
  ...Object.entries(lines).map(
    ([name, given]): LayerCase => ({
      name,
      build: ({ x }, { weight, bias }) => x!.conv1d({ weight: weight!, bias, ...given }),
      ...(['conv1d', 'conv1d_same', 'conv1d_same_upper'].includes(name) && { dynamic: { x: ['batch', 4, 'length'] } }),
    }),
  ),
  {
    name: 'conv1d_tensor',
    build: ({ x, weight, bias }) => x!.conv1d({ weight: weight!, bias }),
    dynamic: { x: ['batch', 4, 'length'] },
  },
  {
    name: 'conv3d',
    build: ({ x }, { weight, bias }) => x!.conv3d({ weight: weight!, bias, stride: [1, 2, 1], padding: [1, 0, 1] }),
    dynamic: { x: ['batch', 2, 'depth', 6, 4] },
  },
];
