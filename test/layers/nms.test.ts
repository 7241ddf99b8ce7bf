import { test } from 'vitest';
import { float16, float32, network } from '../../src/index.js';
import { readFixture } from './fixture.js';
import { expectRefusal, expectSameInference, record, testLayer } from './harness.js';
import { cases } from './nms.cases.js';

testLayer('nms', cases);

// TensorRT-RTX builds none of them, but infers their shapes.
test.each(cases)('TensorRT infers the same for $name', async (one) => {
  const stored = readFixture('nms').get(one.name)!;
  for (const dynamic of one.dynamic ? [false, true] : [false])
    await expectSameInference(record(one, stored, dynamic).net);
});

test('what does not fit is refused', () => {
  const net = network('nms');
  const boxes = net.input('boxes', float32(1, 10, 4));
  const scores = net.input('scores', float32(1, 10, 2));
  const most = { maxOutputBoxesPerClass: 3 };
  expectRefusal(() => boxes.nms(net.input('half', float16(1, 10, 2)), most), 'ERR_DTYPE', /scores: expected float32/);
  expectRefusal(() => boxes.nms(boxes.reshape([-1]), most), 'ERR_RANK', /scores: expected rank 3/);
  expectRefusal(() => boxes.nms(net.input('few', float32(1, 9, 2)), most), 'ERR_SHAPE', /boxes: expected \[1, 9, 4\]/);
  expectRefusal(() => scores.nms(scores, most), 'ERR_SHAPE', /boxes: expected \[1, 10, 4\], given \[1, 10, 2\]/);
  expectRefusal(() => boxes.nms(scores, {} as never), 'ERR_INPUT', /input 2 is missing/);
  expectRefusal(() => boxes.nms(scores, { maxOutputBoxesPerClass: 1.5 }), 'ERR_VALUE', /1.5/);
  expectRefusal(
    () => boxes.nms(scores, { maxOutputBoxesPerClass: net.constant([3], { dtype: 'int32' }) }),
    'ERR_RANK',
    /maxOutputBoxesPerClass: expected rank 0/,
  );
  expectRefusal(() => boxes.nms(scores, { ...most, topKBoxLimit: 5001 }), 'ERR_PARAMETER', /topKBoxLimit/);
  expectRefusal(() => boxes.nms(scores, { ...most, format: 'xywh' as never }), 'ERR_PARAMETER', /format/);
});
