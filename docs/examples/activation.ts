import { float32, network } from 'node-tensorrt';

const net = network('activation', { x: float32(4) });
net.relu().output('relu');
net.leakyRelu({ negativeSlope: 0.5 }).output('leaky');
net.activation({ type: 'clip', alpha: -1, beta: 1 }).output('clip');

using model = await net.compile({ backend: 'cpu' });
const { relu, leaky, clip } = await model.run({ x: Float32Array.of(-8, -0.5, 0.5, 8) });
console.log(relu.toFloat32().join(' ')); // 0 0 0.5 8
console.log(leaky.toFloat32().join(' ')); // -4 -0.25 0.5 8
console.log(clip.toFloat32().join(' ')); // -1 -0.5 0.5 1
