import type { Dim } from '../../src/index.js';
import type { LayerCase } from './harness.js';
import { narrowCases } from './narrow.js';

const dynamic: Record<string, Dim[]> = { x: ['n', 'h', 5] };

export const cases: LayerCase[] = [
  { name: 'rank3', build: ({ x }) => x!.shapeTensor(), dynamic: { x: ['a', 3, 'b'] } },
  ...(['rank1', 'rank0', 'size0', 'int64', 'float16'].map((name) => ({
    name,
    build: ({ x }) => x!.shapeTensor(),
  })) satisfies LayerCase[]),
  { name: 'merge', build: ({ x }) => x!.reshape([x!.dim(0).mul(x!.dim(1)), -1]), dynamic },
  { name: 'two_merges', build: ({ x }) => x!.reshape([x!.dim(0), 3, x!.dim(1).div(3), x!.dim(-1)]), dynamic },
  {
    name: 'halves',
    build: ({ x }) => x!.slice({ axes: [0, 1], start: [0, 0], size: [x!.dim(0).div(2), x!.dim(1).ceilDiv(4)] }),
    dynamic,
  },
  {
    name: 'expressions',
    build: ({ x }, _, net) => {
      const [n, h] = [x!.dim(0), x!.dim(1)];
      return net.dims([n.mul(h).add(1), h.sub(n), h.mod(n), n.max(h), n.min(5), n.mul(n).mul(2).sub(h.mul(3))]);
    },
    dynamic,
  },
  ...narrowCases((q) => q.shapeTensor(), 'n', 6),
];
