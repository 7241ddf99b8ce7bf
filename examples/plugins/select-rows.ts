import { attr, definePlugin } from 'node-tensorrt';

const block = 256;

/**
 * The rows [n, width] whose score [n] exceeds a threshold, in their order, and their indices. How many there are only the kernels know: they write
 * it to `count`, and TensorRT takes the size of the other outputs from there. Three kernels in sequence, with scratch memory between them.
 */
export const selectRows = definePlugin({
  name: 'SelectRows',
  version: '1',
  inputs: ['rows', 'scores'],
  ranks: { rows: 2, scores: 1 },
  attributes: { threshold: attr.float32() },
  types: (['float32', 'float16'] as const).map((t) => ({
    ...{ rows: t, scores: t },
    ...{ kept: t, indices: 'int32' as const, count: 'int32' as const },
  })),
  outputs({ rows, sizeTensor, ceilDiv }) {
    const [n, width] = rows.shape;
    const count = sizeTensor('count', { opt: ceilDiv(n, 2), upper: n });
    return { kept: [count, width], indices: [count] };
  },
  workspace: ({ rows, ceilDiv, max, mul }) => mul(max(ceilDiv(rows.shape[0], block), 1), 4),
  cuda: new URL('./select-rows.cu', import.meta.url),
  launch({ rows, scores, kept, indices, count, threshold, workspace, int32, ceilDiv, max }) {
    const [n, width] = rows.shape;
    // Of no rows, too, the count has to be written: a grid is never 0.
    const blocks = max(ceilDiv(n, block), 1);
    const each = { grid: blocks, block };
    return [
      { kernel: 'countRows', template: [rows.dtype, block], ...each, args: [scores, workspace, int32(n), threshold] },
      { kernel: 'placeRows', template: [block], grid: 1, block, args: [workspace, int32(blocks), count] },
      {
        kernel: 'copyRows',
        template: [rows.dtype, block],
        ...each,
        args: [rows, scores, workspace, kept, indices, int32(n), int32(width), threshold],
      },
    ];
  },
  reference({ rows, scores }, { threshold }) {
    const width = rows.shape[1]!;
    const data = rows.data as Float32Array;
    const indices = Array.from(scores.data as Float32Array, (_, i) => i).filter(
      (i) => Number(scores.data[i]) > threshold,
    );
    const kept = indices.flatMap((i) => [...data.subarray(i * width, (i + 1) * width)]);
    return { kept, indices, count: indices.length };
  },
  decompose({ rows, scores }, { threshold }) {
    const indices = scores.gt(threshold).nonZero().squeeze(0);
    return { kept: rows.gather(indices), indices, count: indices.shapeTensor().cast('int32').squeeze(0) };
  },
});
