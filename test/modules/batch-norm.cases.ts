import { type WeightLike, weight } from '../../src/index.js';
import type { LayerCase } from '../layers/harness.js';

const rounded = (weights: Record<string, WeightLike>): Record<string, WeightLike> =>
  Object.fromEntries(
    Object.entries(weights).map(([role, { data, shape }]) => [role, weight(data, shape).as('float16')]),
  );

export const cases: LayerCase[] = [
  'plain',
  'no_affine',
  'eps',
  'float16',
  'rounded',
  'bfloat16',
  'rank2',
  'rank3',
  'rank5',
].map((name) => ({
  name,
  build: ({ x }, weights) =>
    x!.batchNorm({ ...(name === 'rounded' ? rounded(weights) : weights), ...(name === 'eps' && { eps: 0.1 }) }),
  ...(name === 'plain' && { dynamic: { x: ['batch', 3, 'height', 'width'] } }),
  ...(name === 'rank2' && { dynamic: { x: ['batch', 3] } }),
  // Scale and shift are rounded to 8 bits, then multiplied with a mean that is several times the result.
  ...(name === 'bfloat16' && { tolerance: { atol: 6e-2, rtol: 3e-2 } }),
}));
