import { z } from 'zod';
import { type CpuGraph, type CpuValue, defineLayer, type InferredValue } from '../../dsl/define-layer.js';
import { Tensor, type TensorSource } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import { addDims, type Dim, floorDivDims, isStatic, maxDims, minDims, mulDims, subDims } from '../../values/dim.js';
import { type DType, isFloat } from '../../values/dtype.js';
import type { ValueType } from '../../values/spec.js';
import { cpuDivideIntegers, cpuExtreme, cpuPowerOfIntegers } from '../shared/cpu-integers.js';
import { convertTo, floats, requireDType } from '../shared/dtypes.js';
import { type Liftable, lift } from '../shared/lift.js';
import type { Named } from '../shared/parameters.js';
import { recordKind } from '../shared/record-kind.js';
import { liftRank } from '../shared/record-shuffle.js';
import { broadcastShapes } from '../shared/shapes.js';

/** TensorRT's ElementWiseOperation, and the equivalent ONNX operator, except for integer division. */
const onnxOperators = {
  sum: 'Add',
  prod: 'Mul',
  max: 'Max',
  min: 'Min',
  sub: 'Sub',
  div: 'Div',
  pow: 'Pow',
  floor_div: 'Div',
  and: 'And',
  or: 'Or',
  xor: 'Xor',
  equal: 'Equal',
  greater: 'Greater',
  less: 'Less',
} as const;
/** TensorRT's ElementWiseOperation. @useDeclaredType */
export type ElementWiseOperation = keyof typeof onnxOperators;
export const elementWiseOperations = Object.keys(onnxOperators) as [ElementWiseOperation, ...ElementWiseOperation[]];

const numbers: readonly DType[] = [...floats, 'int32', 'int64', 'int8'];
const comparable: readonly DType[] = [...numbers, 'bool'];
/** TensorRT's builder does not support int8 powers. */
const powTypes = numbers.filter((dtype) => dtype !== 'int8');
const comparisons: readonly ElementWiseOperation[] = ['equal', 'greater', 'less'];
const logical: readonly ElementWiseOperation[] = ['and', 'or', 'xor'];

function dtypesOf(operation: ElementWiseOperation): readonly DType[] {
  if (logical.includes(operation)) return ['bool'];
  if (operation === 'equal') return comparable;
  return operation === 'pow' ? powTypes : numbers;
}

/** Arithmetic on the known elements of shape tensors. */
const arithmetic: Partial<Record<ElementWiseOperation, (a: Dim, b: Dim) => Dim>> = {
  sum: addDims,
  sub: subDims,
  prod: mulDims,
  max: maxDims,
  min: minDims,
  floor_div: floorDivDims,
  div: (a, b) => (isStatic(a) && isStatic(b) ? Math.trunc(a / b) : floorDivDims(a, b)),
};

function combine(operation: ElementWiseOperation, a: InferredValue, b: InferredValue): Dim[] | undefined {
  const apply = arithmetic[operation];
  if (!apply || !a.contents || !b.contents) return undefined;
  const divides = operation === 'div' || operation === 'floor_div';
  if (divides && b.contents.includes(0)) return undefined;
  const length = a.contents.length === 1 ? b.contents.length : a.contents.length;
  const at = (list: readonly Dim[], i: number) => list[list.length === 1 ? 0 : i]!;
  const result = Array.from({ length }, (_, i) => apply(at(a.contents!, i), at(b.contents!, i)));
  return result.every((dim) => !isStatic(dim) || Number.isSafeInteger(dim)) ? result : undefined;
}

export const elementWise = defineLayer({
  kind: 'element_wise',
  params: z.strictObject({ operation: z.enum(elementWiseOperations) }),
  infer({ input, params: { operation }, fail }): InferredValue {
    const [a, b] = [input(0), input(1)];
    requireDType(a.dtype, dtypesOf(operation), fail);
    if (a.dtype !== b.dtype) fail('ERR_DTYPE', mixed(a.dtype, b.dtype), { expected: a.dtype, actual: b.dtype });
    const shape = broadcastShapes(a.shape, b.shape, fail);
    const dtype = comparisons.includes(operation) ? 'bool' : a.dtype;
    const contents = shape.length <= 1 ? combine(operation, a, b) : undefined;
    return contents ? { dtype, shape, contents } : { dtype, shape };
  },
  cpu(g, { input, params: { operation }, inputTypes, outputTypes }) {
    const { dtype } = inputTypes[0]!;
    // onnxruntime supports few operations in int8.
    const wide = dtype === 'int8' ? 'int32' : undefined;
    const [a, b] = wide ? [g.cast(input(0), wide), g.cast(input(1), wide)] : [input(0), input(1)];
    const result = compute(g, operation, a, b, { dtype: wide ?? dtype, shape: outputTypes[0]!.shape });
    return wide && !comparisons.includes(operation) ? g.cast(result, dtype) : result;
  },
});

function compute(g: CpuGraph, operation: ElementWiseOperation, a: CpuValue, b: CpuValue, type: ValueType): CpuValue {
  const { dtype, shape } = type;
  if (operation === 'floor_div') {
    return isFloat(dtype) ? g.op('Floor', [g.op('Div', [a, b])]) : floorDivIntegers(g, a, b, dtype);
  }
  if (operation === 'div' && !isFloat(dtype)) return cpuDivideIntegers(g, a, b, dtype);
  if (operation === 'pow' && !isFloat(dtype)) return cpuPowerOfIntegers(g, a, b, dtype, shape.length);
  if ((operation === 'max' || operation === 'min') && !isFloat(dtype)) return cpuExtreme(g, operation, a, b, dtype);
  return g.op(onnxOperators[operation], [a, b]);
}

/** 1 less than the truncated quotient, if that cut a negative one. */
function floorDivIntegers(g: CpuGraph, a: CpuValue, b: CpuValue, dtype: DType): CpuValue {
  const quotient = cpuDivideIntegers(g, a, b, dtype);
  const rest = g.op('Sub', [a, g.op('Mul', [quotient, b])]);
  const zero = g.constant(dtype, [], [0]);
  const opposite = g.op('Xor', [g.op('Less', [rest, zero]), g.op('Less', [b, zero])]);
  const cut = g.op('And', [opposite, g.op('Not', [g.op('Equal', [rest, zero])])]);
  return g.op('Sub', [quotient, g.cast(cut, dtype)]);
}

const mixed = (a: DType, b: DType): string =>
  `expected operands of one dtype, given ${a} and ${b}; convert one with .cast('${a}') or .cast('${b}')`;

/** Both operands as tensors of one rank. */
function operands(a: Tensor, given: Liftable, method: string): [Tensor, Tensor] {
  const b = lift(given, a, method);
  // Tensors of another network are refused when the layer is recorded.
  if (b.network !== a.network) return [a, b];
  if (a.dtype !== b.dtype) {
    const message =
      given instanceof Tensor
        ? mixed(a.dtype, b.dtype)
        : `expected the tensor's dtype ${a.dtype}, given ${b.dtype}; ${convertTo(a.dtype)}`;
    refuse(method, 'ERR_DTYPE', message, { expected: a.dtype, actual: b.dtype });
  }
  return [liftRank(a, b.rank, method), liftRank(b, a.rank, method)];
}

const record = (inputs: [Tensor, Tensor], method: string, operation: ElementWiseOperation, options: Named = {}) =>
  inputs[0].network.record(elementWise, { method, name: options.name, inputs, params: { operation } })[0]!;

const binary = (
  self: TensorSource,
  method: string,
  operation: ElementWiseOperation,
  b: Liftable,
  options?: Named,
): Tensor => record(operands(self.tensor(), b, method), method, operation, options);

const not = (x: Tensor, method: string, options: Named = {}): Tensor =>
  recordKind(x.network, 'unary', { method, name: options.name, inputs: [x], params: { operation: 'not' } });

/** `a ≥ b` and `a ≤ b`: false for NaN, unlike a negated comparison. */
function orEqual(
  self: TensorSource,
  method: string,
  operation: 'greater' | 'less',
  given: Liftable,
  options?: Named,
): Tensor {
  const pair = operands(self.tensor(), given, method);
  if (!isFloat(pair[0].dtype))
    return not(record(pair, method, operation === 'greater' ? 'less' : 'greater'), method, options);
  return record([record(pair, method, operation), record(pair, method, 'equal')], method, 'or', options);
}

export interface ElementWiseOptions extends Named {
  /** What is computed of both elements. */
  operation: ElementWiseOperation;
}

const methods = {
  /**
   * Any operation by TensorRT's name. Operands broadcast as in NumPy; numbers, arrays, weights and sizes (`x.dim(0)`)
   * become tensors of this tensor's dtype. TensorRT kind: element_wise.
   *
   * @throws ERR_DTYPE where the dtypes differ or the operation takes another; ERR_SHAPE where the shapes do not
   *   broadcast; ERR_VALUE where a number has no place in the dtype
   */
  elementWise(this: TensorSource, b: Liftable, options: ElementWiseOptions): Tensor {
    return binary(this, 'elementWise', options.operation, b, options);
  },
  /** `a + b`. Operands and errors as `elementWise`. TensorRT kind: element_wise (SUM). */
  add(this: TensorSource, b: Liftable, options?: Named): Tensor {
    return binary(this, 'add', 'sum', b, options);
  },
  /** `a − b`. Operands and errors as `elementWise`. TensorRT kind: element_wise (SUB). */
  sub(this: TensorSource, b: Liftable, options?: Named): Tensor {
    return binary(this, 'sub', 'sub', b, options);
  },
  /** `a · b`. Operands and errors as `elementWise`. TensorRT kind: element_wise (PROD). */
  mul(this: TensorSource, b: Liftable, options?: Named): Tensor {
    return binary(this, 'mul', 'prod', b, options);
  },
  /**
   * `a / b`; integers are rounded toward zero, where PyTorch gives floats: see `trueDivide`, `floorDiv`. Operands and errors
   * as `elementWise`. TensorRT kind: element_wise (DIV).
   */
  div(this: TensorSource, b: Liftable, options?: Named): Tensor {
    return binary(this, 'div', 'div', b, options);
  },
  /** `x · x`, of numbers. TensorRT kind: element_wise (PROD). */
  square(this: TensorSource, options?: Named): Tensor {
    const x = this.tensor();
    return record([x, x], 'square', 'prod', options);
  },
  /** `aᵇ`. Operands and errors as `elementWise`. TensorRT kind: element_wise (POW). */
  pow(this: TensorSource, b: Liftable, options?: Named): Tensor {
    return binary(this, 'pow', 'pow', b, options);
  },
  /** The larger of two elements. Operands and errors as `elementWise`. TensorRT kind: element_wise (MAX). */
  maximum(this: TensorSource, b: Liftable, options?: Named): Tensor {
    return binary(this, 'maximum', 'max', b, options);
  },
  /** The smaller of two elements. Operands and errors as `elementWise`. TensorRT kind: element_wise (MIN). */
  minimum(this: TensorSource, b: Liftable, options?: Named): Tensor {
    return binary(this, 'minimum', 'min', b, options);
  },
  /** True where both are, of bools. Operands and errors as `elementWise`. TensorRT kind: element_wise (AND). */
  logicalAnd(this: TensorSource, b: Liftable, options?: Named): Tensor {
    return binary(this, 'logicalAnd', 'and', b, options);
  },
  /** True where either is, of bools. Operands and errors as `elementWise`. TensorRT kind: element_wise (OR). */
  logicalOr(this: TensorSource, b: Liftable, options?: Named): Tensor {
    return binary(this, 'logicalOr', 'or', b, options);
  },
  /** True where exactly one is, of bools. Operands and errors as `elementWise`. TensorRT kind: element_wise (XOR). */
  logicalXor(this: TensorSource, b: Liftable, options?: Named): Tensor {
    return binary(this, 'logicalXor', 'xor', b, options);
  },
  /** `a = b`, as bools. Operands and errors as `elementWise`. TensorRT kind: element_wise (EQUAL). */
  eq(this: TensorSource, b: Liftable, options?: Named): Tensor {
    return binary(this, 'eq', 'equal', b, options);
  },
  /** `a > b`, as bools. Operands and errors as `elementWise`. TensorRT kind: element_wise (GREATER). */
  gt(this: TensorSource, b: Liftable, options?: Named): Tensor {
    return binary(this, 'gt', 'greater', b, options);
  },
  /** `a < b`, as bools. Operands and errors as `elementWise`. TensorRT kind: element_wise (LESS). */
  lt(this: TensorSource, b: Liftable, options?: Named): Tensor {
    return binary(this, 'lt', 'less', b, options);
  },
  /** `a ≠ b`, as bools; true for NaN. Operands and errors as `elementWise`. TensorRT kind: element_wise (EQUAL), then unary (NOT). */
  ne(this: TensorSource, b: Liftable, options?: Named): Tensor {
    return not(binary(this, 'ne', 'equal', b), 'ne', options);
  },
  /** `a ≥ b`, as bools; false for NaN. Operands and errors as `elementWise`. TensorRT kind: element_wise (GREATER, EQUAL, OR; LESS and NOT for integers). */
  ge(this: TensorSource, b: Liftable, options?: Named): Tensor {
    return orEqual(this, 'ge', 'greater', b, options);
  },
  /** `a ≤ b`, as bools; false for NaN. Operands and errors as `elementWise`. TensorRT kind: element_wise (LESS, EQUAL, OR; GREATER and NOT for integers). */
  le(this: TensorSource, b: Liftable, options?: Named): Tensor {
    return orEqual(this, 'le', 'less', b, options);
  },
};

export { methods as elementWiseMethods };
export type ElementWiseMethods = typeof methods;
