import { z } from 'zod';
import { type CpuGraph, type CpuValue, defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import { type Dim, divideExactly, formatShape, isStatic, type Shape } from '../../values/dim.js';
import type { DType } from '../../values/dtype.js';
import { wrapAxis } from '../shared/axes.js';
import { floats, requireDType } from '../shared/dtypes.js';
import { constantTensor } from '../shared/lift.js';
import { type Named, positive } from '../shared/parameters.js';
import { cpuQuantize, largest } from '../shared/quantization.js';

const targets = ['float4e2m1', 'float8e4m3', 'int8'] as const;
const scaleTypes = ['float8e4m3', 'float8e8m0', 'float32'] as const;

/** Inputs: the tensor and, optionally, the scale of the scales. Outputs: the quantized tensor, the scales of its blocks. */
export const dynamicQuantize = defineLayer({
  kind: 'dynamic_quantize',
  // TensorRT derives a precision from it.
  isFoldable: () => false,
  params: z.strictObject({
    /** Size of a block along every axis, -1 for all of it. */
    blockShape: z.array(z.union([z.literal(-1), positive])).max(8),
    to: z.enum(targets),
    scaleType: z.enum(scaleTypes),
  }),
  infer({ input, inputs, params: { blockShape, to, scaleType }, fail }) {
    const { dtype, shape } = input(0);
    requireDType(dtype, floats, fail);
    if (shape.length === 0) fail('ERR_RANK', 'expected rank 1 or more, given rank 0');
    if (blockShape.length !== shape.length) {
      fail('ERR_PARAMETER', `expected ${shape.length} sizes, given [${blockShape.join(', ')}]`, {
        option: 'blockShape',
        expected: shape.length,
        actual: blockShape.length,
      });
    }
    const blocks = shape.map((dim, i) => {
      const size = blockShape[i]!;
      const count = size === -1 ? 1 : divideExactly(dim, size);
      if (count === undefined || (size !== 1 && !isStatic(dim))) {
        return fail(
          'ERR_SHAPE',
          `${size} along axis ${i} needs a known multiple of it, the input is ${formatShape(shape)}`,
          { option: 'blockShape', expected: size, actual: dim },
        );
      }
      return count;
    });
    const double = inputs[1];
    if (double && (double.shape.length > 0 || (double.dtype !== 'float32' && double.dtype !== dtype))) {
      const given = `${double.dtype}${formatShape(double.shape)}`;
      fail('ERR_SHAPE', `expected float32 or ${dtype} of rank 0, given ${given}`, { option: 'doubleScale' });
    }
    if (scaleType === 'float8e4m3' && !double) {
      fail('ERR_INPUT', 'scales of float8e4m3 need a scale of their own, given none', { option: 'doubleScale' });
    }
    return [
      { dtype: to, shape },
      { dtype: scaleType, shape: blocks },
    ];
  },
  cpu(g, { input, inputs, inputTypes, outputTypes, params: { blockShape, to, scaleType } }) {
    const x = g.cast(input(0), 'float32');
    const { shape } = inputTypes[0]!;
    const blocks = blockShape.map((size, i) => (size === -1 ? (shape[i] as number) : size));
    const amax = blockMaxima(g, g.op('Abs', [x]), shape, blocks);
    const double = inputs[1] ? g.cast(inputs[1], 'float32') : g.constant('float32', [], [1]);
    const wanted = g.op('Div', [g.op('Div', [amax, g.constant('float32', [], [largest[to]])]), double]);
    const scale = roundScale(g, wanted, scaleType);
    const one = g.constant('float32', [], [1]);
    const used = g.op('Mul', [scale, double]);
    const divisor = g.op('Where', [g.op('Equal', [used, g.constant('float32', [], [0])]), one, used]);
    const repeated = blocks.reduce(
      (value, block, i) => (block === 1 ? value : repeat(g, value, i, shape[i] as number, block)),
      divisor,
    );
    return [cpuQuantize(g, x, repeated, to), g.cast(scale, outputTypes[1]!.dtype)];
  },
});

const indices = (g: CpuGraph, ...values: number[]) => g.constant('int64', [values.length], values);

/** The largest element of every block. */
function blockMaxima(g: CpuGraph, x: CpuValue, shape: Shape, blocks: readonly number[]): CpuValue {
  const sizes = g.op('Shape', [x]);
  const parts: CpuValue[] = [];
  const reduced: number[] = [];
  let axis = 0;
  for (const [i, block] of blocks.entries()) {
    if (block === 1) parts.push(g.op('Slice', [sizes, indices(g, i), indices(g, i + 1)]));
    else {
      parts.push(indices(g, (shape[i] as number) / block, block));
      reduced.push(++axis);
    }
    axis++;
  }
  const split = g.op('Reshape', [x, g.op('Concat', parts, { axis: 0 })], { allowzero: 1 });
  return reduced.length === 0 ? split : g.op('ReduceMax', [split, indices(g, ...reduced)], { keepdims: 0 });
}

const repeat = (g: CpuGraph, value: CpuValue, axis: number, size: number, block: number): CpuValue =>
  g.op('Gather', [value, indices(g, ...Array.from({ length: size }, (_, k) => Math.floor(k / block)))], { axis });

/** E8M0 rounds up to the next power of two, as documented for cuDNN's block-scale quantization; E4M3 rounds to nearest. */
function roundScale(g: CpuGraph, scale: CpuValue, to: DType): CpuValue {
  if (to !== 'float8e8m0') return g.cast(scale, to);
  const number = (v: number) => g.constant('float32', [], [v]);
  const power = (exponent: CpuValue) => g.op('Pow', [number(2), exponent]);
  const exponent = g.op('Clip', [
    g.op('Ceil', [g.op('Div', [g.op('Log', [scale]), number(Math.LN2)])]),
    number(-126),
    number(127),
  ]);
  // The logarithm of a power of two may come out a little too large.
  const lower = power(g.op('Sub', [exponent, number(1)]));
  return g.op('Where', [g.op('GreaterOrEqual', [lower, scale]), lower, power(exponent)]);
}

export interface DynamicQuantizeOptions extends Named {
  /** The axis that is cut into blocks, the last or the one before it. Default: the last. */
  axis?: number | undefined;
  /** Elements per block along `axis`. Default: 16 for float4e2m1 (NVFP4), else 32 (MXFP8). */
  blockSize?: number | undefined;
  /** Size of a block along every axis instead, -1 for all of it; more than one axis from TensorRT 10.15 on. */
  blockShape?: readonly number[] | undefined;
  /** Default `float4e2m1`. */
  to?: (typeof targets)[number] | undefined;
  /** Default: float8e4m3 for float4e2m1, else float8e8m0. */
  scaleType?: (typeof scaleTypes)[number] | undefined;
  /** The scale by which the blocks' scales are quantized themselves (NVFP4): a positive number or a tensor of rank 0. */
  doubleScale?: number | Tensor | undefined;
}

/** What `dynamicQuantize` returns: the quantized elements, and the scale of each block. */
export type DynamicQuantizeResult = [quantized: Tensor, scales: Tensor];

const methods = {
  /**
   * Quantizes a tensor of floats with scales computed at run time, one per block: the block's largest magnitude over
   * the dtype's, divided by `doubleScale`. Needs TensorRT 10.9 or later, and a GPU of compute capability 10 or more to
   * run. The CPU backend agrees with NVIDIA's block quantization in JAX; no TensorRT kernel was compared. TensorRT kind:
   * dynamic_quantize.
   * @returns `[quantized, scales]`: of the input's shape, and with one element per block
   * @throws ERR_SHAPE where blocks do not divide an axis; ERR_DTYPE, ERR_RANK, ERR_PARAMETER
   */
  dynamicQuantize(this: TensorSource, options: DynamicQuantizeOptions = {}): DynamicQuantizeResult {
    const method = 'dynamicQuantize';
    const x = this.tensor();
    const { axis = -1, to = 'float4e2m1', doubleScale, name } = options;
    const fp4 = to === 'float4e2m1';
    const { blockSize = fp4 ? 16 : 32, scaleType = fp4 ? 'float8e4m3' : 'float8e8m0' } = options;
    const at = wrapAxis(axis, x.rank);
    if (options.blockShape === undefined && !(at >= 0 && at < x.rank)) {
      refuse(method, 'ERR_AXIS', `expected one from ${-x.rank} to ${x.rank - 1}, given ${String(axis)}`, {
        option: 'axis',
      });
    }
    const blockShape = options.blockShape ?? x.shape.map((_: Dim, i) => (i === at ? blockSize : 1));
    const double = doubleScale === undefined ? null : constantTensor(x.network, doubleScale, 'float32', method);
    const [quantized, scales] = x.network.record(dynamicQuantize, {
      method,
      name,
      inputs: [x, double],
      params: { blockShape: [...blockShape], to, scaleType },
    });
    return [quantized!, scales!];
  },
};

export { methods as dynamicQuantizeMethods };
export type DynamicQuantizeMethods = typeof methods;
