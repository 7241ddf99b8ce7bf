import { z } from 'zod';
import { type CpuGraph, defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { show } from '../../errors/error.js';
import { refuse } from '../../errors/refusal.js';
import type { DType } from '../../values/dtype.js';
import { cpuExtreme } from '../shared/cpu-integers.js';
import { floats, requireDType } from '../shared/dtypes.js';
import type { Liftable } from '../shared/lift.js';
import { float32Number, type Named } from '../shared/parameters.js';

/** TensorRT's ActivationType. */
export const activationTypes = [
  'relu',
  'sigmoid',
  'tanh',
  'leaky_relu',
  'elu',
  'selu',
  'softsign',
  'softplus',
  'clip',
  'hard_sigmoid',
  'scaled_tanh',
  'thresholded_relu',
  'gelu_erf',
  'gelu_tanh',
] as const;
/** TensorRT's ActivationType. @useDeclaredType */
export type ActivationType = (typeof activationTypes)[number];

const reluTypes: readonly DType[] = [...floats, 'int32', 'int64', 'int8'];

export const activation = defineLayer({
  kind: 'activation',
  params: z.strictObject({ type: z.enum(activationTypes), alpha: float32Number, beta: float32Number }),
  infer({ input, params, fail }) {
    const { dtype, shape } = input(0);
    requireDType(dtype, params.type === 'relu' ? reluTypes : floats, fail);
    return { dtype, shape };
  },
  cpu(g, { input, params: { type, alpha, beta }, outputTypes }) {
    const x = input(0);
    const scalar = (v: number) => g.constant(outputTypes[0]!.dtype, [], [v]);
    switch (type) {
      case 'relu':
        // onnxruntime's Relu takes no int64.
        return outputTypes[0]!.dtype === 'int64' ? cpuExtreme(g, 'max', x, scalar(0), 'int64') : g.op('Relu', [x]);
      case 'sigmoid':
        return g.op('Sigmoid', [x]);
      case 'tanh':
        return g.op('Tanh', [x]);
      case 'leaky_relu':
        return g.op('LeakyRelu', [x], { alpha: { float: alpha } });
      case 'elu':
        return g.op('Elu', [x], { alpha: { float: alpha } });
      case 'selu':
        return g.op('Selu', [x], { alpha: { float: alpha }, gamma: { float: beta } });
      case 'softsign':
        return g.op('Softsign', [x]);
      case 'softplus':
        return g.op('Mul', [scalar(alpha), g.op('Softplus', [g.op('Mul', [scalar(beta), x])])]);
      case 'clip':
        return g.op('Min', [g.op('Max', [x, scalar(alpha)]), scalar(beta)]);
      case 'hard_sigmoid':
        return g.op('HardSigmoid', [x], { alpha: { float: alpha }, beta: { float: beta } });
      case 'scaled_tanh':
        return g.op('Mul', [scalar(alpha), g.op('Tanh', [g.op('Mul', [scalar(beta), x])])]);
      case 'thresholded_relu':
        return thresholded(g, x, scalar(alpha), scalar(0));
      case 'gelu_erf':
        return g.op('Gelu', [x], { approximate: 'none' });
      case 'gelu_tanh':
        return g.op('Gelu', [x], { approximate: 'tanh' });
    }
  },
});

/** ONNX's ThresholdedRelu passes x > alpha, as TensorRT does, but has no float16 kernel. */
const thresholded = (g: CpuGraph, x: string, alpha: string, zero: string) =>
  g.op('Where', [g.op('Greater', [x, alpha]), x, zero]);

const activate = (
  self: TensorSource,
  method: string,
  type: ActivationType,
  alpha: number,
  beta: number,
  options: Named = {},
): Tensor =>
  self.tensor().network.record(activation, {
    method,
    name: options.name,
    inputs: [self.tensor()],
    params: { type, alpha, beta },
  })[0]!;

export interface ActivationOptions extends Named {
  /** The function. */
  type: ActivationType;
  /** Default 0. */
  alpha?: number | undefined;
  /** Default 0. */
  beta?: number | undefined;
}

export interface LeakyReluOptions extends Named {
  /** Default 0.01. */
  negativeSlope?: number | undefined;
}

export interface EluOptions extends Named {
  /** Default 1. */
  alpha?: number | undefined;
}

export interface SoftplusOptions extends Named {
  /** Default 1. */
  beta?: number | undefined;
}

export interface ClampOptions extends Named {
  /** Lower bound. Default: none. */
  min?: Liftable | undefined;
  /** Upper bound. Default: none. */
  max?: Liftable | undefined;
}

export interface HardSigmoidOptions extends Named {
  /** Default 1/6. */
  alpha?: number | undefined;
  /** Default 1/2. */
  beta?: number | undefined;
}

export interface ScaledTanhOptions extends Named {
  /** Default 1. */
  alpha?: number | undefined;
  /** Default 1. */
  beta?: number | undefined;
}

export interface ThresholdedReluOptions extends Named {
  /** Default 1. */
  threshold?: number | undefined;
}

export interface GeluOptions extends Named {
  /** `none` (exact, with erf; the default) or `tanh`. */
  approximate?: 'none' | 'tanh' | undefined;
}

const methods = {
  /** Any activation by TensorRT's name, with its `alpha` and `beta` (default 0). TensorRT kind: activation. */
  activation(this: TensorSource, options: ActivationOptions): Tensor {
    return activate(this, 'activation', options.type, options.alpha ?? 0, options.beta ?? 0, options);
  },
  /** `max(x, 0)`. TensorRT kind: activation (RELU). */
  relu(this: TensorSource, options?: Named): Tensor {
    return activate(this, 'relu', 'relu', 0, 0, options);
  },
  /** `1 / (1 + exp(−x))`. TensorRT kind: activation (SIGMOID). */
  sigmoid(this: TensorSource, options?: Named): Tensor {
    return activate(this, 'sigmoid', 'sigmoid', 0, 0, options);
  },
  /** Hyperbolic tangent. TensorRT kind: activation (TANH). */
  tanh(this: TensorSource, options?: Named): Tensor {
    return activate(this, 'tanh', 'tanh', 0, 0, options);
  },
  /** `x ≥ 0 ? x : negativeSlope·x`; slope 0.01 by default. TensorRT kind: activation (LEAKY_RELU). */
  leakyRelu(this: TensorSource, options: LeakyReluOptions = {}): Tensor {
    return activate(this, 'leakyRelu', 'leaky_relu', options.negativeSlope ?? 0.01, 0, options);
  },
  /** `x ≥ 0 ? x : alpha·(exp(x) − 1)`; alpha 1 by default. TensorRT kind: activation (ELU). */
  elu(this: TensorSource, options: EluOptions = {}): Tensor {
    return activate(this, 'elu', 'elu', options.alpha ?? 1, 0, options);
  },
  /** `scale·(x > 0 ? x : alpha·(exp(x) − 1))` with the constants of the SELU paper (Klambauer et al., 2017). TensorRT kind: activation (SELU). */
  selu(this: TensorSource, options?: Named): Tensor {
    return activate(this, 'selu', 'selu', 1.6732632423543772, 1.0507009873554805, options);
  },
  /** `x / (1 + |x|)`. TensorRT kind: activation (SOFTSIGN). */
  softsign(this: TensorSource, options?: Named): Tensor {
    return activate(this, 'softsign', 'softsign', 0, 0, options);
  },
  /** `log(1 + exp(beta·x)) / beta`; beta 1 by default. TensorRT kind: activation (SOFTPLUS). */
  softplus(this: TensorSource, options: SoftplusOptions = {}): Tensor {
    const beta = options.beta ?? 1;
    return activate(this, 'softplus', 'softplus', typeof beta === 'number' ? 1 / beta : beta, beta, options);
  },
  /**
   * `min(max(x, min), max)`, of floats and integers. Either bound may be left out. TensorRT kind: activation (CLIP);
   * for integers, and for bounds that are tensors or sizes, element_wise (MAX, MIN).
   *
   * @throws ERR_PARAMETER where both bounds are missing; ERR_VALUE, ERR_DTYPE
   */
  clamp(this: TensorSource, options: ClampOptions): Tensor {
    const { min, max, name } = options;
    const x = this.tensor();
    const numeric = [min, max].every((bound) => bound === undefined || typeof bound === 'number');
    if (numeric && floats.includes(x.dtype)) {
      return activate(x, 'clamp', 'clip', (min ?? -Infinity) as number, (max ?? Infinity) as number, options);
    }
    if (max === undefined) {
      if (min === undefined) refuse('clamp', 'ERR_PARAMETER', 'expected min, max or both, given none');
      return x.maximum(min, { name });
    }
    return (min === undefined ? x : x.maximum(min)).minimum(max, { name });
  },
  /** `min(max(alpha·x + beta, 0), 1)`; PyTorch's 1/6 and 1/2 by default. TensorRT kind: activation (HARD_SIGMOID). */
  hardSigmoid(this: TensorSource, options: HardSigmoidOptions = {}): Tensor {
    return activate(this, 'hardSigmoid', 'hard_sigmoid', options.alpha ?? 1 / 6, options.beta ?? 0.5, options);
  },
  /** `alpha·tanh(beta·x)`; both 1 by default. TensorRT kind: activation (SCALED_TANH). */
  scaledTanh(this: TensorSource, options: ScaledTanhOptions = {}): Tensor {
    return activate(this, 'scaledTanh', 'scaled_tanh', options.alpha ?? 1, options.beta ?? 1, options);
  },
  /** `x > threshold ? x : 0`; threshold 1 by default. TensorRT kind: activation (THRESHOLDED_RELU). */
  thresholdedRelu(this: TensorSource, options: ThresholdedReluOptions = {}): Tensor {
    return activate(this, 'thresholdedRelu', 'thresholded_relu', options.threshold ?? 1, 0, options);
  },
  /**
   * Gaussian error linear unit, exact with erf (`none`) or approximated with tanh. TensorRT kind: activation (GELU_ERF,
   * GELU_TANH).
   */
  gelu(this: TensorSource, options: GeluOptions = {}): Tensor {
    const { approximate = 'none' } = options;
    if (approximate !== 'none' && approximate !== 'tanh') {
      refuse('gelu', 'ERR_PARAMETER', `expected none or tanh, given ${show(approximate)}`, { option: 'approximate' });
    }
    return activate(this, 'gelu', approximate === 'none' ? 'gelu_erf' : 'gelu_tanh', 0, 0, options);
  },
};

export { methods as activationMethods };
export type ActivationMethods = typeof methods;
