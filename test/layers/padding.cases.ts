import type { PadOptions } from '../../src/layers/kinds/padding.js';
import { int8Refused, type LayerCase } from './harness.js';

const options: Record<string, PadOptions> = {
  all_sides: { padding: 2 },
  sides: { padding: [1, 2, 3, 0] },
  pre_post: { prePadding: [1, 2], postPadding: [3, 0] },
  crop: { padding: [-1, -2, 0, -3] },
  mixed: { padding: [-2, 3, 1, -1] },
  nothing: {},
  crop_all: { prePadding: [-4, 0] },
  float16: { padding: [1, 2, 3, 0] },
  bfloat16: { padding: [1, 2, 3, 0] },
  int8: { padding: [1, -1, 2, 0] },
  reflect: { padding: [2, 1, 3, 0], mode: 'reflect' },
  reflect_line: { padding: [4, 2], mode: 'reflect' },
  replicate: { padding: [2, 1, 3, 6], mode: 'replicate' },
  replicate_cut: { padding: [2, -1, 3, 0], mode: 'replicate' },
  circular: { padding: [2, 1, 3, 0], mode: 'circular' },
  circular_line: { padding: [5, 1], mode: 'circular' },
  value: { padding: [1, 2, 0, 1], value: -1.5 },
  value_f16: { padding: [1, 2], value: 0.5 },
  value_infinite: { padding: 1, value: -Infinity },
  pair: { padding: [1, 2] },
  all_axes: { padding: [1, 2, 3, 0, 0, 1, 2, 0] },
  rank1: { padding: [2, -1] },
  rank2: { padding: 1 },
  int32: { padding: [1, 2, -1, 1] },
  int64: { padding: [1, 2, -1, 1] },
  bool: { padding: [1, 2, -1, 1] },
  rank5: { padding: [1, 2, 3, 0] },
  size0: { padding: [1, 2, 3, 0] },
};

const image = ['batch', 3, 'height', 'width'];
const dynamic: Record<string, (string | number)[]> = {
  sides: image,
  mixed: image,
  reflect: image,
  replicate: image,
  circular: image,
  value: image,
  all_axes: image,
  reflect_line: ['batch', 3, 'width'],
  rank2: ['h', 'w'],
};

export const cases: LayerCase[] = [
  ...Object.entries(options).map(
    ([name, given]): LayerCase => ({
      name,
      build: ({ x }) => x!.pad(given),
      ...(name === 'int8' && { refused: int8Refused }),
      ...(dynamic[name] && { dynamic: { x: dynamic[name] } }),
    }),
  ),
  {
    name: 'dims',
    build: ({ x }) => x!.pad({ padding: [0, x!.dim(0), x!.dim(2), 0] }),
    dynamic: { x: image },
  },
];
