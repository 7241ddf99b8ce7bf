import type { DeconvolutionOptions } from '../../src/layers/kinds/deconvolution.js';
import type { LayerCase } from './harness.js';

const options: Record<string, Partial<DeconvolutionOptions>> = {
  plain: {},
  bias: {},
  stride: { stride: [2, 3] },
  padding: { padding: [2, 1] },
  output_padding: { stride: 2, padding: 1, outputPadding: [1, 0] },
  output_padding_beyond: { stride: [3, 2], outputPadding: [2, 1] },
  output_padding_mixed: { stride: 2, padding: [1, 0], outputPadding: 1 },
  output_padding_dilated: { groups: 2, dilation: [3, 2], outputPadding: [2, 1] },
  output_padding_f16: { stride: 2, outputPadding: 1 },
  output_padding_bf16: { stride: 2, outputPadding: 1 },
  dilation: { dilation: [3, 2] },
  stride_dilation: { stride: 2, dilation: 2 },
  groups: { groups: 2 },
  depthwise: { groups: 4, stride: 2 },
  asymmetric: { stride: 2, prePadding: [1, 0], postPadding: [0, 2], paddingMode: 'explicit_round_up' },
  same_upper: { stride: 2, paddingMode: 'same_upper' },
  same_lower: { stride: 2, paddingMode: 'same_lower' },
  same_upper_wide: { stride: [3, 1], paddingMode: 'same_upper' },
  one_by_one: {},
  float16: {},
  float16_plain: {},
  bfloat16: {},
  bfloat16_plain: {},
  deconv3d: { stride: [1, 2, 1], padding: [1, 0, 1] },
  deconv3d_groups: { groups: 2, stride: 2 },
  deconv3d_output_padding: { stride: [1, 2, 2], padding: [0, 1, 0], outputPadding: [0, 1, 1] },
  deconv1d: { stride: 2, padding: 1, outputPadding: 1 },
  deconv1d_output_padding: { stride: 4, outputPadding: 3 },
  deconv1d_groups: { groups: 2, dilation: 2 },
  deconv1d_f16: {},
  size1: {},
  empty: {},
};

const refused: Record<string, LayerCase['refused']> = {
  stride_dilation: { build: /Strided & Dilated Deconv are currently not supported/ },
};

export const cases: LayerCase[] = Object.entries(options).map(([name, given]) => ({
  name,
  build: ({ x }, { weight, bias }) => {
    const all = { weight: weight!, bias, ...given };
    if (name.startsWith('deconv1d')) return x!.convTranspose1d(all);
    return name.startsWith('deconv3d') ? x!.convTranspose3d(all) : x!.convTranspose2d(all);
  },
  ...(['bias', 'stride', 'output_padding', 'output_padding_beyond', 'output_padding_mixed', 'same_upper'].includes(
    name,
  ) && {
    dynamic: { x: ['batch', 4, 'height', 'width'] },
  }),
  ...(name === 'deconv3d' && { dynamic: { x: ['batch', 2, 'depth', 4, 2] } }),
  ...(['deconv1d', 'deconv1d_output_padding'].includes(name) && { dynamic: { x: ['batch', 4, 'length'] } }),
  refused: refused[name],
}));
