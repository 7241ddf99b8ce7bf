import { einsum, float32, network } from 'node-tensorrt';

const net = network('einsum');
const a = net.input('a', float32('batch', 2, 3));
const b = net.input('b', float32('batch', 3));
const y = einsum('bij,bj->bi', [a, b]).output('y'); // or a.einsum('bij,bj->bi', b)
console.log(y.shape); // [ 'batch', 2 ]

using model = await net.compile({ backend: 'cpu' });
const result = await model.run({ a: Float32Array.of(1, 2, 3, 4, 5, 6), b: Float32Array.of(1, 0, 2) });
console.log(result.y.toFloat32().join(' ')); // 7 16
