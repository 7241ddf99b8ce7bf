import { float32, network } from 'node-tensorrt';

const net = network('loop', { x: float32('steps', 2) });
const sum = net.constant([0, 0], { dtype: 'float32', shape: [2] });
const { state, outputs } = net.loop({ state: { sum }, iterate: { x: net.tensor() } }, ({ sum, x }) => {
  const next = sum.mul(0.5).add(x);
  return { state: { sum: next }, outputs: { sums: next } };
});
state.sum.output('last');
outputs.sums.output('sums');

using model = await net.compile({ backend: 'cpu' });
const { last, sums } = await model.run({ x: Float32Array.of(4, 8, 0, 0, 1, 1) });
console.log(last.toFloat32().join(' '), sums.shape); // 2 3 [ 3, 2 ]
