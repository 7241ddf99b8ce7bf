import { float16, network } from 'node-tensorrt';

const net = network('constant', { x: float16(2, 2) });
const table = net.constant([1, 2, 3, 4], { dtype: 'float16', shape: [2, 2] });
net.add(table).mul(10).output('y'); // numbers become constants of the other operand's dtype

using model = await net.compile({ backend: 'cpu' });
const { y } = await model.run({ x: new Uint16Array(4) }); // float16 travels as its bits
console.log(y.dtype, y.toFloat32().join(' ')); // float16 10 20 30 40
