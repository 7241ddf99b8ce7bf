import { z } from 'zod';
import { defineLayer, type InferredValue } from '../../dsl/define-layer.js';
import { Tensor, type TensorSource } from '../../dsl/tensor.js';
import { show } from '../../errors/error.js';
import { refuse } from '../../errors/refusal.js';
import { addDims, type Dim, formatShape, isDimName, isStatic, meet } from '../../values/dim.js';
import { isWeightLike } from '../../values/weight.js';
import { checkedFunction } from '../calls/arguments.js';
import { axisList, requireFront, resolveAxis, wrapAxis } from '../shared/axes.js';
import { movable, requireDType } from '../shared/dtypes.js';
import type { Named } from '../shared/parameters.js';
import { recordUnsqueeze } from '../shared/unit-axes.js';

export const concatenation = defineLayer({
  kind: 'concatenation',
  takesNarrow: true,
  params: z.strictObject({ axis: z.int() }),
  infer({ inputs, params: { axis }, fail }): InferredValue {
    const [first, ...others] = inputs as readonly InferredValue[];
    if (!first) return fail('ERR_INPUT', 'expected at least one tensor');
    requireDType(first.dtype, movable, fail);
    resolveAxis(axis, first.shape.length, fail);
    requireFront([axis], fail);
    const shape = [...first.shape];
    for (const [i, other] of others.entries()) {
      if (other.dtype !== first.dtype) {
        fail('ERR_DTYPE', `tensor ${i + 1} is ${other.dtype}, tensor 0 is ${first.dtype}; convert one with .cast()`, {
          expected: first.dtype,
          actual: other.dtype,
        });
      }
      if (other.shape.length !== shape.length) {
        fail(
          'ERR_RANK',
          `tensor ${i + 1} ${formatShape(other.shape)} and tensor 0 ${formatShape(first.shape)} differ in rank`,
          {
            expected: shape.length,
            actual: other.shape.length,
          },
        );
      }
      for (const [at, size] of other.shape.entries()) {
        if (at === axis) shape[at] = addDims(shape[at]!, size);
        else shape[at] = same(shape[at]!, size) ?? mismatch(i + 1, other, at);
      }
    }
    for (const [at, size] of shape.entries()) if (at !== axis && size === 1) requireOnes(at);
    function mismatch(i: number, other: InferredValue, at: number): never {
      return fail(
        'ERR_SHAPE',
        `tensor ${i} ${formatShape(other.shape)} and tensor 0 ${formatShape(first!.shape)} differ at axis ${at}, and are joined along axis ${axis}`,
        { expected: first!.shape, actual: other.shape },
      );
    }
    /** Not a batch, say, that only a batch of 1 would fit. */
    function requireOnes(at: number): void {
      const name = inputs.map((input) => input!.shape[at]!).find((size) => !isStatic(size) && isDimName(size));
      if (name === undefined) return;
      const one = inputs.findIndex((input) => input!.shape[at] === 1);
      const given = formatShape(inputs[one]!.shape);
      fail('ERR_SHAPE', `tensor ${one} ${given} has 1 along axis ${at}, others have ${name}: repeat it with .expand()`);
    }
    const { dtype } = first;
    const contents = inputs.flatMap((input) => input!.contents ?? []);
    const known = shape.length === 1 && inputs.every((input) => input!.contents);
    return known ? { dtype, shape, contents } : { dtype, shape };
  },
  cpu: (g, { inputs, params: { axis } }) => g.op('Concat', inputs, { axis }),
});

/** The size of two axes that must be equal; undefined if they cannot be. */
function same(a: Dim, b: Dim): Dim | undefined {
  meet(a, b);
  return a === b || !isStatic(b) ? a : isStatic(a) ? undefined : b;
}

export interface ConcatOptions extends Named {
  /** Default 0; negative from the end. */
  axis?: number | undefined;
}

function join(method: string, tensors: readonly Tensor[], options: ConcatOptions): Tensor {
  const { axis = 0, name } = options;
  requireTensors(method, tensors);
  const first = tensors[0]!;
  const params = { axis: wrapAxis(axis, first.rank) };
  return first.network.record(concatenation, { method, name, inputs: tensors, params })[0]!;
}

function requireTensors(method: string, tensors: readonly Tensor[]): void {
  if (!Array.isArray(tensors) || tensors.length === 0) {
    refuse(
      method,
      'ERR_INPUT',
      `expected a list of tensors, given ${Array.isArray(tensors) ? 'none' : show(tensors)}`,
      { value: tensors },
    );
  }
  for (const [i, tensor] of tensors.entries()) {
    if (!(tensor instanceof Tensor)) {
      const remedy = isWeightLike(tensor) ? '; join weights with Weight.concat, or make it a net.constant' : '';
      refuse(method, 'ERR_INPUT', `tensor ${i}: expected a tensor, given ${show(tensor)}${remedy}`, {
        involved: ['tensors', 'others'],
      });
    }
  }
}

/**
 * Joins tensors of one dtype along an axis; all other axes must have equal sizes. TensorRT kind: concatenation.
 *
 * @throws ERR_INPUT where there is no tensor; ERR_DTYPE, ERR_RANK, ERR_SHAPE where they do not fit; ERR_AXIS
 */
export function concat(tensors: readonly Tensor[], options?: ConcatOptions): Tensor;
export function concat(...args: [readonly Tensor[], ConcatOptions?]): Tensor {
  return joined(...args);
}

const joined = checkedFunction('concat', (tensors: readonly Tensor[], options: ConcatOptions = {}) =>
  join('concat', tensors, options),
);

/** Tensors of one shape, each with a new axis to join along. */
function pile(tensors: readonly Tensor[], { axis = 0, name }: ConcatOptions): Tensor {
  const method = 'stack';
  requireTensors(method, tensors);
  const at = wrapAxis(axis, tensors[0]!.rank + 1);
  const wider = tensors.map((tensor) => recordUnsqueeze(tensor, axisList(axis, tensor.rank + 1), method));
  return wider[0]!.network.record(concatenation, { method, name, inputs: wider, params: { axis: at } })[0]!;
}

/**
 * Joins tensors of one shape and dtype along a new axis (default 0), like PyTorch's stack. TensorRT kinds: unsqueeze,
 * concatenation.
 *
 * @throws ERR_INPUT where there is no tensor; ERR_DTYPE, ERR_RANK, ERR_SHAPE where they do not fit; ERR_AXIS
 */
export function stack(tensors: readonly Tensor[], options?: ConcatOptions): Tensor;
export function stack(...args: [readonly Tensor[], ConcatOptions?]): Tensor {
  return piled(...args);
}

const piled = checkedFunction('stack', (tensors: readonly Tensor[], options: ConcatOptions = {}) =>
  pile(tensors, options),
);

const methods = {
  /** Joins this tensor and others along a new axis; see the function `stack`. TensorRT kinds: unsqueeze, concatenation. */
  stack(this: TensorSource, others: Tensor | readonly Tensor[], options: ConcatOptions = {}): Tensor {
    return pile([this.tensor(), ...(Array.isArray(others) ? others : [others])], options);
  },
  /** Joins this tensor and others along an axis; see the function `concat`. TensorRT kind: concatenation. */
  concat(this: TensorSource, others: Tensor | readonly Tensor[], options: ConcatOptions = {}): Tensor {
    return join('concat', [this.tensor(), ...(Array.isArray(others) ? others : [others])], options);
  },
};

export { methods as concatenationMethods };
export type ConcatenationMethods = typeof methods;
