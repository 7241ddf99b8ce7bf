import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { NetworkJSON } from '../../src/dsl/ir.js';
import { concat, float32, loadWeights, Network, network, saveSafetensors, Weight, weight } from '../../src/index.js';

const folder = mkdtempSync(join(tmpdir(), 'json-'));
afterAll(() => rmSync(folder, { recursive: true }));

const lenet = new URL('../../examples/mnist/lenet.safetensors', import.meta.url).pathname;

function small(): Network {
  const net = network('small', { x: float32('batch', 2, 6, 6) });
  const weight = { shape: [3, 2, 3, 3], data: Float32Array.from({ length: 54 }, (_, i) => Math.sin(i)) };
  net.conv2d({ weight, stride: 2 }).clamp({ min: 0 }).output('y');
  return net;
}

/** JSON that a test may spoil. */
type Loose = ReturnType<typeof JSON.parse>;

const summing = (net: Network) => {
  net.tensor().add(net.input('z', float32(2)));
};

const float32Zeros = { shape: [0], data: new Float32Array(0) };

const looping = (net: Network) => {
  net.loop({ count: 2, state: { x: net.tensor() } }, ({ x }) => ({ state: { x: x.add(1) } }));
};

const throughText = (net: Network) => JSON.parse(JSON.stringify(net)) as NetworkJSON;

describe('toJSON and fromJSON', () => {
  test('are inverse to each other, through text', () => {
    const json = throughText(small());
    expect(Network.fromJSON(json).toJSON()).toMatchObject({
      ...json,
      nodes: json.nodes.map(({ source, ...node }) => node),
    });
  });

  test('keep debug tensors', () => {
    const net = small();
    expect(throughText(net)).not.toHaveProperty('debug');
    const y = net.outputs[0]!.tensor.debug();
    const json = throughText(net);
    expect(json.debug).toEqual([y.id]);
    expect(Network.fromJSON(json).debugTensors.map(({ name }) => name)).toEqual(['y']);
    for (const debug of [[99], ['y'], 1])
      expect(() => Network.fromJSON({ ...json, debug } as never)).toThrow('fromJSON');
    expect(() => Network.fromJSON({ ...json, debug: [json.inputs[0]!.id] })).toThrow('is an input');
  });

  test('the network read back computes the same', async () => {
    const x = Float32Array.from({ length: 144 }, (_, i) => Math.cos(i));
    const [first, second] = await Promise.all(
      [small(), Network.fromJSON(throughText(small()))].map(async (net) => {
        using model = await net.compile({ backend: 'cpu' });
        return (await model.run({ x })).y!;
      }),
    );
    expect(second).toEqual(first);
  });

  test('sizes that only the data tells are the same within a loop as around it', () => {
    const net = network('open', { x: float32(4) });
    const found = net.tensor().nonZero();
    const { state } = net.loop({ count: 2, state: { found } }, (now) => ({
      state: { found: concat([now.found, found], { axis: 1 }).narrow(1, 0, found.dim(1)) },
    }));
    state.found.output('y');
    const json = throughText(net);
    const again = throughText(Network.fromJSON(json));
    const symbols = (text: string) => [...text.matchAll(/\w+\?\d+/g)].map(([symbol]) => symbol);
    const numbered = (list: string[]) => list.map((symbol) => list.indexOf(symbol));
    expect(symbols(JSON.stringify(json)).length).toBeGreaterThan(3);
    expect(numbered(symbols(JSON.stringify(again)))).toEqual(numbered(symbols(JSON.stringify(json))));
  });

  test('weights of files are referred to by name and found again', async () => {
    using weights = await loadWeights(lenet);
    const net = network('file', { x: float32(1, 1, 28, 28) });
    net.conv2d(weights.layer('conv1')).output('y');
    const json = throughText(net);
    expect(json.weights.map(({ name, data }) => [name, data])).toEqual([
      ['conv1.weight', undefined],
      ['conv1.bias', undefined],
    ]);
    expect(JSON.stringify(json).length).toBeLessThan(2000);
    const again = Network.fromJSON(json, weights);
    expect(again.weights[0]!.data).toEqual(net.weights[0]!.data);
    expect(() => Network.fromJSON(json)).toThrow(/conv1\.weight.*pass the weights/);
  });

  test('weights of files in another shape stay weights of files', async () => {
    const path = join(folder, 'conv.safetensors');
    await saveSafetensors(path, { 'conv.weight': weight(new Float32Array(6).fill(1), [2, 1, 3]) });
    using weights = await loadWeights(path);
    const net = network('file', { x: float32(1, 1, 8) });
    net.conv1d(weights.layer('conv')).output('y');
    expect(net.weights[0]!.shape).toEqual([2, 1, 1, 3]);
    const again = Network.fromJSON(throughText(net), weights);
    expect(throughText(again).weights).toEqual(throughText(net).weights);
    truncateSync(path, 0);
    expect(() => again.weights[0]!.check!()).toThrow(expect.objectContaining({ code: 'ERR_WEIGHTS_CHANGED' }));
  });

  test("elements that are not the file's own, or in another order, go by value", async () => {
    const path = join(folder, 'derived.safetensors');
    await saveSafetensors(path, { 'fc.weight': weight(Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2]) });
    using weights = await loadWeights(path);
    const whole = weights.get('fc.weight');
    const [low, high] = whole.split([1, 2]);
    const net = network('derived', { x: float32(1, 3) });
    for (const w of [whole.transpose(), Weight.concat([high!, low!]).reshape([2, 3]), low!.reshape([2, 1]), whole]) {
      net.constant(w).output(`y${net.outputs.length}`);
    }
    const json = throughText(net);
    expect(json.weights.map(({ name, data }) => [name, data !== undefined])).toEqual([
      ['fc.weight', true],
      ['fc.weight', true],
      ['fc.weight', true],
      ['fc.weight', false],
    ]);
    const elements = (one: Network) => one.weights.map(({ data }) => [...(data as Float32Array)]);
    expect(elements(Network.fromJSON(json, weights))).toEqual(elements(net));
    expect(elements(net)).toEqual([
      [1, 3, 5, 2, 4, 6],
      [3, 4, 5, 6, 1, 2],
      [1, 2],
      [1, 2, 3, 4, 5, 6],
    ]);
  });

  test.each([
    ['null', null],
    ['another format', { format: 'onnx', version: 1 }],
    ['a later version', { format: 'node-tensorrt', version: 2 }],
    ['no lists', { format: 'node-tensorrt', version: 1, name: 'x' }],
  ])('%s is refused', (_, json) => {
    expect(() => Network.fromJSON(json as never)).toThrow(expect.objectContaining({ code: 'ERR_JSON' }));
  });

  test.each<[string, string, (net: Network) => void, (json: Loose) => void]>([
    ['too many inputs', 'ERR_INPUT', (net) => net.relu(), (json) => json.nodes[0].inputs.push(0)],
    [
      'a weight that the kind has not',
      'ERR_INPUT',
      (net) => net.add(net.constant([1, 2])),
      (json) => {
        json.nodes.at(-1).weights.bias = 0;
      },
    ],
    [
      'a body that the kind has not',
      'ERR_INPUT',
      (net) => net.relu(),
      (json) => {
        json.nodes[0].bodies = { body: { inputs: [], nodes: [], outputs: [] } };
      },
    ],
    ['too few outputs of a layer', 'ERR_JSON', (net) => net.topk(1), (json) => json.nodes[0].outputs.pop()],
    [
      'a value that is defined twice',
      'ERR_JSON',
      (net) => net.relu(),
      (json) => {
        json.nodes[0].outputs[0].id = 0;
      },
    ],
    ['a weight that is not there', 'ERR_JSON', (net) => net.add(net.constant([1, 2])), (json) => json.weights.pop()],
    [
      'a weight given twice',
      'ERR_JSON',
      (net) => net.add(net.constant([1, 2])),
      (json) => json.weights.push(json.weights[0]),
    ],
    ['too few outputs of a loop', 'ERR_OUTPUT', looping, (json) => json.nodes.at(-1).bodies.body.outputs.pop()],
    [
      'too many outputs of a loop',
      'ERR_OUTPUT',
      looping,
      (json) => json.nodes.at(-1).bodies.body.outputs.push({ id: 0, name: '1' }),
    ],
    ['too few inputs of a loop', 'ERR_JSON', looping, (json) => json.nodes.at(-1).inputs.pop()],
    ['too many inputs of a loop', 'ERR_INPUT', looping, (json) => json.nodes.at(-1).inputs.push(0, 0)],
    ['too few inputs of a body', 'ERR_JSON', looping, (json) => json.nodes.at(-1).bodies.body.inputs.pop()],
    [
      'tensors of another rank',
      'ERR_RANK',
      summing,
      (json) => {
        json.inputs[1].shape = [1, 1, 1, 1, 2];
      },
    ],
    [
      'a first tensor of another rank',
      'ERR_RANK',
      summing,
      (json) => {
        json.inputs[0].shape = [1, 1, 1, 2];
      },
    ],
    [
      'an axis from the end',
      'ERR_AXIS',
      (net) => net.softmax(),
      (json) => {
        json.nodes[0].params.axis = -1;
      },
    ],
    [
      'a weight of sizes that overflow',
      'ERR_WEIGHT',
      (net) => net.constant(float32Zeros),
      (json) => {
        json.weights[0].shape = [2 ** 40, 2 ** 40, 0];
      },
    ],
    [
      'an input of sizes that overflow',
      'ERR_SHAPE',
      (net) => net.relu(),
      (json) => {
        json.inputs[0].shape = [2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1, 0];
      },
    ],
    [
      'parts of another kind',
      'ERR_JSON',
      (net) => net.relu(),
      (json) => {
        json.nodes[0].inputs = 'x';
      },
    ],
  ])('%s is refused by name', (_, code, make, spoil) => {
    const net = network('n', { x: float32(2) });
    make(net);
    const json = throughText(net);
    expect(Network.fromJSON(structuredClone(json)).toJSON().nodes).toHaveLength(json.nodes.length);
    spoil(json);
    expect(() => Network.fromJSON(json)).toThrow(expect.objectContaining({ name: 'TensorRTError', code }));
  });

  test('says where something else stands', () => {
    const json = throughText(small()) as Loose;
    json.nodes[1].outputs[0].shape[1] = null;
    expect(() => Network.fromJSON(json)).toThrow(
      'Network.fromJSON: nodes[1].outputs[0].shape[1]: expected a number or a string, given null',
    );
  });

  test.each<[string, (json: NetworkJSON) => void]>([
    ['an unknown kind', (json) => Object.assign(json.nodes[0]!, { kind: 'teleport' })],
    ['a value from nowhere', (json) => Object.assign(json.nodes[0]!, { inputs: [99, null, null] })],
    ['too few bytes', (json) => Object.assign(json.weights[0]!, { data: 'AAAA' })],
    ['an unknown dtype', (json) => Object.assign(json.inputs[0]!, { dtype: 'complex64' })],
    ['parameters of another kind', (json) => Object.assign(json.nodes[0]!, { params: { type: 'relu' } })],
    ['a repeated name', (json) => Object.assign(json.nodes[1]!, { name: json.nodes[0]!.name })],
  ])('%s is refused', (_, spoil) => {
    const json = throughText(small());
    spoil(json);
    expect(() => Network.fromJSON(json)).toThrow(expect.objectContaining({ name: 'TensorRTError' }));
  });
});
