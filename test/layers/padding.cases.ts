import type { PadOptions } from '../../src/layers/padding.js';
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
  rank5: { padding: [1, 2, 3, 0] },
  size0: { padding: [1, 2, 3, 0] },
};

export const cases: LayerCase[] = Object.entries(options).map(([name, given]) => ({
  name,
  build: ({ x }) => x!.pad(given),
  ...(name === 'int8' && { refused: int8Refused }),
  ...(['sides', 'mixed'].includes(name) && { dynamic: { x: ['batch', 3, 'height', 'width'] } }),
}));
