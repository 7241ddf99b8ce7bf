import { collectiveOperations, type DistCollectiveOptions } from '../../src/layers/kinds/dist_collective.js';
import type { LayerCase } from './harness.js';

/** With one rank, every operation returns its input: these references check the build, and that a run changes nothing. More ranks need as many GPUs. */
const options: Record<string, DistCollectiveOptions> = {
  ...Object.fromEntries(collectiveOperations.map((operation) => [operation, { operation }])),
  f16: { operation: 'all_reduce' },
  bf16: { operation: 'all_reduce' },
  all_reduce_prod: { operation: 'all_reduce', reduce: 'prod' },
  all_reduce_max: { operation: 'all_reduce', reduce: 'max' },
  all_reduce_min: { operation: 'all_reduce', reduce: 'min' },
  all_reduce_avg: { operation: 'all_reduce', reduce: 'avg' },
};

export const cases: LayerCase[] = Object.entries(options).map(([name, given]) => ({
  name,
  build: ({ x }) => x!.distCollective(given),
  refused: {
    ...((name === 'all_gather' || name === 'reduce_scatter') && { build: /requires world_size \(> 1\)/ }),
    gpu: /needs TensorRT 10\.16/,
  },
  ...(name === 'all_reduce' && { dynamic: { x: ['n', 3] } }),
}));
