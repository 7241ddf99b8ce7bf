import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  decomposePlugins,
  definePlugin,
  type Engine,
  float32,
  type Network,
  network,
  type PluginTensor,
  type Tensor,
  TensorRTError,
} from '../../src/index.js';
import { affine, bare, cuda, greedy, launch, rows } from '../cpu/plugin-definitions.js';
import { expectIdentical, pinned, run } from './support.js';

const one = { version: '1', inputs: ['x'], types: [{ x: 'float32', y: 'float32' }], cuda, launch } as const;
const same = { ...one, outputs: ({ x }: { x: PluginTensor }) => ({ y: x.shape }) } as const;

/** Made of two other plugins. */
const nested = definePlugin({
  ...same,
  name: 'test_nested',
  reference: ({ x }) => ({ y: (x.data as Float32Array).map((v) => 6 * v + 3) }),
  decompose: ({ x }) => ({ y: x.plugin(affine, { factor: 3 }).plugin(affine, {}, { name: 'last' }) }),
});

let itself: typeof affine;
const endless = definePlugin({ ...same, name: 'test_endless', decompose: ({ x }) => ({ y: x.plugin(itself) }) });
itself = endless as unknown as typeof affine;

/** Its decomposition gives what `made` records. */
let made: (x: Tensor) => unknown;
const makes = definePlugin({ ...same, name: 'test_makes', decompose: ({ x }) => made(x) as { y: Tensor } });

function making(record: (x: Tensor) => unknown, shape: readonly (number | string)[] = ['n', 4]): Network {
  const net = network('making', { x: float32(...shape) });
  net.tensor().plugin(makes, {}, { name: 'layer' }).output('y');
  made = record;
  return net;
}

function thrown(call: () => unknown): TensorRTError {
  try {
    call();
  } catch (error) {
    if (error instanceof TensorRTError) return error;
    throw error;
  }
  return expect.fail('nothing was thrown');
}

const layersOf = (net: Network) => net.graph.nodes.map(({ kind, name }) => `${kind} ${name}`);

/** Plugins in the middle, with weights around. */
function classifier(): Network {
  const net = network('classifier', { x: float32('n', 3) });
  const weight = { shape: [4, 3], data: Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)) };
  const bias = net.constant([1, 2, 3, 4], { dtype: 'float32', name: 'bias' });
  const x = net.tensor().linear({ weight, name: 'fc' });
  const { sum, rest } = net.plugin(rows, { x, bias }, {}, { name: 'rows' });
  rest.plugin(affine, { factor: 0.5 }, { name: 'half' }).add(sum.unsqueeze(1)).output('y');
  return net;
}

/** The same by hand. */
function byHand(): Network {
  const net = network('classifier', { x: float32('n', 3) });
  const weight = { shape: [4, 3], data: Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)) };
  const bias = net.constant([1, 2, 3, 4], { dtype: 'float32', name: 'bias' });
  const x = net.tensor().linear({ weight, name: 'fc' });
  const { sum, rest } = net.scope('rows', () => {
    const sums = x.add(bias).sum({ axis: 1 });
    return { sum: sums, rest: sums.unsqueeze(1).sub(x) };
  });
  net
    .scope('half', () => rest.mul(0.5).add(1))
    .add(sum.unsqueeze(1))
    .output('y');
  return net;
}

describe('decomposePlugins', () => {
  test('records layers under the names of plugins, and changes nothing else', () => {
    const net = classifier();
    const before = JSON.stringify(net.toJSON());
    const layers = decomposePlugins(net);
    expect(JSON.stringify(net.toJSON())).toBe(before);
    expect(layersOf(layers)).toEqual(layersOf(byHand()));
    expect(layers.name).toBe('classifier');
    expect(decomposePlugins(net, { name: 'other' }).name).toBe('other');
    const places = layers.toJSON().nodes.map(({ name, source }) => [name, source?.file.replace(/.*\//, '')]);
    expect(places).toContainEqual(['fc', 'decompose-plugins.test.ts']);
    expect(places).toContainEqual(['rows.reduce', 'plugin-definitions.ts']);
    expect(layers.weights[0]!.data).toBe(net.weights[0]!.data);
  });

  test('gives what references give, and what is recorded by hand', async () => {
    const feeds = { x: { shape: [2, 3], data: Float32Array.of(1, -2, 3, 0.5, 0, 1) } };
    const results = await run(decomposePlugins(classifier()), feeds);
    expectIdentical(results, await run(byHand(), feeds));
    const own = await run(classifier(), feeds);
    for (const [i, value] of own.y!.toFloat32().entries()) expect(results.y!.toFloat32()[i]).toBeCloseTo(value, 5);
  });

  test('reaches into loops and conditionals, and plugins made of plugins', async () => {
    const net = network('looped', { x: float32(2) });
    const { state } = net.loop({ state: { s: net.tensor() }, count: 2, name: 'walk' }, ({ s }) => ({
      state: { s: (s as Tensor).plugin(nested, {}, { name: 'six' }) },
    }));
    state.s.output('y');
    const layers = decomposePlugins(net);
    const names = layers.graph.nodes.at(-1)!.bodies!.body!.nodes.map(({ name }) => name);
    expect(names.filter((name) => name.includes('element_wise'))).toEqual([
      'walk.six.test_affine.element_wise',
      'walk.six.test_affine.element_wise_1',
      'walk.six.last.element_wise',
      'walk.six.last.element_wise_1',
    ]);
    expect([...(await run(layers, { x: [1, 2] })).y!.data]).toEqual([57, 93]);
  });

  test('takes dims of another form that are the same, and those that only the data tells', async () => {
    const half = definePlugin({
      ...one,
      name: 'test_half',
      outputs: ({ x, floorDiv, mul }) => ({ y: [floorDiv(mul(x.shape[0]!, 6), 4)] }),
      decompose: ({ x }) => ({ y: x.slice({ start: [0], size: [x.dim(0).mul(3).div(2)], mode: 'wrap' }) }),
    });
    const longer = network('longer', { x: float32('n') });
    longer.tensor().plugin(half).output('y');
    const { y } = await run(decomposePlugins(longer), { x: [1, 2, 3] });
    expect([...y!.data]).toEqual([1, 2, 3, 1]);
    const found = definePlugin({
      name: 'test_found',
      version: '1',
      inputs: ['x'],
      types: [{ x: 'float32', at: 'int32', count: 'int32' }],
      outputs: ({ x, sizeTensor }) => ({ at: [sizeTensor('count', { opt: 1, upper: x.shape[0]! })] }),
      cuda,
      launch,
      decompose({ x }) {
        const isFound = x.gt(0);
        return { at: isFound.nonZero().squeeze(0), count: isFound.cast('int32').sum() };
      },
    });
    const net = network('found', { x: float32('n') });
    const { at, count } = net.plugin(found, { x: net.tensor() });
    at.output('at');
    count.output('count');
    const results = await run(decomposePlugins(net), { x: [1, -1, 2] });
    expect([[...results.at!.data], [...results.count!.data]]).toEqual([[0, 2], [2]]);
  });
});

describe('a decomposition', () => {
  const bad: [what: string, record: (x: Tensor) => unknown, message: string][] = [
    [
      'of another dtype',
      (x) => ({ y: x.cast('float16') }),
      "expected float32[n, 4], as its rules say, given float16[n, 4] by 'layer.cast'",
    ],
    [
      'of another shape',
      (x) => ({ y: x.sum({ axis: 1, keepDims: true }) }),
      'expected float32[n, 4], as its rules say, given float32[n, 1]',
    ],
    ['of another rank', (x) => ({ y: x.sum({ axis: 1 }) }), 'given float32[n]'],
    [
      'of another dynamic dim',
      (x) => ({ y: x.concat(x) }),
      'expected float32[n, 4], as its rules say, given float32[2*n, 4]',
    ],
    ['that is a tensor alone', (x) => x, 'expected its decompose to return { y }, given '],
    ['that is a list', (x) => [x], "its decompose returned '0', expected { y }"],
    ['that is nothing', () => undefined, 'expected its decompose to return { y }, given undefined'],
    ['that is a promise', async (x) => ({ y: x }), 'expected its decompose to return { y }, given Promise'],
    ['with another name', (x) => ({ y: x, z: x }), "its decompose returned 'z', expected { y }"],
    ['without an output', () => ({}), "output 'y' of its decompose: expected a tensor, given undefined"],
    ['of numbers', () => ({ y: [1] }), "output 'y' of its decompose: expected a tensor, given [ 1 ]"],
    ['that throws', () => expect.fail('broken'), 'its decompose threw: broken'],
    ['with a layer that is refused', (x) => ({ y: x.sum({ axis: 9 }) }), 'its decompose threw: sum'],
    [
      'that keeps the name of a layer',
      (x) => ({ y: x.relu({ name: 'after' }).neg({ name: 'after' }) }),
      "its decompose threw: neg 'after'",
    ],
  ];
  test.each(bad)('%s is refused', (_, record, message) => {
    const error = thrown(() => decomposePlugins(making(record)));
    expect(error).toMatchObject({
      code: 'ERR_PLUGIN',
      layer: 'layer',
      kind: 'plugin',
      source: { file: expect.stringContaining('decompose-plugins.test.ts') },
    });
    expect(error.message).toContain(`plugin 'layer': test_makes: `);
    expect(error.message).toContain(message);
  });

  test('of another network is refused', () => {
    const other = network('other', { x: float32('n', 4) });
    const error = thrown(() => decomposePlugins(making(() => ({ y: other.tensor() }))));
    expect(error).toMatchObject({ code: 'ERR_FOREIGN_TENSOR', layer: 'layer' });
  });

  test('that never ends is refused', () => {
    const net = network('endless', { x: float32(2) });
    net.tensor().plugin(endless, {}, { name: 'layer' }).output('y');
    const error = thrown(() => decomposePlugins(net));
    expect(error).toMatchObject({ code: 'ERR_PLUGIN' });
    expect(error.message).toContain('its decomposition never ends');
  });

  test('that is missing is told, with what would help', () => {
    const net = network('missing', { x: float32(2) });
    net.tensor().plugin(bare, {}, { name: 'layer' }).output('y');
    const error = thrown(() => decomposePlugins(net));
    expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED', layer: 'layer', source: { file: expect.any(String) } });
    expect(error.message).toContain(
      "plugin 'test_bare' 1 has no decompose: give its definition one, or build with TensorRT 10 or 11",
    );
    const library = network('library', { x: float32(2) });
    const outputs = [{ dtype: 'float32', shape: [2] }] as const;
    library.plugin('Region_TRT', { inputs: [library.tensor()], outputs })[0]!.output('y');
    const other = thrown(() => decomposePlugins(library));
    expect(other).toMatchObject({ code: 'ERR_UNSUPPORTED', layer: 'Region_TRT' });
  });
});

describe('TensorRT-RTX, which has no plugin layers,', () => {
  const hashOf = (engine: Engine) => createHash('sha256').update(engine.bytes).digest('hex');

  test('builds decompositions: the plan is that of the same layers recorded by hand', async () => {
    using own = await byHand().build(pinned);
    for (const options of [{}, { decomposePlugins: true }]) {
      using engine = await classifier().build({ ...pinned, ...options });
      expect(hashOf(engine)).toBe(hashOf(own));
      expect(engine.inputs).toEqual(own.inputs);
      expect(engine.outputs).toEqual(own.outputs);
    }
  });

  test('is checked with the same layers', async () => {
    const [report, own] = await Promise.all([classifier().check(pinned), byHand().check(pinned)]);
    expect(report.layers.map(({ name }) => name)).toEqual(own.layers.map(({ name }) => name));
    expect(report.names).toEqual(own.names);
  });

  test('names a plugin that has none, its line, and what would help', async () => {
    const net = network('missing', { x: float32(2) });
    net.tensor().plugin(bare, {}, { name: 'layer' }).output('y');
    for (const promise of [net.build(pinned), net.check(pinned)]) {
      const error = await promise.then(
        () => expect.fail('it was built'),
        (thrown) => thrown,
      );
      expect(error).toMatchObject({
        code: 'ERR_UNSUPPORTED',
        layer: 'layer',
        source: { file: expect.stringContaining('decompose-plugins.test.ts') },
      });
      expect(error.message).toContain(
        "plugin 'layer': TensorRT-RTX has no plugin layers, and plugin 'test_bare' 1 has no decompose",
      );
    }
  });

  test('needs profiles that fit the layers', async () => {
    const inner = definePlugin({
      name: 'test_inner',
      version: '1',
      inputs: ['a', 'b'],
      types: [{ a: 'float32', b: 'float32', y: 'float32' }],
      outputs: ({ a, b }) => ({ y: [a.shape[0]!, b.shape[1]!] }),
      cuda,
      launch,
      decompose: ({ a, b }) => ({ y: a.matmul(b) }),
    });
    const net = network('profiles', { a: float32(2, 'k'), b: float32('j', 3) });
    net.plugin(inner, { a: net.tensor('a'), b: net.tensor('b') }).y.output('y');
    const profile = (j: number) => ({ ...pinned, profiles: [{ k: [1, 4, 8], j: [1, j, 8] }] }) as const;
    await expect(net.build(profile(5))).rejects.toMatchObject({ code: 'ERR_PROFILE' });
    using engine = await net.build(profile(4));
    expect(engine.inputs).toHaveLength(2);
  });

  test('leaves references to the CPU, where a model runs', async () => {
    const net = network('both', { x: float32('n') });
    net.tensor().plugin(nested, {}, { name: 'six' }).output('y');
    using model = await net.compile(pinned);
    expect(model.backend).toBe('cpu');
    expect([...(await model.run({ x: [1] })).y!.data]).toEqual([9]);
  });

  test('is not asked to build for nothing what it cannot, unless it is named', async () => {
    const net = network('reference', { x: float32('n') });
    net.tensor().plugin(greedy, {}, { name: 'layer' }).output('y');
    using model = await net.compile();
    expect([model.backend, model.engine]).toEqual(['cpu', undefined]);
    expect([...(await model.run({ x: [1] })).y!.data]).toEqual([2]);
    await expect(net.compile(pinned)).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
    await expect(net.compile({ backend: 'tensorrt' })).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
  });
});
