import { concat, float32, network } from 'node-tensorrt';

const net = network('concatenation');
const a = net.input('a', float32('n', 2));
const b = net.input('b', float32('m', 2));
const joined = concat([a, b], { axis: 0 }).output('joined'); // or a.concat(b)
console.log(joined.shape.join(' x ')); // m + n x 2

using model = await net.compile({ backend: 'cpu' });
const result = await model.run({ a: Float32Array.of(1, 2), b: Float32Array.of(3, 4, 5, 6) });
console.log(result.joined.shape, result.joined.toFloat32().join(' ')); // [ 3, 2 ] 1 2 3 4 5 6
