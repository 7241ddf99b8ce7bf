import { describe, expect, test } from 'vitest';
import type { LogLine } from '../../stand-in/harness.js';
import { releases, runPlugins, standIns } from './support.js';

standIns(...releases, '10.2.0', '10.16.0');

const outputsOf = (log: readonly LogLine[]) => log.find(({ call }) => call === 'getNbOutputs')?.value;

describe.each(releases)('TensorRT %s', (release) => {
  test('tactics are timed; one that fails is skipped, and the other runs', async () => {
    const program = `
      const net = network('one', { x: float32(3) });
      net.tensor('x').plugin(plugins.tuned).output('y');
      const engine = await net.build();
      print(await outcome(engine.run({ x: [1, 2, 3] })));`;
    const kernelOf = async (env: Record<string, string>, fail?: string) => {
      const { result, log } = await runPlugins(program, { release, env, fail });
      expect(result).toEqual({ y: { shape: [3], data: [3, 6, 9] } });
      return log.filter(({ call }) => call === 'cuLaunchKernel').at(-1);
    };
    expect(await kernelOf({})).toMatchObject({ kernel: 'first', block: [128, 1, 1] });
    expect(await kernelOf({ STANDIN_TACTIC: '2' })).toMatchObject({ kernel: 'second', block: [256, 1, 1] });
    expect(await kernelOf({}, 'first:launch')).toMatchObject({ kernel: 'second', block: [256, 1, 1] });
  });

  test('where every tactic fails, the build says why', async () => {
    const { result } = await runPlugins(
      `
      const net = network('one', { x: float32(3) });
      net.tensor('x').plugin(plugins.tuned).output('y');
      print(await outcome(net.build()));`,
      { release, fail: 'first:launch,second:launch' },
    );
    expect(result).toEqual({
      code: 'ERR_BUILD_FAILED',
      message: expect.stringMatching(/Tuned.*kernel 'first' failed/s),
    });
  });

  test('timings are shared by layers of one definition only where attributes are the same', async () => {
    const { log } = await runPlugins(
      `
      const net = network('three', { x: float32(3) });
      for (const [i, factor] of [3, 4, 3].entries()) net.tensor('x').plugin(plugins.tuned, { factor }).output('y' + i);
      await net.build();
      print(0);`,
      { release },
    );
    const asked = log.filter(({ call }) => call === 'timing cache');
    expect(asked.map(({ hit }) => hit)).toEqual([false, false, true]);
  });

  test('two versions of one name in one engine', async () => {
    const { result } = await runPlugins(
      `
      const net = network('two', { x: float32(2) });
      net.tensor('x').plugin(plugins.scale).output('one');
      net.tensor('x').plugin(plugins.scale2).output('two');
      const engine = await net.build();
      print(await outcome(engine.run({ x: [1, 2] })));`,
      { release },
    );
    expect(result).toEqual({ one: { shape: [2], data: [2, 4] }, two: { shape: [2], data: [102, 104] } });
  });

  test('an output whose size the kernel computes, also as the input of another plugin', async () => {
    const { result } = await runPlugins(
      `
      const net = network('some', { x: float32('n') });
      const { y, count } = net.tensor('x').plugin(plugins.positives);
      y.output('y');
      count.output('count');
      y.plugin(plugins.scale, { factor: 10 }).output('z');
      const engine = await net.build({ profiles: [{ n: [1, 4, 8] }] });
      const results = [];
      for (const x of [[1, -2, 3, 4], [-1], [5, 6]]) results.push(await outcome(engine.run({ x })));
      print(results);`,
      { release },
    );
    const all = (...data: number[]) => ({
      y: { shape: [data.length], data },
      count: { shape: [], data: [data.length] },
      z: { shape: [data.length], data: data.map((one) => one * 10) },
    });
    expect(result).toEqual([all(1, 3, 4), all(), all(5, 6)]);
  });

  test('a shape input, whose elements sizes and launches are computed from', async () => {
    const { result, log } = await runPlugins(
      `
      const net = network('repeat', { x: float32(2), times: api.int32(1) });
      net.plugin(plugins.repeat, { x: net.tensor('x'), times: net.tensor('times') }).y.output('y');
      const engine = await net.build({ profiles: [{ times: [[1], [2], [4]] }] });
      print([await outcome(engine.run({ x: [1, 2], times: [3] })), await outcome(engine.run({ x: [5, 6], times: [1] }))]);`,
      { release },
    );
    expect(result).toEqual([{ y: { shape: [6], data: [1, 2, 1, 2, 1, 2] } }, { y: { shape: [2], data: [5, 6] } }]);
    expect(log.filter(({ call }) => call === 'cuLaunchKernel').map(({ grid }) => grid)).toEqual([
      [3, 1, 1],
      [1, 1, 1],
    ]);
    expect(outputsOf(log)).toBe(2);
  });

  test('nine elements of two shape inputs, in tactics and a workspace', async () => {
    const { result, log } = await runPlugins(
      `
      const net = network('weigh', { x: float32(2), many: api.int32(8), shift: api.int64() });
      const [x, many, shift] = net.inputs;
      net.plugin(plugins.weigh, { x, many, shift }).y.output('y');
      const [least, most] = [Array(8).fill(0), Array(8).fill(1000)];
      const engine = await net.build({ profiles: [{ many: [least, Array(8).fill(2), most], shift: [0, 3, 2 ** 31 - 1] }] });
      const results = [];
      for (const [many, shift] of [[[1, 2, 3, 4, 5, 6, 7, 8], 5], [[0, 0, 0, 0, 0, 0, 0, 1000], 5], [[0, 0, 0, 0, 0, 0, 0, 1000], 2 ** 20]]) {
        results.push((await outcome(engine.run({ x: [1, -2], many, shift }))).y?.data);
      }
      print(results);`,
      { release },
    );
    const both = (sum: number) => [1 + sum, -2 + sum];
    expect(result).toEqual([both(204 + 5), both(8000 + 5), both(8000 + 2 ** 20)]);
    // Seven elements in one hidden output, two in another.
    expect(outputsOf(log)).toBe(3);
  });

  test('an element that sizes alone depend on', async () => {
    const { result, log } = await runPlugins<{ y: { shape: number[]; data: number[] } }[]>(
      `
      const net = network('tenfold', { x: float32(2), length: api.int64() });
      net.plugin(plugins.tenfold, { x: net.tensor('x'), length: net.tensor('length') }).y.output('y');
      const engine = await net.build({ profiles: [{ length: [0, 2, 4] }] });
      print([await outcome(engine.run({ x: [3, 4], length: 2 })), await outcome(engine.run({ x: [3, 4], length: 0 })), await outcome(engine.run({ x: [5, 6], length: 4 }))]);`,
      { release },
    );
    expect(result.map(({ y }) => [y.shape[0], y.data[0]])).toEqual([
      [2, 30],
      [0, undefined],
      [4, 50],
    ]);
    expect(log.filter(({ call }) => call === 'cuLaunchKernel').length).toBe(2);
    expect(outputsOf(log)).toBe(1);
  });

  test('an element that bounds what the kernel computes', async () => {
    const { result } = await runPlugins(
      `
      const net = network('most', { x: float32(4), most: api.int32() });
      const { y, count } = net.plugin(plugins.atMost, { x: net.tensor('x'), most: net.tensor('most') });
      y.output('y');
      count.output('count');
      const engine = await net.build({ profiles: [{ most: [2, 3, 4] }] });
      print([await outcome(engine.run({ x: [1, -2, 3, -4], most: 3 })), await outcome(engine.run({ x: [-1, -2, 3, -4], most: 2 }))]);`,
      { release },
    );
    expect(result).toEqual([
      { y: { shape: [2], data: [1, 3] }, count: { shape: [], data: [2] } },
      { y: { shape: [1], data: [3] }, count: { shape: [], data: [1] } },
    ]);
  });
});

// From 10.15 on TensorRT says that an output lies in its input's memory; before, the two have addresses of their own, and
// before 10.3 it knows of no aliases. Then the plugin copies.
test.each([
  ['10.2.0', 2],
  ['10.6.0', 2],
  ['10.16.0', 0],
  ['11.1.0', 0],
] as const)('an input is updated in place: TensorRT %s', async (release, copies) => {
  const { result, log } = await runPlugins(
    `
    const net = network('cache', { cache: float32(3), step: float32(1) });
    const { next } = net.plugin(plugins.advance, { cache: net.tensor('cache'), step: net.tensor('step') });
    next.output('next');
    const engine = await net.build();
    const cache = Float32Array.of(1, 2, 3);
    print([await outcome(engine.run({ cache, step: [10] })), await outcome(engine.run({ cache, step: [20] })), Array.from(cache)]);`,
    { release },
  );
  expect(result).toEqual([
    { next: { shape: [3], data: [11, 12, 13] } },
    { next: { shape: [3], data: [21, 22, 23] } },
    [1, 2, 3],
  ]);
  expect(log.filter(({ call }) => call === 'cuMemcpyDtoDAsync').map(({ bytes }) => bytes)).toEqual(
    Array(copies).fill(12),
  );
});

test.each([
  ['10.2.0', 2],
  ['10.16.0', 0],
] as const)('in place inside a network: the next layer sees the update: TensorRT %s', async (release, copies) => {
  const { result, log } = await runPlugins(
    `
    const net = network('cache', { x: float32(3), step: float32(1) });
    const [x, step] = [net.tensor('x'), net.tensor('step')];
    const { next } = net.plugin(plugins.advance, { cache: x.relu(), step });
    net.plugin(plugins.advance, { cache: next, step }).next.relu().output('y');
    const engine = await net.build();
    print(await outcome(engine.run({ x: [-1, 2, 3], step: [10] })));`,
    { release },
  );
  expect(result).toEqual({ y: { shape: [3], data: [20, 22, 23] } });
  expect(log.filter(({ call }) => call === 'cuMemcpyDtoDAsync').length).toBe(copies);
});
