import { describe, expect, test } from 'vitest';
import {
  bool,
  concat,
  float32,
  int32,
  int64,
  type Network,
  network,
  type Profile,
  type Tensor,
} from '../../../src/index.js';
import { rejection } from '../networks.js';

/** The `count` best of each row, where `count` is an input. */
function best(): Network {
  const net = network('best', { x: float32(2, 6), count: int32() });
  const [x, count] = net.inputs as [Tensor, Tensor];
  x.topk(count)[0].output('y');
  return net;
}

function reshaped(): Network {
  const net = network('reshaped', { x: float32('n', 6), sizes: int64(2), ids: int32('n'), flag: bool() });
  const [x, sizes, ids, flag] = net.inputs as [Tensor, Tensor, Tensor, Tensor];
  x.reshape(sizes).output('y');
  ids.add(1).output('z');
  flag.logicalNot().output('f');
  return net;
}

const sizes: Profile[string] = [
  [1, 1],
  [3, 4],
  [36, 36],
];

/** Attention over a cache, with a mask whose size has a name of its own. */
function cached(): Network {
  const heads = (tokens: string) => float32(1, 2, tokens, 8);
  const mask = float32(1, 1, 'tokens', 'total');
  const net = network('cached', { past: heads('past'), k: heads('tokens'), q: heads('tokens'), mask });
  const [past, k, q, m] = net.inputs as [Tensor, Tensor, Tensor, Tensor];
  const keys = concat([past, k], { axis: 2 });
  q.attention(keys, keys, { mask: m, name: 'cache' }).output('y');
  return net;
}

describe('sizes of opt that contradict each other', () => {
  const two = (
    a: Parameters<typeof float32>,
    b: Parameters<typeof float32>,
    join: (a: Tensor, b: Tensor) => Tensor,
  ) => {
    const net = network('two', { a: float32(...a), b: float32(...b) });
    join(...(net.inputs as [Tensor, Tensor])).output('y');
    return net;
  };
  const opt = (sizes: Record<string, number>): Profile[] => [
    Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, [1, size, 64]])),
  ];
  const add = () => two(['n'], ['m'], (a, b) => a.add(b));

  test.each<[string, Network, Profile[], RegExp]>([
    [
      'attention',
      cached(),
      [{ past: [0, 16, 127], tokens: [1, 1, 64], total: [1, 20, 191] }],
      /^profiles\[0\]: opt contradicts attention 'cache.attention', where 'total', which is 20, meets 'past \+ tokens', which is 17\n/,
    ],
    ['a sum', add(), opt({ n: 3, m: 4 }), /opt contradicts element_wise .* 'n', which is 3, meets 'm', which is 4/],
    ['a sum with a number', two(['n'], [5], (a, b) => a.add(b)), opt({ n: 4 }), /'n', which is 4, meets 5/],
    [
      'a product',
      two([2, 'n'], ['m', 2], (a, b) => a.matmul(b)),
      opt({ n: 1, m: 4 }),
      /matrix_multiply.*'n', which is 1/,
    ],
    [
      'a concatenation, the second profile',
      two(['n', 2], ['m', 2], (a, b) => concat([a, b], { axis: 1 })),
      [...opt({ n: 4, m: 4 }), ...opt({ n: 4, m: 3 })],
      /^profiles\[1\]: opt contradicts concatenation/,
    ],
  ])('%s', async (_, net, profiles, message) => {
    for (const run of [net.build({ profiles }), net.check({ profiles }), net.compile({ profiles })]) {
      expect(await rejection(run)).toMatchObject({ code: 'ERR_PROFILE', message: expect.stringMatching(message) });
    }
  });

  test('not where they agree, broadcast, or differ at min and max only', async () => {
    await cached().check({ profiles: [{ past: [0, 16, 127], tokens: [1, 1, 64], total: [1, 17, 128] }] });
    for (const sizes of [
      { n: 4, m: 4 },
      { n: 1, m: 4 },
    ])
      await add().check({ profiles: opt(sizes) });
  });

  test('a layer that was refused leaves no trace', async () => {
    const net = network('refused', { a: float32('n', 2), b: float32('m', 3) });
    const [a, b] = net.inputs as [Tensor, Tensor];
    expect(() => a.add(b)).toThrow(/do not broadcast/);
    a.relu().output('y');
    b.relu().output('z');
    await net.check({ profiles: opt({ n: 3, m: 4 }) });
  });
});

test('a build without profiles says once which sizes it takes', async () => {
  const net = network('default', { x: float32('n', 8), y: float32('n', 'm.k') });
  for (const tensor of net.inputs) tensor.relu().output(`${tensor.name}!`);
  const said =
    "no profiles were given, so n, m.k may be 1 to 64, tuned for 8; for other sizes, give profiles: [{ n: [min, opt, max], 'm.k': [min, opt, max] }]";
  const lines: { severity: string; message: string }[] = [];
  using engine = await net.build({ onLog: (line) => lines.push(line) });
  expect(engine.log).toEqual([said]);
  expect(lines).toEqual([{ severity: 'warning', message: said }]);
  const others = [
    net.build({ profiles: [{ n: 8, 'm.k': 8 }], onLog: (line) => lines.push(line) }),
    network('static', { x: float32(8) })
      .relu()
      .network.compile({ onLog: (line) => lines.push(line) })
      .catch(() => undefined),
    net.check({ onLog: (line) => lines.push(line) }),
  ];
  await Promise.all(others);
  expect(lines).toHaveLength(1);
  const error = await rejection(
    net.build({
      onLog: () => {
        throw new Error('mine');
      },
    }),
  );
  expect(error).toMatchObject({ code: 'ERR_CALLBACK', message: expect.stringContaining('mine') });
});

describe('ranges of the elements of an input', () => {
  test.each<[string, () => Network, Profile[] | undefined, RegExp]>([
    [
      'missing',
      best,
      undefined,
      /computes shapes .* 'count' \(int32 \[\]\).* give their range: count: \[min, opt, max\]$/,
    ],
    ['missing from a profile', best, [{ count: 3 }, {}], /^profiles\[1\]: TensorRT .*give their range: count: /],
    [
      'missing beside a dim',
      reshaped,
      [{ n: 2 }],
      /'sizes' \(int64 \[2\]\).*sizes: \[min, opt, max\], each a list of 2/,
    ],
    ['missing, by default', reshaped, undefined, /sizes: \[min, opt, max\], each a list of 2/],
    ['not in rising order', best, [{ count: [1, 4, 3] }], /'count' must be .* rising order, given \[1, 4, 3\]/],
    [
      'with one element not in rising order',
      reshaped,
      [{ n: 2, sizes: [[1, 5], sizes[1], [12, 12]] as never }],
      /element 1 of 'sizes' must be .* rising order, given \[5, 4, 12\]/,
    ],
    ['a list for a number', best, [{ count: [[1], [2], [3]] }], /min of input 'count' must be a number.*given \[ 1 \]/],
    ['numbers for lists', reshaped, [{ n: 2, sizes: [1, 3, 4] }], /min of input 'sizes' must be a list of 2.*given 1/],
    ['one number for lists', reshaped, [{ n: 2, sizes: 6 }], /min of input 'sizes' must be a list of 2.*given 6/],
    [
      'too many',
      reshaped,
      [
        {
          n: 2,
          sizes: [
            [1, 1],
            [3, 4],
            [4, 4, 4],
          ],
        },
      ],
      /max of input 'sizes' must be a list of 2, .* int64 \[2\], given \[ 4, 4, 4 \]/,
    ],
    ['no int32', best, [{ count: [1, 2, 2 ** 31] }], /max of input 'count' has 2147483648, which is no int32/],
    ['a name unlike any', best, [{ size: 3 }], /no dynamic dim 'size'; it has none, and ranges .* for count$/],
    ['a name like one', best, [{ conut: 3 }], /'conut'.*did you mean 'count'\?/],
    ['a name like a dim and none else', reshaped, [{ m: 1, sizes }], /'m'; it has n, and .* for sizes$/],
    [
      'an input of floats',
      reshaped,
      [{ n: 2, sizes, x: 3 }],
      /input 'x' is float32 \[n, 6\]; .* int32 or int64 of fixed/,
    ],
    ['an input of dynamic length', reshaped, [{ n: 2, sizes, ids: 3 }], /input 'ids' is int32 \[n\]; .* fixed shape/],
    ['an input of bools', reshaped, [{ n: 2, sizes, flag: 1 }], /input 'flag' is bool \[\]/],
    ['lists for a dim', reshaped, [{ n: [[1], [2], [3]], sizes }], /dim 'n' takes \[min, opt, max\], given/],
    ['the name of an object’s method', best, [{ count: 3, toString: 3 }], /no dynamic dim 'toString'/],
  ])('%s', async (_, net, profiles, message) => {
    expect(await rejection(net().build({ profiles }))).toMatchObject({
      code: 'ERR_PROFILE',
      message: expect.stringMatching(message),
    });
  });

  test.each<[string, unknown]>([
    ['fractions', [1, 2.5, 3]],
    ['NaN in a list', [[1], [Number.NaN], [3]]],
    ['bigints', [1n, 2n, 3n]],
    ['lists of lists', [[[1]], [[2]], [[3]]]],
    ['two bounds', [1, 2]],
    ['an object', { min: 1, opt: 2, max: 3 }],
    ['null', null],
  ])('%s are refused', async (_, count) => {
    const error = await rejection(best().build({ profiles: [{ count } as Profile] }));
    expect(error).toMatchObject({ code: 'ERR_BUILD_OPTION', message: expect.stringMatching(/profiles\[0\]\.count: /) });
  });

  test('a name that an input and a dim share', async () => {
    const shared = (use: (x: Tensor, n: Tensor) => Tensor) => {
      const net = network('shared', { x: float32('n', 6), n: int32() });
      use(...(net.inputs as [Tensor, Tensor])).output('y');
      return net;
    };
    const decides = shared((x, n) => x.topk(n)[0]);
    expect(await rejection(decides.build({ profiles: [{ n: [1, 2, 3] }] }))).toMatchObject({
      code: 'ERR_PROFILE',
      message: expect.stringMatching(/input 'n' .* a dim has the same name: rename one of them/),
    });
    // Where the elements decide no shape there is nothing to confuse.
    const harmless = shared((x, n) => x.mul(n.cast('float32')));
    using engine = await harmless.build({ profiles: [{ n: [1, 2, 3] }] });
    expect(engine.inputs.map(({ values }) => values)).toEqual([undefined, undefined]);
    expect((await rejection(harmless.build({ profiles: [{ n: [[1], [2], [3]] }] }))).message).toMatch(
      /rename one of them/,
    );
  });

  test('an empty input cannot have one', async () => {
    const net = network('empty', { x: float32(1, 1), sizes: int64(0) });
    net.inputs[0]!.reshape(net.inputs[1]!).output('y');
    for (const profiles of [undefined, [{ sizes: [[], [], []] }] as Profile[]])
      expect((await rejection(net.build({ profiles }))).message).toMatch(/'sizes' \(int64 \[0\]\), but it has none/);
  });
});

describe('what TensorRT makes of them', () => {
  test('min, opt and max all arrive', async () => {
    // TensorRT refuses what no number in the range allows, and says so in another way where the optimum alone is wrong.
    const outcome = async (net: Network, count: Profile[string]) =>
      (await rejection(net.build({ profiles: [{ count }] }))).log!.join();
    expect(await outcome(best(), [7, 8, 9])).toMatch(/axis \(6\) is smaller than K .*processCheck/);
    expect(await outcome(best(), [1, 8, 9])).toMatch(/kOPT values for profile 0 .*axis \(6\) is smaller than K/);
    const filled = () => {
      const net = network('filled', { count: int64(1) });
      net.fill(net.inputs[0]!, { dtype: 'float32' }).topk(6)[0].output('y');
      return net;
    };
    expect(await outcome(filled(), [1, 2, 5])).toMatch(/smaller than K \(6\).*processCheck/);
    expect(await outcome(filled(), [1, 2, 6])).toMatch(/kOPT values for profile 0 .*smaller than K \(6\)/);
    using engine = await best().build({ profiles: [{ count: [1, 2, 6] }] });
    expect(engine.size).toBeGreaterThan(0);
  });

  test('one optimum that does not fit among several elements is found', async () => {
    const build = (opt: number[]) => reshaped().build({ profiles: [{ n: 2, sizes: [[1, 1], opt, [36, 36]] }] });
    expect((await rejection(build([3, 5]))).message).toMatch(/would change volume 12 to 15/);
    using engine = await build([3, 4]);
    expect(engine.size).toBeGreaterThan(0);
  });

  test('the engine’s inputs tell the ranges, by profile', async () => {
    using engine = await reshaped().build({
      profiles: [
        { n: [1, 2, 6], sizes },
        {
          n: 2,
          sizes: [
            [3, -1],
            [3, -1],
            [3, -1],
          ],
        },
      ],
    });
    const [x, given, ids, flag] = engine.inputs;
    expect(given!.values).toEqual([
      { min: [1, 1], opt: [3, 4], max: [36, 36] },
      { min: [3, -1], opt: [3, -1], max: [3, -1] },
    ]);
    for (const io of [x!, ids!, flag!, ...engine.outputs]) expect(io).not.toHaveProperty('values');
  });

  test('a range of an input that decides no shape is of no effect', async () => {
    const net = network('powers', { h: float32(3), count: int64() });
    const [h, count] = net.inputs as [Tensor, Tensor];
    net.loop({ count, state: { h } }, ({ h }) => ({ state: { h: h.mul(2) } })).state.h.output('y');
    using without = await net.build();
    using engine = await net.build({ profiles: [{ count: [0, 2, 2 ** 40] }] });
    for (const io of [...without.inputs, ...engine.inputs]) expect(io).not.toHaveProperty('values');
  });

  test('an input of rank 2 may decide shapes', async () => {
    const net = network('nested', { x: float32(2, 6), sizes: int64(1, 2) });
    net.inputs[0]!.reshape(net.inputs[1]!.reshape([2])).output('y');
    using engine = await net.build({
      profiles: [
        {
          sizes: [
            [1, 1],
            [3, 4],
            [12, 12],
          ],
        },
      ],
    });
    expect(engine.inputs[1]!.values).toEqual([{ min: [1, 1], opt: [3, 4], max: [12, 12] }]);
  });
});

test('a name that is undefined is one that was left out', async () => {
  const net = network('open', { x: float32('batch', 3) });
  net.relu().output('y');
  await net.check({ profiles: [{ batch: [1, 2, 4], tokens: undefined }] });
  expect(await rejection(net.check({ profiles: [{ batch: undefined }] }))).toMatchObject({
    code: 'ERR_PROFILE',
    message: expect.stringContaining("dim 'batch' is missing"),
  });
});
