import type { MoeOptions } from '../../src/layers/kinds/moe.js';
import type { LayerCase } from './harness.js';

const options: Record<string, Partial<MoeOptions>> = {
  plain: {},
  biases: {},
  swiglu: { swiglu: { limit: 0.7, alpha: 1.702, beta: 1 } },
  no_activation: { activation: 'none' },
  int64: {},
  f16: {},
  bf16: {},
};

const dynamic: Record<string, LayerCase['dynamic']> = {
  plain: { x: ['b', 'n', 6], experts: ['b', 'n', 2], scores: ['b', 'n', 2] },
  biases: { x: ['b', 3, 6], experts: ['b', 3, 'chosen'], scores: ['b', 3, 'chosen'] },
  int64: { x: [2, 'n', 6], experts: [2, 'n', 2], scores: [2, 'n', 2] },
};

export const cases: LayerCase[] = Object.entries(options).map(([name, given]) => ({
  name,
  build: ({ x, experts, scores }, weights) =>
    x!.moe({ ...(weights as unknown as MoeOptions), experts: experts!, scores: scores!, ...given }),
  // TensorRT-RTX has no kernels for it; TensorRT has some for compute capability 10 and 11.
  refused: {
    build: /Cannot decompose operation/,
    gpu: /needs TensorRT 10\.16/,
  },
  ...(dynamic[name] && { dynamic: dynamic[name] }),
}));
