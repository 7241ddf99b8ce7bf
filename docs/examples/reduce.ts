import { float32, network } from 'node-tensorrt';

const net = network('reduce', { x: float32(2, 3) });
net.sum().output('sum');
net.mean({ axes: [1] }).output('mean');
const kept = net.max({ axes: [-1], keepDims: true }).output('max');
console.log(kept.shape); // [ 2, 1 ]

using model = await net.compile({ backend: 'cpu' });
const { sum, mean, max } = await model.run({ x: Float32Array.of(1, 2, 3, 4, 5, 6) });
console.log(sum.data[0], mean.toFloat32().join(' '), max.toFloat32().join(' ')); // 21 2 5 3 6
