import { expectTypeOf, test } from 'vitest';
import {
  type AnySize,
  attr,
  definePlugin,
  float16,
  int32,
  network,
  type Plugin,
  type Tensor,
} from '../../src/index.js';

// What the types of a definition promise: names and attributes flow from it into rules and calls. `@ts-expect-error` marks
// what must not compile; the compiler refuses one that is not needed.

const cuda = '__global__ void k() {}';

const rmsNorm = definePlugin({
  name: 'TypedRmsNorm',
  version: '1',
  inputs: ['x', 'residual'],
  ranks: { x: [2, 8] },
  attributes: { eps: attr.float32(1e-6), groups: attr.int32(), wide: attr.int64(1n), axes: attr.int32s([1]) },
  types: [
    { x: 'float16', residual: 'float16', y: 'float16', sum: 'float16' },
    { x: 'float32', residual: 'float32', y: 'float32', sum: 'float32' },
  ],
  outputs: ({ x, ceilDiv, ...others }, { eps, groups, wide, axes }) => {
    expectTypeOf(x.shape[0]).toEqualTypeOf<AnySize>();
    expectTypeOf(x.shape.at(-1)).toEqualTypeOf<AnySize>();
    expectTypeOf(ceilDiv(x.shape[0], 2)).toEqualTypeOf<AnySize>();
    expectTypeOf(eps).toEqualTypeOf<number>();
    expectTypeOf(groups).toEqualTypeOf<number>();
    expectTypeOf(wide).toEqualTypeOf<bigint>();
    expectTypeOf(axes).toEqualTypeOf<readonly number[]>();
    // @ts-expect-error no tensor has that name
    others.z;
    // @ts-expect-error outputs are not known yet
    others.y;
    return { y: x.shape, sum: x.shape };
  },
  workspace: ({ x, y, mul }) => mul(x.size, y.size, 4),
  cuda,
  tactics: [{ block: 128 }, { block: 256 }],
  launch: ({ x, residual, y, sum, eps, axes, int32, float32, workspace }, { block }) => {
    expectTypeOf(block).toExtend<number>();
    expectTypeOf(eps.value).toEqualTypeOf<number>();
    expectTypeOf(axes.value).toEqualTypeOf<readonly number[]>();
    return [
      { kernel: 'k', grid: x.shape[0], block, args: [x] },
      {
        kernel: 'k',
        template: [x.dtype, 256, true],
        grid: [1, 2],
        block,
        args: [residual, y, sum, eps, int32(x.size)],
      },
      { fill: y, value: 0 },
      { kernel: 'k', grid: 1, block, args: [float32(1), workspace.at(16)] },
    ];
  },
  reference: ({ x }, { eps }) => ({ y: x, sum: { shape: x.shape, data: [eps] } }),
  decompose: ({ x, residual }, { eps }) => ({ y: x.add(residual), sum: x.add(eps) }),
});

const gather = definePlugin({
  name: 'TypedGather',
  version: '1',
  inputs: ['x'],
  shapeInputs: ['size'],
  types: [{ x: 'float32', size: 'int32', y: 'float32', count: 'int64' }],
  outputs: ({ size, x, sizeTensor }) => {
    expectTypeOf(size.values[0]).toEqualTypeOf<AnySize>();
    // @ts-expect-error only shape inputs have values
    x.values;
    // @ts-expect-error no output has that name
    sizeTensor('y2', { opt: 1, upper: 2 });
    return { y: [sizeTensor('count', { opt: 1, upper: 2 })] };
  },
  aliases: {},
  cuda,
  launch: ({ x, y, count }) => [{ kernel: 'k', grid: 1, block: 1, args: [x, y, count] }],
});

const swish = definePlugin({
  name: 'TypedSwish',
  version: '1',
  inputs: ['x'],
  types: [{ x: 'float16', y: 'float16' }],
  outputs: ({ x }) => ({ y: x.shape }),
  cuda,
  launch: ({ x, y }, tactic) => {
    expectTypeOf(tactic).toEqualTypeOf<Record<never, never>>();
    return [{ kernel: 'k', grid: 1, block: 1, args: [x, y] }];
  },
});

const mapped = definePlugin({
  name: 'TypedRows',
  version: '1',
  inputs: ['x'],
  ranks: { x: 2 },
  types: (['float32', 'float16'] as const).map((dtype) => ({ x: dtype, y: dtype, n: 'int32' as const })),
  outputs: ({ x, sizeTensor }) => ({ y: [sizeTensor('n', { opt: 1, upper: x.shape[0] })] }),
  cuda,
  launch: ({ x, y, n }) => [{ kernel: 'k', grid: 1, block: 1, args: [x, y, n] }],
});

/** Never called: only its types count. */
const calls = () => {
  const net = network('types', { x: float16('n', 4), residual: float16('n', 4), size: int32(2) });
  const [x, residual, size] = net.inputs as [Tensor, Tensor, Tensor];
  expectTypeOf(net.plugin(rmsNorm, { x, residual }, { eps: 1, groups: 2 })).toEqualTypeOf<{
    readonly y: Tensor;
    readonly sum: Tensor;
  }>();
  net.plugin(rmsNorm, { x, residual }, { groups: 2, wide: 3 }, { name: 'norm' });
  // @ts-expect-error groups has no default
  net.plugin(rmsNorm, { x, residual });
  // @ts-expect-error groups has no default
  net.plugin(rmsNorm, { x, residual }, { eps: 1 });
  // @ts-expect-error no such attribute
  net.plugin(rmsNorm, { x, residual }, { groups: 2, epsilon: 1 });
  // @ts-expect-error a number
  net.plugin(rmsNorm, { x, residual }, { groups: 'two' });
  // @ts-expect-error residual is missing
  net.plugin(rmsNorm, { x }, { groups: 2 });
  // @ts-expect-error no such input
  net.plugin(rmsNorm, { x, residual, z: x }, { groups: 2 });
  const made = net.plugin(gather, { x, size });
  expectTypeOf(made).toEqualTypeOf<{ readonly y: Tensor; readonly count: Tensor }>();
  // @ts-expect-error no such output
  made.z;
  expectTypeOf(x.plugin(swish)).toEqualTypeOf<Tensor>();
  expectTypeOf(x.plugin(swish, {}, { name: 'swish' })).toEqualTypeOf<Tensor>();
  expectTypeOf(net.plugin(swish, { x })).toEqualTypeOf<{ readonly y: Tensor }>();
  expectTypeOf(x.plugin('Other', { version: '1', fields: { a: 1 }, inputs: [size] })).toEqualTypeOf<Tensor[]>();
  expectTypeOf(net.plugin('Other', { inputs: [x], outputs: [{ dtype: 'float32', shape: ['n'] }] })).toEqualTypeOf<
    Tensor[]
  >();
  // @ts-expect-error no such option
  x.plugin('Other', { verison: '1' });
};

/** Never called. */
const definitions = () => {
  definePlugin({
    name: 'T1',
    version: '1',
    inputs: ['x'],
    // @ts-expect-error x has no dtype
    types: [{ y: 'float32' }],
    outputs: () => ({ y: [1] }),
    cuda,
    launch: () => [],
  });
  definePlugin({
    name: 'T2',
    version: '1',
    inputs: ['x'],
    types: [{ x: 'float32', y: 'float32' }],
    // @ts-expect-error z is no output
    outputs: () => ({ z: [1] }),
    cuda,
    launch: () => [],
  });
  definePlugin({
    name: 'T3',
    version: '1',
    inputs: ['x'],
    // @ts-expect-error no dtype
    types: [{ x: 'float33', y: 'float32' }],
    outputs: ({ x }) => ({ y: x.shape }),
    cuda,
    launch: () => [],
  });
  const usual = {
    version: '1',
    inputs: ['x'],
    types: [{ x: 'float32', y: 'float32' }],
    outputs: () => ({ y: [1] }),
    cuda,
  } as const;
  // @ts-expect-error a number has no type
  definePlugin({ ...usual, name: 'T5', launch: ({ x }) => [{ kernel: 'k', grid: 1, block: 1, args: [x, 1] }] });
  // @ts-expect-error a launch has args
  definePlugin({ ...usual, name: 'T6', launch: () => [{ kernel: 'k', grid: 1, block: 1 }] });
  // @ts-expect-error formats are linear
  definePlugin({ ...usual, name: 'T8', launch: () => [], formats: ['chw32'] });
  definePlugin({
    name: 'T4',
    version: '1',
    inputs: ['x'],
    types: [{ x: 'float32', y: 'float32' }],
    outputs: ({ x }) => ({ y: x.shape }),
    // @ts-expect-error no input has that name
    aliases: { y: 'z' },
    cuda,
    launch: () => [],
  });
};

test('types', () => {
  expectTypeOf(swish).toEqualTypeOf<Plugin<'x', never, Record<never, never>, 'y'>>();
  expectTypeOf(mapped).toEqualTypeOf<Plugin<'x', never, Record<never, never>, 'y' | 'n'>>();
  expectTypeOf(calls).toBeFunction();
  expectTypeOf(definitions).toBeFunction();
});
