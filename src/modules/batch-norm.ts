import type { IRWeight } from '../dsl/ir.js';
import { toIRWeight } from '../dsl/ir-weight.js';
import type { Tensor, TensorSource } from '../dsl/tensor.js';
import { refuse, refusing } from '../errors/refusal.js';
import { scale } from '../layers/kinds/scale.js';
import { floats } from '../layers/shared/dtypes.js';
import type { Named } from '../layers/shared/parameters.js';
import { formatShape, isStatic } from '../values/dim.js';
import { decodeElements, encodeElements } from '../values/elements.js';
import { layerNameOf, type WeightLike } from '../values/weight.js';

/** Statistics and coefficients, one per channel, under the names PyTorch stores: `batchNorm(w.layer('bn1'))`. */
export interface BatchNormOptions extends Named {
  /** [channels] */
  running_mean?: WeightLike;
  /** [channels] */
  running_var?: WeightLike;
  /** Alias of `running_mean`. */
  mean?: WeightLike;
  /** Alias of `running_var`. */
  variance?: WeightLike;
  /** [channels]. Default: ones. */
  weight?: WeightLike | undefined;
  /** [channels]. Default: zeros. */
  bias?: WeightLike | undefined;
  /** Default 1e-5. */
  eps?: number;
  /** Accepted because PyTorch stores it; not used. */
  num_batches_tracked?: unknown;
}

const method = 'batchNorm';

const checked = (value: unknown, role: string): IRWeight => toIRWeight(value, role, refusing(method));

const methods = {
  /**
   * Batch normalization at inference, `(x − mean) / √(variance + eps) · weight + bias` per channel (axis 1) of a tensor
   * of floats of rank 2 or more. It is folded in float64 to one scale and one shift, which are rounded to the input's
   * dtype. TensorRT kind: scale.
   *
   * @throws ERR_INPUT where mean or variance is missing; ERR_SHAPE where sizes differ; ERR_VALUE where variance + eps
   *   is not positive
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
    const weights = new Map(given.flatMap(([role, w]) => (w === undefined ? [] : [[role, checked(w, role)] as const])));
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
    const numbers = (role: string): Float32Array | undefined => {
      const found = weights.get(role);
      const elements = found && decodeElements(found.dtype, found.data, channels);
      found?.check?.();
      return elements;
    };
    const [means, variances, factors, offsets] = ['running_mean', 'running_var', 'weight', 'bias'].map(numbers);
    const bad = variances!.findIndex((v) => !(v + eps > 0));
    if (bad >= 0)
      refuse(method, 'ERR_VALUE', `running_var + eps: expected more than 0, given ${variances![bad]} + ${eps}`, {
        involved: ['running_var', 'eps'],
      });
    const factor = Array.from(variances!, (v, i) => (factors?.[i] ?? 1) / Math.sqrt(v + eps));
    const shift = Array.from(means!, (m, i) => (offsets?.[i] ?? 0) - m * factor[i]!);
    const folded = (values: number[]): WeightLike => ({
      dtype: x.dtype,
      shape,
      data: encodeElements(x.dtype, values),
    });
    return x.network.record(scale, {
      method,
      name: options.name,
      hint: layerNameOf(name),
      inputs: [x],
      weights: { scale: folded(factor), shift: folded(shift) },
      params: { mode: 'channel', channelAxis: 1 },
    })[0]!;
  },
};

export { methods as batchNormMethods };
export type BatchNormMethods = typeof methods;
