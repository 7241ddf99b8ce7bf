import { float32, type Network, network, TensorRTError } from '../../src/index.js';

/** A chain of `layers` activations over [batch, 8]; TensorRT takes about 0.3 ms for each, and more for long chains. */
export function chain(layers: number, name = 'chain'): Network {
  const net = network(name, { x: float32('batch', 8) });
  let x = net.tensor();
  for (let i = 0; i < layers; i++) x = i % 2 ? x.relu() : x.sigmoid();
  x.output('y');
  return net;
}

/** TensorRT-RTX creates this layer, but has no implementation of it. */
export function unbuildable(): Network {
  const net = network('unbuildable', { x: float32(4) });
  net.nonZero().output('y');
  return net;
}

/** The error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<TensorRTError> {
  const error = await promise.then(
    () => new Error('the promise was fulfilled'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof TensorRTError)) throw error;
  return error;
}
