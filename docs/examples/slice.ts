import { float32, network } from 'node-tensorrt';

const net = network('slice', { x: float32(6) });
net.slice({ start: [1], size: [3], stride: [2] }).output('odd');
net.narrow(0, 4, 2).output('end');
const [, second] = net.chunk(2);
second!.flip(0).output('flipped');

using model = await net.compile({ backend: 'cpu' });
const { odd, end, flipped } = await model.run({ x: Float32Array.of(0, 1, 2, 3, 4, 5) });
console.log(odd.toFloat32().join(' ')); // 1 3 5
console.log(end.toFloat32().join(' '), flipped.toFloat32().join(' ')); // 4 5 5 4 3
