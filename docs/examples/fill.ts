import { float32, network } from 'node-tensorrt';

const net = network('fill', { x: float32('length') });
const positions = net.arange(net.dim(0)).output('positions');
console.log(positions.shape, positions.dtype); // [ 'length' ] int32
net.linspace(0, 1, 5).output('line');
net.fill([2, 2], { alpha: 1, beta: [10, 1] }).output('table');

using model = await net.compile({ backend: 'cpu' });
const result = await model.run({ x: new Float32Array(3) });
console.log(result.positions.data.join(' ')); // 0 1 2
console.log(result.line.toFloat32().join(' ')); // 0 0.25 0.5 0.75 1
console.log(result.table.toFloat32().join(' ')); // 1 2 11 12
