import type { Dim, Tensor } from '../../src/index.js';
import { type ElementWiseOperation, elementWiseOperations } from '../../src/layers/kinds/element_wise.js';
import { int8Refused, type LayerCase } from './harness.js';

const methods: Record<ElementWiseOperation, (a: Tensor, b: Tensor) => Tensor> = {
  sum: (a, b) => a.add(b),
  prod: (a, b) => a.mul(b),
  max: (a, b) => a.maximum(b),
  min: (a, b) => a.minimum(b),
  sub: (a, b) => a.sub(b),
  div: (a, b) => a.div(b),
  pow: (a, b) => a.pow(b),
  floor_div: (a, b) => a.elementWise(b, { operation: 'floor_div' }),
  and: (a, b) => a.logicalAnd(b),
  or: (a, b) => a.logicalOr(b),
  xor: (a, b) => a.logicalXor(b),
  equal: (a, b) => a.eq(b),
  greater: (a, b) => a.gt(b),
  less: (a, b) => a.lt(b),
};

const dtypesOf = (operation: ElementWiseOperation): string[] => {
  if (['and', 'or', 'xor'].includes(operation)) return ['bool'];
  const numbers = ['float32', 'float16', 'bfloat16', 'int32', 'int64'];
  if (operation === 'equal') return [...numbers, 'int8', 'bool'];
  return operation === 'pow' ? numbers : [...numbers, 'int8'];
};

/** Before 10.12, pow takes only floats. */
const powerRefused: LayerCase['refused'] = { gpu: /POW requires inputs with type/ };
const refusedOf = (operation: ElementWiseOperation, dtype: string): LayerCase['refused'] => {
  if (operation === 'pow' && dtype.startsWith('int')) return powerRefused;
  return dtype === 'int8' ? int8Refused : undefined;
};

const operations: LayerCase[] = elementWiseOperations.flatMap((operation) =>
  dtypesOf(operation).map((dtype) => ({
    name: `${operation}_${dtype}`,
    refused: refusedOf(operation, dtype),
    build: ({ a, b }: Record<string, Tensor>) =>
      dtype === 'bfloat16' ? a!.elementWise(b!, { operation }) : methods[operation](a!, b!),
    ...(dtype === 'float32' && { dynamic: { a: ['batch', 3, 1], b: [3, 'n'] } }),
  })),
);

const two: Record<string, (a: Tensor, b: Tensor) => Tensor> = {
  ne: (a, b) => a.ne(b),
  ge: (a, b) => a.ge(b),
  le: (a, b) => a.le(b),
};

/** Sizes as operands. */
const withDims: Record<string, [dims: Dim[] | undefined, build: LayerCase['build']]> = {
  float32: [['x', 'y', 'z'], ({ a }) => a!.div(a!.dim(0))],
  expression: [['x', 'y', 'z'], ({ a }) => a!.mul(a!.dim(0).mul(2).add(a!.dim(2)))],
  float16: [['x', 3, 'z'], ({ a }) => a!.sub(a!.dim(-1))],
  bfloat16: [['x', 3, 'z'], ({ a }) => a!.add(a!.dim(-1))],
  int32: [['x', 'y', 1], ({ a }) => a!.remainder(a!.dim(1))],
  int64: [['x', 'y', 1], ({ a }) => a!.minimum(a!.dim(1))],
  vector: [['x'], ({ a }) => a!.add(a!.dim(0))],
  rank0: [undefined, ({ a, b }) => a!.add(b!.dim(2))],
  less: [['x', 'y', 'z'], ({ a }) => a!.lt(a!.dim(0))],
};

export const cases: LayerCase[] = [
  ...operations,
  ...Object.entries(two).flatMap(([name, method]) =>
    [name, `${name}_int`].map((full) => ({
      name: full,
      build: ({ a, b }: Record<string, Tensor>) => method(a!, b!),
    })),
  ),
  { name: 'lift_scalar', build: ({ a }) => a!.add([1, 2, 3]) },
  { name: 'lift_one', build: ({ a, b }) => a!.add(b!), dynamic: { a: ['x', 'y', 'z'], b: ['z'] } },
  { name: 'lift_two', build: ({ a, b }) => a!.add(b!), dynamic: { a: ['x', 'y', 'z'], b: ['y', 'z'] } },
  { name: 'lift_all', build: ({ a, b }) => a!.add(b!), dynamic: { a: ['x', 'y', 'z'] } },
  {
    name: 'lift_left',
    build: ({ a, b }) => a!.sub(b!),
    dynamic: { a: ['p', 'q'], b: ['x', 'y', 'z'] },
    unknown: { 0: [1, 2] },
  },
  { name: 'rank0', build: ({ a, b }) => a!.add(b!) },
  { name: 'size0', build: ({ a, b }) => a!.add(b!) },
  { name: 'number', build: ({ a }) => a!.mul(0.1), dynamic: { a: ['x', 'y', 'z'] } },
  { name: 'number_f16', build: ({ a }) => a!.mul(0.1) },
  { name: 'number_int', build: ({ a }) => a!.floorDiv(2) },
  { name: 'number_left', build: ({ a }, _, net) => net.constant(1).sub(a!), dynamic: { a: ['x', 'y', 'z'] } },
  { name: 'boolean', build: ({ a }) => a!.logicalXor(true) },
  { name: 'typed_array', build: ({ a }) => a!.add(new Float64Array([1, 2, 3, 4])) },
  { name: 'square', build: ({ a }) => a!.square(), dynamic: { a: ['x', 'y', 'z'] } },
  { name: 'square_int', build: ({ a }) => a!.square() },
  ...Object.entries(withDims).map(
    ([name, [dims, build]]): LayerCase => ({
      name: `dim_${name}`,
      build,
      dynamic: dims ? { a: dims } : { b: ['x', 3, 'z'] },
    }),
  ),
  { name: 'weight', build: ({ a }, { weight }) => a!.mul(weight!) },
];
