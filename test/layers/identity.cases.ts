import type { LayerCase } from './harness.js';
import { narrowCases } from './narrow.js';

const names = ['float32', 'float16', 'bfloat16', 'int32', 'int64', 'int8', 'uint8', 'bool', 'rank0', 'size0'];

export const cases: LayerCase[] = [
  ...names.map(
    (name): LayerCase => ({
      name,
      build: ({ x }) => x!.identity({ name: 'same' }),
      ...(name === 'float32' && { dynamic: { x: ['rows', 'columns'] } }),
    }),
  ),
  ...narrowCases((q) => q.identity(), 'n', 6).map((one): LayerCase => {
    const isRefused = /float8|int4/.test(one.name);
    return isRefused ? { ...one, refused: { gpu: /ICastLayer `input` is of unsupported type/ } } : one;
  }),
];
