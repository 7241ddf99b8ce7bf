import { z } from 'zod';
import { defineLayer, type InferredValue } from '../../dsl/define-layer.js';
import type { Network } from '../../dsl/network.js';
import { Tensor } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import { type Dim, formatShape, unknownDim } from '../../values/dim.js';
import { requireDType } from '../shared/dtypes.js';
import type { Named } from '../shared/parameters.js';

/** Inputs: the condition. Bodies: `then` and `else`, without parameters. */
export const ifConditional = defineLayer({
  kind: 'if_conditional',
  params: z.strictObject({}),
  infer({ input, bodies, takenIn, fail }): InferredValue[] {
    const { dtype, shape } = input(0);
    for (const role of Object.keys(bodies)) {
      if (role !== 'then' && role !== 'else') fail('ERR_INPUT', `expected no body ${role}, given one`);
      // Tensors enter a branch through a separate layer, which does not support uint8.
      const found = takenIn(role).find((tensor) => tensor.dtype === 'uint8');
      const expected = `expected no uint8, given ${found}; use .cast() before the branch`;
      if (found) fail('ERR_DTYPE', expected, { option: role, actual: 'uint8' });
    }
    requireDType(dtype, ['bool'], fail, 'condition');
    if (shape.length > 0) fail('ERR_RANK', `expected rank 0, given ${formatShape(shape)}`, { option: 'condition' });
    const [yes, no] = [bodies.then ?? [], bodies.else ?? []];
    if (yes.length === 0 || yes.length !== no.length) {
      fail(
        'ERR_OUTPUT',
        `expected as many outputs of one branch as of the other and at least one, given ${yes.length} and ${no.length}`,
        { expected: yes.length, actual: no.length },
      );
    }
    return yes.map((a, i) => {
      const b = no[i]!;
      const same = a.dtype === b.dtype && a.shape.length === b.shape.length;
      if (!same) {
        const [expected, actual] = [a, b].map((type) => `${type.dtype}${formatShape(type.shape)}`);
        fail(
          'ERR_SHAPE',
          `output ${i}: expected one dtype and rank from both branches, given ${expected} and ${actual}`,
          {
            expected,
            actual,
          },
        );
      }
      return { dtype: a.dtype, shape: a.shape.map((dim, axis) => eitherDim(dim, b.shape[axis]!)) };
    });
  },
  cpu(g, { input, bodies, outputTypes }) {
    const branch = (role: string) => g.body([], (b) => bodies[role]!.write(b, []));
    const branches = { then_branch: branch('then'), else_branch: branch('else') };
    return g.ops('If', [input(0)], branches, outputTypes.length);
  },
});

const eitherDim = (a: Dim, b: Dim): Dim => (a === b ? a : unknownDim('if'));

/** A branch's return value. */
export type BranchOutput = Tensor | readonly Tensor[];
/** The conditional's result: one tensor, or as many as each branch returns. */
export type IfOutput<T extends BranchOutput> = T extends readonly Tensor[]
  ? { -readonly [K in keyof T]: Tensor }
  : Tensor;

function branchOf(net: Network, branch: () => BranchOutput, what: string) {
  let single = false;
  const body = net.nest([], () => {
    const result = branch();
    single = result instanceof Tensor;
    if (!single && !Array.isArray(result)) {
      refuse('if', 'ERR_OUTPUT', `expected a tensor or a list of tensors, given ${String(result)}`, { option: what });
    }
    return single ? [result as Tensor] : (result as readonly Tensor[]);
  });
  return { body, single };
}

const methods = {
  /**
   * Runs one of two branches: `net.if(hot, () => x.relu(), () => x.neg())`. Branches may use any tensor defined before,
   * and return one tensor or a list. Both must return the same number of tensors, with the same dtypes and ranks. Dims
   * in which they differ are known only at run time. TensorRT kind: if_conditional.
   *
   * @param condition bool of rank 0
   *
   * @throws ERR_DTYPE, ERR_RANK for the condition; ERR_OUTPUT, ERR_SHAPE where the branches do not agree
   */
  if<const T extends BranchOutput>(
    this: Network,
    condition: Tensor,
    then: () => T,
    otherwise: () => NoInfer<T> | BranchOutput,
    options: Named = {},
  ): IfOutput<T> {
    for (const branch of [then, otherwise]) {
      if (typeof branch !== 'function')
        refuse('if', 'ERR_PARAMETER', `expected two functions, given ${String(branch)}`, { value: branch });
    }
    const scope = options.name ?? 'if';
    const [yes, no] = [
      this.scope(`${scope}.then`, () => branchOf(this, then, 'then')),
      this.scope(`${scope}.else`, () => branchOf(this, otherwise, 'else')),
    ];
    const outputs = this.record(ifConditional, {
      method: 'if',
      name: options.name,
      inputs: [condition],
      params: {},
      bodies: Object.fromEntries([
        ['then', yes.body],
        ['else', no.body],
      ]),
    });
    return (yes.single && no.single ? outputs[0] : outputs) as IfOutput<T>;
  },
};

export { methods as ifConditionalMethods };
export type IfConditionalMethods = typeof methods;
