import { float32, network } from 'node-tensorrt';

const net = network('quantize', { x: float32(4) });
net.quantize({ scale: 0.5 }).output('q'); // to: 'int8', 'int4', 'float8e4m3', …

using model = await net.compile({ backend: 'cpu' });
const { q } = await model.run({ x: Float32Array.of(-100, -1.5, 0.5, 2.25) });
console.log(q.dtype, q.data.join(' ')); // int8 -128 -3 1 4
