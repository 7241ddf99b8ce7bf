import { einsum } from '../../src/index.js';
import type { LayerCase } from './harness.js';

const equations: Record<string, string> = {
  matmul: 'ik,kj->ij',
  implicit: 'ij,jk',
  implicit_order: 'ba',
  transpose: 'ij->ji',
  sum: 'ij->',
  sum_axis: 'ijk->ik',
  dot: 'i,i->',
  vector: 'ik,k->i',
  batch: 'ijk, ikl -> ijl',
  outer: 'i,j->ij',
  attention: 'bhqd,bhkd->bhqk',
  ellipsis: '...ij,...jk->...ik',
  ellipsis_implicit: '...ij,...jk',
  ellipsis_sum: 'i...->...',
  diagonal: 'ii->i',
  trace: 'ii',
  batch_diagonal: '...ii->...i',
  broadcast: 'ij,ij->ij',
  three: 'ij,jk,kl->il',
  contract_all: 'ijk,ijk->',
  rank0: ',i->i',
  one: 'ij,jk->ik',
  empty: 'ik,kj->ij',
  empty_sum: 'ik,kj->ij',
  matmul_f16: 'ik,kj->ij',
  matmul_bf16: 'ik,kj->ij',
};

const dynamic: Record<string, LayerCase['dynamic']> = {
  matmul: { a: ['n', 'k'], b: ['k', 4] },
  implicit_order: { a: ['m', 'n'] },
  attention: { a: ['batch', 2, 'queries', 4], b: ['batch', 2, 'keys', 4] },
};

/** TensorRT's message before 10.12; later releases accept these. */
const refused: Record<string, LayerCase['refused']> = {
  diagonal: { gpu: /doesn't support diagonal operations/ },
  trace: { gpu: /doesn't support diagonal operations/ },
  batch_diagonal: { gpu: /doesn't support diagonal operations/ },
  three: { gpu: /does not support more than two inputs/ },
};

export const cases: LayerCase[] = [
  ...Object.entries(equations).map(([name, equation]) => ({
    name,
    build: (inputs: Parameters<LayerCase['build']>[0]) => einsum(equation, Object.values(inputs)),
    ...(dynamic[name] && { dynamic: dynamic[name] }),
    ...(refused[name] && { refused: refused[name] }),
  })),
  { name: 'known', build: ({ a }, { b }) => a!.einsum('ik,kj->ij', b!) },
];
