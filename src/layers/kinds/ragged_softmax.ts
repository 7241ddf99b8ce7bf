import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { formatShape, isStatic } from '../../values/dim.js';
import { floats, requireDType } from '../shared/dtypes.js';
import { constantTensor } from '../shared/lift.js';
import type { ConstantData } from '../shared/literal.js';
import type { Named } from '../shared/parameters.js';
import { requireRank } from '../shared/shapes.js';

export const raggedSoftmax = defineLayer({
  kind: 'ragged_softmax',
  params: z.strictObject({}),
  infer({ input, fail }) {
    const [{ dtype, shape }, bounds] = [input(0), input(1)];
    requireDType(dtype, floats, fail);
    requireDType(bounds.dtype, ['int32'], fail, 'lengths');
    requireRank(shape, 3, 3, fail);
    const expected = [...shape.slice(0, -1), 1];
    // TensorRT refuses a dynamic size paired with a known one.
    const fits = (i: number) =>
      expected[i] === bounds.shape[i] || !(isStatic(expected[i]!) || isStatic(bounds.shape[i]!));
    if (bounds.shape.length !== 3 || bounds.shape[2] !== 1 || !fits(0) || !fits(1)) {
      fail('ERR_SHAPE', `expected ${formatShape(expected)}, given ${formatShape(bounds.shape)}`, {
        option: 'lengths',
        expected,
        actual: bounds.shape,
      });
    }
    return { dtype, shape };
  },
  cpu(g, { input, outputTypes }) {
    const { dtype } = outputTypes[0]!;
    const [x, bounds] = [g.cast(input(0), 'float32'), g.cast(input(1), 'int64')];
    const scalar = (v: number) => g.constant('int64', [], [v]);
    const size = g.op('Gather', [g.op('Shape', [x]), scalar(2)]);
    const within = g.op('Less', [g.op('Range', [scalar(0), size, scalar(1)]), bounds]);
    const zero = g.constant('float32', [], [0]);
    const masked = g.op('Where', [within, x, g.constant('float32', [], [-3e38])]);
    return g.cast(g.op('Where', [within, g.op('Softmax', [masked], { axis: -1 }), zero]), dtype);
  },
});

const methods = {
  /**
   * Softmax over the first `lengths` elements of every sequence; the remainder is 0. [batch, sequences, size] of
   * floats, lengths int32 [batch, sequences, 1]. TensorRT kind: ragged_softmax.
   *
   * @throws ERR_SHAPE, ERR_RANK, ERR_DTYPE
   */
  raggedSoftmax(this: TensorSource, lengths: Tensor | ConstantData, options: Named = {}): Tensor {
    const x = this.tensor();
    const method = 'raggedSoftmax';
    return x.network.record(raggedSoftmax, {
      method,
      name: options.name,
      inputs: [x, constantTensor(x.network, lengths, 'int32', method)],
      params: {},
    })[0]!;
  },
};

export { methods as raggedSoftmaxMethods };
export type RaggedSoftmaxMethods = typeof methods;
