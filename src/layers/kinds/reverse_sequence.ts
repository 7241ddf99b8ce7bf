import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { isStatic } from '../../values/dim.js';
import { wrapAxis } from '../shared/axes.js';
import { indexTypes, requireDType } from '../shared/dtypes.js';
import { constantTensor, type Liftable } from '../shared/lift.js';
import { type Named, nonNegative } from '../shared/parameters.js';
import { requireRank } from '../shared/shapes.js';

export const reverseSequence = defineLayer({
  kind: 'reverse_sequence',
  params: z.strictObject({ batchAxis: nonNegative, sequenceAxis: nonNegative }),
  infer({ input, params: { batchAxis, sequenceAxis }, fail }) {
    const [x, lengths] = [input(0), input(1)];
    const rank = x.shape.length;
    requireRank(x.shape, 2, 8, fail);
    requireDType(lengths.dtype, indexTypes, fail, 'lengths');
    requireRank(lengths.shape, 1, 1, fail, 'lengths');
    for (const [what, axis] of Object.entries({ batchAxis, sequenceAxis })) {
      if (axis >= rank)
        fail('ERR_AXIS', `expected one from ${-rank} to ${rank - 1}, given ${axis}`, { option: what, actual: axis });
    }
    if (batchAxis === sequenceAxis)
      fail('ERR_AXIS', `expected different axes, given ${batchAxis} for both`, {
        options: ['batchAxis', 'sequenceAxis'],
      });
    const [batch, count] = [x.shape[batchAxis]!, lengths.shape[0]!];
    if (isStatic(batch) && isStatic(count) && batch !== count) {
      fail('ERR_SHAPE', `expected one per element of axis ${batchAxis}, ${batch}, given ${count}`, {
        option: 'lengths',
        expected: batch,
        actual: count,
      });
    }
    return { dtype: x.dtype, shape: x.shape };
  },
  cpu(g, { input, params: { batchAxis, sequenceAxis }, inputTypes }) {
    // ONNX supports only the first two axes.
    const others = inputTypes[0]!.shape.map((_, i) => i).filter((i) => i !== batchAxis && i !== sequenceAxis);
    const perm = [batchAxis, sequenceAxis, ...others];
    const moved = g.op('Transpose', [input(0)], { perm });
    const reversed = g.op('ReverseSequence', [moved, g.cast(input(1), 'int64')], { batch_axis: 0, time_axis: 1 });
    return g.op('Transpose', [reversed], { perm: perm.map((_, i) => perm.indexOf(i)) });
  },
});

export interface ReverseSequenceOptions extends Named {
  /** The axis that `lengths` counts along. Default 1, as TensorRT's. */
  batchAxis?: number | undefined;
  /** The axis that is reversed. Default 0, as TensorRT's. */
  sequenceAxis?: number | undefined;
}

const methods = {
  /**
   * Reverses the first `lengths[i]` elements of the sequence axis for each index i of the batch axis; the remainder
   * stays in place. TensorRT kind: reverse_sequence.
   *
   * @param lengths [batch], int32 or int64
   *
   * @throws ERR_AXIS, ERR_SHAPE, ERR_RANK, ERR_DTYPE
   */
  reverseSequence(this: TensorSource, lengths: Liftable, options: ReverseSequenceOptions = {}): Tensor {
    const method = 'reverseSequence';
    const { batchAxis = 1, sequenceAxis = 0, name } = options;
    const x = this.tensor();
    const params = { batchAxis: wrapAxis(batchAxis, x.rank), sequenceAxis: wrapAxis(sequenceAxis, x.rank) };
    const inputs = [x, constantTensor(x.network, lengths, 'int32', method)];
    return x.network.record(reverseSequence, { method, name, inputs, params })[0]!;
  },
};

export { methods as reverseSequenceMethods };
export type ReverseSequenceMethods = typeof methods;
