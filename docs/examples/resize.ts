import { float32, network } from 'node-tensorrt';

const net = network('resize', { x: float32(1, 1, 1, 2) });
net.interpolate({ scaleFactor: [1, 2] }).output('nearest');
net.interpolate({ size: [1, 3], mode: 'bilinear', alignCorners: true }).output('linear');

using model = await net.compile({ backend: 'cpu' });
const { nearest, linear } = await model.run({ x: Float32Array.of(1, 2) });
console.log(nearest.toFloat32().join(' ')); // 1 1 2 2
console.log(linear.toFloat32().join(' ')); // 1 1.5 2
