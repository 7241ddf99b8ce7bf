import { float32, int32, network } from 'node-tensorrt';

const net = network('experts', { x: float32(1, 'tokens', 2) }); // [batch, tokens, hidden]
const [x] = net.inputs;
const experts = net.input('experts', int32(1, 'tokens', 1)); // which expert every token goes to
const scores = net.input('scores', float32(1, 'tokens', 1));
const double = { shape: [2, 2, 2], data: Float32Array.of(1, 0, 0, 1, 2, 0, 0, 2) }; // [experts, hidden, inner]
x!.moe({ experts, scores, gate: double, up: double, down: double, activation: 'none' }).output('y');

using model = await net.compile({ backend: 'cpu' });
const feeds = { x: Float32Array.of(1, 2, 1, 2), experts: Int32Array.of(0, 1), scores: Float32Array.of(1, 0.5) };
const { y } = await model.run(feeds);
console.log(y.toFloat32().join(' ')); // 1 4 4 16
