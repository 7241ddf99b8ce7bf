import { z } from 'zod';
import { type CpuValue, defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { countOf, formatShape, isStatic, isStaticShape, type Shape, volume } from '../../values/dim.js';
import { isScalar } from '../../values/elements.js';
import { requireFront, resolveAxis, wrapAxis } from '../shared/axes.js';
import { floats, requireDType } from '../shared/dtypes.js';
import { type ConstantData, toLiteral } from '../shared/literal.js';
import { type Named, wholeNumber } from '../shared/parameters.js';
import { requireRank } from '../shared/shapes.js';

const scaleModes = ['uniform', 'channel', 'elementwise'] as const;
/** TensorRT's ScaleMode. @useDeclaredType */
export type ScaleMode = (typeof scaleModes)[number];

/** Dims of the coefficients, broadcast from the right. */
const coefficientShape = (shape: Shape, mode: ScaleMode, channelAxis: number): Shape => {
  if (mode === 'uniform') return [];
  const rest = shape.slice(channelAxis);
  return mode === 'elementwise' ? rest : rest.map((dim, i) => (i === 0 ? dim : 1));
};

export const scale = defineLayer({
  kind: 'scale',
  params: z.strictObject({ mode: z.enum(scaleModes), channelAxis: wholeNumber }),
  infer({ input, weights, params: { mode, channelAxis }, fail }) {
    const { dtype, shape } = input(0);
    requireDType(dtype, floats, fail);
    requireRank(shape, 1, 8, fail);
    if (mode !== 'uniform') resolveAxis(channelAxis, shape.length, fail, 'channelAxis');
    requireFront([channelAxis], fail);
    const expected = coefficientShape(shape, mode, channelAxis);
    for (const role of ['shift', 'scale', 'power'] as const) {
      const weight = weights[role];
      if (!weight) continue;
      if (weight.dtype !== dtype) {
        fail('ERR_DTYPE', `expected the input's dtype ${dtype}, given ${weight.dtype}`, {
          option: role,
          expected: dtype,
          actual: weight.dtype,
        });
      }
      if (!isStaticShape(expected)) {
        fail('ERR_SHAPE', `mode ${mode}: expected known sizes along the scaled axes, given ${formatShape(shape)}`);
      }
      if (countOf(weight.shape) !== volume(expected)) {
        fail(
          'ERR_SHAPE',
          `expected ${volume(expected)} elements for mode ${mode} of ${formatShape(shape)} from axis ${channelAxis}, given ${formatShape(weight.shape)}`,
          { option: role, expected: volume(expected), actual: countOf(weight.shape) },
        );
      }
    }
    return { dtype, shape };
  },
  cpu(g, { input, weights, params: { mode, channelAxis }, inputTypes, outputTypes }) {
    const { dtype, shape } = inputTypes[0]!;
    const dims = coefficientShape(shape, mode, channelAxis) as number[];
    const wide = (value: CpuValue) => (dtype === 'float16' ? g.cast(value, 'float32') : value);
    const coefficient = (role: string) =>
      wide(g.op('Reshape', [weights[role]!, g.constant('int64', [dims.length], dims)], { allowzero: 1 }));
    let y = wide(input(0));
    if (weights.scale) y = g.op('Mul', [y, coefficient('scale')]);
    if (weights.shift) y = g.op('Add', [y, coefficient('shift')]);
    if (weights.power) y = g.op('Pow', [y, coefficient('power')]);
    return dtype === 'float16' ? g.cast(y, outputTypes[0]!.dtype) : g.op('Identity', [y]);
  },
});

export interface ScaleOptions extends Named {
  /** Default 1. */
  scale?: ConstantData | undefined;
  /** Default 0. */
  shift?: ConstantData | undefined;
  /** Default 1. */
  power?: ConstantData | undefined;
  /** What the coefficients belong to; a number stands for as many as that takes. Default: by their shape; one element is `uniform`, a vector `channel`, any other `elementwise`. */
  mode?: ScaleMode | undefined;
  /** First of the axes that coefficients differ along. Default 1. */
  channelAxis?: number | undefined;
}

function modeOf(shapes: readonly (readonly number[])[]): ScaleMode {
  const several = shapes.filter((shape) => countOf(shape) !== 1);
  if (several.length === 0) return 'uniform';
  return several.every((shape) => shape.length === 1) ? 'channel' : 'elementwise';
}

const methods = {
  /**
   * `(x·scale + shift)^power` with coefficients of the input's dtype that are numbers or weights: one of each
   * (`uniform`), one per index of `channelAxis` (`channel`), or one per element of that axis and those after it
   * (`elementwise`). If the coefficients are tensors, use `mul`, `add` and `pow`. TensorRT kind: scale.
   *
   * @throws ERR_SHAPE where the number of coefficients does not fit; ERR_DTYPE, ERR_AXIS, ERR_VALUE
   */
  scale(this: TensorSource, options: ScaleOptions): Tensor {
    const x = this.tensor();
    const { scale: factor, shift, power, mode: chosen, channelAxis = 1, name } = options ?? {};
    const given = Object.entries({ scale: factor, shift, power }).filter(([, value]) => value !== undefined);
    const lift = (role: string, value: unknown, shape?: number[]) =>
      toLiteral(value as ConstantData, { dtype: x.dtype, shape }, `scale: ${role}`).weight;
    const mode = chosen ?? modeOf(given.map(([role, value]) => lift(role, value).shape));
    const axis = wrapAxis(channelAxis, x.rank);
    // A single number stands for all coefficients.
    const dims = coefficientShape(x.shape, mode, axis).filter(isStatic);
    return x.network.record(scale, {
      method: 'scale',
      name,
      inputs: [x],
      weights: Object.fromEntries(
        given.map(([role, value]) => [role, lift(role, value, isScalar(value) ? dims : undefined)]),
      ),
      params: { mode, channelAxis: axis },
    })[0]!;
  },
};

export { methods as scaleMethods };
export type ScaleMethods = typeof methods;
