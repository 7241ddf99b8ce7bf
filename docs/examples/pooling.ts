import { float32, network } from 'node-tensorrt';

const net = network('pooling', { x: float32(1, 1, 2, 4) });
net.maxPool({ kernel: 2, stride: 2 }).output('largest'); // or pool({ type: 'max', … })
net.avgPool({ kernel: 2, stride: 2 }).output('mean');

using model = await net.compile({ backend: 'cpu' });
const { largest, mean } = await model.run({ x: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) });
console.log(largest.toFloat32().join(' ')); // 6 8
console.log(mean.toFloat32().join(' ')); // 3.5 5.5
