import { float32, network } from 'node-tensorrt';

const net = network('topk', { x: float32(2, 3) });
const [values, indices] = net.topk(2);
values.output('values');
indices.output('indices');
net.argmin({ axis: 0 }).output('smallest');

using model = await net.compile({ backend: 'cpu' });
const result = await model.run({ x: Float32Array.of(1, 3, 2, 6, 5, 0) });
console.log(result.values.toFloat32().join(' '), 'at', result.indices.data.join(' ')); // 3 2 6 5 at 1 2 0 1
console.log(result.smallest.data.join(' ')); // 0 0 1
