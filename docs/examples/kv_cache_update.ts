import { float32, int32, network } from 'node-tensorrt';

const net = network('cache');
const cache = net.input('cache', float32(1, 1, 4, 2)); // [batch, heads, capacity, size]
const keys = net.input('keys', float32(1, 1, 'tokens', 2));
cache.kvCacheUpdate(keys, net.input('position', int32(1))).output('y');

using model = await net.compile({ backend: 'cpu' });
const { y } = await model.run({ cache: new Float32Array(8), keys: Float32Array.of(1, 2), position: [2] });
console.log(y.toFloat32().join(' ')); // 0 0 0 0 1 2 0 0
