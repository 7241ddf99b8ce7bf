import { foldBatchNorm, type LayerWeights, type Network, network, type Tensor, type Weights } from 'node-tensorrt';
import type { Port, Precision } from '../run.js';

export interface HRNetConfig {
  /** Modules of the stages with 2, 3 and 4 branches. */
  modules: readonly number[];
  /** Residual blocks of each branch of a module. */
  blocks: number;
  /** Height and width of the images. */
  size: number;
}

const count = <T>(length: number, make: (i: number) => T): T[] => Array.from({ length }, (_, i) => make(i));

/** HRNet, a classifier that keeps its high resolution (Wang et al. 2019), by the names of timm. */
export function hrnet(w: Weights, { modules, blocks, size }: HRNetConfig, dtype: Precision): Network {
  const net = network('hrnet', { image: { dtype, shape: ['batch', 3, size, size] } });

  const as = ({ weight, bias }: LayerWeights, { dtype }: Tensor) => ({
    weight: weight.as(dtype),
    bias: bias?.as(dtype),
  });
  const conv = (x: Tensor, name: string, norm: string, stride = 1) => {
    const folded = foldBatchNorm(w.layer(name), w.layer(norm));
    return x.conv2d({ ...as(folded, x), stride, padding: (folded.weight.shape[2]! - 1) / 2 });
  };
  const convBn = (x: Tensor, name: string, stride = 1) => conv(x, `${name}.0`, `${name}.1`, stride);
  const block = (x: Tensor, name: string) => {
    let y = conv(x, `${name}.conv1`, `${name}.bn1`).relu();
    y = conv(y, `${name}.conv2`, `${name}.bn2`);
    if (w.has(`${name}.conv3.weight`)) y = conv(y.relu(), `${name}.conv3`, `${name}.bn3`);
    return y.add(w.has(`${name}.downsample.0.weight`) ? convBn(x, `${name}.downsample`) : x).relu();
  };
  const chain = (x: Tensor, name: string) => count(blocks, String).reduce((y, i) => block(y, `${name}.${i}`), x);

  /** A branch as another sees it: upsampled where it is coarser, halved step by step where it is finer. */
  const seen = (x: Tensor, from: number, to: number, name: string) => {
    if (from === to) return x;
    if (from > to) return convBn(x, name).interpolate({ scaleFactor: 2 ** (from - to), mode: 'nearest' });
    return count(to - from, String).reduce((y, i) => convBn(i === '0' ? y : y.relu(), `${name}.${i}`, 2), x);
  };
  const fuse = (branches: Tensor[], name: string) =>
    branches.map((_, to) =>
      branches
        .map((x, from) => seen(x, from, to, `${name}.${to}.${from}`))
        .reduce((a, b) => a.add(b))
        .relu(),
    );
  const transition = (branches: Tensor[], name: string) =>
    count(branches.length + 1, (i) => {
      const own = `${name}.${i}`;
      if (w.has(`${own}.0.0.weight`)) return convBn(branches.at(-1)!, `${own}.0`, 2).relu();
      return w.has(`${own}.0.weight`) ? convBn(branches[i]!, own).relu() : branches[i]!;
    });

  // What the first convolutions round goes through all the others: they stay in float32.
  const image = net.tensor().cast('float32');
  const stem = conv(conv(image, 'conv1', 'bn1', 2).relu(), 'conv2', 'bn2', 2).relu();
  let branches = transition([chain(stem, 'layer1')], 'transition1').map((x) => x.cast(dtype));
  for (const [i, repeats] of modules.entries()) {
    if (i > 0) branches = transition(branches, `transition${i + 1}`);
    for (let j = 0; j < repeats; j++) {
      const name = `stage${i + 2}.${j}`;
      branches = branches.map((x, branch) => chain(x, `${name}.branches.${branch}`));
      branches = fuse(branches, `${name}.fuse_layers`);
    }
  }
  const features = branches
    .map((x, i) => block(x, `incre_modules.${i}.0`))
    .reduce((fine, x, i) => x.add(convBn(fine, `downsamp_modules.${i - 1}`, 2).relu()));
  const pooled = convBn(features, 'final_layer')
    .relu()
    .mean({ axes: [2, 3] });
  pooled.linear(as(w.layer('classifier'), pooled)).output('logits');
  return net;
}

export const port: Port<HRNetConfig> = { name: 'hrnet', build: hrnet, profiles: [{ batch: [1, 2, 8] }] };
