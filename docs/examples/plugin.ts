import { definePlugin, float32, network } from 'node-tensorrt';

const square = definePlugin({
  name: 'Square',
  version: '1',
  inputs: ['x'],
  types: [{ x: 'float32', y: 'float32' }],
  outputs: ({ x }) => ({ y: x.shape }),
  cuda: 'extern "C" __global__ void square(float const* x, float* y) { y[threadIdx.x] = x[threadIdx.x] * x[threadIdx.x]; }',
  launch: ({ x, y }) => [{ kernel: 'square', grid: 1, block: x.size, args: [x, y] }],
  reference: ({ x }) => ({ y: Float32Array.from(x.data as Float32Array, (v) => v * v) }),
});
const x = network('squares', { x: float32(4) }).tensor();
using model = await x.plugin(square).output('y').network.compile({ backend: 'cpu' });
console.log((await model.run({ x: Float32Array.of(1, 2, 3, 4) })).y.toFloat32().join(' ')); // 1 4 9 16
