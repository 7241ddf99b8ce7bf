import type { Tensor } from '../../src/index.js';
import type { LayerCase } from '../layers/harness.js';

const methods: Record<string, (x: Tensor) => Tensor> = {
  rsqrt: (x) => x.rsqrt(),
  rsqrt_f16: (x) => x.rsqrt(),
  log2: (x) => x.log2(),
  log2_f16: (x) => x.log2(),
  log2_bf16: (x) => x.log2(),
  log1p: (x) => x.log1p(),
  log1p_shape: (x) => x.log1p(),
  log1p_f16: (x) => x.log1p(),
  isfinite: (x) => x.isfinite(),
  isfinite_f16: (x) => x.isfinite(),
  isfinite_size0: (x) => x.isfinite(),
};

export const cases: LayerCase[] = Object.entries(methods).map(([name, method]) => ({
  name,
  build: ({ x }) => method(x!),
  ...(['rsqrt', 'log2', 'log1p_shape', 'isfinite'].includes(name) && { dynamic: { x: ['n', 'w'] } }),
  ...(name === 'log1p' && { tolerance: { atol: 0, rtol: 1e-6 } }),
  // Five roundings; the difference from 1 cancels the upper bits.
  ...(name === 'log1p_f16' && { tolerance: { atol: 5e-3, rtol: 5e-3 } }),
  // Logarithm and product round one after the other.
  ...(name === 'log2_bf16' && { tolerance: { atol: 3e-2, rtol: 1.6e-2 } }),
}));
