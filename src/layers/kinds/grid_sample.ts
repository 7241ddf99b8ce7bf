import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { show } from '../../errors/error.js';
import { refuse } from '../../errors/refusal.js';
import { formatShape, isStatic } from '../../values/dim.js';
import { floats, requireDType } from '../shared/dtypes.js';
import type { Named } from '../shared/parameters.js';
import { requireRank } from '../shared/shapes.js';

/** PyTorch's name → TensorRT's InterpolationMode. */
const interpolations = { nearest: 'nearest', bilinear: 'linear', bicubic: 'cubic' } as const;
/** PyTorch's name → TensorRT's SampleMode. */
const samples = { zeros: 'fill', border: 'clamp', reflection: 'reflect' } as const;
/** TensorRT's SampleMode → ONNX's padding_mode. */
const paddings = { fill: 'zeros', clamp: 'border', reflect: 'reflection' } as const;

export const gridSample = defineLayer({
  kind: 'grid_sample',
  params: z.strictObject({
    interpolation: z.enum(['nearest', 'linear', 'cubic']),
    sampleMode: z.enum(['fill', 'clamp', 'reflect']),
    alignCorners: z.boolean(),
  }),
  infer({ input, fail }) {
    const [x, grid] = [input(0), input(1)];
    requireDType(x.dtype, floats, fail);
    if (grid.dtype !== x.dtype) {
      fail('ERR_DTYPE', `expected the input's dtype ${x.dtype}, given ${grid.dtype}`, {
        option: 'grid',
        expected: x.dtype,
        actual: grid.dtype,
      });
    }
    requireRank(x.shape, 4, 4, fail);
    requireRank(grid.shape, 4, 4, fail, 'grid');
    const [batch, channels] = x.shape;
    const [count, height, width, two] = grid.shape;
    if (two !== 2)
      fail('ERR_SHAPE', `expected [batch, height, width, 2], given ${formatShape(grid.shape)}`, { option: 'grid' });
    if (isStatic(batch!) && isStatic(count!) && batch !== count) {
      fail('ERR_SHAPE', `grid ${formatShape(grid.shape)} and input ${formatShape(x.shape)} differ in their batch`, {
        expected: batch,
        actual: count,
      });
    }
    return { dtype: x.dtype, shape: [batch!, channels!, height!, width!] };
  },
  cpu(g, { input, params: p, inputTypes }) {
    const { dtype } = inputTypes[0]!;
    // onnxruntime has no kernel for float16.
    const wide = (i: number) => (dtype === 'float16' ? g.cast(input(i), 'float32') : input(i));
    const sampled = g.op('GridSample', [wide(0), wide(1)], {
      mode: p.interpolation,
      padding_mode: paddings[p.sampleMode],
      align_corners: p.alignCorners,
    });
    return dtype === 'float16' ? g.cast(sampled, dtype) : sampled;
  },
});

export interface GridSampleOptions extends Named {
  /** Default `bilinear`. */
  mode?: keyof typeof interpolations | undefined;
  /** How to read outside the input. Default `zeros`. */
  paddingMode?: keyof typeof samples | undefined;
  /** Whether −1 and 1 are the centers of the corner pixels, or their outer edges. Default false. */
  alignCorners?: boolean | undefined;
}

const method = 'gridSample';

function requireKey(option: string, given: unknown, known: object): void {
  const expected = Object.keys(known);
  if (expected.includes(given as string)) return;
  refuse(method, 'ERR_PARAMETER', `expected ${expected.join(', ')}, given ${show(given)}`, {
    option,
    expected,
    actual: given,
  });
}

const methods = {
  /**
   * Samples [batch, channels, height, width] at the positions of `grid` [batch, outHeight, outWidth, 2], whose last
   * axis is (x, y) from −1 to 1, like PyTorch's grid_sample. The result is [batch, channels, outHeight, outWidth].
   * TensorRT kind: grid_sample.
   *
   * @throws ERR_SHAPE, ERR_RANK, ERR_DTYPE, ERR_PARAMETER
   */
  gridSample(this: TensorSource, grid: Tensor, options: GridSampleOptions = {}): Tensor {
    const { mode = 'bilinear', paddingMode = 'zeros', alignCorners = false, name } = options;
    const x = this.tensor();
    requireKey('mode', mode, interpolations);
    requireKey('paddingMode', paddingMode, samples);
    return x.network.record(gridSample, {
      method,
      name,
      inputs: [x, grid],
      params: { interpolation: interpolations[mode], sampleMode: samples[paddingMode], alignCorners },
    })[0]!;
  },
};

export { methods as gridSampleMethods };
export type GridSampleMethods = typeof methods;
