import type { LayerCase } from '../layers/harness.js';

const dynamic: Record<string, LayerCase['dynamic']> = {
  plain: { x: ['batch', 4] },
  rank3: { x: ['batch', 'length', 4] },
  tensors: { x: ['batch', 'length', 'in'], weight: ['out', 'in'] },
};
const known = ['plain', 'no_bias', 'rank1', 'rank1_no_bias', 'rank3', 'rank4', 'float16', 'bfloat16'];

export const cases: LayerCase[] = [
  ...known.map(
    (name): LayerCase => ({
      name,
      build: ({ x }, { weight, bias }) => x!.linear({ weight: weight!, bias }),
      ...(dynamic[name] && { dynamic: dynamic[name] }),
    }),
  ),
  ...['fp32_acc', 'fp32_acc_no_bias'].map(
    (name): LayerCase => ({
      name,
      build: ({ x }, { weight, bias }) => x!.linear({ weight: weight!, bias, useFp32Acc: true }),
      // One rounding of the sum, one of the bias added.
      tolerance: { atol: 0, rtol: 2 ** -9 },
    }),
  ),
  { name: 'tensors', build: ({ x, weight, bias }) => x!.linear({ weight: weight!, bias }) },
];
