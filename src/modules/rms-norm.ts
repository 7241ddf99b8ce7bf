import type { Tensor, TensorSource } from '../dsl/tensor.js';
import { refuse } from '../errors/refusal.js';
import { floats } from '../layers/shared/dtypes.js';
import type { Named } from '../layers/shared/parameters.js';
import { formatShape } from '../values/dim.js';
import type { DType } from '../values/dtype.js';
import type { WeightLike } from '../values/weight.js';

export interface RmsNormOptions extends Named {
  /** The last dims of the input, to normalize over. Default: the weight's shape, else the last dim. */
  normalizedShape?: number | readonly number[] | undefined;
  /** Default: ones. */
  weight?: WeightLike | Tensor | undefined;
  /** Default: the distance from 1 to the next number of the input's dtype, as in PyTorch. */
  eps?: number | undefined;
}

const epsilons: Partial<Record<DType, number>> = { float32: 2 ** -23, float16: 2 ** -10, bfloat16: 2 ** -7 };
const method = 'rmsNorm';

const methods = {
  /**
   * `x / √(mean(x²) + eps) · weight` over the last dims, of floats; squares are computed in float32 (Zhang and Sennrich, 2019).
   * TensorRT kinds: element_wise, reduce (AVG), unary (SQRT), cast.
   * @throws ERR_SHAPE where normalizedShape or weight do not fit the input; ERR_DTYPE, ERR_RANK, ERR_VALUE
   */
  rmsNorm(this: TensorSource, options: RmsNormOptions = {}): Tensor {
    const x = this.tensor();
    const { weight, normalizedShape, eps = epsilons[x.dtype], name } = options;
    if (!floats.includes(x.dtype) || eps === undefined) {
      refuse(method, 'ERR_DTYPE', `expected ${floats.join(', ')}, given ${x}`, { expected: floats, actual: x.dtype });
    }
    if (typeof eps !== 'number' || !(eps >= 0)) {
      refuse(method, 'ERR_VALUE', `expected a number of 0 or more, given ${String(eps)}`, {
        option: 'eps',
        actual: eps,
      });
    }
    const shape = normalizedShape === undefined ? weight?.shape : [normalizedShape].flat();
    const count = shape?.length ?? 1;
    if (count === 0 || count > x.rank) {
      refuse(method, 'ERR_RANK', `expected an input of rank ${Math.max(count, 1)} or more, given ${x}`);
    }
    const last = x.shape.slice(x.rank - count);
    for (const [role, given] of Object.entries({ normalizedShape: shape, weight: weight?.shape })) {
      if (given && String(given) !== String(last)) {
        refuse(method, 'ERR_SHAPE', `expected the last dims of ${formatShape(x.shape)}, given ${formatShape(given)}`, {
          option: role,
          expected: last,
          actual: given,
        });
      }
    }
    const axes = last.map((_, i) => x.rank - count + i);
    const wide = x.dtype === 'float32' ? x : x.cast('float32');
    const root = wide.mul(wide).mean({ axes, keepDims: true }).add(eps).sqrt();
    const plain = weight === undefined && x.dtype === 'float32';
    const normalized = wide.div(root, plain ? { name } : {});
    const narrow = x.dtype === 'float32' ? normalized : normalized.cast(x.dtype, weight === undefined ? { name } : {});
    return weight === undefined ? narrow : narrow.mul(weight, { name });
  },
};

export { methods as rmsNormMethods };
export type RmsNormMethods = typeof methods;
