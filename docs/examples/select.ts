import { float32, network, where } from 'node-tensorrt';

const net = network('select', { x: float32(4) });
const x = net.tensor();
where(x.gt(0), x, 0.5).output('y'); // or x.where(condition, 0.5)
x.maskedFill(x.lt(0), -1).output('filled');

using model = await net.compile({ backend: 'cpu' });
const { y, filled } = await model.run({ x: Float32Array.of(-3, 2, -1, 4) });
console.log(y.toFloat32().join(' ')); // 0.5 2 0.5 4
console.log(filled.toFloat32().join(' ')); // -1 2 -1 4
