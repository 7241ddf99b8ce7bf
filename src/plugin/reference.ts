import { callUser } from '../errors/boundary.js';
import { isOurs, thrown } from '../errors/thrown.js';
import { formatShape, isSameShape } from '../values/dim.js';
import type { DType, TypedArray } from '../values/dtype.js';
import type { Definition } from './definition.js';
import { evaluateExpressions } from './evaluate.js';
import { attributeValues, type OwnParams, recipeOf } from './layer.js';
import type { Recipe } from './recipe.js';
import { definitionOf } from './registry.js';
import { type ReferenceFault, type Returned, readReturned } from './returned.js';
import type { RuleInput } from './rules.js';
import type { ReferenceTensor } from './types.js';

/** An output of a reference: its elements in the typed array that carries the dtype. */
export interface ReferenceOutput {
  dtype: DType;
  shape: readonly number[];
  data: TypedArray;
}

/** The reference of a recorded layer. */
export class Reference {
  readonly #definition: Definition;
  readonly #recipe: Recipe;
  readonly #attributes: Readonly<Record<string, unknown>>;

  /** @throws ERR_PLUGIN if the definition is not known */
  constructor(params: OwnParams, inputs: readonly RuleInput[]) {
    const { name, version } = params.definition;
    this.#definition = definitionOf(name, version);
    this.#recipe = recipeOf(params, inputs);
    this.#attributes = attributeValues(this.#definition, params.attributes);
  }

  /**
   * Calls it with these tensors, in the definition's order: their elements are its own from then on.
   * @param fail refuses what it returns, and says what it threw
   */
  run(inputs: readonly ReferenceTensor[], fail: ReferenceFault): ReferenceOutput[] {
    const { inputs: names, reference, name: plugin } = this.#definition;
    if (!reference) return fail(`plugin '${plugin}' has no reference`);
    const dims = inputs.map(({ shape }) => [...shape]);
    const values = inputs.map(({ data }, i) =>
      this.#recipe.inputs[i]!.isShape ? Array.from(data as ArrayLike<number | bigint>, BigInt) : [],
    );
    const tensors = inputs.map(({ dtype, shape, data }) =>
      Object.freeze({ dtype, shape: Object.freeze([...shape]), data }),
    );
    const named = Object.freeze(Object.fromEntries(names.map((name, i) => [name, tensors[i]!])));
    let given: unknown;
    try {
      given = callUser(() => (reference as (a: unknown, b: unknown) => unknown)(named, this.#attributes));
    } catch (error) {
      return fail(`its reference threw: ${thrown(error)}`, error);
    }
    let returned: Returned[];
    try {
      returned = readReturned(this.#recipe.outputs, given, fail);
    } catch (error) {
      // A getter, or a proxy.
      if (isOurs(error)) throw error;
      return fail(`what its reference returned cannot be read: ${thrown(error)}`, error);
    }
    const shapes = this.#shapes(dims, values, returned, fail);
    return returned.map(({ data }, i) => ({ dtype: this.#recipe.outputs[i]!.dtype, shape: shapes[i]!, data }));
  }

  /** The shapes by the rule `outputs`, with the sizes that were returned, if what was returned has them. */
  #shapes(
    dims: readonly (readonly number[])[],
    values: readonly (readonly bigint[])[],
    returned: readonly Returned[],
    fail: ReferenceFault,
  ): number[][] {
    const { expressions, outputs } = this.#recipe;
    const evaluate = (sizes?: ReadonlyMap<number, bigint>): bigint[] => {
      try {
        return evaluateExpressions(this.#recipe, dims, values, sizes);
      } catch (error) {
        return fail(
          `its rule 'outputs' has no answer for ${dims.map(formatShape).join(', ')}: ${thrown(error)}`,
          error,
        );
      }
    };
    const bounds = evaluate();
    const sizes = new Map<number, bigint>();
    for (const expression of expressions) {
      if (expression.op !== 'size') continue;
      const { output, upper } = expression;
      const { data, count } = returned[output]!;
      const where = `output '${outputs[output]!.name}' of its reference`;
      if (count !== 1) fail(`${where}: expected one size, given ${count} elements`);
      const size = BigInt(data[0]!);
      if (size < 0n || size > bounds[upper]!) fail(`${where}: expected a size up to ${bounds[upper]}, given ${size}`);
      sizes.set(output, size);
    }
    const results = sizes.size > 0 ? evaluate(sizes) : bounds;
    return outputs.map(({ name, dims: indices }, i) => {
      const expected = indices.map((dim) => Number(results[dim]!));
      const { shape, count } = returned[i]!;
      const where = `output '${name}' of its reference`;
      if (expected.some((size) => size < 0)) fail(`its rule 'outputs' gives '${name}' ${formatShape(expected)}`);
      if (shape && !isSameShape(shape, expected)) {
        fail(`${where}: expected ${formatShape(expected)}, given ${formatShape(shape)}`);
      }
      const needed = expected.reduce((a, b) => a * b, 1);
      if (count !== needed) {
        fail(`${where}: expected ${needed} elements for ${formatShape(expected)}, given ${count}`);
      }
      return expected;
    });
  }
}
