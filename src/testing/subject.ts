import { TensorRTError } from '../errors/error.js';
import { applyRules } from '../plugin/apply.js';
import type { AttributeValue } from '../plugin/attributes.js';
import type { AnyPlugin } from '../plugin/define.js';
import { definitionOfPlugin } from '../plugin/define.js';
import type { Definition } from '../plugin/definition.js';
import { evaluateExpressions } from '../plugin/evaluate.js';
import { checkAttributes } from '../plugin/layer.js';
import type { Recipe } from '../plugin/recipe.js';
import type { DType } from '../values/dtype.js';
import { type ConcreteCase, elementsOf, type FedTensor, nameOf, refuseCase } from './cases.js';

/** A plugin at one case in one row of dtypes. */
export interface Subject {
  plugin: AnyPlugin;
  definition: Definition;
  one: ConcreteCase;
  /** Dtypes of inputs and outputs. */
  types: Readonly<Record<string, DType>>;
  attributes: Readonly<Record<string, AttributeValue>>;
  /** What the rules say of these sizes. */
  recipe: Recipe;
  /** By input, shape inputs last. */
  feeds: Readonly<Record<string, FedTensor>>;
}

/**
 * Runs a plugin's rules on a case.
 * @throws what the rules refuse; ERR_PARAMETER for a case that does not have the plugin's inputs
 */
export function subjectOf(
  plugin: AnyPlugin,
  one: ConcreteCase,
  row: ReadonlyMap<string, DType>,
  seed: number,
): Subject {
  const definition = definitionOfPlugin(plugin);
  checkNames(definition, one);
  const types = Object.fromEntries(row);
  const feeds = elementsOf(one, types, seed);
  const attributes = checkAttributes(definition, one.attributes);
  const inputs = definition.inputs.map((name, i) => {
    const { dtype, shape, data } = feeds[name]!;
    return {
      dtype,
      shape,
      ...(i >= definition.tensors && { contents: Array.from(data as ArrayLike<number>, Number) }),
    };
  });
  const { recipe } = applyRules(definition, attributes, inputs);
  return { plugin, definition, one, types, attributes, recipe, feeds };
}

function checkNames({ inputs, tensors }: Definition, one: ConcreteCase): void {
  const check = (given: object, known: readonly string[], what: string) => {
    const names = Object.keys(given);
    const odd = names.find((name) => !known.includes(name)) ?? known.find((name) => !names.includes(name));
    if (odd === undefined) return;
    refuseCase(
      `${nameOf(one)}: ${what}: expected ${known.join(', ') || 'none'}, given ${names.join(', ') || 'none'}`,
      names,
    );
  };
  check(one.inputs, inputs.slice(0, tensors), 'inputs');
  check(one.shapeInputs, inputs.slice(tensors), 'shapeInputs');
}

/**
 * Whether an error says that the plugin does not take such sizes, so that there is nothing to test; else the rules are at fault:
 * a grid of 0 for outputs that have elements, say.
 */
export const refusesSizes = (error: unknown): error is TensorRTError =>
  error instanceof TensorRTError && error.code !== 'ERR_PARAMETER' && !error.message.startsWith('launch[');

/** Sizes and elements of the inputs, for evaluating the recipe. */
export function operandsOf({ definition, feeds }: Subject): { dims: number[][]; values: bigint[][] } {
  const tensors = definition.inputs.map((name) => feeds[name]!);
  return {
    dims: tensors.map(({ shape }) => [...shape]),
    values: tensors.map(({ data }, i) =>
      i < definition.tensors ? [] : Array.from(data as ArrayLike<number | bigint>, BigInt),
    ),
  };
}

/** Numbers of threads of the blocks of all launches. */
export function blocksOf(subject: Subject): number[] {
  const { dims, values } = operandsOf(subject);
  const sizes = evaluateExpressions(subject.recipe, dims, values);
  return subject.recipe.tactics.flat().flatMap((step) => {
    return step.kind === 'launch' ? [step.block.reduce((threads, size) => threads * Number(sizes[size]), 1)] : [];
  });
}
