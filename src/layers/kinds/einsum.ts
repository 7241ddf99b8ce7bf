import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import { Tensor, type TensorSource } from '../../dsl/tensor.js';
import { show } from '../../errors/error.js';
import { refuse } from '../../errors/refusal.js';
import { type Dim, formatShape, isStatic } from '../../values/dim.js';
import { checkedFunction } from '../calls/arguments.js';
import { floats, requireDType } from '../shared/dtypes.js';
import { constantTensor } from '../shared/lift.js';
import type { ConstantData } from '../shared/literal.js';
import type { Named } from '../shared/parameters.js';
import { broadcastDim } from '../shared/shapes.js';

const named = '[a-z]*';
const open = `${named}(?:\\.\\.\\.)?${named}`;
const written = new RegExp(`^${open}(?:,${open})*(?:->${open})?$`);
/** An equation without ellipses and with an explicit result. */
const explicit = new RegExp(`^${named}(?:,${named})*->${named}$`);

/** The operands, their labels by axis, and the result's labels. */
const split = (equation: string): { terms: string[]; result: string } => {
  const [left, result] = equation.split('->') as [string, string];
  return { terms: left.split(','), result };
};

export const einsum = defineLayer({
  kind: 'einsum',
  params: z.strictObject({ equation: z.string().regex(explicit) }),
  infer({ inputs, input, params: { equation }, fail }) {
    const { terms, result } = split(equation);
    const { dtype } = input(0);
    requireDType(dtype, floats, fail);
    if (terms.length !== inputs.length) {
      fail('ERR_INPUT', `expected ${terms.length} tensors, given ${inputs.length}`, { option: 'equation' });
    }
    const sizes = new Map<string, Dim>();
    for (const [i, term] of terms.entries()) {
      const { dtype: other, shape } = input(i);
      if (other !== dtype) fail('ERR_DTYPE', `tensor ${i}: expected ${dtype}, as the first has, given ${other}`);
      for (const [axis, label] of [...term].entries()) {
        const [known, own] = [sizes.get(label), shape[axis]!];
        const diagonal = term.indexOf(label) < axis && isStatic(own) && own !== known && isStatic(known!);
        const size = known === undefined ? own : broadcastDim(known, own);
        if (size === undefined || diagonal) {
          return fail(
            'ERR_SHAPE',
            `equation ${equation}: '${label}' is ${known} and, in ${formatShape(shape)}, ${own}`,
            {
              expected: known,
              actual: own,
            },
          );
        }
        sizes.set(label, size);
      }
    }
    return { dtype, shape: [...result].map((label) => sizes.get(label)!) };
  },
  cpu(g, { inputs, params: { equation }, outputTypes }) {
    const { dtype } = outputTypes[0]!;
    if (dtype !== 'float16') return g.op('Einsum', inputs, { equation });
    const wide = inputs.map((x) => g.cast(x!, 'float32'));
    return g.cast(g.op('Einsum', wide, { equation }), dtype);
  },
});

const method = 'einsum';

/**
 * The equation with a letter for every axis of an ellipsis, and with an explicit result. Without `->`, the result is the
 * ellipsis and all letters that occur once, in alphabetical order.
 */
function explicitEquation(given: string, ranks: readonly number[]): string {
  const equation = typeof given === 'string' ? given.replaceAll(' ', '') : '';
  if (equation === '' || !written.test(equation)) {
    refuse(method, 'ERR_PARAMETER', `expected one such as ij,jk->ik in lower case, given ${String(given)}`, {
      option: 'equation',
    });
  }
  const { terms, result } = split(equation);
  if (terms.length !== ranks.length) {
    refuse(method, 'ERR_INPUT', `expected ${terms.length} tensors for '${equation}', given ${ranks.length}`, {
      option: 'equation',
      expected: terms.length,
      actual: ranks.length,
    });
  }
  const free = [...'abcdefghijklmnopqrstuvwxyz'].filter((letter) => !equation.includes(letter));
  const hidden = terms.map((term, i) => {
    const size = ranks[i]! - term.replace('...', '').length;
    if (size < 0 || size > free.length || (size > 0 && !term.includes('...'))) {
      const names = ranks[i]! - size;
      refuse(method, 'ERR_RANK', `'${term}' names ${names} axes, the tensor has ${ranks[i]}`, {
        option: 'equation',
        expected: names,
        actual: ranks[i],
      });
    }
    return size;
  });
  // Axes of ellipses are counted from the last.
  const letters = free.slice(0, Math.max(...hidden)).join('');
  const shown = terms.map((term, i) => term.replace('...', letters.slice(letters.length - hidden[i]!)));
  const all = shown.join('');
  const once = [...all].filter(
    (letter) => !letters.includes(letter) && all.indexOf(letter) === all.lastIndexOf(letter),
  );
  const out = result === undefined ? letters + once.sort().join('') : result.replace('...', letters);
  const odd = [...out].find((letter, i) => !all.includes(letter) || out.indexOf(letter) !== i);
  if (odd !== undefined)
    refuse(method, 'ERR_PARAMETER', `'${equation}' has '${odd}' twice in its result, or in no tensor`, {
      option: 'equation',
    });
  return `${shown.join(',')}->${out}`;
}

function record(given: readonly (Tensor | ConstantData)[], equation: string, options: Named): Tensor {
  const first = given.find((tensor) => tensor instanceof Tensor);
  if (!first) return refuse(method, 'ERR_INPUT', 'expected at least one tensor of a network, given none');
  const { network, dtype } = first;
  const tensors = given.map((tensor) => constantTensor(network, tensor, dtype, method));
  const ranks = tensors.map((tensor) => tensor.rank);
  return network.record(einsum, {
    method,
    name: options.name,
    inputs: tensors,
    params: { equation: explicitEquation(equation, ranks) },
  })[0]!;
}

/**
 * Einstein summation, like torch.einsum: `einsum('bij,bjk->bik', [a, b])`. Letters are lower case. `...` stands for
 * axes that broadcast. A letter that occurs twice in one term takes the diagonal. Without `->`, the result has the
 * letters that occur once. float32, float16, bfloat16; operands may be weights, arrays and numbers. TensorRT kind:
 * einsum.
 *
 * @throws ERR_PARAMETER for a bad equation; ERR_INPUT, ERR_RANK, ERR_SHAPE, ERR_DTYPE where tensors do not fit it
 */
export function einsumOf(equation: string, tensors: readonly (Tensor | ConstantData)[], options?: Named): Tensor;
export function einsumOf(...args: [string, readonly (Tensor | ConstantData)[], Named?]): Tensor {
  return summed(...args);
}

const summed = checkedFunction(
  method,
  (equation: string, tensors: readonly (Tensor | ConstantData)[], options: Named = {}) => {
    if (!Array.isArray(tensors))
      refuse(method, 'ERR_INPUT', `expected a list of tensors, given ${show(tensors)}`, { option: 'tensors' });
    return record(tensors, equation, options);
  },
);

const methods = {
  /** Einstein summation of this tensor and others: `a.einsum('ij,jk->ik', b)`; see the function `einsum`. TensorRT kind: einsum. */
  einsum(this: TensorSource, equation: string, ...others: (Tensor | ConstantData)[]): Tensor {
    return record([this.tensor(), ...others], equation, {});
  },
};

export { methods as einsumMethods };
export type EinsumMethods = typeof methods;
