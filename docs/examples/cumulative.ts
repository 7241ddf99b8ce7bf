import { float32, network } from 'node-tensorrt';

const net = network('cumulative', { x: float32(4) });
net.cumsum().output('sums');
net.cumsum({ exclusive: true, reverse: true }).output('rest');

using model = await net.compile({ backend: 'cpu' });
const { sums, rest } = await model.run({ x: Float32Array.of(1, 2, 3, 4) });
console.log(sums.toFloat32().join(' ')); // 1 3 6 10
console.log(rest.toFloat32().join(' ')); // 9 7 4 0
