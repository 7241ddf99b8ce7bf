import { z } from 'zod';
import { type CpuGraph, type CpuValue, defineLayer, type InferredValue } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import { type Dim, formatShape, isStatic, meet, type Shape } from '../../values/dim.js';
import { floats, requireDType } from '../shared/dtypes.js';
import { lift } from '../shared/lift.js';
import type { ConstantData } from '../shared/literal.js';
import type { Named } from '../shared/parameters.js';
import { liftRank } from '../shared/record-shuffle.js';
import { broadcastShapes, requireRank } from '../shared/shapes.js';

/** TensorRT's MatrixOperation: how the last axes of an operand are read. */
const matrixOperations = ['none', 'transpose', 'vector'] as const;
/** TensorRT's MatrixOperation. @useDeclaredType */
export type MatrixOperation = (typeof matrixOperations)[number];

const axesOf = (operation: MatrixOperation): number => (operation === 'vector' ? 1 : 2);

/** The collection's dims, rows and columns; a vector has only the axis that is summed over. */
function split(shape: Shape, operation: MatrixOperation): { batch: Shape; matrix: Shape } {
  const at = shape.length - axesOf(operation);
  const matrix = shape.slice(at);
  return { batch: shape.slice(0, at), matrix: operation === 'transpose' ? [...matrix].reverse() : matrix };
}

export const matrixMultiply = defineLayer({
  kind: 'matrix_multiply',
  params: z.strictObject({
    operationA: z.enum(matrixOperations),
    operationB: z.enum(matrixOperations),
    useFp32Acc: z.boolean(),
  }),
  infer({ input, params: { operationA, operationB }, fail }): InferredValue {
    const [a, b] = [input(0), input(1)];
    requireDType(a.dtype, floats, fail);
    if (a.dtype !== b.dtype) {
      fail('ERR_DTYPE', `expected operands of one dtype, given ${a.dtype} and ${b.dtype}; convert one with .cast()`, {
        expected: a.dtype,
        actual: b.dtype,
      });
    }
    requireRank(a.shape, axesOf(operationA), 8, fail, 'a');
    requireRank(b.shape, axesOf(operationB), 8, fail, 'b');
    const [left, right] = [split(a.shape, operationA), split(b.shape, operationB)];
    if (left.batch.length !== right.batch.length) {
      fail(
        'ERR_RANK',
        `a ${formatShape(a.shape)} as ${operationA} and b ${formatShape(b.shape)} as ${operationB} are collections of different rank`,
        { expected: left.batch, actual: right.batch },
      );
    }
    const [inner, other] = [left.matrix.at(-1)!, right.matrix[0]!];
    if (isStatic(inner) && isStatic(other) && inner !== other) {
      fail(
        'ERR_SHAPE',
        `a ${described(a.shape, operationA)} has ${inner} columns, b ${described(b.shape, operationB)} has ${other} rows`,
        { expected: inner, actual: other },
      );
    }
    meet(inner, other);
    const batch = broadcastShapes(left.batch, right.batch, fail);
    return { dtype: a.dtype, shape: [...batch, ...left.matrix.slice(0, -1), ...right.matrix.slice(1)] };
  },
  cpu(g, { input, params: { operationA, operationB }, inputTypes }) {
    const rankA = inputTypes[0]!.shape.length;
    const rankB = inputTypes[1]!.shape.length;
    // A vector is a row on the left and a column on the right.
    const a = operand(g, input(0), rankA, operationA, -2);
    const b = operand(g, input(1), rankB, operationB, -1);
    const axes = [...(operationA === 'vector' ? [-2] : []), ...(operationB === 'vector' ? [-1] : [])];
    const product = g.op('MatMul', [a, b]);
    return axes.length > 0 ? g.op('Squeeze', [product, g.constant('int64', [axes.length], axes)]) : product;
  },
});

function operand(g: CpuGraph, x: CpuValue, rank: number, operation: MatrixOperation, axis: number): CpuValue {
  if (operation === 'vector') return g.op('Unsqueeze', [x, g.constant('int64', [1], [axis])]);
  if (operation === 'none') return x;
  const perm = Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
  return g.op('Transpose', [x], { perm });
}

const described = (shape: readonly Dim[], operation: MatrixOperation): string =>
  formatShape(shape) + (operation === 'none' ? '' : operation === 'transpose' ? ' transposed' : ' as vectors');

/** The precision of sums in `matmul` and `linear`. */
export interface AccumulationOptions {
  /**
   * Whether products of float16 are summed in float32, as PyTorch does it; those of bfloat16 always are. TensorRT is told by
   * casts of both operands and the product, for which it has one kernel ("Control of Computational Precision" in its
   * documentation). Default: that of the scope or network (`net.scope(name, body, { useFp32Acc: true })`), else false:
   * TensorRT's choice, float16 on most GPUs.
   */
  useFp32Acc?: boolean | undefined;
}

export interface MatmulOptions extends AccumulationOptions, Named {
  /** Whether the last two axes of the left operand are exchanged. Default false. */
  transposeA?: boolean | undefined;
  /** Whether the last two axes of the right operand are exchanged. Default false. */
  transposeB?: boolean | undefined;
  /** TensorRT's MatrixOperation for the left operand, instead of `transposeA`. Default: a vector if it has one axis. */
  operationA?: MatrixOperation | undefined;
  /** TensorRT's MatrixOperation for the right operand, instead of `transposeB`. Default: a vector if it has one axis. */
  operationB?: MatrixOperation | undefined;
}

/** Records the multiplication; collections of lower rank get leading ones. */
function multiply(a: Tensor, given: Tensor | ConstantData, options: MatmulOptions, method: string): Tensor {
  const { transposeA, transposeB, name, useFp32Acc = a.network.useFp32Acc } = options;
  for (const [what, flag] of Object.entries({ transposeA, transposeB })) {
    if (flag !== undefined && typeof flag !== 'boolean') {
      refuse(method, 'ERR_PARAMETER', `expected true or false, given ${String(flag)}`, { option: what, actual: flag });
    }
  }
  const readingOf = (rank: number, transpose = false, operation?: MatrixOperation): MatrixOperation =>
    operation ?? (rank === 1 ? 'vector' : transpose ? 'transpose' : 'none');
  const operationA = readingOf(a.rank, transposeA, options.operationA);
  const batchOfA = a.rank - axesOf(operationA);
  let operationB: MatrixOperation | undefined;
  // Known elements get the rank directly, a tensor through a shuffle.
  const b = lift(given, a, method, (own) => {
    operationB = readingOf(own, transposeB, options.operationB);
    return own < axesOf(operationB) ? own : batchOfA + axesOf(operationB);
  });
  operationB ??= readingOf(b.rank, transposeB, options.operationB);
  const batchOfB = b.rank - axesOf(operationB);
  const fits = a.network === b.network && batchOfA >= 0 && batchOfB >= 0;
  const inputs = fits
    ? [liftRank(a, batchOfB + axesOf(operationA), method), liftRank(b, batchOfA + axesOf(operationB), method)]
    : [a, b];
  const params = { operationA, operationB, useFp32Acc };
  return a.network.record(matrixMultiply, { method, name, inputs, params })[0]!;
}

/** The multiplication for two operands of this rank with the same batch. */
function ofRank(rank: 2 | 3, a: Tensor, given: Tensor | ConstantData, options: MatmulOptions, method: string): Tensor {
  const b = lift(given, a, method, (own) => own);
  for (const [what, { shape }] of Object.entries({ left: a, right: b })) {
    if (shape.length === rank) continue;
    refuse(method, 'ERR_RANK', `expected rank ${rank} on the ${what}, given ${formatShape(shape)}`, {
      expected: rank,
      actual: shape.length,
    });
  }
  const [m, n] = [a.shape[0]!, b.shape[0]!];
  if (rank === 3 && m !== n && isStatic(m) && isStatic(n)) {
    refuse(method, 'ERR_SHAPE', `expected a batch of ${m} on the right, given ${formatShape(b.shape)}`, {
      expected: m,
      actual: n,
    });
  }
  return multiply(a, b, options, method);
}

const methods = {
  /**
   * Matrix product over the last two axes, like `torch.matmul`. Other axes broadcast. An operand with one axis is a
   * vector, a row on the left or a column on the right, and its axis is summed over. The right operand may be a weight
   * or an array. float32, float16, bfloat16; with `useFp32Acc`, products of float16 are summed in float32, as PyTorch
   * does. TensorRT kind: matrix_multiply.
   *
   * @throws ERR_SHAPE where inner sizes differ or the other axes do not broadcast; ERR_DTYPE, ERR_RANK, ERR_PARAMETER
   */
  matmul(this: TensorSource, b: Tensor | ConstantData, options: MatmulOptions = {}): Tensor {
    return multiply(this.tensor(), b, options, 'matmul');
  },
  /**
   * Product of two matrices, like PyTorch's mm; see `matmul`. TensorRT kind: matrix_multiply.
   * @throws ERR_RANK for other ranks than 2
   */
  mm(this: TensorSource, b: Tensor | ConstantData, options: MatmulOptions = {}): Tensor {
    return ofRank(2, this.tensor(), b, options, 'mm');
  },
  /**
   * Products of two equally long batches of matrices, [batch, rows, columns], like PyTorch's bmm; see `matmul`.
   * TensorRT kind: matrix_multiply.
   *
   * @throws ERR_RANK for other ranks than 3; ERR_SHAPE where the batches differ
   */
  bmm(this: TensorSource, b: Tensor | ConstantData, options: MatmulOptions = {}): Tensor {
    return ofRank(3, this.tensor(), b, options, 'bmm');
  },
};

export { methods as matrixMultiplyMethods };
export type MatrixMultiplyMethods = typeof methods;
