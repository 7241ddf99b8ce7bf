import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { mulDims } from '../../values/dim.js';
import { type DType, isFloat } from '../../values/dtype.js';
import { cpuSignOfIntegers } from '../shared/cpu-integers.js';
import { floats, requireDType } from '../shared/dtypes.js';
import type { Named } from '../shared/parameters.js';

/** TensorRT's UnaryOperation, and the equivalent ONNX operator. */
const onnxOperators = {
  exp: 'Exp',
  log: 'Log',
  sqrt: 'Sqrt',
  recip: 'Reciprocal',
  abs: 'Abs',
  neg: 'Neg',
  sin: 'Sin',
  cos: 'Cos',
  tan: 'Tan',
  sinh: 'Sinh',
  cosh: 'Cosh',
  asin: 'Asin',
  acos: 'Acos',
  atan: 'Atan',
  asinh: 'Asinh',
  acosh: 'Acosh',
  atanh: 'Atanh',
  ceil: 'Ceil',
  floor: 'Floor',
  erf: 'Erf',
  not: 'Not',
  sign: 'Sign',
  round: 'Round',
  isinf: 'IsInf',
  isnan: 'IsNaN',
} as const;
/** TensorRT's UnaryOperation. @useDeclaredType */
export type UnaryOperation = keyof typeof onnxOperators;
export const unaryOperations = Object.keys(onnxOperators) as [UnaryOperation, ...UnaryOperation[]];

const allowed = (operation: UnaryOperation): readonly DType[] => {
  if (operation === 'not') return ['bool'];
  return ['abs', 'neg', 'sign'].includes(operation) ? [...floats, 'int32', 'int64', 'int8'] : floats;
};

export const unary = defineLayer({
  kind: 'unary',
  params: z.strictObject({ operation: z.enum(unaryOperations) }),
  infer({ input, params: { operation }, fail }) {
    const { dtype, shape, contents } = input(0);
    requireDType(dtype, allowed(operation), fail);
    if (operation === 'isinf' || operation === 'isnan') return { dtype: 'bool', shape };
    return contents && operation === 'neg'
      ? { dtype, shape, contents: contents.map((dim) => mulDims(dim, -1)) }
      : { dtype, shape };
  },
  cpu(g, { input, params: { operation }, inputTypes, outputTypes }) {
    const operator = onnxOperators[operation];
    // Few of these have a float16 kernel.
    const { dtype } = inputTypes[0]!;
    if (operation === 'sign' && !isFloat(dtype)) return cpuSignOfIntegers(g, input(0), dtype);
    const x = dtype === 'float16' ? g.cast(input(0), 'float32') : input(0);
    const result = g.op(operator, [x]);
    // The sign of NaN is 0.
    const wide =
      operation === 'sign' ? g.op('Where', [g.op('IsNaN', [x]), g.constant('float32', [], [0]), result]) : result;
    if (dtype !== 'float16') return wide;
    return outputTypes[0]!.dtype === 'bool' ? wide : g.cast(wide, 'float16');
  },
});

const apply = (self: TensorSource, method: string, operation: UnaryOperation, options: Named = {}): Tensor =>
  self.tensor().network.record(unary, {
    method,
    name: options.name,
    inputs: [self.tensor()],
    params: { operation },
  })[0]!;

export interface UnaryOptions extends Named {
  /** What is computed of each element. */
  operation: UnaryOperation;
}

const methods = {
  /** Any unary operation by TensorRT's name. TensorRT kind: unary. */
  unary(this: TensorSource, options: UnaryOptions): Tensor {
    return apply(this, 'unary', options?.operation, options);
  },
  /** `eˣ`, of floats. TensorRT kind: unary (EXP). */
  exp(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'exp', 'exp', options);
  },
  /** Natural logarithm, of floats. TensorRT kind: unary (LOG). */
  log(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'log', 'log', options);
  },
  /** `√x`, of floats. TensorRT kind: unary (SQRT). */
  sqrt(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'sqrt', 'sqrt', options);
  },
  /** `1 / x`, of floats. TensorRT kind: unary (RECIP). */
  reciprocal(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'reciprocal', 'recip', options);
  },
  /** `|x|`, of floats and signed integers. TensorRT kind: unary (ABS). */
  abs(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'abs', 'abs', options);
  },
  /** `−x`, of floats and signed integers. TensorRT kind: unary (NEG). */
  neg(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'neg', 'neg', options);
  },
  /** Sine of radians, of floats. TensorRT kind: unary (SIN). */
  sin(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'sin', 'sin', options);
  },
  /** Cosine of radians, of floats. TensorRT kind: unary (COS). */
  cos(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'cos', 'cos', options);
  },
  /** Tangent of radians, of floats. TensorRT kind: unary (TAN). */
  tan(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'tan', 'tan', options);
  },
  /** Hyperbolic sine, of floats. TensorRT kind: unary (SINH). */
  sinh(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'sinh', 'sinh', options);
  },
  /** Hyperbolic cosine, of floats. TensorRT kind: unary (COSH). */
  cosh(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'cosh', 'cosh', options);
  },
  /** Inverse sine in radians, of floats. TensorRT kind: unary (ASIN). */
  asin(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'asin', 'asin', options);
  },
  /** Inverse cosine in radians, of floats. TensorRT kind: unary (ACOS). */
  acos(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'acos', 'acos', options);
  },
  /** Inverse tangent in radians, of floats. TensorRT kind: unary (ATAN). */
  atan(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'atan', 'atan', options);
  },
  /** Inverse hyperbolic sine, of floats. TensorRT kind: unary (ASINH). */
  asinh(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'asinh', 'asinh', options);
  },
  /** Inverse hyperbolic cosine, of floats. TensorRT kind: unary (ACOSH). */
  acosh(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'acosh', 'acosh', options);
  },
  /** Inverse hyperbolic tangent, of floats. TensorRT kind: unary (ATANH). */
  atanh(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'atanh', 'atanh', options);
  },
  /** Smallest whole number not below x, of floats. TensorRT kind: unary (CEIL). */
  ceil(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'ceil', 'ceil', options);
  },
  /** Largest whole number not above x, of floats. TensorRT kind: unary (FLOOR). */
  floor(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'floor', 'floor', options);
  },
  /** Gauss error function, of floats. TensorRT kind: unary (ERF). */
  erf(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'erf', 'erf', options);
  },
  /** Negation of bools. TensorRT kind: unary (NOT). */
  logicalNot(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'logicalNot', 'not', options);
  },
  /** −1, 0 or 1, of floats and signed integers. TensorRT kind: unary (SIGN). */
  sign(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'sign', 'sign', options);
  },
  /** Nearest whole number, halves to even, of floats. TensorRT kind: unary (ROUND). */
  round(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'round', 'round', options);
  },
  /** Whether a float is infinite; the result is bool. TensorRT kind: unary (ISINF). */
  isinf(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'isinf', 'isinf', options);
  },
  /** Whether a float is NaN; the result is bool. TensorRT kind: unary (ISNAN). */
  isnan(this: TensorSource, options?: Named): Tensor {
    return apply(this, 'isnan', 'isnan', options);
  },
};

export { methods as unaryMethods };
export type UnaryMethods = typeof methods;
