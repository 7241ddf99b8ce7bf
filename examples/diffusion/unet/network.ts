import { float32, type Network, network, type Tensor, type Weights } from 'node-tensorrt';
import type { Port, Precision } from '../../run.js';
import { alongPixels, attention, type BlockConfig, conv3, resnet, upsample } from '../blocks.js';

export interface UnetConfig extends BlockConfig {
  /** Height and width of the latents, and their channels. */
  size: number;
  channels: number;
  heads: number;
  /** Features of a token of the text. */
  features: number;
}

/** Transformer2DModel: pixels attend to each other, then to the text. */
function transformer(x: Tensor, text: Tensor, w: Weights, { groups, heads }: UnetConfig): Tensor {
  const work = (sequence: Tensor) => {
    let y = sequence;
    for (let i = 0; w.has(`transformer_blocks.${i}.norm1.weight`); i++) {
      const block = w.scope(`transformer_blocks.${i}`);
      const norm = (n: number) => y.layerNorm(block.layer(`norm${n}`));
      y = y.add(attention(norm(1), block.scope('attn1'), heads));
      y = y.add(attention(norm(2), block.scope('attn2'), heads, text));
      const [wide, gate] = norm(3).linear(block.layer('ff.net.0.proj')).chunk(2, { axis: -1 });
      y = y.add(wide!.mul(gate!.gelu()).linear(block.layer('ff.net.2')));
    }
    return y;
  };
  const normed = x.groupNorm({ ...w.layer('norm'), groups, eps: 1e-6 }).conv2d(w.layer('proj_in'));
  return alongPixels(normed, work).conv2d(w.layer('proj_out')).add(x);
}

/** UNet2DConditionModel of diffusers, as Stable Diffusion 1 has it: the noise in latents at a timestep, given a text. */
export function unet(weights: Weights, config: UnetConfig, dtype: Precision): Network {
  const w = weights.as(dtype);
  const { size, channels, features, groups, eps } = config;
  const net = network('unet');
  const latents = net.input('latents', { dtype, shape: ['batch', channels, size, size] });
  const timestep = net.input('timestep', float32('batch'));
  const text = net.input('text', { dtype, shape: ['batch', 'tokens', features] });

  const half = w.get('conv_in.weight').shape[0]! / 2;
  const frequencies = net.constant(Float32Array.from({ length: half }, (_, i) => 10_000 ** (-i / half)));
  const angles = timestep.unsqueeze(1).mul(frequencies);
  const waves = angles.cos().concat(angles.sin(), { axis: 1 }).cast(dtype);
  const time = waves.linear(w.layer('time_embedding.linear_1')).silu().linear(w.layer('time_embedding.linear_2'));

  /** A resnet and what attends after it, if anything does. */
  const layer = (x: Tensor, block: string, i: number) => {
    const y = resnet(x, w.scope(`${block}.resnets.${i}`), config, time);
    const attends = w.has(`${block}.attentions.${i}.norm.weight`);
    return attends ? transformer(y, text, w.scope(`${block}.attentions.${i}`), config) : y;
  };
  const has = (block: string, i = 0) => w.has(`${block}.resnets.${i}.conv1.weight`);
  const skipped = [conv3(latents, w, 'conv_in')];
  for (let n = 0; has(`down_blocks.${n}`); n++) {
    const block = `down_blocks.${n}`;
    for (let i = 0; has(block, i); i++) skipped.push(layer(skipped.at(-1)!, block, i));
    const halved = `${block}.downsamplers.0.conv`;
    if (w.has(`${halved}.weight`)) skipped.push(conv3(skipped.at(-1)!, w, halved, 2));
  }
  let x = resnet(layer(skipped.at(-1)!, 'mid_block', 0), w.scope('mid_block.resnets.1'), config, time);
  for (let n = 0; has(`up_blocks.${n}`); n++) {
    const block = `up_blocks.${n}`;
    for (let i = 0; has(block, i); i++) x = layer(x.concat(skipped.pop()!, { axis: 1 }), block, i);
    const doubled = `${block}.upsamplers.0.conv`;
    if (w.has(`${doubled}.weight`)) x = upsample(x, w, doubled);
  }
  conv3(x.groupNorm({ ...w.layer('conv_norm_out'), groups, eps }).silu(), w, 'conv_out').output('noise');
  return net;
}

export const port: Port<UnetConfig> = {
  name: 'diffusion/unet',
  build: unet,
  profiles: [{ batch: [1, 2, 4], tokens: [1, 5, 77] }],
};
