import { float32, network } from 'node-tensorrt';

const net = network('attention');
const query = net.input('query', float32(1, 1, 'tokens', 2)); // [batch, heads, tokens, size]
const key = net.input('key', float32(1, 1, 'tokens', 2));
const value = net.input('value', float32(1, 1, 'tokens', 2));
query.attention(key, value, { causal: true }).output('y');

using model = await net.compile({ backend: 'cpu' });
const key2 = Float32Array.of(1, 0, 1, 0);
const { y } = await model.run({ query: key2, key: key2, value: Float32Array.of(2, 4, 6, 8) });
console.log(y.toFloat32().join(' ')); // 2 4 4 6
