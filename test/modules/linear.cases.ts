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
  { name: 'tensors', build: ({ x, weight, bias }) => x!.linear({ weight: weight!, bias }) },
];
