import { float32, network } from 'node-tensorrt';

const net = network('deconvolution', { x: float32(1, 1, 2, 2) });
const weight = { dtype: 'float32', shape: [1, 1, 2, 2], data: Float32Array.of(1, 1, 1, 1) } as const;
const y = net.convTranspose2d({ weight, stride: 2 }).output('y');
console.log(y.shape); // [ 1, 1, 4, 4 ]

using model = await net.compile({ backend: 'cpu' });
const result = await model.run({ x: Float32Array.of(1, 2, 3, 4) });
console.log(result.y.toFloat32().join(' ')); // 1 1 2 2 1 1 2 2 3 3 4 4 3 3 4 4
