import { type Expression, operations, type Recipe } from '../../src/plugin/recipe.js';
import { type AnySize, sizeHelpers } from '../../src/plugin/sizes.js';
import { random } from '../values/random.js';

/** A recipe with sizes to evaluate it at. */
export interface RandomRecipe {
  recipe: Recipe;
  /** By input. */
  dims: number[][];
  /** Elements of shape inputs, by input. */
  values: bigint[][];
}

const corners = [0n, 1n, -1n, 2n, -2n, 7n, -7n, 2n ** 31n, -(2n ** 31n), 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];

function pick<T>(next: () => number, list: readonly T[]): T {
  return list[Math.floor(next() * list.length)]!;
}

/**
 * A recipe of a seed: two tensors, a shape input, an output for each of the last expressions and one launch that passes
 * everything. With `small`, no constant is beyond 100, and nothing is written by a size tensor. It may divide by 0.
 */
export function randomRecipe(seed: number, small = false): RandomRecipe {
  const next = random(seed);
  const ranks = [1 + Math.floor(next() * 4), 1 + Math.floor(next() * 3)];
  const count = 1 + Math.floor(next() * 3);
  const expressions: Expression[] = [];
  const any = () => Math.floor(next() * expressions.length);
  const constant = (): bigint => (small || next() < 0.6 ? BigInt(Math.floor(next() * 201) - 100) : pick(next, corners));
  const length = 12 + Math.floor(next() * 40);
  while (expressions.length < length) {
    const kind = expressions.length < 4 ? next() * 0.45 : next();
    if (kind < 0.15) expressions.push({ op: 'constant', value: constant() });
    else if (kind < 0.35) {
      const input = Math.floor(next() * 2);
      expressions.push({ op: 'dim', input, axis: Math.floor(next() * ranks[input]!) });
    } else if (kind < 0.45) expressions.push({ op: 'value', input: 2, element: Math.floor(next() * count) });
    else if (kind < 0.48 && !small) expressions.push({ op: 'size', output: 1, opt: any(), upper: any() });
    else expressions.push({ op: pick(next, operations), a: any(), b: any() });
  }
  const last = (back: number) => expressions.length - 1 - back;
  const recipe: Recipe = {
    inputs: [
      { name: 'a', dtype: 'float32', rank: ranks[0]!, isShape: false },
      { name: 'b', dtype: 'float16', rank: ranks[1]!, isShape: false },
      { name: 's', dtype: 'int64', rank: 1, isShape: true },
    ],
    outputs: [
      { name: 'y', dtype: 'float32', dims: [last(0), last(1), last(2)], alias: -1, isSize: false },
      { name: 'n', dtype: 'int32', dims: [], alias: -1, isSize: true },
    ],
    attributes: [{ name: 'eps', type: 'float32' }],
    expressions,
    workspace: last(3),
    kernels: ['k<float, 3>'],
    tactics: [
      [
        { kind: 'fill', target: { to: 'workspace', offset: any() }, byte: 255, bytes: any() },
        {
          kind: 'launch',
          kernel: 0,
          grid: [any(), any(), any()],
          block: [any(), any(), any()],
          sharedMemory: any(),
          args: [
            { kind: 'pointer', pointer: { to: 'input', index: 0 } },
            { kind: 'pointer', pointer: { to: 'output', index: 0 } },
            { kind: 'pointer', pointer: { to: 'workspace', offset: any() } },
            { kind: 'integer', type: 'int64', expression: any() },
            { kind: 'float', type: 'float16', value: 0.5 },
            { kind: 'floatOf', type: 'float64', expression: any() },
            { kind: 'attribute', attribute: 0 },
          ],
        },
      ],
    ],
  };
  const dims = ranks.map((rank) => Array.from({ length: rank }, () => Math.floor(next() * 70)));
  const values = Array.from({ length: count }, () => (small ? BigInt(Math.floor(next() * 70)) : constant()));
  return { recipe, dims: [...dims, [count]], values: [[], [], values] };
}

/** What a random rule computes with. */
export interface RuleSizes {
  dims: readonly AnySize[];
}

/**
 * A rule of a seed over any number of sizes: sizes to sizes of 1 to 64 each, so that they can be dims of an output, blocks of a
 * grid and integers of a kernel. The same seed always computes the same, with numbers and with `Size`s.
 */
export function randomRule(seed: number, outputs = 3): (sizes: readonly AnySize[]) => AnySize[] {
  return (sizes) => {
    const next = random(seed);
    const known: AnySize[] = [...sizes, 1, 2, 3, 16, -5];
    const { add, sub, mul, min, max, floorDiv, ceilDiv, equal, less } = sizeHelpers;
    const steps = 6 + Math.floor(next() * 12);
    for (let i = 0; i < steps; i++) {
      const [a, b] = [pick(next, known), pick(next, known)];
      const divisor = next() < 0.5 ? max(1, b) : min(-1, b);
      const kind = Math.floor(next() * 9);
      known.push(
        [
          () => add(a, b),
          () => sub(a, b),
          // Kept small: without a bound, products leave what TensorRT's dims can be.
          () => min(max(mul(a, b), -100_000), 100_000),
          () => min(a, b),
          () => max(a, b),
          () => floorDiv(a, divisor),
          () => ceilDiv(a, divisor),
          () => equal(a, b),
          () => less(a, b),
        ][kind]!(),
      );
    }
    return known.slice(-outputs).map((size) => add(1, max(0, min(63, size))));
  };
}
