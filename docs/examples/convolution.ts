import { float32, network } from 'node-tensorrt';

const net = network('convolution', { x: float32(1, 1, 3, 3) });
const weight = { dtype: 'float32', shape: [1, 1, 2, 2], data: Float32Array.of(1, 1, 1, 1) } as const;
net.conv2d({ weight, bias: Float32Array.of(0.5) }).output('plain');
const strided = net.conv2d({ weight, stride: 2, padding: 1 }).output('strided');
console.log(strided.shape); // [ 1, 1, 2, 2 ]

using model = await net.compile({ backend: 'cpu' });
const result = await model.run({ x: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9) });
console.log(result.plain.toFloat32().join(' ')); // 12.5 16.5 24.5 28.5
console.log(result.strided.toFloat32().join(' ')); // 1 5 11 28
