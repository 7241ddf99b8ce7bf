import { float32, network } from 'node-tensorrt';

const net = network('assertion', { x: float32('length') });
net.shapeTensor().lt(5).assert('at most four elements');
net.neg().output('y');

using model = await net.compile({ backend: 'cpu' });
const { y } = await model.run({ x: Float32Array.of(1, 2) });
console.log(y.toFloat32().join(' ')); // -1 -2
const error = await model.run({ x: new Float32Array(5) }).catch((error) => error);
console.log(error.message.includes('at most four elements')); // true
