import { float32, network } from 'node-tensorrt';

const net = network('element_wise');
const a = net.input('a', float32(2, 1));
const b = net.input('b', float32(3));
a.add(b).output('sum'); // shapes broadcast as in NumPy: [2, 3]
b.gt(2).output('large');
b.pow(2).sub(1).output('y');

using model = await net.compile({ backend: 'cpu' });
const { sum, large, y } = await model.run({ a: Float32Array.of(10, 20), b: Float32Array.of(1, 2, 3) });
console.log(sum.shape, sum.toFloat32().join(' ')); // [ 2, 3 ] 11 12 13 21 22 23
console.log(large.dtype, large.data.join(' ')); // bool 0 0 1
console.log(y.toFloat32().join(' ')); // 0 3 8
