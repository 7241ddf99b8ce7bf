import { float32, network } from 'node-tensorrt';

const net = network('reverse_sequence', { x: float32(2, 3) });
net.reverseSequence([2, 3], { batchAxis: 0, sequenceAxis: 1 }).output('y');

using model = await net.compile({ backend: 'cpu' });
const { y } = await model.run({ x: Float32Array.of(1, 2, 3, 4, 5, 6) });
console.log(y.toFloat32().join(' ')); // 2 1 3 6 5 4
