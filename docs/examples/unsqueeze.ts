import { float32, network } from 'node-tensorrt';

const net = network('unsqueeze', { x: float32('batch', 3) });
console.log(net.unsqueeze(0).shape); // [ 1, 'batch', 3 ]
const y = net.unsqueeze([1, -1]).output('y');
console.log(y.shape); // [ 'batch', 1, 3, 1 ]

using model = await net.compile({ backend: 'cpu' });
const result = await model.run({ x: new Float32Array(6) });
console.log(result.y.shape); // [ 2, 1, 3, 1 ]
