import type { Network, Tensor } from '../src/index.js';

export type Chain = 'mixed' | 'relu';
export type Package = typeof import('../src/index.js');

/** Number of layers in every chain. */
export const layers = 1000;
const channels = 16;

const kernel = (size: number, seed: number) => ({
  shape: [channels, channels, size, size],
  data: Float32Array.from({ length: channels * channels * size * size }, (_, i) => Math.sin(i + seed) / 16),
});
const bias = (seed: number) => Float32Array.from({ length: channels }, (_, i) => Math.cos(i + seed));

/** Made once, like recording-network.py's. */
export const weights = Array.from({ length: layers / 10 }, (_, i) => ({
  conv1: { weight: kernel(3, i), bias: bias(i) },
  conv2: { weight: kernel(1, i), bias: bias(i) },
  conv3: { weight: kernel(3, i), bias: bias(i) },
}));

/** The same layers, in the same order and with the same names, as recording-network.py. */
export function record({ network, float32 }: Package, chain: Chain): Network {
  const net = network('bench', { x: float32('batch', channels, 32, 32) });
  const y = chain === 'relu' ? reluChain(net.tensor()) : mixedChain(net, net.tensor());
  y.output('y');
  return net;
}

function reluChain(x: Tensor): Tensor {
  let y = x;
  for (let i = 0; i < layers; i++) y = y.relu();
  return y;
}

function mixedChain(net: Network, x: Tensor): Tensor {
  let y = x;
  for (const [i, block] of weights.entries()) y = net.scope(`block${i}`, () => mixed(y, block));
  return y;
}

function mixed(x: Tensor, { conv1, conv2, conv3 }: (typeof weights)[number]): Tensor {
  const y = x
    .conv2d({ ...conv1, padding: 1 })
    .relu()
    .conv2d(conv2)
    .leakyRelu({ negativeSlope: 0.1 })
    .conv2d({ ...conv3, padding: 1 })
    .add(x)
    .relu();
  const pooled = y.maxPool({ kernel: 3, stride: 1, padding: 1 });
  return pooled.sigmoid().mul(y);
}
