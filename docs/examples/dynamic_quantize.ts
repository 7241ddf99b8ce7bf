import { float32, network } from 'node-tensorrt';

const net = network('dynamic', { x: float32(1, 32) });
const [quantized, scale] = net.dynamicQuantize({ to: 'float8e4m3' }); // MXFP8: one power of two per 32 elements
console.log(String(quantized), String(scale)); // Tensor(dynamic_quantize:0: float8e4m3[1, 32]) Tensor(dynamic_quantize:1: float8e8m0[1, 1])
quantized.dequantize({ scale }).output('y');

using model = await net.compile({ backend: 'cpu' });
const { y } = await model.run({ x: Float32Array.from({ length: 32 }, (_, i) => i * 28) });
console.log(y.toFloat32().slice(-3).join(' ')); // 832 832 896
