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

const special: Record<string, (inputs: Record<string, Tensor>) => Tensor> = {
  ...Object.fromEntries(
    ['atan2', 'atan2_f16', 'atan2_bf16', 'atan2_int', 'atan2_mixed'].map((name) => [name, ({ y, x }) => y!.atan2(x!)]),
  ),
  atan2_number: ({ y }) => y!.atan2(-2),
  lerp: ({ a, b }) => a!.lerp(b!, 0.3),
  lerp_half: ({ a, b }) => a!.lerp(b!, 0.5),
  lerp_one: ({ a, b }) => a!.lerp(b!, 1),
  lerp_beyond: ({ a, b }) => a!.lerp(b!, -2),
  lerp_tensor: ({ a, b, t }) => a!.lerp(b!, t!),
  lerp_end: ({ a, b }) => a!.lerp(b!, 1),
  lerp_f16: ({ a, b }) => a!.lerp(b!, 0.3),
  lerp_bf16: ({ a, b }) => a!.lerp(b!, 0.3),
  cumprod_0: ({ x }) => x!.cumprod({ axis: 0 }),
  cumprod_1: ({ x }) => x!.cumprod({ axis: 1 }),
  cumprod_2: ({ x }) => x!.cumprod({ axis: 2 }),
  cumprod_default: ({ x }) => x!.cumprod(),
  cumprod_vector: ({ x }) => x!.cumprod(),
  cumprod_wide: ({ x }) => x!.cumprod(),
  cumprod_one: ({ x }) => x!.cumprod({ axis: 1 }),
  cumprod_f16: ({ x }) => x!.cumprod({ axis: 1 }),
  cumprod_bf16: ({ x }) => x!.cumprod({ axis: 1 }),
  cumprod_i32: ({ x }) => x!.cumprod({ axis: 1 }),
  cumprod_i64: ({ x }) => x!.cumprod({ axis: 0 }),
};
const open: Record<string, LayerCase['dynamic']> = {
  atan2: { y: ['h', 1], x: [1, 'w'] },
  lerp_tensor: { a: ['n', 'm'], b: ['n', 'm'], t: ['m'] },
  cumprod_1: { x: ['a', 'b', 'c'] },
  cumprod_vector: { x: ['n'] },
  cumprod_i32: { x: ['n', 'm'] },
};

const unary: LayerCase[] = Object.entries(methods).map(([name, method]) => ({
  name,
  build: ({ x }) => method(x!),
  ...(['rsqrt', 'log2', 'log1p_shape', 'isfinite'].includes(name) && { dynamic: { x: ['n', 'w'] } }),
  ...(name === 'log1p' && { tolerance: { atol: 0, rtol: 1e-6 } }),
  // Five roundings; the difference from 1 cancels the upper bits.
  ...(name === 'log1p_f16' && { tolerance: { atol: 5e-3, rtol: 5e-3 } }),
  // Logarithm and product round one after the other.
  ...(name === 'log2_bf16' && { tolerance: { atol: 3e-2, rtol: 1.6e-2 } }),
}));

export const cases: LayerCase[] = [
  ...unary,
  ...Object.entries(special).map(([name, build]) => ({ name, build, ...(open[name] && { dynamic: open[name] }) })),
];
