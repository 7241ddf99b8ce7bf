import { describe, expect, test } from 'vitest';
import { float32, network, type Tensor } from '../../src/index.js';
import { evaluateExpressions } from '../../src/plugin/evaluate.js';
import type { Expression, Operation } from '../../src/plugin/recipe.js';
import type { AnySize } from '../../src/plugin/sizes.js';
import { evaluateDim } from '../../src/values/dim.js';
import { refusal } from '../refusal.js';
import { define, recipeIn } from './definitions.js';
import { randomRecipe, randomRule } from './random-recipes.js';

const run = (expressions: Expression[], dims: number[][] = [], values: bigint[][] = []) =>
  evaluateExpressions({ expressions, inputs: [] }, dims, values);
const two = (op: Operation, a: bigint, b: bigint) =>
  run([
    { op: 'constant', value: a },
    { op: 'constant', value: b },
    { op, a: 0, b: 1 },
  ])[2];

// What TensorRT 10.6 was seen to do: shared/plugins-10.6.md.
describe('as TensorRT evaluates', () => {
  const least = -(2n ** 63n);
  test.each<[Operation, bigint, bigint, bigint]>([
    ['floorDiv', -7n, 2n, -4n],
    ['floorDiv', 7n, -2n, -4n],
    ['floorDiv', -7n, -2n, 3n],
    ['floorDiv', 7n, 2n, 3n],
    ['floorDiv', -8n, 2n, -4n],
    ['ceilDiv', 7n, -2n, -3n],
    ['ceilDiv', -7n, 2n, -3n],
    ['ceilDiv', -7n, -2n, 4n],
    ['ceilDiv', 7n, 2n, 4n],
    ['ceilDiv', 8n, 2n, 4n],
    ['floorDiv', 0n, -5n, 0n],
    ['sum', 2n ** 63n - 1n, 1n, least],
    ['prod', 2n ** 62n, 4n, 0n],
    ['sub', least, 1n, 2n ** 63n - 1n],
    ['floorDiv', least, -1n, least],
    ['max', -1n, 2n, 2n],
    ['min', -1n, 2n, -1n],
    ['equal', 3n, 3n, 1n],
    ['equal', 3n, 4n, 0n],
    ['less', 3n, 4n, 1n],
    ['less', 4n, 4n, 0n],
    ['less', -1n, 0n, 1n],
  ])('%s(%i, %i) = %i', (op, a, b, expected) => expect(two(op, a, b)).toBe(expected));

  test('a division by 0 is an error', () => {
    expect(refusal(() => two('floorDiv', 1n, 0n)).message).toBe('floorDiv of 1 and 0 divides by zero');
    expect(refusal(() => two('ceilDiv', 0n, 0n)).code).toBe('ERR_PLUGIN');
  });

  test('dims, values and size tensors', () => {
    const expressions: Expression[] = [
      { op: 'dim', input: 1, axis: 1 },
      { op: 'value', input: 2, element: 1 },
      { op: 'size', output: 0, opt: 0, upper: 1 },
    ];
    expect(run(expressions, [[], [5, 6], [2]], [[], [], [7n, 8n]])).toEqual([6n, 8n, 8n]);
    expect(refusal(() => run(expressions, [[], [5]])).message).toContain('axis 1');
    expect(refusal(() => run(expressions, [[], [5, 6]], [])).message).toContain('element 1');
  });
});

test('random recipes are the same for a seed, and most have a value', () => {
  const outcomes = Array.from({ length: 200 }, (_, seed) => {
    const { recipe, dims, values } = randomRecipe(seed);
    expect(randomRecipe(seed)).toEqual({ recipe, dims, values });
    try {
      return evaluateExpressions(recipe, dims, values);
    } catch {
      return undefined;
    }
  });
  const found = outcomes.filter((one) => one !== undefined);
  expect(found.length).toBeGreaterThan(100);
  expect(found.length).toBeLessThan(200);
  const all = found.flat();
  expect(all.every((value) => BigInt.asIntN(64, value) === value)).toBe(true);
  for (const is of [(v: bigint) => v < 0n, (v: bigint) => v > 2n ** 53n, (v: bigint) => v < -(2n ** 53n)])
    expect(all.filter(is).length).toBeGreaterThan(50);
});

// Rules on numbers, the recipe of the same rules on sizes, and the network's dims.
test.each(Array.from({ length: 200 }, (_, seed) => [seed]))(
  'random rule %i: numbers, recipe and dims agree',
  (seed) => {
    const rule = randomRule(seed);
    const axes = ['a', 'b', 'c'];
    const made = define({ outputs: ({ x }: { x: Tensor }) => ({ y: rule(x.shape as unknown as AnySize[]) }) });
    const net = network('random', { x: float32(...axes) });
    const y = net.tensor().plugin(made) as Tensor;
    const recipe = recipeIn(net);
    for (const sizes of [
      [0, 1, 2],
      [7, 7, 7],
      [1, 64, 33],
      [100, 3, 0],
      [5, 12, 999],
    ]) {
      const fixed = network('numbers', { x: float32(...sizes) });
      const expected = (fixed.tensor().plugin(made) as Tensor).shape;
      expect(expected.every((size) => typeof size === 'number' && size >= 1 && size <= 64)).toBe(true);
      const results = evaluateExpressions(recipe, [sizes]);
      expect(recipe.outputs[0]!.dims.map((dim) => Number(results[dim]))).toEqual(expected);
      const named = Object.fromEntries(axes.map((name, i) => [name, sizes[i]!]));
      const known = y.shape.map((dim, i) => evaluateDim(dim, named) ?? expected[i]);
      expect(known).toEqual(expected);
    }
  },
);
