import { describe, expect, test } from 'vitest';
import { attr, float32, int32, int64, type Network, network, type Profile, type Tensor } from '../../src/index.js';
import { faultAt } from '../../src/plugin/check-launches.js';
import { prepare } from '../../src/tensorrt/compile/prepare.js';
import { addDims } from '../../src/values/dim.js';
import { refusal } from '../refusal.js';
import { define, recipeIn } from './definitions.js';

// biome-ignore lint/suspicious/noExplicitAny: rules of any kind
type Any = any;

const base = { kernel: 'k', grid: 1, block: 1, args: [] };

/** A network of [n, m] with a plugin, not built yet. */
function made(changes: Any): Network {
  const net = network('profiles', { x: float32('n', 'm') });
  const { y } = net.plugin(define(changes), { x: net.tensor() } as never) as { y: Tensor };
  y.output('y');
  return net;
}

/** What a build refuses before it begins. */
function message(changes: Any, profile: Profile = { n: [1, 8, 64], m: 4 }): string {
  const error = refusal(() => prepare(made(changes), { profiles: [profile] }));
  expect(error).toMatchObject({ code: 'ERR_PLUGIN', kind: 'plugin', source: { file: import.meta.filename } });
  expect(error.layer).toMatch(/^Plain/);
  return error.message.split('\n')[0]!.replace(/^plugin '\w+': /, '');
}

describe('what does not fit at min, opt or max of a profile is refused before the build', () => {
  const launch = (step: (context: Any) => object) => ({ launch: (context: Any) => [{ ...base, ...step(context) }] });
  test.each<[string, Any, Profile | undefined, string]>([
    [
      'a grid of 0',
      launch(({ x, floorDiv }) => ({ grid: floorDiv(x.shape[0], 2) })),
      undefined,
      'at profiles[0].min (n: 1, m: 4): launch[0] (k): grid: expected 1 to 2147483647 blocks along x, given 0',
    ],
    [
      'a grid that wraps to 1',
      launch(({ x, add, mul }) => ({ grid: add(mul(mul(x.shape[0], 2 ** 32), 2 ** 32), 1) })),
      undefined,
      'at profiles[0].min (n: 1, m: 4): a size is computed from numbers beyond int64, which wrap: it would be 1',
    ],
    [
      'an int32 that wraps into its range',
      launch(({ x, mul, int32 }) => ({ args: [int32(mul(mul(x.shape[0], 2 ** 32 - 1), 2 ** 32 + 1))] })),
      { n: 1, m: 4 },
      'at profiles[0].min (n: 1, m: 4): a size is computed from numbers beyond int64, which wrap: it would be -1',
    ],
    [
      'a negative grid',
      launch(({ x, sub }) => ({ grid: [1, sub(x.shape[0], 8)] })),
      undefined,
      'at profiles[0].min (n: 1, m: 4): launch[0] (k): grid: expected 1 to 65535 blocks along y, given -7',
    ],
    [
      'a grid too large',
      launch(({ x, mul }) => ({ grid: [1, 1, mul(x.shape[0], 1024)] })),
      undefined,
      'at profiles[0].max (n: 64, m: 4): launch[0] (k): grid: expected 1 to 65535 blocks along z, given 65536',
    ],
    [
      'a block too large',
      launch(({ x }) => ({ block: x.shape[0] })),
      { n: [1, 1025, 1025], m: 1 },
      'at profiles[0].opt (n: 1025, m: 1): launch[0] (k): block: expected 1 to 1024 threads along x, given 1025',
    ],
    [
      'a block of too many',
      launch(({ x }) => ({ block: [x.shape[0], 32] })),
      undefined,
      'at profiles[0].max (n: 64, m: 4): launch[0] (k): block: expected at most 1024 threads, given 2048',
    ],
    [
      'too much shared memory',
      launch(({ x, mul }) => ({ sharedMemory: mul(x.shape[0], 4096) })),
      undefined,
      'at profiles[0].max (n: 64, m: 4): launch[0] (k): sharedMemory: expected 0 to 232448 bytes, given 262144',
    ],
    [
      'an int that is too small for a size',
      launch(({ x, int32, mul }) => ({ args: [x, int32(mul(x.size, 2 ** 24))] })),
      undefined,
      'at profiles[0].max (n: 64, m: 4): launch[0] (k): args[1]: int32 is -2147483648 to 2147483647, given 4294967296; use int64() and long long in the kernel',
    ],
    [
      'an unsigned one of a difference',
      launch(({ x, uint16, sub }) => ({ args: [uint16(sub(x.shape[0], 2))] })),
      undefined,
      'at profiles[0].min (n: 1, m: 4): launch[0] (k): args[0]: uint16 is 0 to 65535, given -1',
    ],
    [
      'a division by 0',
      launch(({ x, sub, floorDiv, max }) => ({ grid: max(1, floorDiv(5, sub(x.shape[0], 8))) })),
      undefined,
      'at profiles[0].opt (n: 8, m: 4): floorDiv of 5 and 0 divides by zero',
    ],
    [
      'a negative output',
      { outputs: ({ x, sub }: Any) => ({ y: [sub(x.shape[0], 8)] }) },
      undefined,
      "at profiles[0].min (n: 1, m: 4): output 'y': axis 0 would have -7 elements",
    ],
    [
      'an output beyond int32',
      { outputs: ({ x, mul }: Any) => ({ y: [mul(x.shape[0], 2 ** 26)] }) },
      undefined,
      "at profiles[0].max (n: 64, m: 4): output 'y': axis 0 would have 4294967296 elements",
    ],
    [
      'negative workspace',
      { workspace: ({ x, sub }: Any) => sub(x.shape[0], 2) },
      undefined,
      'at profiles[0].min (n: 1, m: 4): workspace: expected 0 bytes or more, given -1',
    ],
    [
      'an address outside of it',
      { workspace: ({ x }: Any) => x.shape[0], launch: ({ workspace }: Any) => [{ ...base, args: [workspace.at(4)] }] },
      undefined,
      'at profiles[0].min (n: 1, m: 4): launch[0] (k): args[0]: 4 bytes is outside the workspace of 1',
    ],
    [
      'a fill beyond it',
      {
        workspace: ({ x }: Any) => x.shape[0],
        launch: ({ workspace }: Any) => [{ fill: workspace, value: 0, bytes: 8 }],
      },
      undefined,
      'at profiles[0].min (n: 1, m: 4): launch[0]: bytes: expected at most 1, which is all there is, given 8',
    ],
    [
      'a fill beyond an output',
      { launch: ({ y }: Any) => [{ fill: y, value: 0, bytes: 64 }] },
      undefined,
      'at profiles[0].min (n: 1, m: 4): launch[0]: bytes: expected at most 16, which is all there is, given 64',
    ],
    [
      'one of several tactics',
      {
        tactics: [{ by: 1 }, { by: 2 }],
        launch: ({ x, floorDiv }: Any, { by }: Any) => [base, { ...base, grid: floorDiv(x.shape[0], by) }],
      },
      undefined,
      'at profiles[0].min (n: 1, m: 4): tactics[1]: launch[1] (k): grid: expected 1 to 2147483647 blocks along x, given 0',
    ],
    [
      'a size tensor',
      {
        types: [{ x: 'float32', y: 'float32', n: 'int32' }],
        outputs: ({ x, sizeTensor }: Any) => ({ y: [sizeTensor('n', { opt: 32, upper: x.shape[0] })] }),
      },
      undefined,
      "at profiles[0].min (n: 1, m: 4): sizeTensor('n'): expected 0 ≤ opt ≤ upper, given 32 and 1",
    ],
  ])('%s', (_, changes, profile, expected) => {
    expect(message(changes, profile)).toBe(expected);
  });

  test('of the second profile as well', () => {
    const net = made({ launch: ({ x }: Any) => [{ ...base, block: x.shape[0] }] });
    const profiles = [
      { n: [1, 8, 64], m: 4 },
      { n: [1, 8, 2000], m: 4 },
    ] as Profile[];
    expect(refusal(() => prepare(net, { profiles })).message).toContain('at profiles[1].max (n: 2000, m: 4)');
  });

  test('without profiles, of the ranges that a build assumes', () => {
    const net = made({ launch: ({ x, mul }: Any) => [{ ...base, block: mul(x.shape[0], 32) }] });
    expect(refusal(() => prepare(net)).message).toContain('at profiles[0].max (n: 64, m: 64)');
    // A check does not need profiles.
    prepare(net, {}, true).network.release();
  });
});

test('what fits goes through', () => {
  const changes = {
    launch: ({ x, ceilDiv, int32 }: Any) => [
      { ...base, grid: ceilDiv(x.size, 256), block: 256, args: [int32(x.size)] },
    ],
  };
  prepare(made(changes), { profiles: [{ n: [1, 8, 64], m: 4 }] }).network.release();
});

test('an output without elements is not launched', () => {
  const changes = { launch: ({ x }: Any) => [{ ...base, grid: x.shape[0] }] };
  prepare(made(changes), { profiles: [{ n: [0, 8, 64], m: 4 }] }).network.release();
});

test('without dynamic dims there is one place', () => {
  const net = network('fixed', { x: float32(2048) });
  const y = net
    .tensor()
    .plugin(define({ launch: ({ x, int8, add }: Any) => [{ ...base, args: [int8(add(x.shape[0], -1948))] }] }));
  (y as Tensor).output('y');
  prepare(net).network.release();
});

test('layers of a loop are checked', () => {
  const net = network('loop', { x: float32('n') });
  const x = net.tensor();
  const grows = define({ launch: ({ x: given, sub }: Any) => [{ ...base, grid: sub(given.shape[0], 1) }] });
  const { state } = net.loop({ count: 3, state: { s: x } }, ({ s }) => ({ state: { s: s.plugin(grows) as Tensor } }));
  state.s.output('y');
  expect(refusal(() => prepare(net, { profiles: [{ n: [1, 2, 3] }] })).message).toContain('given 0');
});

test('elements of shape inputs are those of the profile', () => {
  const sized = define({
    shapeInputs: ['size'],
    types: [{ x: 'float32', size: 'int32', y: 'float32' }],
    outputs: ({ size }: Any) => ({ y: [size.values[1]] }),
    launch: ({ size }: Any) => [{ ...base, grid: [1, size.values[1]] }],
  });
  const net = network('elements', { x: float32(2), size: int32(2) });
  const [x, size] = net.inputs as [Tensor, Tensor];
  (net.plugin(sized, { x, size } as never) as { y: Tensor }).y.output('y');
  const range = (most: number) =>
    ({
      profiles: [
        {
          size: [
            [1, 1],
            [2, 2],
            [3, most],
          ],
        },
      ],
    }) as { profiles: Profile[] };
  prepare(net, range(65_535)).network.release();
  expect(refusal(() => prepare(net, range(65_536))).message).toContain('at profiles[0].max: launch[0] (k): grid');
});

test('elements that launches depend on are sizes: 0 or more, where others may be negative', () => {
  const made = (dependent: boolean) => {
    const sized = define({
      shapeInputs: ['size', 'shift'],
      types: [{ x: 'float32', size: 'int32', shift: 'int64', y: 'float32' }],
      outputs: ({ size, shift, sub }: Any) => ({ y: [sub(size.values[0], shift.values[0])] }),
      launch: ({ x, y, shift, int64 }: Any) => [
        { ...base, args: [x, y, ...(dependent ? [int64(shift.values[0])] : [])] },
      ],
    });
    const net = network('negative', { x: float32(2), size: int32(1), shift: int64() });
    const [x, size, shift] = net.inputs as [Tensor, Tensor, Tensor];
    (net.plugin(sized, { x, size, shift } as never) as { y: Tensor }).y.output('y');
    return net;
  };
  const profiles = (least: number, most: number) => [{ size: [[1], [2], [3]], shift: [least, 0, most] }] as Profile[];
  prepare(made(true), { profiles: profiles(0, 1) }).network.release();
  prepare(made(false), { profiles: profiles(-1, 1) }).network.release();
  expect(refusal(() => prepare(made(true), { profiles: profiles(-1, 1) })).message).toContain(
    'at profiles[0].min: shift.values[0], which launch or workspace depends on: expected 0 to 2147483647, given -1',
  );
});

test('sizes that depend on data are not known', () => {
  const net = network('data', { x: float32('n') });
  const found = net.tensor().nonZero();
  found
    .plugin(define({ types: [{ x: 'int32', y: 'int32' }], launch: ({ x }: Any) => [{ ...base, block: x.shape[1] }] }))
    .output('y');
  prepare(net, { profiles: [{ n: [1, 2, 3000] }] }).network.release();
});

test('one tensor is updated in place by one layer', () => {
  const updates = define({ aliases: { y: 'x' } });
  const net = network('updates', { x: float32('n') });
  const x = net.tensor();
  x.plugin(updates, {} as never, { name: 'first' }).output('a');
  (x.plugin(updates, {} as never, { name: 'second' }).plugin(updates) as Tensor).output('b');
  const error = refusal(() => prepare(net));
  expect(error).toMatchObject({ code: 'ERR_PLUGIN', layer: 'second' });
  expect(error.message).toContain("updates input 'x' in place, which layer 'first' does already");
});

test('an evaluator that says otherwise is seen', () => {
  const net = made({ attributes: { a: attr.int32(1) } });
  const recipe = recipeIn(net);
  const point = { dims: [[3, 4]], values: [[]] };
  expect(faultAt(recipe, point, { dims: [['n', 'm']], sizes: { n: 3, m: 4 } })).toBeUndefined();
  expect(faultAt(recipe, point, { dims: [['n', addDims('m', 1)]], sizes: { n: 3, m: 4 } })).toBe(
    "output 'y': axis 1 is 4 in int64, and 5 as the network counts",
  );
});
