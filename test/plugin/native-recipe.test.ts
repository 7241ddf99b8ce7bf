import { describe, expect, test } from 'vitest';
import { pluginBinding } from '../../src/plugin/binding.js';
import { encodeRecipe } from '../../src/plugin/encode.js';
import { evaluateExpressions } from '../../src/plugin/evaluate.js';
import { type FillStep, integerRanges, integerTypes, type LaunchStep, type Recipe } from '../../src/plugin/recipe.js';
import { random } from '../values/random.js';
import { randomRecipe } from './random-recipes.js';

const { evaluateRecipe } = pluginBinding();

const head = (recipe: Recipe) => ({
  name: 'Sample',
  version: '1',
  packageVersion: '9.9.9',
  lowered: recipe.kernels.map((_, i) => `_Zkernel${i}`),
  timing: 'a hash',
});

/** Has every part that a recipe can have. */
const sample: Recipe = {
  inputs: [
    { name: 'x', dtype: 'float16', rank: 2, isShape: false },
    { name: 'cache', dtype: 'float32', rank: 1, isShape: false },
    { name: 'size', dtype: 'int64', rank: 1, isShape: true },
  ],
  outputs: [
    { name: 'y', dtype: 'float16', dims: [0, 4], alias: -1, isSize: false },
    { name: 'kept', dtype: 'float32', dims: [5], alias: 1, isSize: false },
    { name: 'count', dtype: 'int32', dims: [], alias: -1, isSize: true },
    { name: 'found', dtype: 'int4', dims: [7], alias: -1, isSize: false },
  ],
  attributes: [
    { name: 'eps', type: 'float32' },
    { name: 'title', type: 'char' },
  ],
  expressions: [
    { op: 'dim', input: 0, axis: 0 },
    { op: 'dim', input: 0, axis: 1 },
    { op: 'constant', value: 256n },
    { op: 'ceilDiv', a: 1, b: 2 },
    { op: 'value', input: 2, element: 1 },
    { op: 'dim', input: 1, axis: 0 },
    { op: 'prod', a: 0, b: 1 },
    { op: 'size', output: 2, opt: 0, upper: 6 },
    { op: 'constant', value: 1n },
    { op: 'constant', value: 0n },
  ],
  workspace: 6,
  kernels: ['rms<__half>', 'other'],
  tactics: [
    [
      { kind: 'fill', target: { to: 'workspace', offset: 9 }, byte: 255, bytes: 6 },
      {
        kind: 'launch',
        kernel: 1,
        grid: [3, 8, 8],
        block: [2, 8, 8],
        sharedMemory: 2,
        args: [
          { kind: 'pointer', pointer: { to: 'input', index: 0 } },
          { kind: 'pointer', pointer: { to: 'output', index: 1 } },
          { kind: 'pointer', pointer: { to: 'workspace', offset: 8 } },
          { kind: 'integer', type: 'int32', expression: 6 },
          { kind: 'float', type: 'bfloat16', value: -0.5 },
          { kind: 'floatOf', type: 'float64', expression: 3 },
          { kind: 'attribute', attribute: 0 },
        ],
      },
    ],
    [{ kind: 'launch', kernel: 0, grid: [8, 8, 8], block: [8, 8, 8], sharedMemory: 9, args: [] }],
  ],
};
const dims = [[3, 700], [5], [2]];
const values = [[], [], [4n, 9n]];
const bytes = encodeRecipe(sample, head(sample));

const attempt = (given: Uint8Array): { code?: string; message: string } | undefined => {
  try {
    evaluateRecipe(given, dims, values);
    return undefined;
  } catch (error) {
    return error as Error;
  }
};

test('every part of a recipe arrives', () => {
  const evaluated = evaluateRecipe(bytes, dims, values);
  expect(evaluated).toEqual({
    expressions: [3n, 700n, 256n, 3n, 9n, 5n, 2100n, 2100n, 1n, 0n],
    outputs: [[3n, 9n], [5n], [], [2100n]],
    workspace: 2100n,
    tactics: [
      [
        { grid: [], block: [], sharedMemory: 0n, args: ['workspace + 0', 255n, 2100n] },
        {
          grid: [3n, 1n, 1n],
          block: [256n, 1n, 1n],
          sharedMemory: 256n,
          args: ['input x', 'output kept', 'workspace + 1', 2100n, -0.5, 3, 'attribute eps'],
        },
      ],
      [{ grid: [1n, 1n, 1n], block: [1n, 1n, 1n], sharedMemory: 0n, args: [] }],
    ],
  });
});

test('a recipe of a newer package names that package', () => {
  const newer = bytes.slice();
  newer[4] = 2;
  expect(attempt(newer)).toMatchObject({
    code: 'ERR_PLUGIN',
    message: expect.stringContaining("'Sample' was made by a newer node-tensorrt (9.9.9)"),
  });
});

describe('damaged bytes are refused, never followed', () => {
  test('every truncation', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(attempt(bytes.subarray(0, length)), `${length} bytes`).toMatchObject({ code: 'ERR_PLUGIN' });
    }
    expect(attempt(new Uint8Array([...bytes, 0]))).toMatchObject({ code: 'ERR_PLUGIN' });
  });

  test('every count and index, made giant', () => {
    const before = process.memoryUsage().rss;
    const view = (giant: Uint8Array) => new DataView(giant.buffer, giant.byteOffset);
    let refused = 0;
    for (let at = 0; at + 4 <= bytes.length; at++) {
      for (const value of [0xffffffff, 0x7fffffff, 0x00ffffff]) {
        const giant = bytes.slice();
        view(giant).setUint32(at, value, true);
        if (attempt(giant)) refused++;
      }
    }
    // What it changes is text, a constant or a float elsewhere.
    expect(refused).toBeGreaterThan(bytes.length * 2);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20);
  });

  test('20,000 random changes', () => {
    const next = random(1);
    const below = (count: number) => Math.floor(next() * count);
    const codes = new Set<string | undefined>();
    for (let i = 0; i < 20_000; i++) {
      const damaged = bytes.slice();
      for (let k = below(4); k >= 0; k--) {
        if (below(2)) damaged[below(damaged.length)]! ^= 1 << below(8);
        else damaged[below(damaged.length)] = below(256);
      }
      codes.add(attempt(damaged)?.code ?? 'none');
    }
    expect([...codes].sort()).toEqual(['ERR_ARGUMENT', 'ERR_PLUGIN', 'none']);
  });

  test('what decodes and has no meaning', () => {
    const refused = (change: (recipe: Recipe) => void) => {
      const recipe = structuredClone(sample);
      change(recipe);
      return attempt(encodeRecipe(recipe, head(recipe)))?.message;
    };
    expect(refused((r) => (r.expressions[3] = { op: 'sum', a: 3, b: 0 }))).toContain('operand 3 of 3');
    expect(refused((r) => (r.expressions[0] = { op: 'dim', input: 3, axis: 0 }))).toContain('input 3 of 3');
    expect(refused((r) => (r.expressions[0] = { op: 'dim', input: 0, axis: 2 }))).toContain('axis 2 of 2');
    expect(refused((r) => (r.expressions[4] = { op: 'value', input: 0, element: 0 }))).toContain('no shape input');
    expect(refused((r) => (r.expressions[7] = { op: 'size', output: 0, opt: 0, upper: 6 }))).toContain(
      'no size tensor',
    );
    expect(refused((r) => (r.outputs[1]!.alias = 2))).toContain('alias of input 2');
    expect(refused((r) => (r.outputs[0]!.alias = 1))).toContain('two aliases');
    expect(refused((r) => (r.outputs = []))).toContain('no outputs');
    expect(refused((r) => (r.tactics = []))).toContain('no tactics');
    expect(refused((r) => (r.inputs[0]!.rank = 9))).toContain('rank 9');
    expect(refused((r) => (r.inputs[2]!.dtype = 'float32'))).toContain('a shape input that is no list of integers');
    expect(refused((r) => (r.inputs[0]!.isShape = true))).toContain('shape input');
    expect(refused((r) => (r.inputs[0]!.name = 'a\0b'))).toContain('a zero in it');
    const launch = (recipe: Recipe) => recipe.tactics[0]![1] as Extract<Recipe['tactics'][0][0], { kind: 'launch' }>;
    expect(refused((r) => (launch(r).kernel = 2))).toContain('kernel 2 of 2');
    expect(refused((r) => (launch(r).args[6] = { kind: 'attribute', attribute: 2 }))).toContain('attribute 2 of 2');
    expect(refused((r) => (launch(r).args[0] = { kind: 'pointer', pointer: { to: 'input', index: 2 } }))).toContain(
      'input with memory 2 of 2',
    );
    expect(refused((r) => (r.attributes[0]!.type = 'dims'))).toContain('no scalar');
    const fill = (recipe: Recipe) => recipe.tactics[0]![0] as Extract<Recipe['tactics'][0][0], { kind: 'fill' }>;
    expect(refused((r) => (fill(r).target = { to: 'input', index: 0 }))).toContain('a fill of an input');
  });
});

test('1,000 random recipes: native integers and TypeScript agree, also on what has no value', () => {
  let failed = 0;
  for (let seed = 0; seed < 1_000; seed++) {
    const { recipe, dims, values } = randomRecipe(seed);
    const native = () => evaluateRecipe(encodeRecipe(recipe, head(recipe)), dims, values);
    let expected: bigint[];
    try {
      expected = evaluateExpressions(recipe, dims, values);
    } catch {
      failed++;
      expect(native, `seed ${seed}`).toThrow('division by 0');
      continue;
    }
    const at = (expression: number) => expected[expression]!;
    const [fill, launch] = recipe.tactics[0] as [FillStep, LaunchStep];
    const args = launch.args.map((argument): bigint | number | string => {
      if (argument.kind === 'integer') return at(argument.expression);
      if (argument.kind === 'floatOf') return Number(at(argument.expression));
      if (argument.kind === 'float') return argument.value;
      if (argument.kind === 'attribute') return `attribute ${recipe.attributes[argument.attribute]!.name}`;
      const { pointer } = argument;
      if (pointer.to === 'workspace') return `workspace + ${at(pointer.offset)}`;
      return `${pointer.to} ${recipe[`${pointer.to}s`][pointer.index]!.name}`;
    });
    expect(native(), `seed ${seed}`).toEqual({
      expressions: expected,
      outputs: recipe.outputs.map(({ dims }) => dims.map(at)),
      workspace: at(recipe.workspace),
      tactics: [
        [
          {
            grid: [],
            block: [],
            sharedMemory: 0n,
            args: [`workspace + ${at((fill.target as { offset: number }).offset)}`, BigInt(fill.byte), at(fill.bytes)],
          },
          { grid: launch.grid.map(at), block: launch.block.map(at), sharedMemory: at(launch.sharedMemory), args },
        ],
      ],
    });
  }
  expect(failed).toBeGreaterThan(50);
  expect(failed).toBeLessThan(900);
});

test.each(integerTypes)('an argument of %s takes its range and no more', (type) => {
  const [least, most] = integerRanges[type];
  const fits = (value: bigint): boolean => {
    const recipe = structuredClone(sample);
    recipe.expressions[8] = { op: 'constant', value };
    recipe.tactics = [
      [
        {
          kind: 'launch',
          kernel: 0,
          grid: [0, 0, 0],
          block: [0, 0, 0],
          sharedMemory: 0,
          args: [{ kind: 'integer', type, expression: 8 }],
        },
      ],
    ];
    const error = attempt(encodeRecipe(recipe, head(recipe)));
    if (error) expect(error.message).toBe(`${value} does not fit ${type}`);
    return error === undefined;
  };
  const max = 2n ** 63n - 1n;
  expect([fits(least), fits(most)]).toEqual([true, true]);
  if (most < max) expect(fits(most + 1n)).toBe(false);
  if (least > -max) expect(fits(least - 1n)).toBe(false);
});
