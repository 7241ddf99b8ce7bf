import { float32, network } from 'node-tensorrt';

const net = network('normalization', { x: float32(1, 2, 1, 2) });
const weight = { dtype: 'float32', shape: [2], data: Float32Array.of(1, 10) } as const;
net.layerNorm({ normalizedShape: 2, eps: 0 }).output('layer');
net.groupNorm({ groups: 2, weight, eps: 0 }).output('group');

using model = await net.compile({ backend: 'cpu' });
const { layer, group } = await model.run({ x: Float32Array.of(1, 5, 2, 8) });
console.log(layer.toFloat32().join(' ')); // -1 1 -1 1
console.log(group.toFloat32().join(' ')); // -1 1 -10 10
