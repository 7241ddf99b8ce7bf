import type { Tensor, TensorSource } from '../dsl/tensor.js';
import { show } from '../errors/error.js';
import { refuse, refusing } from '../errors/refusal.js';
import type { SoftmaxOptions } from '../layers/kinds/softmax.js';
import { resolveAxis } from '../layers/shared/axes.js';
import type { Named } from '../layers/shared/parameters.js';
import { floorDivDims, isStatic } from '../values/dim.js';
import { inFloat32 } from './in-float32.js';

export interface HardtanhOptions extends Named {
  /** Default −1. */
  minVal?: number | undefined;
  /** Default 1. */
  maxVal?: number | undefined;
}

export interface CeluOptions extends Named {
  /** Default 1. */
  alpha?: number | undefined;
}

export interface GluOptions extends Named {
  /** Default −1. */
  axis?: number | undefined;
}

const methods = {
  /** `x · sigmoid(x)`, of floats (Elfwing et al., 2017). TensorRT kinds: activation (SIGMOID), element_wise (PROD). */
  silu(this: TensorSource, options?: Named): Tensor {
    const x = this.tensor();
    return x.mul(x.sigmoid(), options);
  },
  /** Same as `silu`. TensorRT kinds: activation (SIGMOID), element_wise (PROD). */
  swish(this: TensorSource, options?: Named): Tensor {
    return this.silu(options);
  },
  /** `x · tanh(log(1 + eˣ))`, of floats (Misra, 2019). TensorRT kinds: activation (SOFTPLUS, TANH), element_wise (PROD). */
  mish(this: TensorSource, options?: Named): Tensor {
    const x = this.tensor();
    return x.mul(x.softplus().tanh(), options);
  },
  /** `x · min(max(x + 3, 0), 6) / 6`, of floats (Howard et al., 2019). TensorRT kinds: activation (HARD_SIGMOID), element_wise (PROD). */
  hardSwish(this: TensorSource, options?: Named): Tensor {
    const x = this.tensor();
    return x.mul(x.hardSigmoid(), options);
  },
  /**
   * `log(sigmoid(x))` without its underflow, of floats, computed in float32: `min(x, 0) − log1p(exp(−|x|))`. TensorRT kinds:
   * unary (ABS, NEG, EXP, LOG), element_wise, select.
   * @throws ERR_DTYPE
   */
  logSigmoid(this: TensorSource, options: Named = {}): Tensor {
    return inFloat32(this.tensor(), 'logSigmoid', options, (x, last) =>
      x.minimum(0).sub(x.abs().neg().exp().log1p(), last),
    );
  },
  /**
   * `x > 0 ? x : alpha·(exp(x / alpha) − 1)`, of floats (Barron, 2017); alpha 1 by default. TensorRT kinds: element_wise,
   * activation (ELU), select.
   * @throws ERR_PARAMETER where alpha is 0; ERR_DTYPE
   */
  celu(this: TensorSource, options: CeluOptions = {}): Tensor {
    const { alpha = 1, name } = options;
    const x = this.tensor();
    if (!Number.isFinite(alpha) || alpha === 0) {
      refuse('celu', 'ERR_PARAMETER', `expected a number other than 0, given ${show(alpha)}`, { option: 'alpha' });
    }
    const scaled = x.div(alpha);
    const below = alpha > 0 ? scaled.elu() : scaled.exp().sub(1);
    return x.where(x.gt(0), below.mul(alpha), { name });
  },
  /** `min(max(x, 0), 6)`, of floats. TensorRT kind: activation (CLIP). */
  relu6(this: TensorSource, options?: Named): Tensor {
    return this.clamp({ ...options, min: 0, max: 6 });
  },
  /** `min(max(x, minVal), maxVal)`, of floats; −1 and 1 by default. TensorRT kind: activation (CLIP). */
  hardtanh(this: TensorSource, options: HardtanhOptions = {}): Tensor {
    const { minVal = -1, maxVal = 1, name } = options;
    return this.clamp({ min: minVal, max: maxVal, name });
  },
  /**
   * Gated linear unit: the first half along `axis` (default −1) times the sigmoid of the second, of floats (Dauphin et al.,
   * 2016). TensorRT kinds: slice, activation (SIGMOID), element_wise (PROD).
   * @throws ERR_AXIS; ERR_SHAPE where the axis has an odd size
   */
  glu(this: TensorSource, options: GluOptions = {}): Tensor {
    const { axis = -1, name } = options;
    const x = this.tensor();
    const at = resolveAxis(axis, x.rank, refusing('glu'));
    const size = x.shape[at]!;
    if (isStatic(size) && size % 2 !== 0) {
      refuse('glu', 'ERR_SHAPE', `expected an even size along axis ${axis}, given ${x}`, { actual: size });
    }
    const half = floorDivDims(size, 2);
    return x.narrow(at, 0, half).mul(x.narrow(at, half, half).sigmoid(), { name });
  },
  /**
   * `x − max − log Σ exp(x − max)` along `axis` (default −1), of floats: the logarithm of `softmax` without its underflow.
   * TensorRT kinds: reduce, unary (EXP, LOG), element_wise (SUB).
   * @throws ERR_AXIS; ERR_DTYPE
   */
  logSoftmax(this: TensorSource, options: SoftmaxOptions = {}): Tensor {
    const { axis = -1, name } = options;
    const x = this.tensor();
    const over = { axes: [axis], keepDims: true };
    const shifted = x.sub(x.max(over));
    return shifted.sub(shifted.exp().sum(over).log(), { name });
  },
};

export { methods as activationModuleMethods };
export type ActivationModuleMethods = typeof methods;
