import { float32, network } from 'node-tensorrt';

const net = network('cast', { x: float32(4) });
net.cast('int32').output('whole'); // drops the fraction
net.to('bool').output('flags');

using model = await net.compile({ backend: 'cpu' });
const { whole, flags } = await model.run({ x: Float32Array.of(-1.5, 0, 0.5, 2.75) });
console.log(whole.dtype, whole.data.join(' ')); // int32 -1 0 0 2
console.log(flags.dtype, flags.data.join(' ')); // bool 1 0 1 1
