import { float32, network } from 'node-tensorrt';

const net = network('padding', { x: float32(1, 1, 1, 2) });
net.pad({ prePadding: [0, 1], postPadding: [1, 0] }).output('y'); // above and left, below and right

using model = await net.compile({ backend: 'cpu' });
const { y } = await model.run({ x: Float32Array.of(1, 2) });
console.log(y.shape, y.toFloat32().join(' ')); // [ 1, 1, 2, 3 ] 0 1 2 0 0 0
