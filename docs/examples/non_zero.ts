// TensorRT-RTX 1.7.1 can create this layer but cannot build it.
import { float32, network } from 'node-tensorrt';

const net = network('non_zero', { x: float32(2, 3) });
net.nonZero().output('at'); // one column per element that is not 0

using model = await net.compile({ backend: 'cpu' });
const { at } = await model.run({ x: Float32Array.of(0, 7, 0, 0, 0, 9) });
console.log(at.shape, at.data.join(' ')); // [ 2, 2 ] 0 1 1 2
