import { toIRWeight } from '../dsl/ir-weight.js';
import type { Tensor, TensorSource } from '../dsl/tensor.js';
import { refuse, refusing } from '../errors/refusal.js';
import { scale } from '../layers/kinds/scale.js';
import { floats } from '../layers/shared/dtypes.js';
import type { Named } from '../layers/shared/parameters.js';
import { formatShape, isStatic } from '../values/dim.js';
import { bytesOf } from '../values/dtype.js';
import { decodeElements, encodeElements } from '../values/elements.js';
import { type Ingredient, originOf, recipeOf, stepOf } from '../values/recipe.js';
import { isWeightLike, layerNameOf, type WeightLike } from '../values/weight.js';

/** Statistics and coefficients, one per channel, under the names PyTorch stores: `batchNorm(w.layer('bn1'))`. */
export interface BatchNormOptions extends Named {
  /** [channels] */
  running_mean?: WeightLike | undefined;
  /** [channels] */
  running_var?: WeightLike | undefined;
  /** Alias of `running_mean`. */
  mean?: WeightLike | undefined;
  /** Alias of `running_var`. */
  variance?: WeightLike | undefined;
  /** [channels]. Default: ones. */
  weight?: WeightLike | undefined;
  /** [channels]. Default: zeros. */
  bias?: WeightLike | undefined;
  /** Default 1e-5. */
  eps?: number | undefined;
  /** Accepted because PyTorch stores it; not used. */
  num_batches_tracked?: unknown;
}

const method = 'batchNorm';

interface Statistic {
  shape: readonly number[];
  name?: string | undefined;
  elements: ArrayLike<number>;
}

/** Reads one: of a rounded weight, the elements from before. */
function statistic(value: unknown, role: string): Statistic {
  const fail = refusing(method);
  const { name, file, check, shape, exact } = (value ?? {}) as Partial<WeightLike>;
  if (typeof exact !== 'function') {
    const weight = toIRWeight(value, role, fail);
    const elements = decodeElements(
      weight.dtype,
      weight.data,
      weight.shape.reduce((a, b) => a * b, 1),
    );
    weight.check?.();
    return { ...weight, elements };
  }
  const elements = exact.call(value);
  const plain = { name, file, check, shape, dtype: 'float32', data: Float32Array.from(elements) };
  return { ...toIRWeight(plain, role, fail), elements };
}

/** A statistic as part of the recipe for scale and shift. */
function ingredient(given: WeightLike, { shape, elements }: Statistic): Ingredient {
  const known = given.ingredient ?? (isWeightLike(given) ? recipeOf(given) : undefined);
  if (known && typeof known !== 'function') return known;
  return () => ({ dtype: 'float64', shape, constant: bytesOf(Float64Array.from(elements)) });
}

const methods = {
  /**
   * Batch normalization at inference, `(x − mean) / √(variance + eps) · weight + bias` per channel (axis 1) of a tensor
   * of floats of rank 2 or more. It is folded in float64 to one scale and one shift, from the elements of the weight file,
   * also where `as` has rounded them; scale and shift are rounded to the input's dtype. TensorRT kind: scale.
   *
   * @throws ERR_INPUT where mean or variance is missing; ERR_SHAPE where sizes differ; ERR_VALUE where an element is not
   *   finite, variance + eps is not positive, or the input's dtype cannot hold scale or shift
   */
  batchNorm(this: TensorSource, options: BatchNormOptions): Tensor {
    const x = this.tensor();
    const {
      running_mean,
      running_var,
      mean = running_mean,
      variance = running_var,
      weight,
      bias,
      eps = 1e-5,
    } = options ?? {};
    if (mean === undefined || variance === undefined) {
      refuse(
        method,
        'ERR_INPUT',
        `expected running_mean and running_var, given ${Object.keys(options ?? {}).join(', ') || 'none'}`,
      );
    }
    if (x.rank < 2) refuse(method, 'ERR_RANK', `expected rank 2 or more, given ${x}`, { expected: 2, actual: x.rank });
    if (!floats.includes(x.dtype)) {
      refuse(method, 'ERR_DTYPE', `expected ${floats.join(', ')}, given ${x}`, { expected: floats, actual: x.dtype });
    }
    if (typeof eps !== 'number')
      refuse(method, 'ERR_PARAMETER', `expected a number, given ${String(eps)}`, { option: 'eps' });
    const given = Object.entries({ running_mean: mean, running_var: variance, weight, bias });
    const weights = new Map(
      given.flatMap(([role, w]) => (w === undefined ? [] : [[role, statistic(w, role)] as const])),
    );
    const { shape, name } = weights.get('running_mean')!;
    const channels = shape[0]!;
    for (const [role, other] of weights) {
      if (other.shape.length !== 1 || other.shape[0] !== channels) {
        refuse(method, 'ERR_SHAPE', `expected [${channels}], as running_mean has, given [${other.shape.join(', ')}]`, {
          option: role,
          involved: ['running_mean'],
          expected: [channels],
          actual: other.shape,
        });
      }
    }
    const expected = x.shape[1]!;
    if (isStatic(expected) && channels !== expected) {
      const wanted = `[${expected}], one per channel of ${formatShape(x.shape)}`;
      refuse(method, 'ERR_SHAPE', `expected ${wanted}, given [${channels}]`, {
        option: 'running_mean',
        expected: [expected],
        actual: shape,
      });
    }
    for (const [role, { elements }] of weights) {
      const actual = Array.prototype.find.call(elements, (v) => !Number.isFinite(v));
      if (actual !== undefined)
        refuse(method, 'ERR_VALUE', `expected finite elements, given ${actual}`, { option: role, actual });
    }
    const [means, variances, factors, offsets] = ['running_mean', 'running_var', 'weight', 'bias'].map(
      (role) => weights.get(role)?.elements,
    );
    const bad = Array.prototype.findIndex.call(variances!, (v) => !(v + eps > 0));
    if (bad >= 0)
      refuse(method, 'ERR_VALUE', `running_var + eps: expected more than 0, given ${variances![bad]} + ${eps}`, {
        involved: ['running_var', 'eps'],
      });
    const factor = Array.from(variances!, (v, i) => (factors?.[i] ?? 1) / Math.sqrt(v + eps));
    const shift = Array.from(means!, (m, i) => (offsets?.[i] ?? 0) - m * factor[i]!);
    const of = Object.entries({ running_mean: mean, running_var: variance, weight, bias });
    const ingredients = Object.fromEntries(of.map(([role, w]) => [role, w && ingredient(w, weights.get(role)!)]));
    const folded = (values: number[], what: 'scale' | 'shift'): WeightLike => {
      const data = encodeElements(x.dtype, values);
      const at = decodeElements(x.dtype, data, channels).findIndex((v) => !Number.isFinite(v));
      if (at >= 0)
        refuse(
          method,
          'ERR_VALUE',
          `the ${what} of channel ${at} is ${values[at]}, which the input's ${x.dtype} cannot hold; cast the input to float32`,
          { actual: values[at] },
        );
      const origin = originOf(stepOf('batchNorm', ingredients, { eps, dtype: x.dtype }, what), data);
      return { dtype: x.dtype, shape, data, origin };
    };
    return x.network.record(scale, {
      method,
      name: options.name,
      hint: layerNameOf(name),
      inputs: [x],
      weights: { scale: folded(factor, 'scale'), shift: folded(shift, 'shift') },
      params: { mode: 'channel', channelAxis: 1 },
    })[0]!;
  },
};

export { methods as batchNormMethods };
export type BatchNormMethods = typeof methods;
