import { where } from '../../src/index.js';
import { int8Refused, type LayerCase } from './harness.js';

const plain = [
  'float32',
  'float16',
  'bfloat16',
  'int32',
  'int64',
  'int8',
  'bool',
  'broadcast',
  'ranks',
  'rank0',
  'size0',
];
const dynamic: Record<string, LayerCase['dynamic']> = {
  float32: { condition: ['n', 3, 'w'], a: ['n', 3, 'w'], b: ['n', 3, 'w'] },
  broadcast: { condition: ['n', 1, 'w'], a: [1, 'h', 'w'], b: ['n', 'h', 1] },
  ranks: { condition: ['w'], a: ['h', 'w'], b: ['n', 'h', 'w'] },
};

export const cases: LayerCase[] = [
  ...(plain.map((name) => ({
    name,
    build: ({ condition, a, b }) => where(condition!, a!, b!),
    ...(dynamic[name] && { dynamic: dynamic[name] }),
    ...(name === 'int8' && { refused: int8Refused }),
  })) satisfies LayerCase[]),
  { name: 'scalar_a', build: ({ condition, b }) => where(condition!, 0.5, b!) },
  { name: 'scalar_b', build: ({ condition, a }) => where(condition!, a!, -7) },
  { name: 'list_b', build: ({ condition, a }) => where(condition!, a!, [1, 2, 3, 4]) },
  { name: 'numbers', build: ({ condition }) => where(condition!, 1, 0), dynamic: { condition: ['n', 3, 'w'] } },
  { name: 'numbers_f16', build: ({ condition }) => where(condition!, 1, 0, { dtype: 'float16' }) },
  { name: 'numbers_int64', build: ({ condition }) => where(condition!, 7, -7, { dtype: 'int64' }) },
  { name: 'booleans', build: ({ condition }) => where(condition!, false, true) },
  { name: 'rows', build: ({ condition }) => where(condition!, [1, 2, 3, 4], -Infinity) },
  {
    name: 'size',
    build: ({ condition, a }) => where(condition!, a!, a!.dim(2)),
    dynamic: { condition: ['n', 3, 'w'], a: ['n', 3, 'w'] },
  },
  {
    name: 'sizes',
    build: ({ condition }) => where(condition!, condition!.dim(2), condition!.dim(0)),
    dynamic: { condition: ['n', 3, 'w'] },
  },
  { name: 'method', build: ({ condition, a, b }) => a!.where(condition!, b!) },
  { name: 'masked_fill', build: ({ condition, a }) => a!.maskedFill(condition!, -1e4) },
];
