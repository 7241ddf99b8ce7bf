import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import { Tensor, type TensorSource } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import type { DType } from '../../values/dtype.js';
import { checkedFunction } from '../calls/arguments.js';
import { cpuWhere } from '../shared/cpu-where.js';
import { requireDType } from '../shared/dtypes.js';
import { constantTensor, type Liftable, lift } from '../shared/lift.js';
import type { Named } from '../shared/parameters.js';
import { liftRank } from '../shared/record-shuffle.js';
import { broadcastShapes } from '../shared/shapes.js';

export const select = defineLayer({
  kind: 'select',
  params: z.strictObject({}),
  infer({ input, fail }) {
    const [condition, a, b] = [input(0), input(1), input(2)];
    requireDType(condition.dtype, ['bool'], fail, 'condition');
    requireDType(a.dtype, ['float32', 'float16', 'bfloat16', 'int32', 'int64', 'int8', 'bool'], fail, 'a');
    if (a.dtype !== b.dtype) {
      fail('ERR_DTYPE', `a is ${a.dtype}, b is ${b.dtype}; convert one with .cast()`, {
        expected: a.dtype,
        actual: b.dtype,
      });
    }
    const shape = broadcastShapes(condition.shape, broadcastShapes(a.shape, b.shape, fail), fail);
    return { dtype: a.dtype, shape };
  },
  cpu: (g, { input, outputTypes }) => cpuWhere(g, input(0), input(1), input(2), outputTypes[0]!.dtype),
});

export interface WhereOptions extends Named {
  /** dtype of the result if neither value is a tensor. Default: as for a constant, so float32 for numbers. */
  dtype?: DType | undefined;
}

function record(condition: Tensor, a: Liftable, b: Liftable, method: string, { name, dtype }: WhereOptions): Tensor {
  if (!(condition instanceof Tensor)) {
    refuse(method, 'ERR_INPUT', `expected a tensor of bool, given ${String(condition)}`, { option: 'condition' });
  }
  const given = [a, b].find((value) => value instanceof Tensor);
  const peer = given ?? constantTensor(condition.network, a, dtype, method);
  if (dtype !== undefined && dtype !== peer.dtype) {
    refuse(method, 'ERR_DTYPE', `expected that of the tensor, ${peer.dtype}, given ${String(dtype)}`, {
      option: 'dtype',
    });
  }
  const values = [condition, given ? lift(a, peer, method, 0) : peer, lift(b, peer, method, 0)];
  const rank = Math.max(...values.map((t) => t.rank));
  const inputs = values.map((t) => liftRank(t, rank, method));
  return condition.network.record(select, { method, name, inputs, params: {} })[0]!;
}

/**
 * `a` where `condition` (bool) is true, else `b`, element by element, with NumPy's broadcasting. Both may be numbers:
 * `where(mask, 0, -Infinity)`. TensorRT kind: select.
 *
 * @throws ERR_DTYPE where the condition is no bool, or `a` and `b` differ; ERR_SHAPE where they do not broadcast
 */
export function where(condition: Tensor, a: Liftable, b: Liftable, options?: WhereOptions): Tensor;
export function where(...args: [Tensor, Liftable, Liftable, WhereOptions?]): Tensor {
  return chosen(...args);
}

const chosen = checkedFunction('where', (condition: Tensor, a: Liftable, b: Liftable, options: WhereOptions = {}) =>
  record(condition, a, b, 'where', options),
);

const methods = {
  /** This tensor where `condition` is true, else `other`; see the function `where`. TensorRT kind: select. */
  where(this: TensorSource, condition: Tensor, other: Liftable, options: Named = {}): Tensor {
    return record(condition, this.tensor(), other, 'where', options);
  },
  /** `value` where `mask` (bool) is true, else this tensor, like PyTorch's masked_fill. TensorRT kind: select. */
  maskedFill(this: TensorSource, mask: Tensor, value: Liftable, options: Named = {}): Tensor {
    return record(mask, value, this.tensor(), 'maskedFill', options);
  },
};

export { methods as selectMethods };
export type SelectMethods = typeof methods;
