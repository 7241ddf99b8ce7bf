import type { Dim } from '../../src/index.js';
import type { LocalResponseNormOptions } from '../../src/layers/kinds/lrn.js';
import type { LayerCase } from './harness.js';

const options: Record<string, LocalResponseNormOptions> = {
  defaults: { size: 5 },
  parameters: { size: 3, alpha: 0.5, beta: 0.6, k: 2 },
  negative_alpha: { size: 3, alpha: -0.01, k: 4 },
  window1: { size: 1, alpha: 0.3 },
  window15: { size: 15, alpha: 0.3 },
  float16: { size: 3, alpha: 0.5, beta: 0.6, k: 2 },
  bfloat16: { size: 3, alpha: 0.5, beta: 0.6, k: 2 },
  size1: { size: 3, alpha: 1 },
};

const dynamic: Record<string, Dim[]> = {
  defaults: ['batch', 7, 'height', 'width'],
  parameters: ['batch', 'channels', 'height', 4],
  window15: [2, 'channels', 3, 4],
  float16: ['batch', 7, 3, 4],
};

export const cases: LayerCase[] = Object.entries(options).map(([name, given]) => ({
  name,
  build: ({ x }) => x!.localResponseNorm(given),
  ...(dynamic[name] && { dynamic: { x: dynamic[name] } }),
}));
