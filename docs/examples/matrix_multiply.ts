import { float32, network } from 'node-tensorrt';

const net = network('matrix_multiply');
const a = net.input('a', float32('batch', 2, 3));
const b = net.input('b', float32(2, 3));
const product = a.matmul(b, { transposeB: true }).output('product');
console.log(product.shape); // [ 'batch', 2, 2 ]

using model = await net.compile({ backend: 'cpu' });
const result = await model.run({ a: Float32Array.of(1, 2, 3, 4, 5, 6), b: Float32Array.of(1, 0, 0, 0, 0, 1) });
console.log(result.product.toFloat32().join(' ')); // 1 3 4 6
