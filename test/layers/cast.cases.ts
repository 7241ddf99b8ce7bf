import { castDTypes } from '../../src/layers/kinds/cast.js';
import type { LayerCase } from './harness.js';

export const cases: LayerCase[] = [
  ...(castDTypes.flatMap((source) =>
    castDTypes.map((target) => ({
      name: `${source}_${target}`,
      build: ({ x }) => x!.cast(target),
    })),
  ) satisfies LayerCase[]),
  { name: 'dynamic', build: ({ x }) => x!.to('int32'), dynamic: { x: ['rows', 'columns'] } },
  { name: 'rank0', build: ({ x }) => x!.cast('int64') },
  { name: 'size0', build: ({ x }) => x!.cast('int32') },
];
