import type { Tensor } from '../../src/index.js';
import { int8Refused, type LayerCase } from '../layers/harness.js';

const methods: Record<string, (x: Tensor, repeats: Tensor) => Tensor> = {
  interleave: (x) => x.repeatInterleave(2, { axis: 1 }),
  interleave_last: (x) => x.repeatInterleave([3], { axis: -1 }),
  interleave_all: (x) => x.repeatInterleave(2),
  interleave_zero: (x) => x.repeatInterleave(0, { axis: 1 }),
  interleave_dim: (x) => x.repeatInterleave(x.dim(2), { axis: 0 }),
  interleave_vector: (x) => x.repeatInterleave(2),
  interleave_scalar: (x) => x.repeatInterleave(3),
  interleave_bool: (x) => x.repeatInterleave(2, { axis: 2 }),
  interleave_f16: (x) => x.repeatInterleave(2, { axis: 2 }),
  interleave_i8: (x) => x.repeatInterleave(2),
  interleave_size0: (x) => x.repeatInterleave(2, { axis: 1 }),
  interleave_list: (x) => x.repeatInterleave([2, 0, 1], { axis: 1 }),
  interleave_list_all: (x) => x.repeatInterleave([1, 2, 0, 3]),
  interleave_tensor: (x, repeats) => x.repeatInterleave(repeats, { axis: 1, outputSize: 5 }),
  interleave_tensor_i32: (x, repeats) => x.repeatInterleave(repeats, { axis: 1, outputSize: 5 }),
  interleave_tensor_one: (x, repeats) => x.repeatInterleave(repeats, { axis: 1, outputSize: x.dim(1).mul(2) }),
  interleave_tensor_all: (x, repeats) => x.repeatInterleave(repeats, { outputSize: 5 }),
  movedim: (x) => x.movedim(0, 2),
  movedim_back: (x) => x.movedim(-1, 0),
  movedim_two: (x) => x.movedim([0, 1], [-1, 0]),
  movedim_all: (x) => x.movedim([2, 0, 1], [0, 1, 2]),
  movedim_none: (x) => x.movedim([], []),
  movedim_same: (x) => x.movedim(1, 1),
};
const cube = { x: ['a', 'b', 'c'] };
const dynamic: Record<string, LayerCase['dynamic']> = {
  interleave: cube,
  interleave_all: cube,
  interleave_dim: cube,
  interleave_list: { x: ['a', 3, 'c'] },
  interleave_tensor: { x: ['a', 'b', 'c'], repeats: ['b'] },
  interleave_tensor_one: cube,
  movedim_two: cube,
};

export const cases: LayerCase[] = Object.entries(methods).map(([name, method]) => ({
  name,
  build: ({ x, repeats }) => method(x!, repeats!),
  ...(dynamic[name] && { dynamic: dynamic[name] }),
  ...(name === 'interleave_i8' && { refused: int8Refused }),
}));
