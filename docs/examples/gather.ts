import { int32, network } from 'node-tensorrt';

const net = network('gather', { token: int32('tokens') });
const weight = { dtype: 'float32', shape: [3, 2], data: Float32Array.of(0, 0.5, 1, 1.5, 2, 2.5) } as const;
const rows = net.embedding({ weight }).output('rows');
console.log(rows.shape); // [ 'tokens', 2 ]
rows.gather([1, 0], { axis: -1 }).output('swapped');

using model = await net.compile({ backend: 'cpu' });
const result = await model.run({ token: Int32Array.of(2, 0) });
console.log(result.rows.toFloat32().join(' ')); // 2 2.5 0 0.5
console.log(result.swapped.toFloat32().join(' ')); // 2.5 2 0.5 0
