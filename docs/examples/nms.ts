import { float32, network } from 'node-tensorrt';

const net = network('nms');
const boxes = net.input('boxes', float32(1, 3, 4)); // (x1, y1, x2, y2)
const scores = net.input('scores', float32(1, 3, 1));
const [selected, count] = boxes.nms(scores, { maxOutputBoxesPerClass: 3, iouThreshold: 0.5 });
selected.output('selected'); // rows of batch, class, box
count.output('count');

using model = await net.compile({ backend: 'cpu' });
const result = await model.run({
  boxes: Float32Array.of(0, 0, 4, 4, 0, 0, 4, 3, 5, 5, 9, 9),
  scores: Float32Array.of(0.5, 0.75, 0.25),
});
console.log(result.count.data[0], result.selected.shape, result.selected.data.join(' ')); // 2 [ 2, 3 ] 0 0 1 0 0 2
