import { float32, network } from 'node-tensorrt';

const net = network('rotary', { x: float32(1, 1, 2, 4) }); // [batch, heads, tokens, size]
const angles = [0, 1].map((position) => [position * (Math.PI / 2), 0]); // one row per position, one column per pair
const cos = angles.map((row) => row.map(Math.cos));
const sin = angles.map((row) => row.map(Math.sin));
net.rotaryEmbedding({ cos, sin, positions: [[0, 1]] }).output('y');

using model = await net.compile({ backend: 'cpu' });
const { y } = await model.run({ x: Float32Array.of(1, 2, 3, 4, 1, 2, 3, 4) });
console.log(Array.from(y.toFloat32(), Math.round).join(' ')); // 1 2 3 4 -3 2 1 4
