import { type Network, network, type Tensor, type Weights } from 'node-tensorrt';
import type { Port, Precision } from '../../run.js';
import { alongPixels, attention, type BlockConfig, conv3, resnet, upsample } from '../blocks.js';

export interface VaeConfig extends BlockConfig {
  /** Height and width of the latents, and their channels. */
  size: number;
  channels: number;
}

/** The decoder of diffusers' AutoencoderKL, as Stable Diffusion has it: from latents to an image. */
export function vaeDecoder(weights: Weights, config: VaeConfig, dtype: Precision): Network {
  const w = weights.as(dtype);
  const decoder = w.scope('decoder');
  const { size, channels, groups, eps } = config;
  const net = network('vae', { latents: { dtype, shape: ['batch', channels, size, size] } });
  const block = (x: Tensor, name: string) => resnet(x, decoder.scope(name), config);

  let x = conv3(net.conv2d(w.layer('post_quant_conv')), decoder, 'conv_in');
  x = block(x, 'mid_block.resnets.0');
  const attends = decoder.scope('mid_block.attentions.0');
  const normed = x.groupNorm({ ...attends.layer('group_norm'), groups, eps });
  x = x.add(alongPixels(normed, (sequence) => attention(sequence, attends, 1)));
  x = block(x, 'mid_block.resnets.1');
  for (let n = 0; decoder.has(`up_blocks.${n}.resnets.0.conv1.weight`); n++) {
    for (let i = 0; decoder.has(`up_blocks.${n}.resnets.${i}.conv1.weight`); i++)
      x = block(x, `up_blocks.${n}.resnets.${i}`);
    const doubled = `up_blocks.${n}.upsamplers.0.conv`;
    if (decoder.has(`${doubled}.weight`)) x = upsample(x, decoder, doubled);
  }
  const out = x.groupNorm({ ...decoder.layer('conv_norm_out'), groups, eps }).silu();
  conv3(out, decoder, 'conv_out').output('image');
  return net;
}

export const port: Port<VaeConfig> = {
  name: 'diffusion/vae',
  build: vaeDecoder,
  unused: ['encoder', 'quant_conv'],
  profiles: [{ batch: [1, 2, 4] }],
};
