import { bfloat16, einsum, float16, float32, int32 } from '../../../src/index.js';
import { type PlanCases, ramp } from '../case.js';

export const cases: PlanCases = {
  reduce(net) {
    const x = net.input('x', float32(2, 3, 4));
    for (const operation of ['sum', 'prod', 'max', 'min', 'avg'] as const)
      x.reduce({ operation, axes: [0, 2] }).output(operation);
    x.sum({ axis: 1, keepDims: true }).output('kept');
    x.mean().output('all');
  },

  /** TensorRT does not reduce scalars. */
  reduce_scalar(net) {
    net.input('x', float32()).sum().output('y');
  },

  softmax(net) {
    const x = net.input('x', float32(2, 3, 4));
    x.softmax().output('last');
    x.softmax({ axis: 0 }).output('first');
  },

  /** TensorRT does not take vectors. */
  softmax_vector(net) {
    net.input('x', float32(5)).softmax().output('y');
  },

  ragged_softmax(net) {
    const x = net.input('x', float32(2, 3, 4));
    x.raggedSoftmax(net.input('lengths', int32(2, 3, 1))).output('y');
  },

  /** Only TensorRT 10 needs float32. */
  ragged_softmax_float16(net) {
    net
      .input('x', float16(2, 3, 4))
      .raggedSoftmax(net.input('lengths', int32(2, 3, 1)))
      .output('y');
  },

  matrix_multiply(net) {
    const a = net.input('a', float32(2, 3, 4));
    const b = net.input('b', float32(2, 4, 5));
    const c = net.input('c', float32(2, 5, 4));
    const v = net.input('v', float32(4));
    a.matmul(b).output('plain');
    a.matmul(c, { transposeB: true }).output('right');
    a.matmul(a, { transposeA: true }).output('left');
    c.matmul(v).output('vector');
    v.matmul(b).output('row');
    a.matmul(ramp([4, 2])).output('known');
  },

  /** float16 is summed in float32 on request, through float32 operands; other dtypes are not. */
  matrix_multiply_fp32(net) {
    const a = net.input('a', float16(2, 3));
    const b = net.input('b', float16(3, 4));
    a.matmul(b).output('narrow');
    a.matmul(b, { useFp32Acc: true }).output('wide');
    net
      .input('c', bfloat16(2, 3))
      .matmul(net.input('d', bfloat16(3, 2)), { useFp32Acc: true })
      .output('bfloat16');
  },

  einsum(net) {
    const a = net.input('a', float32(2, 3));
    const b = net.input('b', float32(3, 4));
    einsum('ij,jk->ki', [a, b]).output('two');
    a.einsum('ij->i').output('one');
  },

  cumulative(net) {
    const x = net.input('x', float32(2, 3));
    for (const exclusive of [false, true])
      for (const reverse of [false, true]) x.cumsum({ axis: 1, exclusive, reverse }).output(`${exclusive}_${reverse}`);
    x.cumsum({ axis: 0 }).output('first');
  },

  normalization(net) {
    const x = net.input('x', float32(2, 4, 3, 3));
    x.layerNorm({ normalizedShape: [3, 3], weight: ramp([3, 3]), bias: ramp([3, 3], 1), eps: 0.001 }).output('layer');
    x.instanceNorm({ weight: ramp([4]), bias: ramp([4], 1), eps: 0.25 }).output('instance');
    x.groupNorm({ groups: 2, weight: ramp([4], 2), bias: ramp([4], 3) }).output('group');
    x.layerNorm({ axes: [1, 3] }).output('plain');
  },

  normalization_tensors(net) {
    const x = net.input('x', float16(2, 4, 3));
    x.instanceNorm({ weight: net.input('weight', float16(4)), bias: net.input('bias', float16(4)) }).output('y');
  },
};
