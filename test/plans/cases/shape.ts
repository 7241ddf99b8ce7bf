import { bfloat16, concat, float16, float32, int32, int64 } from '../../../src/index.js';
import type { PlanCases } from '../case.js';

export const cases: PlanCases = {
  shuffle(net) {
    const x = net.input('x', float32(2, 3, 4));
    x.shuffle({ firstTranspose: [2, 0, 1], reshape: [0, 3, 2], secondTranspose: [1, 2, 0] }).output('all');
    x.permute([1, 2, 0]).output('permute');
    x.shuffle({ reshape: [6, 4], secondTranspose: [1, 0] }).output('second');
    x.flatten().output('flatten');
    net.input('empty', float32(0, 3)).reshape([3, 0], { zeroIsPlaceholder: false }).output('empty2');
  },

  shuffle_tensor: {
    options: {
      profiles: [
        {
          dims: [
            [1, 1],
            [4, 6],
            [24, 24],
          ],
        },
      ],
    },
    record(net) {
      const x = net.input('x', float32(2, 3, 4));
      x.reshape(net.input('dims', int64(2))).output('y');
    },
  },

  slice(net) {
    const x = net.input('x', float32(4, 6));
    x.slice({ start: [1, 0], size: [2, 3], stride: [1, 2] }).output('inside');
    x.flip(1).output('flip');
    x.slice({ start: [-1, 2], size: [6, 5], mode: 'wrap' }).output('wrap');
    x.slice({ start: [-1, 2], size: [6, 5], mode: 'clamp' }).output('clamp');
    x.slice({ start: [-1, 2], size: [6, 5], mode: 'reflect' }).output('reflect');
    x.slice({ start: [-1, 2], size: [6, 5], mode: 'fill', fill: 0.5 }).output('fill');
  },

  /** Start and stride from tensors. */
  slice_tensors: {
    options: { profiles: [{ start: [[0], [1], [1]], stride: [[1], [1], [2]] }] },
    record(net) {
      const x = net.input('x', float32(5));
      const start = net.input('start', int32(1));
      x.slice({ start, size: [2], stride: net.input('stride', int32(1)) }).output('y');
    },
  },

  /** A size from the shape of the tensor. */
  slice_size: {
    options: { profiles: [{ batch: [2, 4, 8] }] },
    record(net) {
      const x = net.input('x', float32('batch', 6));
      x.slice({ start: [0, 1], size: [x.dim(0), 4] }).output('y');
    },
  },

  squeeze(net) {
    const x = net.input('x', float32(1, 3, 1, 2));
    x.squeeze([0, 2]).output('two');
    x.squeeze(0).output('one');
  },

  unsqueeze(net) {
    const x = net.input('x', float32(3, 2));
    x.unsqueeze([0, 3]).output('two');
    x.unsqueeze(1).output('one');
  },

  /** TensorRT reshapes 4-bit and 8-bit numbers, but neither squeezes nor unsqueezes them. */
  squeeze_narrow(net) {
    const x = net.input('x', float32(1, 32));
    const q = x.quantize({ scale: 0.5, to: 'float8e4m3' });
    q.squeeze(0).unsqueeze(1).dequantize({ scale: 0.5 }).output('y');
  },

  concatenation(net) {
    const a = net.input('a', float16(2, 1));
    const b = net.input('b', float16(2, 3));
    const c = net.input('c', float16(2, 2));
    concat([a, b, c], { axis: 1 }).output('y');
    concat([b, b], { axis: 0 }).output('z');
  },

  gather(net) {
    const x = net.input('x', float32(2, 3, 4));
    const i = net.input('i', int32(2, 2));
    x.gather(i, { axis: 2 }).output('default');
    x.gather(net.input('rows', int64(2, 5)), { axis: 1, elementWiseDims: 1 }).output('batched');
    x.gather(net.input('each', int32(2, 3, 1)), { axis: 2, mode: 'element' }).output('element');
    x.gather(i, { mode: 'nd', elementWiseDims: 0 }).output('nd');
    x.gather(net.input('inner', int32(2, 1)), { mode: 'nd', elementWiseDims: 1 }).output('ndBatched');
  },

  scatter(net) {
    const x = net.input('x', float32(3, 4));
    const i = net.input('i', int32(1, 4));
    const u = net.input('u', float32(1, 4));
    x.scatter(i, u, { axis: 0 }).output('rows');
    x.scatter(net.input('c', int64(3, 2)), net.input('v', float32(3, 2)), { axis: 1 }).output('columns');
    x.scatter(net.input('n', int32(2, 1)), net.input('w', float32(2, 4)), { mode: 'nd' }).output('nd');
  },

  shape: {
    options: { profiles: [{ batch: [1, 4, 16] }] },
    record(net) {
      const x = net.input('x', float32('batch', 3));
      x.shapeTensor().output('shape');
      x.relu().output('y');
    },
  },

  one_hot(net) {
    const i = net.input('i', int32(2, 3));
    i.oneHot(4).output('last');
    i.oneHot(5, { axis: 0, values: [-1, 2] }).output('first');
  },

  /** TensorRT-RTX takes int64, unlike TensorRT. */
  one_hot_int64(net) {
    net.input('i', int64(2, 3)).oneHot(4).output('y');
  },

  topk(net) {
    const x = net.input('x', float32(3, 8));
    const [values, indices] = x.topk(2);
    values.output('values');
    indices.output('indices');
    const [least, where] = x.topk(1, { axis: 0, largest: false, indices: 'int64' });
    least.output('least');
    where.output('where');
  },

  topk_vector(net) {
    const [values, indices] = net.input('x', float32(8)).topk(3);
    values.output('values');
    indices.output('indices');
  },

  topk_tensor: {
    options: { profiles: [{ k: [1, 2, 4] }] },
    record(net) {
      const x = net.input('x', float32(2, 8));
      const [values] = x.topk(net.input('k', int32()));
      values.output('values');
    },
  },

  resize(net) {
    const x = net.input('x', float32(1, 2, 4, 5));
    const scales = [1, 1, 2, 1.5];
    const modes = ['nearest', 'linear', 'cubic'] as const;
    for (const [i, mode] of modes.entries())
      for (const coordinateTransformation of ['align_corners', 'asymmetric', 'half_pixel'] as const)
        x.resize({ mode, coordinateTransformation, scales, cubicCoeff: -0.5 - i / 8 }).output(
          `${mode}_${coordinateTransformation}`,
        );
    for (const nearestRounding of ['half_up', 'half_down', 'floor', 'ceil'] as const)
      x.resize({ nearestRounding, sizes: [1, 2, 7, 3] }).output(nearestRounding);
    x.resize({ mode: 'linear', selector: 'upper', sizes: [1, 2, 1, 1] }).output('upper');
    x.resize({ mode: 'cubic', excludeOutside: true, scales, cubicCoeff: -0.625 }).output('inside');
  },

  /** Only TensorRT 10 needs float32. */
  resize_bfloat16(net) {
    net
      .input('x', bfloat16(1, 2, 4, 5))
      .resize({ mode: 'linear', coordinateTransformation: 'half_pixel', scales: [1, 1, 2, 2] })
      .output('y');
  },

  resize_names(net) {
    const x = net.input('x', float32(1, 2, 4, 5));
    x.interpolate({ scaleFactor: 2 }).output('nearest');
    x.interpolate({ size: [7, 3], mode: 'nearest-exact' }).output('exact');
    x.interpolate({ scaleFactor: [2, 3], mode: 'bilinear' }).output('bilinear');
    x.interpolate({ size: 6, mode: 'bicubic', alignCorners: true }).output('bicubic');
    net
      .input('z', float32(1, 2, 4))
      .interpolate({ scaleFactor: 2.5, mode: 'linear' })
      .output('linear');
  },

  resize_tensor: {
    options: { profiles: [{ height: [2, 4, 8], width: [2, 4, 8] }] },
    record(net) {
      const x = net.input('x', float32(1, 2, 'height', 'width'));
      x.interpolate({ size: [x.dim(3), x.dim(2)] }).output('y');
    },
  },

  reverse_sequence(net) {
    const x = net.input('x', float32(4, 3, 2));
    x.reverseSequence(net.input('l', int32(3))).output('time');
    x.reverseSequence(net.input('m', int32(4)), { batchAxis: 0, sequenceAxis: 1 }).output('batch');
  },

  grid_sample(net) {
    const x = net.input('x', float32(1, 2, 4, 5));
    const grid = net.input('grid', float32(1, 3, 3, 2));
    for (const mode of ['nearest', 'bilinear', 'bicubic'] as const) x.gridSample(grid, { mode }).output(mode);
    for (const paddingMode of ['zeros', 'border', 'reflection'] as const)
      x.gridSample(grid, { paddingMode, alignCorners: true }).output(paddingMode);
  },
};
