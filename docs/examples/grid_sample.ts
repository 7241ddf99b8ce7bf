import { float32, network } from 'node-tensorrt';

const net = network('grid_sample');
const image = net.input('image', float32(1, 1, 2, 2));
const grid = net.input('grid', float32(1, 1, 3, 2)); // (x, y) from -1 to 1
image.gridSample(grid, { mode: 'bilinear', alignCorners: true }).output('y');

using model = await net.compile({ backend: 'cpu' });
const { y } = await model.run({ image: Float32Array.of(0, 1, 2, 3), grid: Float32Array.of(-1, -1, 1, 1, 0, 0) });
console.log(y.shape, y.toFloat32().join(' ')); // [ 1, 1, 1, 3 ] 0 3 1.5
