import type { NmsOptions } from '../../src/layers/kinds/nms.js';
import type { LayerCase } from './harness.js';

const options: Record<string, NmsOptions> = {
  plain: { maxOutputBoxesPerClass: 3 },
  thresholds: { maxOutputBoxesPerClass: 4, iouThreshold: 0.3, scoreThreshold: 0.4 },
  int64_indices: { maxOutputBoxesPerClass: 3, indices: 'int64' },
  one_class: { maxOutputBoxesPerClass: 8, iouThreshold: 0.1 },
  per_class: { maxOutputBoxesPerClass: 4, iouThreshold: 0.2 },
  centers: { maxOutputBoxesPerClass: 4, iouThreshold: 0.2, format: 'center_sizes' },
  box_limit: { maxOutputBoxesPerClass: 9, iouThreshold: 0.5, topKBoxLimit: 7 },
  nothing: { maxOutputBoxesPerClass: 3, iouThreshold: 0.5, scoreThreshold: 2 },
  float16: { maxOutputBoxesPerClass: 3, iouThreshold: 0.2 },
};

/** TensorRT-RTX's message for every network with this kind. */
const refused = { build: /nms has no runners that implement it/ };

export const cases: LayerCase[] = [
  ...Object.entries(options).map(
    ([name, given]): LayerCase => ({
      name,
      build: ({ boxes, scores }) => boxes!.nms(scores!, given),
      refused,
      unknown: { 0: [0] },
      ...(name === 'thresholds' && { dynamic: { boxes: ['n', 'count', 4], scores: ['n', 'count', 3] } }),
      ...(name === 'per_class' && { dynamic: { boxes: ['n', 'count', 3, 4], scores: ['n', 'count', 3] } }),
    }),
  ),
  {
    name: 'tensors',
    build: ({ boxes, scores }, _, net) =>
      boxes!.nms(scores!, {
        maxOutputBoxesPerClass: net.constant(2, { dtype: 'int32' }),
        iouThreshold: net.constant(0.2),
        scoreThreshold: net.constant(0.5),
      }),
    refused,
    unknown: { 0: [0] },
  },
];
