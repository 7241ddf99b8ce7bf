import { expect, test } from 'vitest';
import { bisect } from '../../src/compare/bisect.js';
import type { Half } from '../../src/compare/bisection.js';
import { randomFeeds } from '../../src/compare/feeds.js';
import { runNetwork } from '../../src/compare/sides.js';
import { float32, Network, network, TensorRTError } from '../../src/index.js';

const run = (part: Network, feeds: Parameters<Half['run']>[1]) => runNetwork(part, { backend: 'cpu' }, feeds);
const cpu = (net: Network): Half => ({ network: net, run });

const names = Array.from({ length: 16 }, (_, i) => `step${i}`);
/** A chain of 16 layers with a side way, a dynamic dim and a shape that is computed. */
function chain(change?: (name: string) => number | undefined): Network {
  const net = network('chain', { x: float32('batch', 8) });
  let y = net.tensor('x');
  const side = y.sigmoid({ name: 'side' });
  for (const name of names) y = y.mul(change?.(name) ?? 1.01, { name });
  y.add(side, { name: 'sum' }).reshape([-1, 4], { name: 'rows' }).output('y');
  side.output('z');
  return net;
}
const feeds = randomFeeds(chain().inputs, { dims: { batch: 3 } });

/** Changes the factor of a layer in a part of the network, in its weights. */
function spoiled(part: Network, layer: string): Network {
  const json = JSON.parse(JSON.stringify(part.toJSON()));
  const constant = json.nodes.find(({ outputs }: { outputs: { id: number }[] }) =>
    json.nodes.some(
      (node: { name: string; inputs: number[] }) => node.name === layer && node.inputs[1] === outputs[0]!.id,
    ),
  );
  const weight = json.weights[constant.weights.value];
  weight.data = Buffer.from(new Float32Array([1.5]).buffer).toString('base64');
  return Network.fromJSON(json);
}

const layersOf = (part: Network) => new Set(part.graph.nodes.map(({ name }) => name));

test('the first of many layers that differ, and what is recorded otherwise', async () => {
  const wrong = chain((name) => (name === 'step9' ? 1.5 : undefined));
  const found = await bisect(cpu(chain()), cpu(wrong), feeds);
  expect(found).toMatchObject({ method: 'marked', vanished: false, confirmed: true, runs: 2 });
  // The factor is a constant, which is the first layer that differs.
  expect(found.first).toMatchObject({ kind: 'constant', differences: [{ name: 'value' }] });
  expect(found.first!.source!.file).toMatch(/bisect\.test\.ts$/);
  expect(found.outputs[0]!.reasons[0]).toMatch(/A has .*, B 1\.5/);
});

test.each(['step0', 'step7', 'step15'])(
  'a fault of %s that vanishes when its output is marked is found by cutting',
  async (layer) => {
    const before = layer === 'step0' ? undefined : `step${Number(layer.slice(4)) - 1}`;
    // Fused with the layer before: wrong as long as nobody sees what lies between them.
    const half: Half = {
      network: chain(),
      run: (part, given) => {
        const layers = layersOf(part);
        const outputs = new Set(part.outputs.map(({ name }) => name));
        const isFused = layers.has(layer) && !(before && outputs.has(before)) && outputs.size < 5;
        return run(isFused ? spoiled(part, layer) : part, given);
      },
    };
    const found = await bisect(cpu(chain()), half, feeds);
    expect(found).toMatchObject({ method: 'cut', vanished: true, confirmed: true, stretch: [layer] });
    expect(found.first!.name).toBe(layer);
    expect(found.runs).toBeLessThan(16);
    expect(found.notes[0]).toMatch(/disappears when all tensors are marked/);
  },
);

test('a fault of two layers together is the stretch of both', async () => {
  const half: Half = {
    network: chain(),
    run: (part, given) => {
      const layers = layersOf(part);
      const isFused = layers.has('step5') && layers.has('step6') && part.outputs.length < 5;
      return run(isFused ? spoiled(part, 'step6') : part, given);
    },
  };
  const found = await bisect(cpu(chain()), half, feeds);
  expect(found).toMatchObject({ method: 'cut', vanished: true, confirmed: true, stretch: ['step5', 'step6'] });
});

test('where marking all tensors does not build, it says so and cuts', async () => {
  const half: Half = {
    network: chain((name) => (name === 'step3' ? 1.5 : undefined)),
    run: (part, given) => {
      if (part.outputs.length > 5) throw new TensorRTError('ERR_BUILD_FAILED', 'could not build\nmore');
      return run(part, given);
    },
  };
  const found = await bisect(cpu(chain()), half, feeds);
  expect(found).toMatchObject({ method: 'cut', vanished: false, confirmed: true, stretch: ['step3'] });
  expect(found.notes).toContain('B with all tensors marked: ERR_BUILD_FAILED, could not build');
});

test('loops are one layer', async () => {
  const looped = (factor: number) => {
    const net = network('looped', { x: float32(2, 4) });
    const h = net.tensor('x').relu({ name: 'before' });
    const { state } = net.loop({ state: { h }, count: 3, name: 'loop' }, ({ h }) => ({ state: { h: h.mul(factor) } }));
    state.h.tanh({ name: 'after' }).output('y');
    return net;
  };
  const found = await bisect(cpu(looped(1.1)), cpu(looped(1.2)), randomFeeds(looped(1).inputs));
  expect(found).toMatchObject({ method: 'marked', confirmed: true, stretch: ['loop'], first: { kind: 'loop' } });
  expect(found.first!.differences).toEqual([
    { name: 'loop.constant_1 value', a: `float32[] ${Math.fround(1.1)}`, b: `float32[] ${Math.fround(1.2)}` },
  ]);
});

test('inputs of integers are within 0 and 1, the same for one seed', () => {
  const inputs = [
    { name: 'ids', dtype: 'int32', shape: ['n', 4] },
    { name: 'x', dtype: 'float32', shape: [2] },
  ] as const;
  const [a, b, c] = [{ seed: 1 }, { seed: 1 }, { seed: 2 }].map((one) =>
    randomFeeds(inputs, { dims: { n: 16 }, ...one }),
  );
  expect(a).toEqual(b);
  expect(a).not.toEqual(c);
  expect(a!.ids!.shape).toEqual([16, 4]);
  expect(new Set(a!.ids!.data as Int32Array)).toEqual(new Set([0, 1]));
});

test('random feeds are for what has inputs, too', async () => {
  const net = chain();
  const dims = { dims: { batch: 3 } };
  expect(randomFeeds(net, dims)).toEqual(feeds);
  using model = await net.compile({ backend: 'cpu' });
  expect(randomFeeds(model, dims)).toEqual(feeds);
  for (const given of [undefined, null, 5, 'x', {}, { inputs: 3 }, [5], [null], [{ name: 'x' }], { x: [2] }])
    expect(() => randomFeeds(given as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_PARAMETER',
        message: expect.stringMatching(/^randomFeeds: expected a network, a model or an engine, or inputs such as/),
      }),
    );
});

test('networks without anything in common are refused', async () => {
  const other = network('other', { x: float32(1) });
  other.tensor('x').relu().output('elsewhere');
  await expect(bisect(cpu(chain()), cpu(other), feeds)).rejects.toMatchObject({ code: 'ERR_COMPARE' });
});
