import { TensorRTError } from '../errors/error.js';
import type { Expression, Recipe } from './recipe.js';
import { operate } from './sizes.js';

/**
 * Every expression of a recipe, in int64 that wraps, as native code and TensorRT evaluate it.
 * @param dims sizes by input
 * @param values elements of shape inputs, by input; those of tensors are not read
 * @param sizes what size tensors hold, by output; default: their upper bounds
 * @throws ERR_PLUGIN for a division by 0 or a size that is missing
 */
export function evaluateExpressions(
  { expressions, inputs }: Pick<Recipe, 'expressions' | 'inputs'>,
  dims: readonly (readonly (number | bigint)[])[],
  values: readonly (readonly bigint[])[] = [],
  sizes?: ReadonlyMap<number, bigint>,
): bigint[] {
  const results: bigint[] = [];
  const missing = (what: string): never => {
    throw new TensorRTError('ERR_PLUGIN', `${what} is missing`);
  };
  const one = (expression: Expression): bigint => {
    switch (expression.op) {
      case 'constant':
        return BigInt.asIntN(64, expression.value);
      case 'dim': {
        const { input, axis } = expression;
        return BigInt(dims[input]?.[axis] ?? missing(`axis ${axis} of input '${inputs[input]?.name}'`));
      }
      case 'value': {
        const { input, element } = expression;
        return values[input]?.[element] ?? missing(`element ${element} of input '${inputs[input]?.name}'`);
      }
      case 'size':
        return sizes?.get(expression.output) ?? results[expression.upper]!;
      default: {
        const [a, b] = [results[expression.a]!, results[expression.b]!];
        const result = operate(expression.op, a, b);
        if (result !== undefined) return result;
        throw new TensorRTError('ERR_PLUGIN', `${expression.op} of ${a} and ${b} divides by zero`);
      }
    }
  };
  for (const expression of expressions) results.push(one(expression));
  return results;
}
