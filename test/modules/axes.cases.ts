import type { Tensor } from '../../src/index.js';
import type { LayerCase } from '../layers/harness.js';

const methods: Record<string, (x: Tensor, like: Tensor) => Tensor | Tensor[]> = {
  unbind: (x) => x.unbind(),
  unbind_last: (x) => x.unbind({ axis: -1 }),
  unbind_vector: (x) => x.unbind(),
  repeat: (x) => x.repeat([2, 1, 3]),
  repeat_more: (x) => x.repeat([2, 1, 2]),
  repeat_zero: (x) => x.repeat([1, 0, 2]),
  repeat_scalar: (x) => x.repeat([3]),
  repeat_none: (x) => x.repeat([]),
  repeat_size0: (x) => x.repeat([2, 1, 2]),
  repeat_bool: (x) => x.repeat([1, 2, 1]),
  repeat_int64: (x) => x.repeat([4]),
  repeat_f16: (x) => x.repeat([1, 1, 2]),
  repeat_dim: (x) => x.repeat([x.dim(0), x.dim(2), 1]),
  tile: (x) => x.tile([2]),
  tile_two: (x) => x.tile([3, 2]),
  tile_more: (x) => x.tile([2, 1, 2]),
  roll: (x) => x.roll(1, { axes: 2 }),
  roll_two: (x) => x.roll([-1, 5], { axes: [0, -1] }),
  roll_far: (x) => x.roll(-9, { axes: 1 }),
  roll_all: (x) => x.roll(7),
  roll_int32: (x) => x.roll(-2),
  roll_size0: (x) => x.roll(1, { axes: [0] }),
  expand_as: (x, like) => x.expandAs(like),
  expand_as_rank: (x, like) => x.expandAs(like),
  shuffle: (x) => x.pixelShuffle(2),
  shuffle_one: (x) => x.pixelShuffle(1),
  shuffle_rank3: (x) => x.pixelShuffle(3),
  shuffle_rank5: (x) => x.pixelShuffle(2),
  shuffle_f16: (x) => x.pixelShuffle(2),
  unshuffle: (x) => x.pixelUnshuffle(2),
  unshuffle_rank3: (x) => x.pixelUnshuffle(3),
};
const cube = { x: ['a', 'b', 'c'] };
const dynamic: Record<string, LayerCase['dynamic']> = {
  unbind: { x: [2, 'b', 'c'] },
  repeat: cube,
  repeat_more: { x: ['b', 'c'] },
  repeat_dim: cube,
  tile: cube,
  roll: cube,
  roll_two: cube,
  roll_far: cube,
  roll_all: cube,
  expand_as: { x: ['a', 1, 'c'], like: ['a', 'b', 'c'] },
  expand_as_rank: { x: ['c'], like: ['a', 'b', 'c'] },
  shuffle: { x: ['n', 8, 'h', 'w'] },
  unshuffle: { x: ['n', 'c', 4, 6] },
};

export const cases: LayerCase[] = Object.entries(methods).map(([name, method]) => ({
  name,
  build: ({ x, like }) => method(x!, like!),
  ...(dynamic[name] && { dynamic: dynamic[name] }),
}));
