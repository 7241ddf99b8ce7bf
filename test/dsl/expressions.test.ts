import { describe, expect, test } from 'vitest';
import { concat, extract, float32, Network, network, type Profile } from '../../src/index.js';
import { pinned } from '../passes/support.js';
import { refusal } from '../refusal.js';
import { rejection } from '../tensorrt/networks.js';

/** Sums of a cache and new values along time, weighted by a mask over both; `high` is twice as large as `low`. */
function cached(): Network {
  const net = network('cached', {
    mask: float32('batch', 'past+tokens'),
    cache: float32('batch', 'past', 2),
    x: float32('batch', 'tokens', 2),
    low: float32('h', 'w'),
    high: float32('h*2', '2*w'),
  });
  const all = concat([net.tensor('cache'), net.tensor('x')], { axis: 1 });
  all.mul(net.tensor('mask').unsqueeze(2)).reduce({ operation: 'sum', axis: 1 }).output('sums');
  const larger = net.tensor('low').reshape([1, 1, 'h', 'w']).interpolate({ mode: 'nearest', scaleFactor: 2 });
  larger.reshape(['2*h', '2*w']).sub(net.tensor('high')).output('difference');
  return net;
}

const feeds = {
  mask: [1, 0, 2, 0, 1, 1],
  cache: { shape: [2, 1, 2], data: [1, 2, 3, 4] },
  x: { shape: [2, 2, 2], data: [10, 20, 30, 40, 50, 60, 70, 80] },
  low: { shape: [1, 2], data: [5, 7] },
  high: [1, 1, 1, 1, 2, 2, 2, 2],
};
const expected = { sums: [1 + 60, 2 + 80, 50 + 70, 60 + 80], difference: [4, 4, 6, 6, 3, 3, 5, 5] };

async function run(net: Network) {
  using model = await net.compile({ backend: 'cpu' });
  const results = await model.run(feeds);
  return Object.fromEntries(Object.entries(results).map(([name, result]) => [name, [...result.toFloat32()]]));
}

const profile: Profile = { batch: [1, 2, 4], past: [0, 5, 100], tokens: [1, 1, 20], h: [1, 4, 8], w: [2, 3, 3] };

describe('inputs with expressions for dims', () => {
  test('have them in their canonical form, as layers infer them', () => {
    const net = cached();
    expect(net.inputs.map(({ shape }) => shape)).toEqual([
      ['batch', 'past + tokens'],
      ['batch', 'past', 2],
      ['batch', 'tokens', 2],
      ['h', 'w'],
      ['2*h', '2*w'],
    ]);
    expect(net.outputs.map(({ tensor }) => tensor.shape)).toEqual([
      ['batch', 2],
      ['2*h', '2*w'],
    ]);
  });

  test('run on the CPU backend', async () => {
    expect(await run(cached())).toEqual(expected);
  });

  test('are in JSON, and in what extract cuts', async () => {
    const net = cached();
    const again = Network.fromJSON(JSON.parse(JSON.stringify(net.toJSON())));
    expect(again.toJSON()).toMatchObject({ inputs: net.toJSON().inputs, outputs: net.toJSON().outputs });
    expect(await run(again)).toEqual(expected);
    expect(await run(extract(net))).toEqual(expected);
    const json = net.toJSON();
    json.inputs[0]!.shape = ['batch', 'past +'];
    expect(refusal(() => Network.fromJSON(json)).code).toBe('ERR_SHAPE');
  });

  test('are checked when fed', async () => {
    using model = await cached().compile({ backend: 'cpu' });
    const error = await rejection(model.run({ ...feeds, mask: { shape: [2, 4], data: Array(8).fill(1) } }));
    expect(error).toMatchObject({ code: 'ERR_FEED', expected: ['batch', 'past + tokens'], actual: [2, 4] });
    expect(error.message).toBe(
      "input 'mask': expected [batch, past + tokens] with past = 1 (from input 'cache'), tokens = 2 (from input 'x'), given [2, 4]: axis 1 is 4, not 3",
    );
  });

  test('have profiles that follow from those of their names', async () => {
    const engine = await cached().build({ ...pinned, profiles: [profile] });
    expect(engine.options!.profiles).toEqual([
      {
        mask: { min: [1, 1], opt: [2, 6], max: [4, 120] },
        cache: { min: [1, 0, 2], opt: [2, 5, 2], max: [4, 100, 2] },
        x: { min: [1, 1, 2], opt: [2, 1, 2], max: [4, 20, 2] },
        low: { min: [1, 2], opt: [4, 3], max: [8, 3] },
        high: { min: [2, 4], opt: [8, 6], max: [16, 6] },
      },
    ]);
    expect(engine.inputs[0]!.shape).toEqual(['batch', 'past + tokens']);
    engine.dispose();
    const report = await cached().check({ library: 'rtx1', profiles: [profile] });
    expect(report.names.inputs).toEqual(['mask', 'cache', 'x', 'low', 'high']);
    await cached().check({ library: 'rtx1' });
  });

  test('without profiles, names have the default range', async () => {
    const engine = await cached().build(pinned);
    expect(engine.options!.profiles?.[0]?.mask).toEqual({ min: [1, 2], opt: [8, 16], max: [64, 128] });
    expect(engine.log[0]).toContain('batch, past, tokens, h, w may be 1 to 64');
    engine.dispose();
  });

  test('what falls as a name grows has its least size where the name is largest', async () => {
    const net = network('rest', {
      total: float32('total'),
      rest: float32('total - past'),
      half: float32('floor(total / 2)'),
    });
    net.tensor('total').relu().output('t');
    net.tensor('rest').relu().output('r');
    net.tensor('half').relu().output('h');
    const engine = await net.build({ ...pinned, profiles: [{ total: [7, 8, 9], past: [0, 2, 3] }] });
    expect(engine.options!.profiles).toEqual([
      {
        total: { min: [7], opt: [8], max: [9] },
        rest: { min: [4], opt: [6], max: [9] },
        half: { min: [3], opt: [4], max: [4] },
      },
    ]);
    engine.dispose();
    // A size below 0 is none: the least is 0.
    const other = await net.build({ ...pinned, profiles: [{ total: [1, 8, 9], past: [0, 2, 3] }] });
    expect(other.options!.profiles?.[0]?.rest).toEqual({ min: [0], opt: [6], max: [9] });
    other.dispose();
  });

  test.each<[string, string, Profile, string]>([
    [
      'below 0 at opt',
      'n - m',
      { n: [1, 2, 9], m: [1, 3, 4] },
      "'-m + n' of input 'x' is -1 at opt where m: [1, 3, 4], n: [1, 2, 9]",
    ],
    ['too large', 'n*m', { n: [1, 1, 2 ** 20], m: [1, 1, 2 ** 20] }, "'m*n' of input 'x' is 1099511627776 at max"],
    ['divided by 0', 'floor(n / m)', { n: [1, 1, 2], m: [0, 1, 1] }, "'floor(n / m)' of input 'x' is Infinity at max"],
    ['without a name', 'n + m', { n: [1, 2, 3] }, "dim 'm' is missing; expected [min, opt, max] for each of m, n"],
    ['of the expression', 'n + m', { n: 1, m: 1, 'm + n': 2 }, "the network has no dynamic dim 'm + n'; it has m, n"],
  ])('a profile is refused: %s', async (_, dim, range, message) => {
    const net = network('odd', { x: float32(dim) });
    net.relu().output('y');
    const error = await rejection(net.build({ ...pinned, profiles: [range] }));
    expect(error.code).toBe('ERR_PROFILE');
    expect(error.message).toContain(message);
  });

  test('an expression does not tell the sizes of its names', () => {
    const net = network('alone', { x: float32('past + tokens', 2) });
    expect(net.tensor().reshape(['past + tokens', 1, 2]).shape).toEqual(['past + tokens', 1, 2]);
    expect(refusal(() => net.tensor().reshape(['past', -1])).message).toContain(
      "no dynamic dim is named 'past' here; known are past + tokens, and 'past + tokens' alone does not tell 'past': declare an input that has it",
    );
  });

  test('a layer that needs other sizes refuses them', () => {
    const net = network('add', { x: float32('n', 3), y: float32('2*n + 1') });
    expect(refusal(() => concat([net.tensor('x'), net.tensor('y')], { axis: 0 })).code).toMatch(/^ERR_/);
  });
});
