import { z } from 'zod';
import type { CpuGraph, CpuValue, Fail, InferContext, InferredValue } from '../../dsl/define-layer.js';
import { Tensor } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import { type Dim, divideExactly, formatShape, isStatic, type Shape } from '../../values/dim.js';
import type { DType } from '../../values/dtype.js';
import { maxRank, type ValueType } from '../../values/spec.js';
import { wrapAxis } from './axes.js';
import { requireDType } from './dtypes.js';
import { constantTensor } from './lift.js';
import type { ConstantData } from './literal.js';
import { type Named, positive, wholeNumber } from './parameters.js';

/** Dtypes that quantize produces and dequantize accepts. */
export const quantizedDTypes = ['int8', 'float8e4m3', 'int4', 'float4e2m1'] as const;
/** Dtypes that tensors are quantized to. @useDeclaredType */
export type QuantizedDType = (typeof quantizedDTypes)[number];

/** Largest magnitudes; for integers, the minimum is one lower. */
export const largest: Record<QuantizedDType, number> = { int8: 127, int4: 7, float8e4m3: 448, float4e2m1: 6 };

/** TensorRT's parameters: axis -1 means none; a null block shape means none, and -1 in one means a whole axis. */
export const quantizationParams = {
  axis: wholeNumber.min(-1).max(maxRank - 1),
  blockShape: z
    .array(z.union([z.literal(-1), positive]))
    .max(8)
    .nullable(),
};

export interface QuantizationOptions extends Named {
  /**
   * Positive: one number for the whole tensor; one per index of `axis`; or, for blocks, a scale of the tensor's rank, with
   * the size of each axis divided by the block's. Numbers become float32.
   */
  scale: Tensor | ConstantData;
  /** TensorRT quantizes symmetrically: zeros, or a tensor of zeros in the quantized dtype. */
  zeroPoint?: number | readonly number[] | Tensor | undefined;
  /** The axis that a scale of rank 1 applies to; negative counts from the end. */
  axis?: number | undefined;
  /** Size of a block along every axis, -1 for the whole axis. Needs TensorRT 10.15; earlier versions infer blocks from the scale. */
  blockShape?: readonly number[] | undefined;
}

const isSingle = (shape: Shape): boolean => shape.every((dim) => dim === 1);

/** Checks that the scale has one of its three allowed shapes. */
function requireScale(x: Shape, scale: InferredValue, axis: number, fail: Fail): void {
  const { shape } = scale;
  const facts = (expected: unknown) => ({ option: 'scale', expected, actual: shape });
  if (isSingle(shape) && shape.length <= 1) return;
  if (shape.length === 1 && (axis >= 0 || x.length > 1)) {
    if (axis < 0 || axis >= x.length) {
      fail('ERR_AXIS', `expected that of a scale ${formatShape(shape)}, from 0 to ${x.length - 1}, given ${axis}`, {
        option: 'axis',
      });
    }
    const [size, own] = [x[axis]!, shape[0]!];
    if (isStatic(size) && isStatic(own) && size !== own) {
      fail(
        'ERR_SHAPE',
        `expected [${size}] for axis ${axis} of ${formatShape(x)}, given ${formatShape(shape)}`,
        facts([size]),
      );
    }
    return;
  }
  const divides = (dim: Dim, i: number) =>
    dim === x[i] || dim === 1 || !(isStatic(dim) && isStatic(x[i]!)) || divideExactly(x[i]!, dim) !== undefined;
  if (shape.length !== x.length || !shape.every(divides)) {
    fail(
      'ERR_SHAPE',
      `expected one number, one per index of axis, or parts of ${formatShape(x)}, given ${formatShape(shape)}`,
      facts(x),
    );
  }
}

/** Shared by quantize and dequantize. */
export function checkQuantization(
  { input, inputs, params, fail }: InferContext<{ axis: number; blockShape: number[] | null }>,
  quantized: DType,
): Shape {
  const { shape } = input(0);
  const scale = input(1);
  requireDType(scale.dtype, ['float32', 'float16', 'bfloat16', 'float8e8m0'], fail, 'scale');
  if (shape.length === 0) fail('ERR_RANK', 'expected rank 1 or more, given rank 0');
  requireScale(shape, scale, params.axis, fail);
  const { blockShape } = params;
  if (blockShape && blockShape.length !== shape.length) {
    fail('ERR_PARAMETER', `expected ${shape.length} sizes, given [${blockShape.join(', ')}]`, {
      option: 'blockShape',
      expected: shape.length,
      actual: blockShape.length,
    });
  }
  const zeroPoint = inputs[2];
  if (zeroPoint && (zeroPoint.dtype !== quantized || formatShape(zeroPoint.shape) !== formatShape(scale.shape))) {
    const expected = `${quantized}${formatShape(scale.shape)}`;
    fail('ERR_SHAPE', `expected ${expected}, given ${zeroPoint.dtype}${formatShape(zeroPoint.shape)}`, {
      option: 'zeroPoint',
      expected,
      actual: zeroPoint.shape,
    });
  }
  return shape;
}

/** The scale in float32, repeated so that it broadcasts with the tensor. */
export function cpuScale(g: CpuGraph, value: CpuValue, scale: ValueType, x: Shape, axis: number): CpuValue {
  let wide = g.cast(value, 'float32');
  const { shape } = scale;
  if (shape.length <= 1 && isSingle(shape)) return wide;
  if (shape.length === 1 && axis >= 0) {
    const target = x.map((_, i) => (i === axis ? -1 : 1));
    return g.op('Reshape', [wide, g.constant('int64', [target.length], target)]);
  }
  for (const [i, dim] of shape.entries()) {
    const size = x[i]!;
    if (dim === size || dim === 1 || !isStatic(dim) || !isStatic(size)) continue;
    const block = size / dim;
    const index = Array.from({ length: size }, (_, k) => Math.floor(k / block));
    wide = g.op('Gather', [wide, g.constant('int64', [size], index)], { axis: i });
  }
  return wide;
}

/** x / scale in float32, rounded half to even and clipped; narrow floats are rounded at the end of the layer. */
export function cpuQuantize(g: CpuGraph, x: CpuValue, scale: CpuValue, to: QuantizedDType): CpuValue {
  const number = (v: number) => g.constant('float32', [], [v]);
  const quotient = g.op('Div', [g.cast(x, 'float32'), scale]);
  const top = largest[to];
  const whole = to.startsWith('int');
  const rounded = whole ? g.op('Round', [quotient]) : quotient;
  const clipped = g.op('Clip', [rounded, number(whole ? -top - 1 : -top), number(top)]);
  return whole ? g.cast(clipped, to) : clipped;
}

/** Inputs and params of quantize and dequantize. */
export function quantizationOf(x: Tensor, options: QuantizationOptions, method: string) {
  const { scale, zeroPoint, axis, blockShape = null } = options ?? {};
  const { network } = x;
  if (scale === undefined) refuse(method, 'ERR_INPUT', 'expected numbers or a tensor, given none', { option: 'scale' });
  const factor = constantTensor(network, scale, 'float32', method);
  if (zeroPoint !== undefined && !(zeroPoint instanceof Tensor)) {
    const flat = [zeroPoint].flat(8) as unknown[];
    if (flat.some((value) => Number(value) !== 0)) {
      refuse(method, 'ERR_VALUE', `TensorRT quantizes symmetrically, expected zeros, given ${flat.join(', ')}`, {
        option: 'zeroPoint',
      });
    }
  }
  return {
    inputs: [x, factor, zeroPoint instanceof Tensor ? zeroPoint : null],
    axis: axis === undefined ? -1 : wrapAxis(axis, x.rank),
    blockShape: blockShape && [...blockShape],
  };
}
