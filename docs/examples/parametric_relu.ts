import { float32, network } from 'node-tensorrt';

const net = network('parametric_relu', { x: float32(1, 2, 2) });
const weight = { dtype: 'float32', shape: [2], data: Float32Array.of(0.5, 0.25) } as const;
net.prelu({ weight }).output('y'); // one slope per channel

using model = await net.compile({ backend: 'cpu' });
const { y } = await model.run({ x: Float32Array.of(-4, 4, -4, 4) });
console.log(y.toFloat32().join(' ')); // -2 4 -1 4
