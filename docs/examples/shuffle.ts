import { float32, network } from 'node-tensorrt';

const net = network('shuffle', { x: float32('batch', 2, 3) });
const y = net.transpose([0, 2, 1]).reshape([0, -1]).output('y');
console.log(y.shape); // [ 'batch', 6 ]

using model = await net.compile({ backend: 'cpu' });
const result = await model.run({ x: Float32Array.of(1, 2, 3, 4, 5, 6) });
console.log(result.y.toFloat32().join(' ')); // 1 4 2 5 3 6
