import { float32, network } from 'node-tensorrt';

const net = network('squeeze', { x: float32('batch', 1, 3, 1) });
console.log(net.squeeze(1).shape); // [ 'batch', 3, 1 ]
const y = net.squeeze([1, -1]).output('y');
console.log(y.shape); // [ 'batch', 3 ]

using model = await net.compile({ backend: 'cpu' });
const result = await model.run({ x: new Float32Array(6) });
console.log(result.y.shape); // [ 2, 3 ]
