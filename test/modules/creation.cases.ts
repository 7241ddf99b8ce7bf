import type { Tensor } from '../../src/index.js';
import type { LayerCase } from '../layers/harness.js';

const methods: Record<string, (x: Tensor, others: Tensor[]) => Tensor | Tensor[]> = {
  full_like: (x) => x.fullLike(2.5),
  full_like_int64: (x) => x.fullLike(7, { dtype: 'int64' }),
  full_like_rank0: (x) => x.fullLike(-3),
  zeros_like: (x) => x.zerosLike(),
  zeros_like_f16: (x) => x.zerosLike(),
  zeros_like_size0: (x) => x.zerosLike(),
  ones_like: (x) => x.onesLike(),
  ones_like_bool: (x) => x.onesLike(),
  ones_like_int32: (x) => x.onesLike(),
  ...Object.fromEntries(
    (['tril', 'triu'] as const).flatMap((method) => [
      ...['', '_int32', '_bool', '_f16'].map((suffix) => [method + suffix, (x: Tensor) => x[method]()] as const),
      [`${method}_above`, (x: Tensor) => x[method]({ diagonal: 2 })],
      [`${method}_below`, (x: Tensor) => x[method]({ diagonal: -1 })],
      [`${method}_far`, (x: Tensor) => x[method]({ diagonal: 9 })],
    ]),
  ),
  meshgrid: (x, [b]) => x.meshgrid(b!),
  meshgrid_xy: (x, others) => x.meshgrid(others, { indexing: 'xy' }),
  meshgrid_three: (x, others) => x.meshgrid(others, { indexing: 'xy' }),
  meshgrid_one: (x) => x.meshgrid([], { indexing: 'xy' }),
};
const cube = { x: ['a', 'b', 'c'] };
const dynamic: Record<string, LayerCase['dynamic']> = {
  full_like: cube,
  zeros_like: cube,
  ones_like: cube,
  tril: cube,
  tril_above: cube,
  triu: cube,
  triu_below: cube,
  meshgrid: { x: ['m'], b: ['n'] },
  meshgrid_xy: { x: ['m'], b: ['n'] },
};

export const cases: LayerCase[] = Object.entries(methods).map(([name, method]) => ({
  name,
  build: ({ x, ...others }) => method(x!, Object.values(others)),
  ...(dynamic[name] && { dynamic: dynamic[name] }),
}));
