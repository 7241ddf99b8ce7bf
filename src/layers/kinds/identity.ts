import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import type { Named } from '../shared/parameters.js';

export const identity = defineLayer({
  kind: 'identity',
  takesNarrow: true,
  takesUint8: true,
  params: z.strictObject({}),
  infer({ input }) {
    const { dtype, shape, contents } = input(0);
    return contents ? { dtype, shape, contents } : { dtype, shape };
  },
  cpu: (g, { input }) => g.op('Identity', [input(0)]),
});

const methods = {
  /** The same tensor under a name of its own. TensorRT kind: identity. */
  identity(this: TensorSource, options: Named = {}): Tensor {
    const x = this.tensor();
    return x.network.record(identity, { method: 'identity', name: options.name, inputs: [x], params: {} })[0]!;
  },
};

export { methods as identityMethods };
export type IdentityMethods = typeof methods;
