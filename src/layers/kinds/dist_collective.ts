import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { type Dim, divideExactly, formatShape, mulDims } from '../../values/dim.js';
import { type Named, nonNegative, positive } from '../shared/parameters.js';
import { requireRank } from '../shared/shapes.js';

/** TensorRT's CollectiveOperation. */
export const collectiveOperations = [
  'all_reduce',
  'all_gather',
  'broadcast',
  'reduce',
  'reduce_scatter',
  'all_to_all',
  'gather',
  'scatter',
] as const;
/** TensorRT's CollectiveOperation. @useDeclaredType */
export type CollectiveOperation = (typeof collectiveOperations)[number];

const reducing: readonly CollectiveOperation[] = ['all_reduce', 'reduce', 'reduce_scatter'];
const rooted: readonly CollectiveOperation[] = ['broadcast', 'reduce', 'gather', 'scatter'];

export const distCollective = defineLayer({
  kind: 'dist_collective',
  hasEffects: true,
  params: z.strictObject({
    operation: z.enum(collectiveOperations),
    reduceOperation: z.enum(['sum', 'prod', 'max', 'min', 'avg', 'none']),
    /** -1: none. */
    root: z.int().min(-1),
    /** Empty: all ranks. */
    groups: z.array(nonNegative),
    ranks: positive,
  }),
  infer({ input, params: { operation, reduceOperation, root, groups, ranks }, fail }) {
    const { dtype, shape } = input(0);
    if (reducing.includes(operation) !== (reduceOperation !== 'none')) {
      const expected = reducing.includes(operation) ? 'an operation' : 'none';
      fail('ERR_PARAMETER', `expected ${expected} for ${operation}, given ${reduceOperation}`, { option: 'reduce' });
    }
    if (rooted.includes(operation) !== root >= 0) {
      fail(
        'ERR_PARAMETER',
        `expected ${rooted.includes(operation) ? 'a rank' : 'none'} for ${operation}, given ${root}`,
        { option: 'root' },
      );
    }
    if (groups.length > 0 && groups.length !== ranks) {
      fail('ERR_PARAMETER', `expected ${groups.length}, the size of the group, given ${ranks}`, { option: 'ranks' });
    }
    const grows = operation === 'all_gather' || operation === 'gather';
    const shrinks = operation === 'reduce_scatter' || operation === 'scatter';
    if (!grows && !shrinks) return { dtype, shape };
    requireRank(shape, 1, 8, fail);
    const first: Dim | undefined = grows ? mulDims(shape[0]!, ranks) : divideExactly(shape[0]!, ranks);
    if (first === undefined) {
      return fail('ERR_SHAPE', `expected a multiple of ${ranks} along axis 0, given ${formatShape(shape)}`, {
        actual: shape,
      });
    }
    return { dtype, shape: [first, ...shape.slice(1)] };
  },
  cpu(g, { input, params: { ranks } }) {
    if (ranks > 1) throw new Error(`${ranks} devices are needed, the CPU backend is one`);
    return g.op('Identity', [input(0)]);
  },
});

export interface DistCollectiveOptions extends Named {
  /** What the devices do together. */
  operation: CollectiveOperation;
  /** For all_reduce, reduce and reduce_scatter; default `sum`. */
  reduce?: 'sum' | 'prod' | 'max' | 'min' | 'avg' | undefined;
  /** For broadcast, reduce, gather and scatter: the rank that sends or receives. Default 0. */
  root?: number | undefined;
  /** The ranks that take part, in order. Default: all. */
  groups?: readonly number[] | undefined;
  /** Number of ranks that take part. Default: the size of `groups`, or 1. */
  ranks?: number | undefined;
}

const methods = {
  /**
   * A collective operation across GPUs that run the same network. all_gather and gather multiply axis 0 by the number
   * of ranks; reduce_scatter and scatter divide it. Needs TensorRT 10.16 or later. The CPU backend is one rank and passes
   * its input on; no run on several GPUs was compared. TensorRT kind: dist_collective.
   *
   * @throws ERR_PARAMETER, ERR_SHAPE, ERR_RANK
   */
  distCollective(this: TensorSource, options: DistCollectiveOptions): Tensor {
    const x = this.tensor();
    const { operation, groups = [], ranks = groups.length || 1, name } = options;
    return x.network.record(distCollective, {
      method: 'distCollective',
      name,
      inputs: [x],
      params: {
        operation,
        reduceOperation: options.reduce ?? (reducing.includes(operation) ? 'sum' : 'none'),
        root: options.root ?? (rooted.includes(operation) ? 0 : -1),
        groups: [...groups],
        ranks,
      },
    })[0]!;
  },
};

export { methods as distCollectiveMethods };
export type DistCollectiveMethods = typeof methods;
