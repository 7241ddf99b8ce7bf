import { float32, network } from 'node-tensorrt';

const net = network('if_conditional', { x: float32(3) });
const x = net.tensor();
const shrink = () => x.div(10);
const negate = () => x.neg();
net.if(x.max().gt(10), shrink, negate).output('y');

using model = await net.compile({ backend: 'cpu' });
const large = await model.run({ x: Float32Array.of(20, 5, 10) });
const small = await model.run({ x: Float32Array.of(2, 5, 1) });
console.log(large.y.toFloat32().join(' '), small.y.toFloat32().join(' ')); // 2 0.5 1 -2 -5 -1
