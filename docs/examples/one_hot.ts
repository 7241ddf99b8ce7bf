import { int32, network } from 'node-tensorrt';

const net = network('one_hot', { index: int32(2) });
net.oneHot(3).output('y');

using model = await net.compile({ backend: 'cpu' });
const { y } = await model.run({ index: Int32Array.of(2, 0) });
console.log(y.shape, y.toFloat32().join(' ')); // [ 2, 3 ] 0 0 1 1 0 0
