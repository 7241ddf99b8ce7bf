import { float32, network } from 'node-tensorrt';

const net = network('identity', { x: float32(2) });
const y = net.identity({ name: 'copy' }).output();
console.log(y.name); // copy

using model = await net.compile({ backend: 'cpu' });
const { copy } = await model.run({ x: Float32Array.of(1, 2) });
console.log(copy.toFloat32().join(' ')); // 1 2
