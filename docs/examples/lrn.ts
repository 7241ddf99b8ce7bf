import { float32, network } from 'node-tensorrt';

const net = network('lrn', { x: float32(1, 2, 1, 1) });
net.localResponseNorm({ size: 3, alpha: 3, beta: 1, k: 1 }).output('y'); // x / (k + alpha/size · Σ x²)

using model = await net.compile({ backend: 'cpu' });
const { y } = await model.run({ x: Float32Array.of(1, Math.SQRT2) });
console.log(y.data[0]); // 0.25
