import { concat, foldBatchNorm, type Network, network, type Tensor, type Weights } from 'node-tensorrt';
import type { Port, Precision } from '../run.js';

export interface YoloConfig {
  /** Bottlenecks of the C2f modules of the backbone. */
  depths: readonly [number, number, number, number];
  /** Height and width of the images. */
  size: number;
  /** Boxes of a class that overlap a better one by more are left out. */
  iouThreshold: number;
  scoreThreshold: number;
}

/** A detector like YOLOv8 (Ultralytics 2023) with the decoding of its boxes, by the names of its checkpoints. */
export function yolov8(weights: Weights, { depths, size }: YoloConfig, dtype: Precision) {
  const w = weights.scope('model');
  const net = network('yolov8', { image: { dtype, shape: ['batch', 3, size, size] } });

  const conv = (x: Tensor, name: string, stride = 1) => {
    const { weight, bias } = foldBatchNorm(w.layer(`${name}.conv`), w.layer(`${name}.bn`), { eps: 1e-3 });
    const padding = (weight.shape[2]! - 1) / 2;
    return x.conv2d({ weight: weight.as(x.dtype), bias: bias.as(x.dtype), stride, padding }).silu();
  };
  const c2f = (parts: Tensor[], name: string, repeats: number, shortcut = false) => {
    const grown = conv(concat(parts, { axis: 1 }), `${name}.cv1`).chunk(2, { axis: 1 });
    for (let i = 0; i < repeats; i++) {
      const x = grown.at(-1)!;
      const y = conv(conv(x, `${name}.m.${i}.cv1`), `${name}.m.${i}.cv2`);
      grown.push(shortcut ? x.add(y) : y);
    }
    return conv(concat(grown, { axis: 1 }), `${name}.cv2`);
  };
  const sppf = (x: Tensor, name: string) => {
    const parts = [conv(x, `${name}.cv1`)];
    for (let i = 0; i < 3; i++) parts.push(parts[i]!.maxPool({ kernel: 5, stride: 1, padding: 2 }));
    return conv(concat(parts, { axis: 1 }), `${name}.cv2`);
  };
  const up = (x: Tensor) => x.interpolate({ scaleFactor: 2, mode: 'nearest' });
  const head = (x: Tensor, name: string) => {
    const features = conv(conv(x, `${name}.0`), `${name}.1`).cast('float32');
    return features.conv2d(w.layer(`${name}.2`)).flatten({ startDim: 2 });
  };

  // Backbone: halved five times; the last three sizes are kept. In float32, since what it rounds moves the scores most.
  let x = conv(net.tensor().cast('float32'), '0', 2);
  const stages = depths.map((repeats, i) => {
    x = c2f([conv(x, `${2 * i + 1}`, 2)], `${2 * i + 2}`, repeats, true);
    return x;
  });
  const narrow = (x: Tensor) => x.cast(dtype);
  const [fine, middle, coarse] = [narrow(stages[1]!), narrow(stages[2]!), narrow(sppf(x, '9'))];
  // Neck: up to the finest size, and down again.
  const p4 = c2f([up(coarse), middle], '12', depths[0]);
  const p3 = c2f([up(p4), fine], '15', depths[0]);
  const n4 = c2f([conv(p3, '16', 2), p4], '18', depths[0]);
  const n5 = c2f([conv(n4, '19', 2), coarse], '21', depths[0]);

  // Head, its last convolution in float32 since half precision rounds pixels: distances of the four sides from each cell's centre as distributions over whole strides, and class scores.
  const levels = [p3, n4, n5];
  const all = (branch: string) =>
    concat(
      levels.map((level, i) => head(level, `22.${branch}.${i}`)),
      { axis: 2 },
    );
  const strides = levels.map((level) => size / (level.shape[3] as number));
  const cells = strides.flatMap((stride) => {
    const n = size / stride;
    return Array.from({ length: n * n }, (_, i) => ({ stride, x: (i % n) + 0.5, y: Math.floor(i / n) + 0.5 }));
  });
  const bins = w.get('22.dfl.conv.weight').reshape([-1]);
  const sides = all('cv2').reshape([0, 4, bins.size, -1]).transpose([0, 3, 1, 2]).softmax({ axis: -1 }).matmul(bins);
  const scale = Float32Array.from(cells.flatMap(({ stride }) => [-stride, -stride, stride, stride]));
  const centre = Float32Array.from(cells.flatMap(({ stride, x, y }) => [x, y, x, y].map((v) => v * stride)));
  const constant = (data: Float32Array) => net.constant(data, { shape: [1, cells.length, 4] });
  const boxes = sides.mul(constant(scale)).add(constant(centre)).output('boxes');
  const scores = all('cv3').transpose([0, 2, 1]).sigmoid().output('scores');
  return { net, boxes, scores };
}

/** The detector, and non-maximum suppression for each class. */
export function detector(weights: Weights, config: YoloConfig, dtype: Precision): Network {
  const { iouThreshold, scoreThreshold } = config;
  const { net, boxes, scores } = yolov8(weights, config, dtype);
  const [selected] = boxes.nms(scores, { maxOutputBoxesPerClass: 300, iouThreshold, scoreThreshold });
  selected.output('selected');
  const pick = (x: Tensor, columns: number[]) => x.gather(selected.gather(columns, { axis: 1 }), { mode: 'nd' });
  pick(boxes, [0, 2]).output('selected_boxes');
  pick(scores, [0, 2, 1]).output('selected_scores');
  return net;
}

export const port: Port<YoloConfig> = {
  name: 'yolov8',
  build: detector,
  // TensorRT-RTX has no implementation of the nms layer.
  rtx: (w, config, dtype) => yolov8(w, config, dtype).net,
  profiles: [{ batch: [1, 2, 4] }],
};
