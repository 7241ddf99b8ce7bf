import type { Tensor } from '../../src/index.js';
import type { MatmulOptions } from '../../src/layers/kinds/matrix_multiply.js';
import type { LayerCase } from './harness.js';

const options: Record<string, MatmulOptions> = {
  plain: {},
  float16: {},
  bfloat16: {},
  transpose_a: { transposeA: true },
  transpose_b: { operationB: 'transpose' },
  transpose_both: { operationA: 'transpose', transposeB: true },
  matrix_vector: {},
  vector_matrix: {},
  dot: {},
  batched: {},
  batched_transposed: { transposeB: true },
  broadcast: {},
  lift_left: {},
  lift_right: {},
  batch_vector: {},
  vector_batch: {},
  vectors_a: { operationA: 'vector' },
  vectors_b: { operationB: 'vector' },
  vectors_both: { operationA: 'vector', operationB: 'vector' },
  size1: {},
  empty_rows: {},
  empty_sum: {},
  empty_batch: {},
  fp32_acc: { useFp32Acc: true },
  fp32_acc_batch: { transposeB: true, useFp32Acc: true },
  fp32_acc_bfloat16: { transposeB: true, useFp32Acc: true },
  fp32_acc_float32: { transposeB: true, useFp32Acc: true },
};
// One rounding of sums that are exact except for float32's own rounding.
const tolerance: Record<string, LayerCase['tolerance']> = { fp32_acc: { atol: 0, rtol: 2 ** -10 } };
const dynamic: Record<string, LayerCase['dynamic']> = {
  plain: { a: ['m', 'k'], b: ['k', 'n'] },
  transpose_b: { a: ['m', 4], b: ['n', 4] },
  batched: { a: ['batch', 'm', 4], b: ['batch', 4, 'n'] },
  broadcast: { a: ['p', 1, 'm', 'k'], b: ['q', 'k', 'n'] },
  lift_right: { a: ['batch', 'm', 'k'], b: ['k', 'n'] },
  batch_vector: { a: ['batch', 'm', 'k'], b: ['k'] },
  fp32_acc_batch: { a: ['batch', 'm', 64], b: ['n', 64] },
  vector_batch: { a: ['k'], b: ['batch', 'k', 'n'] },
};

export const cases: LayerCase[] = [
  ...Object.entries(options).map(([name, given]) => ({
    name,
    build: ({ a, b }: Record<string, Tensor>) => a!.matmul(b!, given),
    ...(dynamic[name] && { dynamic: dynamic[name] }),
    ...(tolerance[name] && { tolerance: tolerance[name] }),
  })),
  { name: 'weight', build: ({ a }, { b }) => a!.matmul(b!), dynamic: { a: ['batch', 'm', 4] } },
  { name: 'weight_vector', build: ({ a }, { b }) => a!.matmul(b!), dynamic: { a: ['batch', 'm', 4] } },
  { name: 'mm', build: ({ a, b }) => a!.mm(b!), dynamic: { a: ['m', 'k'], b: ['k', 'n'] } },
  { name: 'mm_transposed', build: ({ a, b }) => a!.mm(b!, { transposeB: true }) },
  { name: 'mm_weight', build: ({ a }, { b }) => a!.mm(b!), dynamic: { a: ['m', 4] } },
  {
    name: 'bmm',
    build: ({ a, b }) => a!.bmm(b!),
    dynamic: { a: ['p', 'm', 4], b: ['q', 4, 'n'] },
    unknown: { 0: [0] },
  },
  { name: 'bmm_weight', build: ({ a }, { b }) => a!.bmm(b!) },
  {
    name: 'array',
    build: ({ a }) =>
      a!.matmul([
        [1, 2],
        [3, 4],
        [5, 6],
        [7, 8],
      ]),
  },
];
