import type { LayerCase } from '../layers/harness.js';

export const cases: LayerCase[] = ['plain', 'no_affine', 'eps', 'float16', 'bfloat16', 'rank2', 'rank3', 'rank5'].map(
  (name) => ({
    name,
    build: ({ x }, weights) => x!.batchNorm({ ...weights, ...(name === 'eps' && { eps: 0.1 }) }),
    ...(name === 'plain' && { dynamic: { x: ['batch', 3, 'height', 'width'] } }),
    ...(name === 'rank2' && { dynamic: { x: ['batch', 3] } }),
    // Scale and shift are rounded to 8 bits, then multiplied with a mean that is several times the result.
    ...(name === 'bfloat16' && { tolerance: { atol: 6e-2, rtol: 3e-2 } }),
  }),
);
