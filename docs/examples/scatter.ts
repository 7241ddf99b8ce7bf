import { float32, network } from 'node-tensorrt';

const net = network('scatter', { x: float32(4) });
net.scatter([3, 0], [30, 10]).output('y');

using model = await net.compile({ backend: 'cpu' });
const { y } = await model.run({ x: Float32Array.of(1, 2, 3, 4) });
console.log(y.toFloat32().join(' ')); // 10 2 3 30
