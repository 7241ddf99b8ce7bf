import { float32, network } from 'node-tensorrt';

const net = network('scale', { x: float32(1, 2, 2, 1) });
net.scale({ mode: 'channel', scale: Float32Array.of(2, 10), shift: Float32Array.of(1, 0) }).output('y');

using model = await net.compile({ backend: 'cpu' });
const { y } = await model.run({ x: Float32Array.of(1, 2, 3, 4) });
console.log(y.toFloat32().join(' ')); // 3 5 30 40
