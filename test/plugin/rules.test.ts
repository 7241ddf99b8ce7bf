import { describe, expect, test, vi } from 'vitest';
import { attr, definePlugin, float16, float32, int32, network, Size, type Tensor } from '../../src/index.js';
import type { Expression, Recipe } from '../../src/plugin/recipe.js';
import { refusal } from '../refusal.js';
import { define, plain, recipeIn, record } from './definitions.js';

type Loose = Record<string, never> & Record<string, unknown>;
// biome-ignore lint/suspicious/noExplicitAny: rules of any kind
type Any = any;

/** An expression written out. */
function written({ expressions, inputs }: Recipe, index: number): string {
  const one = expressions[index] as Expression;
  const at = (i: number) => written({ expressions, inputs } as Recipe, i);
  switch (one.op) {
    case 'constant':
      return String(one.value);
    case 'dim':
      return `${inputs[one.input]!.name}.${one.axis}`;
    case 'value':
      return `${inputs[one.input]!.name}[${one.element}]`;
    case 'size':
      return `size${one.output}(${at(one.opt)}, ${at(one.upper)})`;
    default:
      return `${one.op}(${at(one.a)}, ${at(one.b)})`;
  }
}

/** The message of a launch that is refused. */
const launching = (step: (context: Any) => unknown, changes: Loose = {} as Loose): string => {
  const error = refusal(() => record({ launch: (context: Any) => [step(context)], ...changes }));
  expect(error).toMatchObject({ code: 'ERR_PLUGIN', method: 'plugin', kind: 'plugin' });
  expect(error.layer).toMatch(/^Plain\d+$/);
  return error.message.split('\n')[0]!.replace(/^plugin '\w+': /, '');
};
const base = { kernel: 'k', grid: 1, block: 1, args: [] };

test('a rule of everything becomes a recipe', () => {
  const all = definePlugin({
    name: 'RecipeOfEverything',
    version: '1',
    inputs: ['x', 'cache'],
    shapeInputs: ['size'],
    attributes: { eps: attr.float32(0.5), mode: attr.string('a') },
    types: [
      { x: 'float16', cache: 'float16', size: 'int32', y: 'float16', next: 'float16', count: 'int64', mask: 'int4' },
    ],
    outputs: ({ x, cache, size, sizeTensor, mul, ceilDiv }) => ({
      y: [size.values[0], sizeTensor('count', { opt: ceilDiv(x.size, 2), upper: x.size }), 3],
      next: cache.shape,
      mask: [mul(x.shape[0], 3)],
    }),
    aliases: { next: 'cache' },
    workspace: ({ x, y, add, mul }) => add(mul(x.size, 4), y.shape[2], 16),
    cuda: '__global__ void k() {}',
    tactics: [{ block: 128 }, { block: 256 }],
    launch: (
      { x, y, next, count, mask, size, eps, workspace, int32, int64, uint8, bool, float16, float32, floorDiv, ...h },
      { block },
    ) => [
      { fill: workspace, value: 7, bytes: 16 },
      { fill: mask, value: 0 },
      { fill: y, value: 255 },
      {
        kernel: 'deep::k',
        template: [x.dtype, 'float', 'MyType<int, 3>', block, true, -2n],
        grid: [floorDiv(x.shape[0], 2), 3],
        block: [block, 1, 2],
        sharedMemory: h.mul(block, 4),
        args: [
          x,
          y,
          next,
          count,
          workspace,
          workspace.at(16),
          workspace.at(h.mul(x.shape[0], 2)),
          eps,
          int32(7),
          int64(size.values[0]),
          uint8(255),
          bool(true as never),
          float16(0.5),
          float32(x.size),
          float32(3n),
        ],
      },
      { kernel: 'plain', grid: 1, block, args: [] },
      { kernel: 'plain', grid: 1, block, args: [] },
    ],
  });
  const net = network('all', { x: float16('n', 4), cache: float16('n', 2), size: int32(1) });
  const [x, cache, size] = net.inputs as [Tensor, Tensor, Tensor];
  const made = net.plugin(all, { x, cache, size });
  expect(Object.keys(made)).toEqual(['y', 'next', 'count', 'mask']);
  expect(made.y.shape).toEqual([expect.stringMatching(/^size\?\d+$/), expect.stringMatching(/^count\?\d+$/), 3]);
  expect([made.next.shape, made.count.shape, made.mask.shape]).toEqual([['n', 2], [], ['3*n']]);

  const recipe = recipeIn(net);
  const w = (index: number) => written(recipe, index);
  expect(recipe.inputs).toEqual([
    { name: 'x', dtype: 'float16', rank: 2, isShape: false },
    { name: 'cache', dtype: 'float16', rank: 2, isShape: false },
    { name: 'size', dtype: 'int32', rank: 1, isShape: true },
  ]);
  const volume = 'prod(prod(1, x.0), 4)';
  const count = `size2(ceilDiv(${volume}, 2), ${volume})`;
  expect(recipe.outputs.map(({ dims, ...others }) => ({ ...others, dims: dims.map(w) }))).toEqual([
    { name: 'y', dtype: 'float16', alias: -1, isSize: false, dims: ['size[0]', count, '3'] },
    { name: 'next', dtype: 'float16', alias: 1, isSize: false, dims: ['cache.0', '2'] },
    { name: 'count', dtype: 'int64', alias: -1, isSize: true, dims: [] },
    { name: 'mask', dtype: 'int4', alias: -1, isSize: false, dims: ['prod(x.0, 3)'] },
  ]);
  expect(recipe.attributes).toEqual([
    { name: 'eps', type: 'float32' },
    { name: 'mode', type: 'char' },
  ]);
  expect(w(recipe.workspace)).toBe(`sum(sum(prod(${volume}, 4), 3), 16)`);
  expect(recipe.kernels).toEqual([
    'deep::k<__half, float, MyType<int, 3>, 128, true, -2>',
    'plain',
    'deep::k<__half, float, MyType<int, 3>, 256, true, -2>',
  ]);
  expect(recipe.tactics).toHaveLength(2);
  const steps = recipe.tactics[1]!.map((step) =>
    step.kind === 'fill'
      ? [step.target, step.byte, w(step.bytes)]
      : [step.kernel, step.grid.map(w), step.block.map(w), w(step.sharedMemory)],
  );
  expect(steps).toEqual([
    [{ to: 'workspace', offset: expect.anything() }, 7, '16'],
    [{ to: 'output', index: 3 }, 0, 'ceilDiv(prod(1, prod(x.0, 3)), 2)'],
    [{ to: 'output', index: 0 }, 255, `prod(prod(prod(prod(1, size[0]), ${count}), 3), 2)`],
    [2, ['floorDiv(x.0, 2)', '3', '1'], ['256', '1', '2'], '1024'],
    [1, ['1', '1', '1'], ['256', '1', '1'], '0'],
    [1, ['1', '1', '1'], ['256', '1', '1'], '0'],
  ]);
  const args = (recipe.tactics[0]![3] as { args: Any[] }).args.map(({ expression, pointer, ...others }) => ({
    ...others,
    ...(expression !== undefined && { expression: w(expression) }),
    ...(pointer && { pointer: pointer.to === 'workspace' ? w(pointer.offset) : `${pointer.to} ${pointer.index}` }),
  }));
  expect(args).toEqual([
    { kind: 'pointer', pointer: 'input 0' },
    { kind: 'pointer', pointer: 'output 0' },
    { kind: 'pointer', pointer: 'output 1' },
    { kind: 'pointer', pointer: 'output 2' },
    { kind: 'pointer', pointer: '0' },
    { kind: 'pointer', pointer: '16' },
    { kind: 'pointer', pointer: 'sum(0, prod(x.0, 2))' },
    { kind: 'attribute', attribute: 0 },
    { kind: 'integer', type: 'int32', expression: '7' },
    { kind: 'integer', type: 'int64', expression: 'size[0]' },
    { kind: 'integer', type: 'uint8', expression: '255' },
    { kind: 'integer', type: 'bool', expression: '1' },
    { kind: 'float', type: 'float16', value: 0.5 },
    { kind: 'floatOf', type: 'float32', expression: volume },
    { kind: 'float', type: 'float32', value: 3 },
  ]);
});

describe('sizes', () => {
  test('known dims are numbers, others are sizes that are none', () => {
    let seen: Any;
    record({
      outputs: ({ x }: Any) => {
        seen = x;
        return { y: x.shape };
      },
    });
    expect([seen.rank, seen.dtype, seen.shape[1]]).toEqual([2, 'float32', 4]);
    expect(seen.shape[0]).toBeInstanceOf(Size);
    expect(seen.size).toBeInstanceOf(Size);
  });

  const uses: [string, (size: Any) => unknown][] = [
    ['arithmetic', (n) => n * 2],
    ['a comparison', (n) => n > 3],
    ['a template string', (n) => `${n}`],
    ['Number()', (n) => Number(n)],
    ['Math', (n) => Math.ceil(n)],
    ['an index', (n) => [1, 2][n]],
  ];
  test.each(uses)('%s with an unknown dim is refused at the line of the rule', (_, use) => {
    const error = refusal(() => record({ outputs: ({ x }: Any) => ({ y: [use(x.shape[0])] }) }));
    expect(error.code).toBe('ERR_PLUGIN');
    expect(error.message).toContain(
      'x.shape[0] is dynamic here, so it is no number yet: use add(), sub(), mul(), floorDiv(), ceilDiv()',
    );
    const line = new Error().stack!.split('\n')[1]!;
    expect(error.source!.file).toBe(import.meta.filename);
    // The place of the use, not of the call that records the layer.
    expect(error.source!.line).toBeLessThan(Number(/:(\d+):\d+\)?$/.exec(line)![1]) - 3);
    expect(error).toMatchObject({ kind: 'plugin', layer: expect.stringMatching(/^Plain/) });
  });

  test('a computed one says how it was made', () => {
    const error = refusal(() =>
      record({ outputs: ({ x, mul, ceilDiv }: Any) => ({ y: [+ceilDiv(mul(x.shape[0], 2), 3)] }) }),
    );
    expect(error.message).toContain('ceilDiv(mul(x.shape[0], 2), 3) is dynamic here');
  });

  test('helpers give plain numbers where all is known', () => {
    const seen: unknown[] = [];
    record({
      outputs: ({ x, add, sub, mul, min, max, floorDiv, ceilDiv, equal, less }: Any) => {
        seen.push(add(1, 2, 3), sub(1, 2), mul(2, 3, 4), min(3, 1, 2), max(3, 1, 2), floorDiv(-7, 2), ceilDiv(7, -2));
        seen.push(equal(2, 2), less(2, 2), less(1, 2n), mul(0, -1));
        return { y: x.shape };
      },
    });
    expect(seen.slice(0, 11)).toEqual([6, -1, 24, 1, 3, -4, -3, 1, 0, 1, 0]);
  });

  test.each<[string, (context: Any) => unknown, RegExp]>([
    ['a fraction', ({ add }) => add(1.5, 1), /add\(\): expected a whole number below 2\^53 or a size, given 1.5/],
    ['beyond 2^53', ({ add }) => add(2 ** 53, 1), /add\(\): expected a whole number below 2\^53/],
    ['a bigint beyond 2^53', ({ add, x }) => add(x.shape[0], 2n ** 53n), /given 9007199254740992n/],
    ['a result beyond 2^53', ({ mul }) => mul(2 ** 40, 2 ** 40), /mul\(1099511627776, 1099511627776\) is beyond 2\^53/],
    ['a division by 0', ({ floorDiv, x }) => floorDiv(x.shape[0], 0), /floorDiv\(x\.shape\[0\], 0\) divides by 0/],
    ['one operand', ({ add }) => add(1), /add\(\) takes 2 sizes or more, given 1/],
    ['three operands', ({ sub }) => sub(1, 2, 3), /sub\(\) takes 2 sizes, given 3/],
    ['an axis that is none', ({ add, x }) => add(x.shape[5], 1), /given undefined; has the tensor that axis\?/],
    ['a tensor', ({ add, x }) => add(x, 1), /add\(\): expected a whole number/],
  ])('%s is refused', (_, use, expected) => {
    const error = refusal(() => record({ outputs: (context: Any) => ({ y: [use(context)] }) }));
    expect(error.message).toMatch(expected);
    expect(error.source!.file).toBe(import.meta.filename);
  });

  test('one that was kept from another run is refused', () => {
    let kept: unknown;
    const error = refusal(() =>
      record({
        outputs: ({ x }: Any) => {
          kept ??= x.shape[0];
          return { y: [kept] };
        },
      }),
    );
    expect(error.message).toContain('x.shape[0] comes from another layer or run of the rules');
  });
});

describe('rules that do not say the same twice', () => {
  let counter = 0;
  test.each<[string, string, Loose]>([
    ['Math.random', 'outputs', { outputs: () => ({ y: [Math.floor(Math.random() * 2 ** 40)] }) } as never],
    ['a counter', 'workspace', { workspace: () => counter++ } as never],
    ['a counter', 'launch', { launch: ({ int32 }: Any) => [{ ...base, args: [int32(counter++)] }] } as never],
    ['a counter in a grid', 'launch', { launch: () => [{ ...base, grid: 1 + counter++ }] } as never],
    ['a counter in a name', 'launch', { launch: () => [{ ...base, kernel: `k${counter++}` }] } as never],
    ['a counter in a fill', 'launch', { launch: ({ y }: Any) => [{ fill: y, value: counter++ % 250 }] } as never],
  ])('%s in %s', (_, rule, changes) => {
    const error = refusal(() => record(changes));
    expect(error.code).toBe('ERR_PLUGIN');
    expect(error.message).toMatch(
      new RegExp(`rule '${rule}' of plugin 'Plain\\d+' returned something else when it ran again`),
    );
    expect(error.message).toContain('Math.random()');
  });
});

describe('rules that fail', () => {
  test('what one throws is the cause, with its line', () => {
    const mine = new RangeError('mine');
    for (const rule of ['outputs', 'workspace', 'launch']) {
      const error = refusal(() =>
        record({
          [rule]: () => {
            throw mine;
          },
        }),
      );
      expect(error).toMatchObject({ code: 'ERR_PLUGIN', cause: mine, source: { file: import.meta.filename } });
      expect(error.message).toMatch(new RegExp(`rule '${rule}' of plugin 'Plain\\d+' threw: mine`));
    }
  });

  test('nothing of the layer stays', () => {
    const net = network('rolled', { x: float32('n') });
    const failing = define({
      launch: () => {
        throw new Error('mine');
      },
    });
    refusal(() => net.plugin(failing, { x: net.tensor() }));
    expect(net.graph.nodes).toEqual([]);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['text', 'y'],
    ['a promise', Promise.resolve({})],
    [
      'a trap',
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('mine');
          },
        },
      ),
    ],
  ])('what returns %s', (_, result) => {
    for (const rule of ['outputs', 'workspace', 'launch']) {
      expect(refusal(() => record({ [rule]: () => result })).code).toBe('ERR_PLUGIN');
    }
  });

  test('what is async and throws', () => {
    const outputs = async () => {
      throw new Error('mine');
    };
    expect(refusal(() => record({ outputs })).message).toMatch(
      /rule 'outputs' is async; rules return their result at once/,
    );
  });

  test('unknown symbols', () => {
    const error = refusal(() => record({ outputs: ({ x, ceildiv }: Any) => ({ y: [ceildiv(x.size, 2)] }) }));
    expect(error.message).toMatch(/rule 'outputs' of plugin 'Plain\d+' threw: ceildiv is not a function/);
  });

  test('what is thrown cannot be looked at', () => {
    const { proxy, revoke } = Proxy.revocable(new Error('mine'), {});
    revoke();
    for (const thrown of [
      proxy,
      null,
      Symbol('x'),
      {
        get message() {
          throw new Error('mine');
        },
      },
    ]) {
      expect(
        refusal(() =>
          record({
            outputs: () => {
              throw thrown;
            },
          }),
        ).code,
      ).toBe('ERR_PLUGIN');
    }
  });
});

describe('outputs that are refused', () => {
  test.each<[string, (context: Any) => unknown, RegExp]>([
    ['none', () => ({}), /outputs: the shape of 'y' is missing/],
    ['an unknown one', ({ x }) => ({ y: x.shape, z: [1] }), /outputs: 'z' is not among the outputs in types, y/],
    ['a shape that is none', ({ x }) => ({ y: x }), /outputs: y: expected a list of at most 8 sizes/],
    ['nine axes', () => ({ y: Array(9).fill(1) }), /expected a list of at most 8 sizes/],
    ['a negative size', () => ({ y: [-1] }), /y: expected sizes of 0 or more, given -1/],
    ['a fraction', () => ({ y: [0.5] }), /outputs: y\[0\]: expected a whole number/],
    ['a name', () => ({ y: ['n'] }), /outputs: y\[0\]: expected a whole number.*given 'n'/],
    [
      'a size tensor of floats',
      ({ sizeTensor }) => ({ y: [sizeTensor('y', { opt: 1, upper: 2 })] }),
      /expected int32 or int64 in types, given float32/,
    ],
    [
      'a size tensor that is no output',
      ({ sizeTensor }) => ({ y: [sizeTensor('n', { opt: 1, upper: 2 })] }),
      /expected the name of an output \(y\), given 'n'/,
    ],
  ])('%s', (_, outputs, expected) => {
    expect(refusal(() => record({ outputs })).message).toMatch(expected);
  });

  const counting = { types: [{ x: 'float32', y: 'float32', n: 'int32' }] };
  test.each<[string, (context: Any) => unknown, RegExp]>([
    [
      'a rank',
      ({ sizeTensor }) => ({ y: [sizeTensor('n', { opt: 1, upper: 2 })], n: [1] }),
      /n: a size tensor has rank 0, given rank 1/,
    ],
    [
      'twice',
      ({ sizeTensor }) => ({ y: [sizeTensor('n', { opt: 1, upper: 2 }), sizeTensor('n', { opt: 1, upper: 2 })] }),
      /sizeTensor\('n'\) is called twice/,
    ],
    ['without options', ({ sizeTensor }) => ({ y: [sizeTensor('n')] }), /expected \{ opt, upper \}/],
    ['without upper', ({ sizeTensor }) => ({ y: [sizeTensor('n', { opt: 1 })] }), /upper: expected a whole number/],
    [
      'opt above upper',
      ({ sizeTensor }) => ({ y: [sizeTensor('n', { opt: 3, upper: 2 })] }),
      /expected 0 ≤ opt ≤ upper, given opt 3 and upper 2/,
    ],
  ])('a size tensor: %s', (_, outputs, expected) => {
    expect(refusal(() => record({ ...counting, outputs })).message).toMatch(expected);
  });

  test('an alias of another shape', () => {
    const error = refusal(() =>
      record({ aliases: { y: 'x' }, outputs: ({ x, add }: Any) => ({ y: [add(x.shape[0], 1), 4] }) }),
    );
    expect(error.message).toContain("outputs: y: expected the shape of 'x' [n, 4], which it updates, given [n + 1, 4]");
  });
});

describe('launches that are refused', () => {
  test.each<[string, (context: Any) => unknown, string | RegExp]>([
    [
      'a plain number',
      ({ x }) => ({ ...base, args: [x, 5] }),
      'launch[0] (k): args[1]: expected an argument with a type, given 5: write int32(5), int64(…) or float32(…), as the kernel declares it',
    ],
    [
      'a size without a type',
      ({ x }) => ({ ...base, args: [x.shape[0]] }),
      /args\[0\]: expected a tensor, workspace, an attribute or a typed number such as int32\(…\), given Size\(x\.shape\[0\]\)/,
    ],
    ['an unknown kind', () => ({ ...base, args: [{}] }), /args\[0\]: expected a tensor, workspace/],
    ['undefined', () => ({ ...base, args: [undefined] }), /args\[0\]: expected a tensor.*given undefined/],
    ['no list of arguments', () => ({ ...base, args: undefined }), /args: expected a list/],
    [
      'an integer that does not fit',
      ({ int32 }) => ({ ...base, args: [int32(2 ** 31)] }),
      'int32(2147483648) does not fit: int32 is -2147483648 to 2147483647',
    ],
    ['a negative unsigned', ({ uint8 }) => ({ ...base, args: [uint8(-1)] }), /uint8\(-1\) does not fit/],
    [
      'a typed attribute',
      ({ int32, eps }) => ({ ...base, args: [int32(eps)] }),
      /attribute 'eps' has the type float32 already; pass it as it is/,
    ],
    ['a NaN', ({ float32 }) => ({ ...base, args: [float32(Number.NaN)] }), /float32\(\): expected a number, given NaN/],
    [
      'a half of a size',
      ({ float16, x }) => ({ ...base, args: [float16(x.size)] }),
      /float16\(.*\): a dynamic size may become int32/,
    ],
    [
      'a list attribute',
      ({ list }) => ({ ...base, args: [list] }),
      /attribute 'list' is a list or text, which no kernel can take/,
    ],
    [
      'workspace without bytes',
      ({ workspace }) => ({ ...base, args: [workspace] }),
      /the definition has no workspace: give its bytes/,
    ],
    [
      'no kernel',
      () => ({ ...base, kernel: undefined }),
      'launch[0]: kernel: expected the name of a __global__ function, given undefined',
    ],
    [
      'a kernel with a body',
      () => ({ ...base, kernel: 'k<int>' }),
      /kernel: expected the name of a __global__ function, given 'k<int>'/,
    ],
    [
      'a template of fractions',
      () => ({ ...base, template: [0.5] }),
      /template\[0\]: expected a dtype, a C\+\+ type, a whole number or a boolean, given 0.5/,
    ],
    [
      'a template of a size',
      ({ x }) => ({ ...base, template: [x.shape[0]] }),
      /given x\.shape\[0\], which only the run knows/,
    ],
    ['a template of an attribute', ({ eps }) => ({ ...base, template: [eps] }), /attribute 'eps': use its \.value/],
    ['a template of code', () => ({ ...base, template: ['int); evil('] }), /template\[0\]: expected a dtype/],
    ['a template that is none', () => ({ ...base, template: 'int' }), /template: expected a list/],
    [
      'a grid of 0',
      () => ({ ...base, grid: 0 }),
      'launch[0] (k): grid: expected 1 to 2147483647 blocks along x, given 0',
    ],
    [
      'a grid of fractions',
      () => ({ ...base, grid: 1.5 }),
      /grid: expected a whole number below 2\^53 or a size, given 1.5/,
    ],
    [
      'a grid too large',
      () => ({ ...base, grid: [1, 65_536] }),
      /grid: expected 1 to 65535 blocks along y, given 65536/,
    ],
    ['a grid of four', () => ({ ...base, grid: [1, 1, 1, 1] }), /grid: expected 1 to 3 sizes, given 4/],
    ['no grid', () => ({ ...base, grid: undefined }), /grid: expected a whole number/],
    ['a block too large', () => ({ ...base, block: 1025 }), /block: expected 1 to 1024 threads along x, given 1025/],
    ['a block of too many', () => ({ ...base, block: [32, 33] }), /block: expected at most 1024 threads, given 1056/],
    ['a deep block', () => ({ ...base, block: [1, 1, 65] }), /block: expected 1 to 64 threads along z, given 65/],
    [
      'negative shared memory',
      () => ({ ...base, sharedMemory: -1 }),
      /sharedMemory: expected 0 to 232448 bytes, given -1/,
    ],
    ['too much shared memory', () => ({ ...base, sharedMemory: 2 ** 20 }), /sharedMemory: expected 0 to 232448 bytes/],
    [
      'an unknown key',
      () => ({ ...base, shared: 1 }),
      /launch\[0\]: unknown 'shared'; expected kernel, template, grid/,
    ],
    ['no step', () => 5, /launch\[0\]: expected \{ kernel, … \} or \{ fill, … \}, given 5/],
    ['a fill of an input', ({ x }) => ({ fill: x, value: 0 }), /fill: expected an output or workspace/],
    ['a fill of no byte', ({ y }) => ({ fill: y, value: 256 }), /value: expected a byte, 0 to 255, given 256/],
    ['a fill of negative bytes', ({ y }) => ({ fill: y, value: 0, bytes: -1 }), /bytes: expected 0 or more, given -1/],
  ])('%s', (_, step, expected) => {
    const attributes = { eps: attr.float32(1), list: attr.int32s([1]) };
    const message = launching(step, { attributes } as never);
    if (typeof expected === 'string') expect(message).toBe(expected);
    else expect(message).toMatch(expected);
  });

  test('workspace beyond its bytes', () => {
    const outside = { workspace: () => 16 } as never;
    expect(launching(({ workspace }) => ({ ...base, args: [workspace.at(16)] }), outside)).toMatch(
      /16 bytes is not inside the workspace/,
    );
    expect(launching(({ workspace }) => ({ fill: workspace, value: 0 }), outside)).toMatch(
      /bytes: expected how many to fill/,
    );
    expect(refusal(() => record({ workspace: () => -1 })).message).toMatch(
      /workspace: expected 0 bytes or more, given -1/,
    );
  });

  test('no launch, or what is no list', () => {
    expect(refusal(() => record({ launch: () => [] })).message).toMatch(/expected 1 to 1000 launches, given 0/);
    expect(refusal(() => record({ launch: () => base })).message).toMatch(/launch: expected a list of launches/);
    const many: unknown[] = [];
    many.length = 2 ** 32 - 1;
    expect(refusal(() => record({ launch: () => many })).message).toMatch(/expected 1 to 1000 launches/);
  });

  test('rules that make expressions without end', () => {
    const outputs = ({ x, add }: Any) => {
      let size = x.shape[0];
      for (let i = 0; i < 20_000; i++) size = add(size, i);
      return { y: [size] };
    };
    expect(refusal(() => record({ outputs })).message).toMatch(/made of more than 2000 operations, one on the other/);
    const wide = ({ x, mul, y }: Any) => {
      const launches = Array.from({ length: 999 }, (_, i) => ({ ...base, grid: mul(x.shape[0], i + 2), args: [y] }));
      return Array.from({ length: 12 }, (_, i) => launches.map((one) => ({ ...one, grid: mul(one.grid, i + 1) })))
        .flat()
        .slice(0, 1000);
    };
    expect(record({ launch: wide }).recipe.tactics[0]).toHaveLength(1000);
  });

  test('products of sums that would have very many terms become sizes that nobody knows', () => {
    const outputs = ({ x, add, mul }: Any) => {
      let size = add(x.shape[0], 1);
      for (let i = 0; i < 60; i++) size = mul(size, size);
      return { y: [size] };
    };
    expect(record({ outputs }).y.shape).toEqual([expect.stringContaining('?')]);
  });

  test('a grid of 0 where nothing is computed', () => {
    const empty = { outputs: () => ({ y: [0] }), launch: () => [{ ...base, grid: 0 }] };
    expect(record(empty).y.shape).toEqual([0]);
  });
});

describe('inputs that are refused', () => {
  test('a dtype without a row lists the rows', () => {
    const net = network('dtypes', { x: float16(2) });
    const two = define({
      types: [
        { x: 'float32', y: 'float32' },
        { x: 'int32', y: 'float32' },
      ],
    });
    const error = refusal(() => net.tensor().plugin(two));
    expect(error.code).toBe('ERR_DTYPE');
    expect(error.message).toMatch(/takes \{ x: float32 \} or \{ x: int32 \}, given \{ x: float16 \}; use \.cast\(\)/);
  });

  test('ranks', () => {
    const net = network('ranks', { x: float32(2) });
    const error = (ranks: unknown) => refusal(() => net.tensor().plugin(define({ ranks: { x: ranks } })));
    expect(error(3)).toMatchObject({
      code: 'ERR_RANK',
      message: expect.stringMatching(/x: expected rank 3, given rank 1 \[2\]/),
    });
    expect(error([2, 8]).message).toMatch(/x: expected rank 2 to 8, given rank 1/);
  });

  test('shape inputs', () => {
    const given = { shapeInputs: ['s'], types: [{ x: 'float32', s: 'int32', y: 'float32' }] };
    const made = define(given);
    for (const shape of [[2, 2], ['n'], [9]]) {
      const net = network('shapes', { x: float32(2), s: int32(...(shape as number[])) });
      const [x, s] = net.inputs as [Tensor, Tensor];
      expect(refusal(() => net.plugin(made, { x, s } as never)).message).toMatch(
        /shape input 's': expected rank 0 or 1 and at most 8 elements/,
      );
    }
    const net = network('passed', { x: float32(2), s: int32() });
    const [x, s] = net.inputs as [Tensor, Tensor];
    const passing = define({ ...given, launch: ({ s: size }: Any) => [{ ...base, args: [size] }] });
    expect(refusal(() => net.plugin(passing, { x, s } as never)).message).toMatch(
      /TensorRT gives shape input 's' to the host alone/,
    );
    // What is known of their elements is used.
    const reading = define({ ...given, outputs: ({ s: size }: Any) => ({ y: [size.values[0]] }) });
    expect(net.plugin(reading, { x, s: net.constant(5, { dtype: 'int32' }) } as never).y.shape).toEqual([5]);
    const dynamic = network('dynamic', { x: float32('n'), other: float32(1) });
    const n = dynamic.inputs[0]!.shapeTensor().cast('int32');
    expect(dynamic.plugin(reading, { x: dynamic.inputs[0]!, s: n } as never).y.shape).toEqual(['n']);
  });

  test('names', () => {
    const net = network('names', { x: float32(2) });
    const x = net.tensor();
    const made = define();
    const error = (tensors: unknown) => refusal(() => net.plugin(made, tensors as never));
    expect(error({ y: x }).message).toMatch(/has no input 'y'; it has x|has no input 'y'; did you mean 'x'/);
    expect(error({}).message).toMatch(/input 'x' of plugin 'Plain\d+': expected a tensor, given undefined/);
    expect(error({ x: 5 }).message).toMatch(/expected a tensor, given 5/);
    expect(error(x).message).toMatch(/expected tensors by name, \{ x \}/);
    expect(refusal(() => (net as Any).plugin(made, { x }, {}, {}, 1)).message).toMatch(
      /expected at most 4 arguments, given 5/,
    );
    expect(refusal(() => (net as Any).plugin(made, { x }, {}, { named: 'a' })).message).toMatch(
      /unknown option 'named'; expected name/,
    );
    expect(
      refusal(() =>
        (x as Any).plugin(define({ inputs: ['x', 'b'], types: [{ x: 'float32', b: 'float32', y: 'float32' }] })),
      ).message,
    ).toMatch(/has 2 inputs: call net\.plugin\(…, \{ x, b \}\)/);
    const prototype = Object.prototype as unknown as Loose;
    Object.assign(prototype, { x });
    try {
      expect(error({}).message).toMatch(/expected a tensor, given undefined/);
    } finally {
      delete (prototype as Record<string, unknown>).x;
    }
  });
});

test('rules run twice, and get the tactic', () => {
  const launch = vi.fn(({ x, y }: Any, { block }: Any) => [{ kernel: 'k', grid: 1, block, args: [x, y] }]);
  const made = define({ tactics: [{ block: 64 }, { block: 128 }], launch });
  network('twice', { x: float32(2) })
    .tensor()
    .plugin(made);
  expect(launch.mock.calls.map(([, { block }]) => block)).toEqual([64, 128, 64, 128]);
});

test('the definition is not changed by its rules', () => {
  const outputs = (context: Any) => {
    context.x = 5;
    return { y: [1] };
  };
  expect(refusal(() => record({ outputs })).message).toMatch(/threw: Cannot assign to read only property/);
  expect(plain().name).toMatch(/^Plain/);
});

test('an attribute is where it is: the second argument of outputs, an argument in launch', () => {
  const attributes = { factor: attr.int32(2) } as never;
  const messages = [
    { attributes, outputs: ({ x, factor }: Any) => ({ y: factor === 2 ? [3] : x.shape }) },
    { attributes, workspace: ({ factor }: Any) => factor },
    { attributes, launch: ({ x, factor, int32 }: Any) => [{ ...base, args: [int32(factor + 1), x] }] },
  ].map((changes) => refusal(() => record(changes as never)).message.split('\n')[0]);
  expect(messages).toEqual([
    expect.stringContaining("attribute 'factor' is in the second argument of 'outputs': (tensors, { factor }) => …"),
    expect.stringContaining("attribute 'factor' is in the second argument of 'workspace': (tensors, { factor }) => …"),
    expect.stringContaining("attribute 'factor' is an argument here, no number: what it holds is factor.value"),
  ]);
});
