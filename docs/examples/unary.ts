import { float32, network } from 'node-tensorrt';

const net = network('unary', { x: float32(3) });
net.sqrt().output('root');
net.neg().abs().reciprocal().output('y');

using model = await net.compile({ backend: 'cpu' });
const { root, y } = await model.run({ x: Float32Array.of(1, 4, 16) });
console.log(root.toFloat32().join(' '), '|', y.toFloat32().join(' ')); // 1 2 4 | 1 0.25 0.0625
