import { z } from 'zod';
import { type CpuGraph, type CpuValue, defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { formatShape, isStatic, type Shape, unknownDim } from '../../values/dim.js';
import { requireDType } from '../shared/dtypes.js';
import { constantTensor } from '../shared/lift.js';
import { positive } from '../shared/parameters.js';
import { requireRank } from '../shared/shapes.js';
import type { IndexOptions } from './topk.js';

/** TensorRT's BoundingBoxFormat. */
const boundingBoxFormats = ['corner_pairs', 'center_sizes'] as const;
/** TensorRT's BoundingBoxFormat: corners, or center and sizes. @useDeclaredType */
export type BoundingBoxFormat = (typeof boundingBoxFormats)[number];

/** TensorRT's limit per batch item, and its default. */
const maxBoxLimit = 5000;

export const nms = defineLayer({
  kind: 'nms',
  params: z.strictObject({
    format: z.enum(boundingBoxFormats),
    topKBoxLimit: positive.max(maxBoxLimit),
    indices: z.enum(['int32', 'int64']),
  }),
  infer({ input, inputs, params, fail }) {
    const [boxes, scores] = [input(0), input(1)];
    requireDType(boxes.dtype, ['float32', 'float16'], fail, 'boxes');
    requireDType(scores.dtype, [boxes.dtype], fail, 'scores');
    requireRank(boxes.shape, 3, 4, fail, 'boxes');
    requireRank(scores.shape, 3, 3, fail, 'scores');
    const wanted = [scores.shape[0]!, scores.shape[1]!, ...(boxes.shape.length === 4 ? [scores.shape[2]!] : []), 4];
    if (wanted.some((dim, i) => isStatic(dim) && isStatic(boxes.shape[i]!) && dim !== boxes.shape[i])) {
      fail('ERR_SHAPE', `expected ${formatShape(wanted)}, given ${formatShape(boxes.shape)}`, {
        option: 'boxes',
        expected: wanted,
        actual: boxes.shape,
      });
    }
    const scalars = { maxOutputBoxesPerClass: 'int32', iouThreshold: 'float32', scoreThreshold: 'float32' } as const;
    for (const [i, [what, dtype]] of Object.entries(scalars).entries()) {
      const scalar = i === 0 ? input(2) : inputs[2 + i];
      if (!scalar) continue;
      requireDType(scalar.dtype, [dtype], fail, what);
      requireRank(scalar.shape, 0, 0, fail, what);
    }
    return [
      { dtype: params.indices, shape: [unknownDim('nms'), 3] },
      { dtype: 'int32', shape: [] },
    ];
  },
  cpu(g, { input, inputs, params: p, inputTypes }) {
    const [boxes, scores] = [g.cast(input(0), 'float32'), g.cast(input(1), 'float32')];
    const perClass = inputTypes[0]!.shape.length === 4;
    const limited = keepBest(g, scores, p.topKBoxLimit, inputTypes[1]!.shape);
    const found = suppress(g, boxes, limited, perClass, [
      g.op('Reshape', [g.cast(input(2), 'int64'), int64(g, 1)]),
      inputs[3] ? g.op('Reshape', [inputs[3], int64(g, 1)]) : g.constant('float32', [1], [0]),
      inputs[4] ? g.op('Reshape', [inputs[4], int64(g, 1)]) : g.constant('float32', [1], [0]),
      p.format === 'center_sizes',
    ]);
    const sorted = sortByBatchAndScore(g, found, scores);
    const count = g.op('Gather', [g.op('Shape', [sorted]), g.constant('int64', [], [0])]);
    return [g.cast(sorted, p.indices), g.cast(count, 'int32')];
  },
});

const int64 = (g: CpuGraph, ...values: number[]): CpuValue => g.constant('int64', [values.length], values);

/** Keeps the `limit` best scores of each batch item and sets the others to −∞. */
function keepBest(g: CpuGraph, scores: CpuValue, limit: number, [, boxes, classes]: Shape): CpuValue {
  if (isStatic(boxes!) && isStatic(classes!) && boxes * classes <= limit) return scores;
  const flat = g.op('Reshape', [scores, int64(g, 0, -1)]);
  const count = g.op('Slice', [g.op('Shape', [flat]), int64(g, 1), int64(g, 2)]);
  const [best, at] = g.ops('TopK', [flat, g.op('Min', [count, int64(g, limit)])], { axis: 1 }, 2);
  const nothing = g.op('Expand', [g.constant('float32', [], [Number.NEGATIVE_INFINITY]), g.op('Shape', [flat])]);
  return g.op('Reshape', [g.op('ScatterElements', [nothing, at!, best!], { axis: 1 }), g.op('Shape', [scores])]);
}

/** ONNX's operator: [n, 3] of batch, class and box. If each class has its own boxes, each class becomes a separate batch item. */
function suppress(
  g: CpuGraph,
  boxes: CpuValue,
  scores: CpuValue,
  perClass: boolean,
  [most, iou, score, center]: [CpuValue, CpuValue, CpuValue, boolean],
): CpuValue {
  const byClass = g.op('Transpose', [scores], { perm: [0, 2, 1] });
  const attributes = { center_point_box: center ? 1 : 0 };
  if (!perClass) return g.op('NonMaxSuppression', [boxes, byClass, most, iou, score], attributes);
  const classes = g.op('Slice', [g.op('Shape', [scores]), int64(g, 2), int64(g, 3)]);
  const count = g.op('Slice', [g.op('Shape', [scores]), int64(g, 1), int64(g, 2)]);
  const ownBoxes = g.op('Reshape', [
    g.op('Transpose', [boxes], { perm: [0, 2, 1, 3] }),
    g.op('Concat', [int64(g, -1), count, int64(g, 4)], { axis: 0 }),
  ]);
  const ownScores = g.op('Reshape', [byClass, g.op('Concat', [int64(g, -1, 1), count], { axis: 0 })]);
  const found = g.op('NonMaxSuppression', [ownBoxes, ownScores, most, iou, score], attributes);
  const [item, , box] = g.ops('Split', [found], { axis: 1, num_outputs: 3 }, 3);
  const batch = g.op('Div', [item!, classes]);
  return g.op('Concat', [batch, g.op('Mod', [item!, classes]), box!], { axis: 1 });
}

/** TensorRT's order: by batch item, then by descending score. ONNX's TopK keeps the order of equal elements. */
function sortByBatchAndScore(g: CpuGraph, found: CpuValue, scores: CpuValue): CpuValue {
  const sortedBy = (rows: CpuValue, keys: CpuValue, largest: boolean) => {
    const [, order] = g.ops('TopK', [keys, g.op('Shape', [keys])], { axis: 0, largest }, 2);
    return g.op('Gather', [rows, order!], { axis: 0 });
  };
  const at = g.op('Gather', [found, int64(g, 0, 2, 1)], { axis: 1 });
  const byScore = sortedBy(found, g.op('GatherND', [scores, at]), true);
  const batch = g.op('Gather', [byScore, g.constant('int64', [], [0])], { axis: 1 });
  return sortedBy(byScore, batch, false);
}

export interface NmsOptions extends IndexOptions {
  /** Most boxes selected per batch item and class: a number, or a rank-0 int32 tensor. */
  maxOutputBoxesPerClass: number | Tensor;
  /** Drops boxes that overlap a better one by more than this intersection over union, 0 to 1; a number or a rank-0 float32 tensor. Default 0. */
  iouThreshold?: number | Tensor | undefined;
  /** What a score must exceed; a number or a rank-0 float32 tensor. Default 0. */
  scoreThreshold?: number | Tensor | undefined;
  /** `corner_pairs` (x1, y1, x2, y2) or `center_sizes` (x, y, width, height). Default `corner_pairs`. */
  format?: BoundingBoxFormat | undefined;
  /** Most candidates per batch item, over all classes: 1 to 5000, the default. */
  topKBoxLimit?: number | undefined;
}

/** What `nms` returns: the boxes that were selected, as indices, and their number. */
export type NmsResult = [selected: Tensor, count: Tensor];

const methods = {
  /**
   * Non-maximum suppression, per batch item and class, of these boxes: [batch, boxes, 4], or [batch, boxes, classes, 4]
   * (float32, float16). Returns `[selected, count]`. `selected` [n, 3] has the indices of batch, class and box, ordered
   * by batch and then by descending score. n depends on the data; `count` is n, as an int32 of rank 0. TensorRT-RTX
   * 1.7.1 has the layer but cannot build it. TensorRT kind: nms.
   *
   * @param scores [batch, boxes, classes], of the boxes' dtype
   *
   * @throws ERR_SHAPE, ERR_RANK, ERR_DTYPE, ERR_PARAMETER
   */
  nms(this: TensorSource, scores: Tensor, options: NmsOptions): NmsResult {
    const method = 'nms';
    const boxes = this.tensor();
    const { format = 'corner_pairs', topKBoxLimit = maxBoxLimit, indices = 'int32', name } = options;
    const scalar = (value: number | Tensor | undefined, dtype: 'int32' | 'float32') =>
      value === undefined ? null : constantTensor(boxes.network, value, dtype, method);
    return boxes.network.record(nms, {
      method,
      name,
      inputs: [
        boxes,
        scores,
        scalar(options.maxOutputBoxesPerClass, 'int32'),
        scalar(options.iouThreshold, 'float32'),
        scalar(options.scoreThreshold, 'float32'),
      ],
      params: { format, topKBoxLimit, indices },
    }) as [Tensor, Tensor];
  },
};

export { methods as nmsMethods };
export type NmsMethods = typeof methods;
