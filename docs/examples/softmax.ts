import { float32, network } from 'node-tensorrt';

const net = network('softmax', { x: float32('batch', 4) });
net.softmax({ axis: -1 }).output('probabilities');

using model = await net.compile({ backend: 'cpu' });
const { probabilities } = await model.run({ x: Float32Array.of(2, 2, 2, 2) });
console.log(probabilities.toFloat32().join(' ')); // 0.25 0.25 0.25 0.25
