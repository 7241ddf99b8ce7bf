import type { Tensor, UnfoldOptions } from '../../src/index.js';
import { int8Refused, type LayerCase } from '../layers/harness.js';

const forms: Record<string, UnfoldOptions> = {
  '': { kernel: 2 },
  _stride: { kernel: [3, 2], stride: [2, 3] },
  _dilation: { kernel: 2, dilation: [2, 3] },
  _padding: { kernel: 3, padding: [1, 2] },
  _all: { kernel: [2, 3], dilation: [2, 1], padding: [1, 2], stride: [3, 2] },
  _one: { kernel: 1, stride: 2 },
  _whole: { kernel: [5, 6] },
  _apart: { kernel: 2, stride: 3 },
};
const all = forms._all!;
const outputSize = [5, 6] as const;
const unfold = (name: string, options: UnfoldOptions): LayerCase => ({ name, build: ({ x }) => x!.unfold(options) });
const fold = (name: string, options: UnfoldOptions): LayerCase => ({
  name,
  build: ({ x }: Record<string, Tensor>) => x!.fold({ ...options, outputSize }),
});

export const cases: LayerCase[] = [
  ...Object.entries(forms).flatMap(([name, form]): LayerCase[] => [
    { ...unfold(`unfold${name}`, form), dynamic: { x: ['n', 'c', 'h', 'w'] } },
    { ...fold(`fold${name}`, form), ...(name === '_all' && { dynamic: { x: ['n', 18, 'l'] } }) },
  ]),
  ...['unbatched', 'f16', 'bf16', 'bool', 'i32', 'i64', 'size0'].map((name) => unfold(`unfold_${name}`, all)),
  ...['unbatched', 'f16', 'bf16', 'i32', 'i64', 'size0'].map((name) => fold(`fold_${name}`, all)),
  { ...unfold('unfold_i8', all), refused: int8Refused },
  { ...fold('fold_i8', all), refused: int8Refused },
  fold('fold_infinite', forms['']!),
  {
    name: 'there_and_back',
    build: ({ x }) =>
      x!.unfold({ kernel: 3, padding: 1 }).fold({ kernel: 3, padding: 1, outputSize: [x!.dim(2), x!.dim(3)] }),
    dynamic: { x: ['n', 'c', 'h', 'w'] },
  },
];
