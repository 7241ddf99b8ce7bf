import { z } from 'zod';
import {
  type CpuGraph,
  type CpuLayer,
  type CpuValue,
  defineLayer,
  type InferredValue,
} from '../../dsl/define-layer.js';
import type { Network } from '../../dsl/network.js';
import { Tensor } from '../../dsl/tensor.js';
import { show } from '../../errors/error.js';
import { refuse } from '../../errors/refusal.js';
import {
  ceilDivDims,
  type Dim,
  formatShape,
  isStatic,
  isUnknown,
  maxDims,
  subDims,
  unknownDim,
} from '../../values/dim.js';
import type { DType } from '../../values/dtype.js';
import { maxRank } from '../../values/spec.js';
import { type DimLike, DimValue, resolveDim } from '../shared/dim-value.js';
import { indexTypes, requireDType } from '../shared/dtypes.js';
import { constantTensor, type Liftable } from '../shared/lift.js';
import { type Named, nonNegative } from '../shared/parameters.js';
import { type FillShape, sizesOf } from '../shared/shape-tensor.js';

/** TensorRT's FillOperation. */
const fillOperations = ['linspace', 'random_uniform', 'random_normal'] as const;
/** TensorRT's FillOperation. @useDeclaredType */
export type FillOperation = (typeof fillOperations)[number];

const params = z.strictObject({
  operation: z.enum(fillOperations),
  dtype: z.enum(['float32', 'float16', 'int32', 'int64']),
  /** null if input 0 gives it. */
  shape: z.array(nonNegative).max(8).nullable(),
  /** null if inputs 1 and 2 give them. */
  alpha: z.number().nullable(),
  beta: z.number().nullable(),
});
type FillParams = z.infer<typeof params>;

export const fill = defineLayer({
  kind: 'fill',
  params,
  isFoldable: ({ operation }) => operation === 'linspace',
  infer({ inputs, params: p, fail }): InferredValue {
    const shape = p.shape ?? fromTensor();
    const linspace = p.operation === 'linspace';
    requireDType(p.dtype, linspace ? ['float32', 'int32', 'int64'] : ['float32', 'float16'], fail, 'dtype');
    const [alpha, beta] = [inputs[1], inputs[2]];
    const given = [p.alpha, p.beta].filter((v) => v !== null).length;
    if (given === 1 || Boolean(alpha) !== Boolean(beta) || (given === 2) === Boolean(alpha)) {
      fail('ERR_PARAMETER', 'expected two numbers, or two tensors', { options: ['alpha', 'beta'] });
    }
    if (alpha && beta) {
      requireDType(alpha.dtype, [p.dtype], fail, 'alpha');
      requireDType(beta.dtype, [p.dtype], fail, 'beta');
      const betaShape = linspace ? [shape.length] : [];
      if (alpha.shape.length > 0)
        fail('ERR_RANK', `expected a scalar, given ${formatShape(alpha.shape)}`, { option: 'alpha' });
      if (String(beta.shape) !== String(betaShape)) {
        fail('ERR_SHAPE', `expected ${formatShape(betaShape)}, given ${formatShape(beta.shape)}`, {
          option: 'beta',
          expected: betaShape,
          actual: beta.shape,
        });
      }
      return { dtype: p.dtype, shape };
    }
    if (linspace && shape.length !== 1) {
      fail('ERR_RANK', `a shape of rank ${shape.length} needs one step per axis, given ${formatShape(shape)}`);
    }
    const whole = p.dtype === 'int32' || p.dtype === 'int64';
    if (whole && !(Number.isSafeInteger(p.alpha) && Number.isSafeInteger(p.beta))) {
      fail('ERR_VALUE', `expected whole numbers for ${p.dtype}, given ${p.alpha} and ${p.beta}`, {
        options: ['alpha', 'beta'],
      });
    }
    const [length] = shape;
    if (!whole || !isStatic(length!) || length > 64) return { dtype: p.dtype, shape };
    return { dtype: p.dtype, shape, contents: Array.from({ length }, (_, i) => p.alpha! + i * p.beta!) };

    function fromTensor(): Dim[] {
      const tensor = inputs[0] ?? fail('ERR_INPUT', 'expected sizes or a tensor', { option: 'shape' });
      requireDType(tensor.dtype, indexTypes, fail, 'shape');
      const [rank, ...others] = tensor.shape;
      if (rank === undefined || others.length > 0 || !isStatic(rank)) {
        return fail('ERR_SHAPE', `expected a tensor of rank 1 and known length, given ${formatShape(tensor.shape)}`, {
          option: 'shape',
        });
      }
      if (rank > maxRank) fail('ERR_RANK', `expected at most ${maxRank} sizes, given ${rank}`, { option: 'shape' });
      return Array.from({ length: rank }, (_, i) => {
        const dim = tensor.contents?.[i];
        return dim === undefined || isUnknown(dim) ? unknownDim('fill') : dim;
      });
    }
  },
  cpu(g, layer) {
    const { params: p, inputs } = layer;
    const shape = p.shape ? g.constant('int64', [p.shape.length], p.shape) : g.cast(inputs[0]!, 'int64');
    if (p.operation === 'linspace') return linspace(g, layer, shape);
    const drawn = p.operation === 'random_uniform' ? uniform(g, shape) : normal(g, shape);
    const number = (given: number | null, i: number) =>
      given === null ? g.cast(inputs[i]!, 'float32') : g.constant('float32', [], [given]);
    const [alpha, beta] = [number(p.alpha, 1), number(p.beta, 2)];
    const scale = p.operation === 'random_uniform' ? g.op('Sub', [beta, alpha]) : beta;
    return g.cast(g.op('Add', [g.op('Mul', [drawn, scale]), alpha]), p.dtype);
  },
});

/**
 * Uniform in 0 … 1 in steps of 2⁻²⁴, from bits drawn by Dropout, because onnxruntime lacks this opset's RandomUniformLike.
 */
function uniform(g: CpuGraph, shape: CpuValue): CpuValue {
  const bits = 24;
  const one = g.constant('float32', [], [1]);
  const ones = g.op('Expand', [one, g.op('Concat', [shape, g.constant('int64', [1], [bits])], { axis: 0 })]);
  const [, kept] = g.ops('Dropout', [ones, g.constant('float32', [], [0.5]), g.constant('bool', [], [1])], {}, 2);
  const weights = Array.from({ length: bits }, (_, i) => 2 ** -(i + 1));
  return g.op('MatMul', [g.cast(kept!, 'float32'), g.constant('float32', [bits], weights)]);
}

/** Box and Muller, 1958: √(−2 ln(1 − u)) · cos(2πv). */
function normal(g: CpuGraph, shape: CpuValue): CpuValue {
  const number = (value: number) => g.constant('float32', [], [value]);
  const [u, v] = [uniform(g, shape), uniform(g, shape)];
  const log = g.op('Log', [g.op('Sub', [number(1), u])]);
  const radius = g.op('Sqrt', [g.op('Mul', [number(-2), log])]);
  return g.op('Mul', [radius, g.op('Cos', [g.op('Mul', [number(2 * Math.PI), v])])]);
}

/** alpha + Σ beta[axis] · index[axis]. */
function linspace(g: CpuGraph, { params: p, inputs, outputTypes }: CpuLayer<FillParams>, shape: CpuValue): CpuValue {
  const rank = outputTypes[0]!.shape.length;
  const int64 = (...values: number[]) => g.constant('int64', [values.length], values);
  let sum = p.alpha === null ? inputs[1]! : g.constant(p.dtype, [], [p.alpha]);
  for (let axis = 0; axis < rank; axis++) {
    const scalar = (value: number) => g.constant('int64', [], [value]);
    const length = g.op('Gather', [shape, scalar(axis)]);
    const index = g.cast(g.op('Range', [scalar(0), length, scalar(1)]), p.dtype);
    const step = p.beta === null ? g.op('Gather', [inputs[2]!, scalar(axis)]) : g.constant(p.dtype, [], [p.beta]);
    const spread = int64(...Array.from({ length: rank }, (_, i) => (i === axis ? -1 : 1)));
    sum = g.op('Add', [sum, g.op('Reshape', [g.op('Mul', [index, step]), spread])]);
  }
  return sum;
}

export interface FillOptions extends Named {
  /** Default `linspace`. */
  operation?: FillOperation | undefined;
  /** linspace: the first element; random_uniform: the least; random_normal: the mean. A number, or a scalar tensor. Default 0. */
  alpha?: number | Tensor | undefined;
  /**
   * linspace: the step along each axis, a tensor [rank] or one number per axis (one alone for rank 1); random_uniform: the
   * most; random_normal: the standard deviation, a number or a scalar tensor. Default 1.
   */
  beta?: Liftable | undefined;
  /** float32, int32 or int64 for linspace; float32 or float16 for random numbers. Default float32. */
  dtype?: DType | undefined;
}

function record(net: Network, given: FillShape, options: FillOptions & { method: string }): Tensor {
  const { method, name, operation = 'linspace', alpha = 0, beta = 1, dtype = 'float32' } = options;
  const shape = sizesOf(net, given, method);
  const rank = shape instanceof Tensor ? shape.shape[0] : shape.length;
  const plain = typeof alpha === 'number' && typeof beta === 'number' && (operation !== 'linspace' || rank === 1);
  const tensors = plain ? [] : [constantTensor(net, alpha, dtype, method), constantTensor(net, beta, dtype, method)];
  return net.record(fill, {
    method,
    name,
    inputs: [shape instanceof Tensor ? shape : null, ...tensors],
    params: {
      operation,
      dtype: dtype as FillParams['dtype'],
      shape: shape instanceof Tensor ? null : shape,
      alpha: plain ? alpha : null,
      beta: plain ? beta : null,
    },
  })[0]!;
}

export interface RangeOptions extends Named {
  /** The first element, which may be a dynamic dim. Default 0. */
  start?: DimLike | undefined;
  /** Default 1. */
  step?: number | undefined;
  /** float32, int32 or int64. Default int32. */
  dtype?: DType | undefined;
}

export interface RandomOptions extends Named {
  /** float32 or float16. Default float32. */
  dtype?: DType | undefined;
}

/** Alpha and beta of `start`, `start + step`, …: tensors if the start is dynamic. */
function progression(net: Network, start: Dim, step: number, dtype: DType, method: string): FillOptions {
  if (isStatic(start)) return { alpha: start, beta: step };
  return {
    alpha: constantTensor(net, new DimValue(start), dtype, method),
    beta: constantTensor(net, [step], dtype, method),
  };
}

export interface RandomUniformOptions extends RandomOptions {
  /** Default 0. */
  low?: number | Tensor | undefined;
  /** Default 1. */
  high?: number | Tensor | undefined;
}

export interface RandomNormalOptions extends RandomOptions {
  /** Default 0. */
  mean?: number | Tensor | undefined;
  /** Default 1. */
  std?: number | Tensor | undefined;
}

const methods = {
  /**
   * A tensor of the given shape, made from no input: element [i, j, …] is `alpha + beta[0]·i + beta[1]·j + …`, or a
   * random number. TensorRT kind: fill.
   *
   * @throws ERR_SHAPE, ERR_RANK, ERR_DTYPE, ERR_VALUE, ERR_PARAMETER
   */
  fill(this: Network, shape: FillShape, options: FillOptions = {}): Tensor {
    return record(this, shape, { ...options, method: 'fill' });
  },
  /**
   * `start`, `start + step`, … below `end`, as an int32 tensor of shape [⌈(end − start) / step⌉]; `start` and `end` may be
   * dynamic dims. TensorRT kind: fill (LINSPACE).
   * @throws ERR_VALUE where the numbers have no place in the dtype; ERR_SHAPE where a dim is unknown; ERR_PARAMETER
   */
  arange(this: Network, end: DimLike, options: RangeOptions = {}): Tensor {
    const method = 'arange';
    const { step = 1, dtype = 'int32', name } = options;
    const bound = (given: DimLike, what: string): Dim =>
      typeof given === 'number' ? given : resolveDim(this, given, what, method, -(2 ** 31));
    const [start, stop] = [bound(options.start ?? 0, 'start'), bound(end, 'end')];
    const dims = [start, stop].filter((dim) => !isStatic(dim));
    if (!Number.isFinite(step) || step === 0) {
      refuse(method, 'ERR_PARAMETER', `expected a number other than 0, given ${show(step)}`, { option: 'step' });
    }
    for (const [option, v] of Object.entries({ start, end: stop })) {
      if (Number.isFinite(v) || typeof v === 'string') continue;
      refuse(method, 'ERR_PARAMETER', `expected a number or dim, given ${show(v)}`, { option });
    }
    if (
      dims.length > 0 &&
      (![start, stop, step].every((v) => typeof v === 'string' || Number.isInteger(v)) || step < 0)
    ) {
      refuse(
        method,
        'ERR_PARAMETER',
        `expected whole numbers beside the dim '${dims[0]}', given ${start}, ${stop} and ${step}`,
      );
    }
    const length =
      isStatic(start) && isStatic(stop)
        ? Math.max(0, Math.ceil((stop - start) / step))
        : ceilDivDims(subDims(stop, start), step);
    return record(this, [new DimValue(length)], {
      method,
      name,
      ...progression(this, start, step, dtype, method),
      dtype,
    });
  },
  /**
   * `count` numbers from `start` to `end`, both included, as float32 [count]; `count` may be a dynamic dim, as in
   * `net.linspace(0, 1, x.dim(0))`. TensorRT kind: fill (LINSPACE).
   * @throws ERR_PARAMETER where the count is no whole number from 1; ERR_SHAPE where a dim is unknown
   */
  linspace(this: Network, start: number, end: number, count: DimLike, options: Named = {}): Tensor {
    const method = 'linspace';
    for (const [option, given] of Object.entries({ start, end })) {
      if (typeof given === 'number') continue;
      refuse(method, 'ERR_PARAMETER', `expected a number, given ${show(given)}`, { option });
    }
    if (typeof count === 'number' && !(Number.isInteger(count) && count >= 1)) {
      refuse(method, 'ERR_PARAMETER', `expected a whole number from 1, given ${String(count)}`, { option: 'count' });
    }
    const dim = resolveDim(this, count, 'count', method, 1);
    if (isStatic(dim)) {
      const beta = dim === 1 ? 0 : (end - start) / (dim - 1);
      return record(this, [dim], { ...options, method, alpha: start, beta });
    }
    // A single element has no step.
    const steps = constantTensor(this, new DimValue(maxDims(subDims(dim, 1), 1)), 'float32', method).reshape([1]);
    const span = constantTensor(this, [end - start], 'float32', method);
    return record(this, [dim], { ...options, method, alpha: start, beta: span.div(steps) });
  },
  /**
   * Random numbers, uniform from `low` (default 0) to `high` (default 1), drawn again in every run. TensorRT kind: fill
   * (RANDOM_UNIFORM).
   */
  randomUniform(this: Network, shape: FillShape, options: RandomUniformOptions = {}): Tensor {
    const { low = 0, high = 1, ...rest } = options;
    return record(this, shape, {
      ...rest,
      operation: 'random_uniform',
      alpha: low,
      beta: high,
      method: 'randomUniform',
    });
  },
  /**
   * Random numbers, normal with `mean` (default 0) and `std` (default 1), drawn again in every run. TensorRT kind: fill
   * (RANDOM_NORMAL).
   */
  randomNormal(this: Network, shape: FillShape, options: RandomNormalOptions = {}): Tensor {
    const { mean = 0, std = 1, ...rest } = options;
    return record(this, shape, { ...rest, operation: 'random_normal', alpha: mean, beta: std, method: 'randomNormal' });
  },
};

export { methods as fillMethods };
export type FillMethods = typeof methods;
