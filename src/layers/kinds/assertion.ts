import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { TensorSource } from '../../dsl/tensor.js';
import { requireDType } from '../shared/dtypes.js';
import type { Named } from '../shared/parameters.js';
import { requireRank } from '../shared/shapes.js';

/** Has no outputs. */
export const assertion = defineLayer({
  kind: 'assertion',
  hasEffects: true,
  params: z.strictObject({ message: z.string().min(1) }),
  infer({ input, fail }) {
    const { dtype, shape } = input(0);
    requireDType(dtype, ['bool'], fail, 'condition');
    requireRank(shape, 0, 1, fail, 'condition');
    return [];
  },
  cpu(g, { input, params: { message } }) {
    g.require(input(0), message);
    return [];
  },
});

const methods = {
  /**
   * Makes a run fail with `message` unless all elements of this tensor are true. The tensor must be what TensorRT calls
   * a shape tensor: a bool of rank 0 or 1, computed from shapes alone. If it is already false while building, the build
   * fails. The CPU backend does not check assertions within loops and conditionals. TensorRT kind: assertion.
   *
   * @throws ERR_DTYPE, ERR_RANK
   */
  assert(this: TensorSource, message: string, options: Named = {}): void {
    const condition = this.tensor();
    condition.network.record(assertion, {
      method: 'assert',
      name: options.name,
      inputs: [condition],
      params: { message },
    });
  },
};

export { methods as assertionMethods };
export type AssertionMethods = typeof methods;
