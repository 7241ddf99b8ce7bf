import type { Tensor } from '../../src/index.js';
import type { LayerCase } from '../layers/harness.js';

const methods: Record<string, (x: Tensor) => Tensor> = {
  ...Object.fromEntries(
    [1, 2, 3, 5, 7, 10].map((outputSize) => [`one_${outputSize}`, (x: Tensor) => x.adaptiveMaxPool1d({ outputSize })]),
  ),
  one_unbatched: (x) => x.adaptiveMaxPool1d({ outputSize: [3] }),
  two_default: (x) => x.adaptiveMaxPool2d(),
  two_even: (x) => x.adaptiveMaxPool2d({ outputSize: [2, 3] }),
  two_uneven: (x) => x.adaptiveMaxPool2d({ outputSize: [3, 4] }),
  two_larger: (x) => x.adaptiveMaxPool2d({ outputSize: 7 }),
  two_same: (x) => x.adaptiveMaxPool2d({ outputSize: [4, 6] }),
  two_keep: (x) => x.adaptiveMaxPool2d({ outputSize: [null, 4] }),
  two_height: (x) => x.adaptiveMaxPool2d({ outputSize: [3, null] }),
  two_part: (x) => x.adaptiveMaxPool2d({ outputSize: [1, 4] }),
  two_both: (x) => x.adaptiveMaxPool2d({ outputSize: 3 }),
  two_unbatched: (x) => x.adaptiveMaxPool2d({ outputSize: [2, 4] }),
  three: (x) => x.adaptiveMaxPool3d({ outputSize: [2, 3, 4] }),
  three_one: (x) => x.adaptiveMaxPool3d({ outputSize: 1 }),
  three_keep: (x) => x.adaptiveMaxPool3d({ outputSize: [null, 2, null] }),
  three_unbatched: (x) => x.adaptiveMaxPool3d({ outputSize: 2 }),
  two_f16: (x) => x.adaptiveMaxPool2d({ outputSize: [3, 4] }),
  two_bf16: (x) => x.adaptiveMaxPool2d({ outputSize: [3, 4] }),
  two_i32: (x) => x.adaptiveMaxPool2d({ outputSize: [3, 4] }),
  two_i64: (x) => x.adaptiveMaxPool2d({ outputSize: 2 }),
  two_infinite: (x) => x.adaptiveMaxPool2d({ outputSize: [3, 4] }),
};

const image = { x: ['n', 'c', 'h', 'w'] };
const dynamic: Record<string, LayerCase['dynamic']> = {
  ...Object.fromEntries([1, 2, 3, 5, 7, 10].map((size) => [`one_${size}`, { x: ['n', 3, 'l'] }])),
  two_default: image,
  two_even: image,
  two_uneven: image,
  two_larger: image,
  two_keep: image,
  two_unbatched: { x: [3, 'h', 'w'] },
  three: { x: ['n', 2, 'd', 'h', 'w'] },
};

export const cases: LayerCase[] = Object.entries(methods).map(([name, method]) => ({
  name,
  build: ({ x }) => method(x!),
  ...(dynamic[name] && { dynamic: dynamic[name] }),
}));
