import type { Tensor, Weights } from 'node-tensorrt';

export interface BlockConfig {
  /** Of the group norms. */
  groups: number;
  eps: number;
}

/** Height and width stay. */
export const conv3 = (x: Tensor, w: Weights, name: string, stride = 1): Tensor =>
  x.conv2d({ ...w.layer(name), padding: 1, stride });

/** ResnetBlock2D of diffusers. `time` is the embedding of the timestep, [batch, features], where the block has one. */
export function resnet(x: Tensor, w: Weights, { groups, eps }: BlockConfig, time?: Tensor): Tensor {
  const half = (y: Tensor, i: number) =>
    conv3(y.groupNorm({ ...w.layer(`norm${i}`), groups, eps }).silu(), w, `conv${i}`);
  let y = half(x, 1);
  if (time) y = y.add(time.silu().linear(w.layer('time_emb_proj')).unsqueeze([2, 3]));
  return half(y, 2).add(w.has('conv_shortcut.weight') ? x.conv2d(w.layer('conv_shortcut')) : x);
}

/** Attention of diffusers: from [batch, queries, features] to another sequence, or to itself. */
export function attention(x: Tensor, w: Weights, heads: number, to: Tensor = x): Tensor {
  const split = (y: Tensor, part: string) =>
    y
      .linear(w.layer(`to_${part}`))
      .reshape([0, 0, heads, -1])
      .transpose([0, 2, 1, 3]);
  const mixed = split(x, 'q').attention(split(to, 'k'), split(to, 'v'));
  return mixed.transpose([0, 2, 1, 3]).reshape([0, 0, -1]).linear(w.layer('to_out.0'));
}

/** The pixels of [batch, channels, height, width] as a sequence, worked on and put back. */
export function alongPixels(x: Tensor, work: (sequence: Tensor) => Tensor): Tensor {
  const [, channels, height, width] = x.shape;
  const sequence = work(x.flatten({ startDim: 2 }).transpose([0, 2, 1]));
  return sequence.transpose([0, 2, 1]).reshape([0, channels!, height!, width!]);
}

/** Twice the size, each pixel four times. */
export const upsample = (x: Tensor, w: Weights, name: string): Tensor =>
  conv3(x.interpolate({ scaleFactor: 2, mode: 'nearest' }), w, name);
