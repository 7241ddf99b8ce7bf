import { describe, expect, it } from 'vitest';
import { SharedWeights } from '../../src/cpu/graph.js';
import { lower } from '../../src/cpu/lower.js';
import { cut } from '../../src/cpu/segments.js';
import { createCpuModel } from '../../src/cpu/session.js';
import { snapshot } from '../../src/dsl/snapshot.js';
import {
  bool,
  type Feeds,
  float32,
  foldConstants,
  int32,
  int64,
  type Network,
  network,
  type Result,
  type Tensor,
} from '../../src/index.js';
import {
  affine,
  bare,
  greedy,
  layersOnly,
  lies,
  lie as lieWith,
  positives,
  rows,
  tile,
  twoWays,
  writeRow,
} from './plugin-definitions.js';

async function run(net: Network, feeds: Feeds): Promise<Record<string, Result>> {
  using model = await createCpuModel(net);
  return model.run(feeds);
}

const values = (results: Record<string, Result>) =>
  Object.fromEntries(Object.entries(results).map(([name, result]) => [name, [...result.toFloat32()]]));

/** What the cut runs, in order: the layers of each part but for constants, or a plugin's name. */
const steps = (net: Network) =>
  cut(snapshot(net)).steps.map((step) =>
    'plugin' in step
      ? step.plugin.name
      : step.part.nodes.flatMap(({ kind, name }) => (kind === 'constant' ? [] : [name])),
  );

describe('a network is cut around its plugins', () => {
  it('between layers', async () => {
    const net = network('between', { x: float32('n', 2) });
    net.tensor().mul(10).plugin(affine, { factor: 3 }).neg().output('y');
    expect(steps(net)).toEqual([['element_wise'], 'test_affine', ['unary']]);
    expect(values(await run(net, { x: [1, 2, 3, 4] }))).toEqual({ y: [-31, -61, -91, -121] });
    const { y } = await run(net, { x: [1, 2] });
    expect(y!.shape).toEqual([1, 2]);
  });

  it('and values go around it', async () => {
    const net = network('around', { x: float32('n') });
    const large = net.tensor().abs();
    large.add(large.neg().plugin(affine)).output('y');
    expect(steps(net)).toEqual([['unary', 'unary_1'], 'test_affine', ['element_wise']]);
    expect(values(await run(net, { x: [1, -2, 3] }))).toEqual({ y: [0, -1, -2] });
  });

  it('without a session where there is nothing but plugins', async () => {
    const net = network('alone', { x: float32(2) });
    net.tensor().plugin(affine).plugin(affine, {}, { name: 'second' }).output('y');
    expect(steps(net)).toEqual(['test_affine', 'second']);
    const { y } = await run(net, { x: [1, -2] });
    expect(y).toMatchObject({ dtype: 'float32', shape: [2], data: Float32Array.of(7, -5) });
  });

  it('in as few sessions as chains of plugins need', async () => {
    const net = network('chains', { x: float32('n', 3), b: float32(3) });
    const [x, b] = [net.tensor('x'), net.tensor('b')];
    const first = net.plugin(rows, { x: x.abs(), bias: b }, {}, { name: 'first' });
    const other = x.neg().plugin(affine, {}, { name: 'other' });
    const again = net.plugin(rows, { x: first.rest.add(other), bias: b.mul(2) }, {}, { name: 'again' });
    again.rest.output('rest');
    again.sum.add(first.sum).output('sum');
    expect(steps(net)).toEqual([
      ['unary', 'unary_1', 'element_wise_1'],
      'first',
      'other',
      ['element_wise'],
      'again',
      ['element_wise_2'],
    ]);
    const feeds = { x: { shape: [2, 3], data: [1, -2, 3, 4, 5, -6] }, b: [1, 10, 100] };
    const rowsOf = (x: number[][], b: number[]) => {
      const sum = x.map((row) => row.reduce((total, v, j) => total + v + b[j]!, 0));
      return { sum, rest: x.map((row, i) => row.map((v) => sum[i]! - v)) };
    };
    const given = [
      [1, -2, 3],
      [4, 5, -6],
    ]; // prettier-ignore
    const one = rowsOf(
      given.map((row) => row.map(Math.abs)),
      feeds.b,
    ); // prettier-ignore
    const two = rowsOf(
      one.rest.map((row, i) => row.map((v, j) => v + (1 - 2 * given[i]![j]!))),
      feeds.b.map((v) => 2 * v),
    ); // prettier-ignore
    expect(values(await run(net, feeds))).toEqual({
      rest: two.rest.flat(),
      sum: two.sum.map((v, i) => v + one.sum[i]!),
    });
  });
});

describe('a value', () => {
  it('is the caller’s, and each its own: of a plugin, an input and a constant, under two names', async () => {
    const net = network('own', { x: float32(2) });
    const x = net.tensor();
    const y = x.plugin(affine);
    const c = net.constant([5, 6], { dtype: 'float32' });
    for (const [name, tensor] of Object.entries({ x, y, c })) tensor.output(`${name}1`).output(`${name}2`);
    c.plugin(affine, {}, { name: 'of_constant' }).add(y).output('z');
    using model = await createCpuModel(net);
    const fed = Float32Array.of(1, 2);
    const expected = { x1: [1, 2], x2: [1, 2], y1: [3, 5], y2: [3, 5], c1: [5, 6], c2: [5, 6], z: [14, 18] };
    for (const _ of [1, 2]) {
      const results = await model.run({ x: fed });
      expect(values(results)).toEqual(expected);
      const arrays = Object.values(results).map(({ data }) => data);
      expect(new Set([fed, ...arrays].map(({ buffer }) => buffer)).size).toBe(arrays.length + 1);
      for (const array of arrays) array.fill(0 as never);
    }
    expect(fed).toEqual(Float32Array.of(1, 2));
  });

  it('is no other for what a reference does to its copy', async () => {
    const net = network('greedy', { x: float32(2) });
    const before = net.tensor().neg();
    const [one, two] = ['one', 'two'].map((name) => before.plugin(greedy, {}, { name }));
    net.tensor().plugin(greedy, {}, { name: 'three' }).output('three');
    before.add(one!).add(two!.mul(10)).output('y');
    net.tensor().mul(1).output('x again');
    const fed = Float32Array.of(1, 2);
    expect(values(await run(net, { x: fed }))).toEqual({ three: [2, 3], y: [-1, -13], 'x again': [1, 2] });
    expect(fed).toEqual(Float32Array.of(1, 2));
  });

  it('that a plugin updates in place is another afterwards; what was fed does not change', async () => {
    const net = network('cache', { cache: float32('capacity', 2), row: float32(2), at: int32(1) });
    const [cache, row, at] = ['cache', 'row', 'at'].map((name) => net.tensor(name)) as [Tensor, Tensor, Tensor];
    const updated = net.plugin(writeRow, { cache, row, at }).cacheOut;
    updated.output('cacheOut');
    updated.sum().output('sum');
    cache.sum().output('before');
    using model = await createCpuModel(net);
    const fed = new Float32Array(6).fill(1);
    const results = await model.run({ cache: fed, row: [5, 6], at: [1] });
    expect(values(results)).toEqual({ cacheOut: [1, 1, 5, 6, 1, 1], sum: [15], before: [6] });
    expect(fed).toEqual(new Float32Array(6).fill(1));
    const { cacheOut } = await model.run({ cache: results.cacheOut!, row: [7, 8], at: [0] });
    expect([...cacheOut!.data]).toEqual([7, 8, 5, 6, 1, 1]);
  });
});

describe('a size that a plugin computes', () => {
  const net = network('positives', { x: float32('n') });
  const { values: found, count } = net.plugin(positives, { x: net.tensor().neg() });
  found.mul(2).output('found');
  count.cast('float32').output('count');

  it('is that of the elements, in this session and the next', async () => {
    using model = await createCpuModel(net);
    for (const x of [[1, -2, 3, -4], [1], [-1, -2, -3]]) {
      const expected = x.filter((v) => v < 0).map((v) => -2 * v);
      const results = await model.run({ x });
      expect(values(results)).toEqual({ found: expected, count: [expected.length] });
      expect([results.found!.shape, results.count!.shape]).toEqual([[expected.length], []]);
    }
  });

  it('agrees with the shape, and is at most the upper bound', async () => {
    const lying = network('lying', { x: float32('n') });
    lying.plugin(lies, { x: lying.tensor() }).values.output('y');
    using model = await createCpuModel(lying);
    const lie = (count: number | bigint | number[], values: unknown) => {
      lieWith({ count, values });
      return model.run({ x: [1, 2, 3] });
    };
    expect([...(await lie(2, [1, 2])).y!.data]).toEqual([1, 2]);
    await expect(lie(2, [1])).rejects.toThrow("output 'values' of its reference: expected 2 elements for [2], given 1");
    await expect(lie(2, { shape: [1], data: [1] })).rejects.toThrow('expected [2], given [1]');
    await expect(lie(4, [1, 2, 3, 4])).rejects.toThrow(
      "output 'count' of its reference: expected a size up to 3, given 4",
    );
    await expect(lie(-1, [])).rejects.toThrow('expected a size up to 3, given -1');
    await expect(lie([1, 2], [1])).rejects.toThrow('expected one size, given 2 elements');
  });
});

it('shape inputs are given as elements, and decide shapes', async () => {
  const net = network('tiled', { x: float32('n'), times: int64(1) });
  const tiled = net.plugin(tile, { x: net.tensor('x').neg(), times: net.tensor('times') }).y;
  tiled.neg().output('y');
  const { y } = await run(net, { x: [1, 2], times: [3] });
  expect(y).toMatchObject({ shape: [6], data: Float32Array.of(1, 2, 1, 2, 1, 2) });
});

describe('large constants', () => {
  const large = { shape: [1024], data: Float32Array.from({ length: 1024 }, (_, i) => i) };
  const small = { shape: [2], data: Float32Array.of(1, 2) };

  it('of several sessions are held once', async () => {
    const net = network('shared', { x: float32(1024) });
    const c = net.constant(large);
    const only = net.constant({ shape: [1024], data: large.data.map((v) => -v) });
    net.tensor().add(c).plugin(affine).mul(c).plugin(affine, {}, { name: 'second' }).sub(c).add(only).output('y');
    c.slice({ start: [0], size: [2] })
      .add(small)
      .output('z');
    const { steps: all, shared } = cut(snapshot(net));
    const parts = all.flatMap((step) => ('part' in step ? [step.part] : []));
    const weights = new SharedWeights(shared);
    const programs = parts.map((part) => lower(part, weights));
    expect(programs.map(({ fed, files }) => [fed.length, files.length])).toEqual([
      [1, 0],
      [1, 0],
      [1, 1],
    ]);
    expect(new Set(programs.flatMap(({ fed }) => fed.map(({ data }) => data))).size).toBe(1);
    const x = new Float32Array(1024).fill(0.5);
    const { y, z } = await run(net, { x });
    expect(y!.data).toEqual(large.data.map((v, i) => 2 * ((2 * (x[i]! + v) + 1) * v) + 1 - v - v));
    expect([...z!.data]).toEqual([1, 3]);
  });

  it('may not be changed by their owner, nor be gone', async () => {
    const data = new Float32Array(1024).fill(1);
    const net = network('changed', { x: float32(1024) });
    const c = net.constant({ shape: [1024], data });
    net
      .plugin(rows, { x: c.reshape([32, 32]), bias: net.tensor().slice({ start: [0], size: [32] }) })
      .sum.output('sum');
    c.plugin(affine).add(c).output('y');
    const creating = createCpuModel(net);
    data.fill(9);
    using model = await creating;
    const { y, sum } = await model.run({ x: new Float32Array(1024) });
    expect([y!.data[0], sum!.data[0]]).toEqual([4, 32]);
    structuredClone(data.buffer, { transfer: [data.buffer] });
    await expect(createCpuModel(net)).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    const direct = network('direct', { x: float32(1) });
    const small = Float32Array.of(1, 2);
    direct
      .constant({ shape: [2], data: small })
      .plugin(affine)
      .output('y');
    structuredClone(small.buffer, { transfer: [small.buffer] });
    await expect(createCpuModel(direct)).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
  });
});

describe('errors', () => {
  it('of an assertion come before a plugin that follows it', async () => {
    const net = network('asserted', { x: float32('n') });
    const x = net.tensor();
    x.abs().lt(10).all().assert('too large', { name: 'check' });
    lieWith(undefined as never);
    net.plugin(lies, { x: x.neg() }).values.output('y');
    await expect(run(net, { x: [99] })).rejects.toMatchObject({ code: 'ERR_ASSERTION', layer: 'check' });
    await expect(run(net, { x: [9] })).rejects.toMatchObject({ code: 'ERR_PLUGIN', layer: 'test_lies' });
  });

  it('of onnxruntime name the layer of a later session', async () => {
    const net = network('failing', { x: float32('n'), i: int32(1) });
    net.tensor('x').plugin(affine).gather(net.tensor('i'), { name: 'pick' }).output('y');
    using model = await createCpuModel(net);
    expect(values(await model.run({ x: [1, 2], i: [1] }))).toEqual({ y: [5] });
    await expect(model.run({ x: [1, 2], i: [7] })).rejects.toMatchObject({ code: 'ERR_CPU_BACKEND', layer: 'pick' });
  });

  it('of a model that was disposed', async () => {
    const net = network('disposed', { x: float32(1) });
    net.tensor().neg().plugin(affine).neg().output('y');
    const model = await createCpuModel(net);
    const running = model.run({ x: [1] });
    model.dispose();
    expect(values(await running)).toEqual({ y: [1] });
    await expect(model.run({ x: [1] })).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
  });
});

describe('a plugin without a reference', () => {
  const at = { source: { file: expect.stringContaining('plugins.test.ts') } };

  it('is its decomposition', async () => {
    const net = network('layers', { x: float32('n') });
    net.tensor().plugin(layersOnly).output('y');
    expect(values(await run(net, { x: [1, -2] }))).toEqual({ y: [3, -6] });
  });

  it('or is refused', async () => {
    const net = network('bare', { x: float32('n') });
    net.tensor().plugin(bare, {}, { name: 'layer' }).output('y');
    await expect(createCpuModel(net)).rejects.toMatchObject({ code: 'ERR_CPU_BACKEND', layer: 'layer', ...at });
    const said =
      "plugin 'layer': test_bare: it has no reference for the CPU backend: give its definition a reference, or a decompose";
    await expect(createCpuModel(net)).rejects.toThrow(said);
  });

  it('of a library is refused', async () => {
    const net = network('library', { x: float32('n') });
    const outputs = [{ dtype: 'float32', shape: ['n'] }] as const;
    net.plugin('Region_TRT', { inputs: [net.tensor()], outputs, name: 'layer' })[0]!.output('y');
    await expect(createCpuModel(net)).rejects.toMatchObject({ code: 'ERR_CPU_BACKEND', layer: 'layer', ...at });
    await expect(createCpuModel(net)).rejects.toThrow(
      "'layer': Region_TRT: the CPU backend has no reference for plugins",
    );
  });

  it('matters only if an output depends on it', async () => {
    const net = network('dead', { x: float32(2) });
    net.tensor().plugin(bare).neg();
    net.tensor().plugin(affine).output('y');
    expect(values(await run(net, { x: [1, 2] }))).toEqual({ y: [3, 5] });
  });
});

describe('in a loop or conditional', () => {
  const looped = (plugin: typeof affine | typeof bare) => {
    const net = network('looped', { x: float32(2) });
    const { state } = net.loop({ state: { s: net.tensor() }, count: 3, name: 'walk' }, ({ s }) => ({
      state: { s: (s as Tensor).plugin(plugin as typeof bare, {}, { name: 'layer' }) },
    }));
    state.s.output('y');
    return net;
  };

  it('its decomposition runs', async () => {
    const net = looped(affine);
    expect(values(await run(net, { x: [1, 2] }))).toEqual({ y: [15, 23] });
    const chosen = network('chosen', { x: float32(2), hot: bool() });
    chosen
      .if(
        chosen.tensor('hot'),
        () => chosen.tensor('x').plugin(affine),
        () => chosen.tensor('x'),
      )
      .output('y');
    expect(values(await run(chosen, { x: [1, 2], hot: true }))).toEqual({ y: [3, 5] });
    expect(values(await run(chosen, { x: [1, 2], hot: false }))).toEqual({ y: [1, 2] });
  });

  it('it is refused without one', async () => {
    await expect(createCpuModel(looped(bare))).rejects.toMatchObject({
      code: 'ERR_CPU_BACKEND',
      layer: 'walk.layer',
      source: { file: expect.stringContaining('plugins.test.ts') },
    });
    await expect(createCpuModel(looped(bare))).rejects.toThrow(
      'cannot call a reference inside them: give the definition a decompose, or move the plugin out',
    );
  });

  it('others run by their references beside it', async () => {
    const net = looped(affine);
    net.tensor().plugin(greedy).output('z');
    expect(values(await run(net, { x: [1, 2] }))).toEqual({ y: [15, 23], z: [2, 3] });
  });
});

describe('a model', () => {
  it('has more outputs of one run, and runs decompositions where that is asked for', async () => {
    const net = network('also', { x: float32('n') });
    const first = net.tensor().neg({ name: 'before' }).plugin(twoWays, {}, { name: 'ways' });
    first.mul(2, { name: 'double' }).plugin(affine, {}, { name: 'end' }).output('y');
    for (const decomposePlugins of [false, true]) {
      using model = await net.compile({ backend: 'cpu', decomposePlugins });
      const [ways, double] = decomposePlugins ? [[99], [198]] : [[1], [2]];
      expect(values(await model.run({ x: [3] }))).toEqual({ y: [2 * double[0]! + 1] });
      const also = await model.run({ x: [3] }, { also: ['before', 'ways', 'double'] });
      expect(values(also)).toEqual({ y: [2 * double[0]! + 1], before: [-3], ways, double });
    }
  });

  it('without plugins is one session of the whole network', () => {
    const net = network('plain', { x: float32('n') });
    net.tensor().neg().output('y');
    net.tensor().abs();
    const whole = snapshot(net);
    expect(cut(whole)).toEqual({ steps: [{ part: whole }], constants: [], shared: new Set() });
  });
});

it('constants are not folded through a plugin', async () => {
  const net = network('folded', { x: float32(1) });
  net.constant([1], { dtype: 'float32' }).neg().plugin(affine).mul(net.tensor()).output('y');
  const evaluate = async (part: Network) => {
    using model = await createCpuModel(part);
    return await model.run({});
  };
  const folded = await foldConstants(net, { evaluate });
  expect(folded.graph.nodes.map(({ kind }) => kind)).toEqual(['constant', 'plugin', 'element_wise']);
  expect(values(await run(folded, { x: [3] }))).toEqual({ y: [-3] });
});
