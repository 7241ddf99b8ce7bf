import { float32, int32, int64 } from '../../../src/index.js';
import { type PlanCases, ramp, whole } from '../case.js';

export const cases: PlanCases = {
  /** Folded while building: if it differs, TensorRT computes differently on this machine. */
  canary(net) {
    const known = net.constant(ramp([4, 5]));
    known
      .exp()
      .matmul(net.constant(ramp([5, 3], 2)))
      .tanh()
      .softmax()
      .output('folded');
    net.input('x', float32(4, 5)).mul(known.sigmoid()).output('y');
  },

  debug_tensors(net) {
    const a = net.input('x', float32(2, 3)).relu().debug();
    net
      .constant(ramp([2, 3]))
      .debug()
      .add(a)
      .exp()
      .output('y')
      .debug();
  },

  constant(net) {
    net.constant(ramp([2, 3])).output('float32');
    for (const dtype of ['float16', 'bfloat16'] as const) net.constant(ramp([2, 3], 0, dtype)).output(dtype);
    for (const dtype of ['int64', 'int32'] as const) net.constant(whole(4), { dtype }).output(dtype);
    net.constant([true, false, true]).output('bool');
    net.constant(2.5).output('scalar');
  },

  /** TensorRT has no uint8 constants. */
  constant_uint8(net) {
    net.constant([1, 2, 255], { dtype: 'uint8' }).output('y');
  },

  fill(net) {
    net.fill([5], { alpha: 0.5, beta: 0.25 }).output('float32');
    net.fill([6], { alpha: 3, beta: -2, dtype: 'int32' }).output('int32');
    net.fill([4], { alpha: -1, beta: 7, dtype: 'int64' }).output('int64');
    net.randomUniform([2, 3], { low: -0.5, high: 2 }).output('uniform');
    net.randomNormal([2, 3], { mean: 0.5, std: 3, dtype: 'float16' }).output('normal');
  },

  fill_tensors: {
    options: {
      profiles: [
        {
          sizes: [
            [1, 1],
            [2, 3],
            [8, 8],
          ],
        },
      ],
    },
    record(net) {
      const sizes = net.input('sizes', int64(2));
      const alpha = net.input('alpha', float32());
      const beta = net.input('beta', float32(2));
      net.fill(sizes, { alpha, beta }).output('y');
      net.fill(sizes, { operation: 'random_uniform' }).output('z');
    },
  },

  fill_known: {
    record(net) {
      const x = net.input('x', int32(3, 2));
      x.add(net.fill([3, 2], { alpha: 1, beta: [10, 1], dtype: 'int32' })).output('y');
    },
  },
};
