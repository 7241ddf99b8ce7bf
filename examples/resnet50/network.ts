import { foldBatchNorm, type LayerWeights, type Network, network, type Tensor, type Weights } from 'node-tensorrt';
import type { Port, Precision } from '../run.js';

export interface ResNetConfig {
  /** Bottleneck blocks of each stage. */
  blocks: readonly number[];
  /** Height and width of the images. */
  size: number;
}

/** ResNet of bottleneck blocks (He et al. 2015), stride in the 3x3 convolution, by the names of torchvision and timm. */
export function resnet(w: Weights, { blocks, size }: ResNetConfig, dtype: Precision): Network {
  const net = network('resnet50', { image: { dtype, shape: ['batch', 3, size, size] } });

  const as = ({ weight, bias }: LayerWeights) => ({ weight: weight.as(dtype), bias: bias?.as(dtype) });
  const conv = (x: Tensor, name: string, norm: string, stride = 1) => {
    const folded = foldBatchNorm(w.layer(name), w.layer(norm));
    return x.conv2d({ ...as(folded), stride, padding: (folded.weight.shape[2]! - 1) / 2 });
  };
  const bottleneck = (x: Tensor, name: string, stride: number) => {
    const a = conv(x, `${name}.conv1`, `${name}.bn1`).relu();
    const b = conv(a, `${name}.conv2`, `${name}.bn2`, stride).relu();
    const c = conv(b, `${name}.conv3`, `${name}.bn3`);
    const projected = w.has(`${name}.downsample.0.weight`);
    return c.add(projected ? conv(x, `${name}.downsample.0`, `${name}.downsample.1`, stride) : x).relu();
  };

  let x = conv(net.tensor(), 'conv1', 'bn1', 2).relu().maxPool({ kernel: 3, stride: 2, padding: 1 });
  for (const [stage, count] of blocks.entries()) {
    for (let i = 0; i < count; i++) x = bottleneck(x, `layer${stage + 1}.${i}`, stage > 0 && i === 0 ? 2 : 1);
  }
  x.mean({ axes: [2, 3] })
    .linear(as(w.layer('fc')))
    .output('logits');
  return net;
}

export const port: Port<ResNetConfig> = { name: 'resnet50', build: resnet, profiles: [{ batch: [1, 2, 8] }] };
