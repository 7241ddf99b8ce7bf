import { float32, network } from 'node-tensorrt';

const net = network('ragged_softmax', { x: float32(1, 2, 4) });
const lengths = { dtype: 'int32', shape: [1, 2, 1], data: Int32Array.of(2, 4) } as const;
net.raggedSoftmax(lengths).output('y');

using model = await net.compile({ backend: 'cpu' });
const { y } = await model.run({ x: new Float32Array(8) });
console.log(y.toFloat32().join(' ')); // 0.5 0.5 0 0 0.25 0.25 0.25 0.25
