import { float32, network } from 'node-tensorrt';

const net = network('dequantize', { x: float32(4) });
net.quantize({ scale: 0.5 }).dequantize({ scale: 0.5 }).output('y'); // x as int8 can hold it

using model = await net.compile({ backend: 'cpu' });
const { y } = await model.run({ x: Float32Array.of(-100, -1.5, 0.625, 2) });
console.log(y.toFloat32().join(' ')); // -64 -1.5 0.5 2
