import type { Tensor } from '../../src/index.js';
import type { ReduceOptions } from '../../src/layers/kinds/reduce.js';
import { int8Refused, type LayerCase } from './harness.js';

const operations = ['sum', 'prod', 'max', 'min', 'mean'] as const;

const one = (name: string, operation: (typeof operations)[number], options?: ReduceOptions): LayerCase => ({
  name,
  build: ({ x }: Record<string, Tensor>) => x![operation](options),
});

export const cases: LayerCase[] = [
  ...operations.flatMap((operation) => [
    { ...one(`${operation}_axis`, operation, { axis: 1 }), dynamic: { x: ['batch', 3, 'n'] } },
    { ...one(`${operation}_keep`, operation, { axes: [0, -1], keepDims: true }), dynamic: { x: [2, 'channels', 'n'] } },
    { ...one(`${operation}_all`, operation), dynamic: { x: ['batch', 3, 'n'] } },
    one(`${operation}_f16`, operation, { axis: -1 }),
    one(`${operation}_bf16`, operation, { axis: -1 }),
    ...(operation === 'mean' ? [] : ['_i32', '_i64', '_i8']).map((suffix) => ({
      ...one(operation + suffix, operation, { axis: 1 }),
      ...(suffix === '_i8' && { refused: int8Refused }),
    })),
    one(`${operation}_rank0`, operation),
    one(`${operation}_size1`, operation, { axis: 0 }),
    one(`${operation}_beside0`, operation, { axis: 1 }),
  ]),
  ...operations.map((operation) => one(`${operation}_of0`, operation, { axis: 1 })),
  one('all_keep', 'sum', { keepDims: true }),
  one('sum_one', 'sum', { axes: 1 }),
  one('max_last', 'max', { axes: -1, keepDims: true }),
  one('rank5', 'sum', { axes: [3, 1] }),
];
