import { attr, type DType, definePlugin, weight as rounding } from 'node-tensorrt';

const bytes: Partial<Record<DType, number>> = { float32: 4, float16: 2 };

/**
 * What stands between the blocks of a decoder, in one kernel: sum = x + residual, and y = sum / √(mean(sum²) + eps) · weight over the last
 * axis. Two outputs, a reduction in shared memory, and tactics: TensorRT times three sizes of blocks and keeps the fastest.
 */
export const rmsNorm = definePlugin({
  name: 'RmsNorm',
  version: '1',
  inputs: ['x', 'residual', 'weight'],
  ranks: { x: [1, 8], residual: [1, 8], weight: 1 },
  attributes: { eps: attr.float32(1e-6) },
  types: (['float32', 'float16'] as const).map((t) => ({ x: t, residual: t, weight: t, y: t, sum: t })),
  outputs: ({ x }) => ({ y: x.shape, sum: x.shape }),
  cuda: new URL('./rms-norm.cu', import.meta.url),
  tactics: [{ block: 128 }, { block: 256 }, { block: 512 }],
  launch({ x, residual, weight, y, sum, eps, int32, floorDiv, max }, { block }) {
    const width = x.shape.at(-1)!;
    // 16 bytes at once, where the width is known and rows then begin at a multiple of 16.
    const most = 16 / bytes[x.dtype]!;
    const count = typeof width === 'number' && width % most === 0 ? most : 1;
    return [
      {
        kernel: 'rmsNorm',
        template: [x.dtype, block, count],
        grid: floorDiv(x.size, max(width, 1)),
        block,
        sharedMemory: (block / 32) * 4,
        args: [x, residual, weight, y, sum, int32(width), eps],
      },
    ];
  },
  reference({ x, residual, weight }, { eps }) {
    const width = x.shape.at(-1)!;
    const [a, b, w] = [x, residual, weight].map(({ data }) => data as Float32Array);
    // Rounded as the kernel stores it, because its mean is taken of that.
    const added = rounding(a!.map((v, i) => v + b![i]!));
    const sum = added.as(x.dtype as 'float32').as('float32').data as Float32Array;
    const y = new Float32Array(sum.length);
    for (let row = 0; row < sum.length; row += width) {
      let squares = 0;
      for (let i = row; i < row + width; i++) squares += sum[i]! ** 2;
      const scale = 1 / Math.sqrt(squares / width + eps);
      for (let i = 0; i < width; i++) y[row + i] = sum[row + i]! * scale * w![i]!;
    }
    return { y, sum };
  },
  decompose({ x, residual, weight }, { eps }) {
    const sum = x.add(residual);
    const wide = sum.cast('float32');
    const scale = wide.mul(wide).mean({ axes: -1, keepDims: true }).add(eps).rsqrt();
    return { y: wide.mul(scale).mul(weight.cast('float32')).cast(x.dtype), sum };
  },
});
