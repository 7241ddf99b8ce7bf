import { isStatic } from '../values/dim.js';
import type { DType } from '../values/dtype.js';
import { maxRank } from '../values/spec.js';
import type { AttributeValue } from './attributes.js';
import type { Definition } from './definition.js';
import { refusePlugin } from './fault.js';
import type { Recipe } from './recipe.js';
import { type Ruled, type RuleInput, RuleRun } from './rules.js';

/** Most elements of a shape input: plugins get them as if they were the sizes of a tensor. */
const mostValues = 8;

/** A shape input has rank 0 or 1 and a known, small number of elements. */
function checkShapeInput(name: string, { shape }: RuleInput): void {
  const [count = 1] = shape;
  if (shape.length > 1 || !isStatic(count) || count > mostValues) {
    refusePlugin(
      `shape input '${name}': expected rank 0 or 1 and at most ${mostValues} elements, given [${shape.join(', ')}]`,
      {
        actual: shape,
      },
    );
  }
}

/** The row of dtypes for these inputs. */
function rowFor({ inputs, types, name }: Definition, given: readonly RuleInput[]): ReadonlyMap<string, DType> {
  const row = types.find((one) => inputs.every((input, i) => one.get(input) === given[i]!.dtype));
  if (row) return row;
  const list = (of: (input: string, i: number) => string) =>
    inputs.map((input, i) => `${input}: ${of(input, i)}`).join(', ');
  const rows = types.map((one) => `{ ${list((input) => one.get(input)!)} }`).join(' or ');
  const actual = given.map(({ dtype }) => dtype);
  return refusePlugin(
    `plugin '${name}' takes ${rows}, given { ${list((_, i) => actual[i]!)} }; use .cast()`,
    { expected: types.map((one) => inputs.map((input) => one.get(input)!)), actual },
    'ERR_DTYPE',
  );
}

const text = (value: unknown): string =>
  JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `${one}n` : Object.is(one, -0) ? '-0' : one));

/** The rule that made the difference between two recipes; undefined if there is none. */
function differingRule(a: Recipe, b: Recipe): string | undefined {
  if (text(a) === text(b)) return undefined;
  // Rules run in this order and each adds expressions, so the first that differs shows in its own part or before.
  const parts = (recipe: Recipe): [string, unknown][] => {
    const shapes = recipe.outputs.map(({ dims }) => dims);
    const last = Math.max(-1, ...shapes.flat());
    return [
      ['outputs', [shapes, recipe.expressions.slice(0, last + 1)]],
      ['workspace', [recipe.workspace, recipe.expressions.slice(0, recipe.workspace + 1)]],
    ];
  };
  const [one, other] = [parts(a), parts(b)];
  return one.find(([, part], i) => text(part) !== text(other[i]![1]))?.[0] ?? 'launch';
}

/**
 * What the rules say of a layer. They run twice, because they must always say the same.
 * @param attributes plain values of all attributes
 * @throws ERR_PLUGIN, ERR_RANK, ERR_DTYPE
 */
export function applyRules(
  definition: Definition,
  attributes: Readonly<Record<string, AttributeValue>>,
  inputs: readonly RuleInput[],
): Ruled {
  for (const [i, name] of definition.inputs.entries()) {
    const [least, most] = definition.ranks.get(name) ?? [0, maxRank];
    const { shape } = inputs[i]!;
    if (shape.length < least || shape.length > most) {
      const expected = least === most ? `rank ${least}` : `rank ${least} to ${most}`;
      refusePlugin(
        `${name}: expected ${expected}, given rank ${shape.length} [${shape.join(', ')}]`,
        { expected: [least, most], actual: shape.length },
        'ERR_RANK',
      );
    }
    if (i >= definition.tensors) checkShapeInput(name, inputs[i]!);
  }
  const row = rowFor(definition, inputs);
  const first = new RuleRun(definition, row, attributes, inputs).ruled();
  const second = new RuleRun(definition, row, attributes, inputs).ruled();
  const differs = differingRule(first.recipe, second.recipe);
  if (differs !== undefined) {
    refusePlugin(
      `rule '${differs}' of plugin '${definition.name}' returned something else when it ran again; it may not use Math.random(), the time or counters`,
    );
  }
  return second;
}
