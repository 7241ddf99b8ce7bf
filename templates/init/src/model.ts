import { float32, loadWeights, type Network, network } from 'node-tensorrt';

/** Reads digits of 8 x 8 pixels: the network of test/reference.py, layer by layer, with its weights. */
export default async function digits(): Promise<Network> {
  const w = await loadWeights(new URL('../weights/digits.safetensors', import.meta.url));
  const net = network('digits', { image: float32('batch', 1, 8, 8) });
  net
    .conv2d({ ...w.layer('conv1'), padding: 1 })
    .relu()
    .maxPool({ kernel: 2 })
    .conv2d({ ...w.layer('conv2'), padding: 1 })
    .relu()
    .maxPool({ kernel: 2 })
    .flatten()
    .linear(w.layer('fc'))
    .softmax()
    .output('prob');
  w.strict(); // throws if a tensor of the file was not used
  return net;
}

/** A profile for each range of sizes that engines are built for: [least, usual, most]. */
export const profiles: { batch: [number, number, number] }[] = [{ batch: [1, 8, 64] }];
