import { describe, expect, test } from 'vitest';
import { snapshot } from '../../../src/dsl/snapshot.js';
import { bool, float16, float32, int32, Network, network, type Tensor, weight } from '../../../src/index.js';
import { graphHash } from '../../../src/tensorrt/cache/graph-hash.js';

interface Choices {
  name?: string;
  dim?: string;
  input?: string;
  dtype?: typeof float32;
  kernel?: number[];
  kernelName?: string;
  kernelShape?: number[];
  stride?: number;
  layer?: string;
  alpha?: number;
  swapped?: boolean;
  output?: string;
  debug?: boolean;
  more?: (x: Tensor) => Tensor;
}

/** A network whose every part can be chosen. */
function make(given: Choices = {}): Network {
  const { name = 'net', dim = 'batch', input = 'x', dtype = float32, output = 'y', stride = 1 } = given;
  const net = network(name, { [input]: dtype(dim, 4, 8, 8) });
  const kernel = {
    name: given.kernelName ?? 'conv.weight',
    shape: given.kernelShape ?? [1, 4, 3, 3],
    data: Float32Array.from(given.kernel ?? Array(36).fill(1)),
  };
  const cast = dtype === float32 ? net.tensor() : net.tensor().cast('float32');
  let x = cast.conv2d({ weight: kernel, stride, name: given.layer });
  x = x.leakyRelu({ negativeSlope: given.alpha ?? 0.1 });
  const [a, b] = [x.sigmoid(), x.tanh()];
  x = given.swapped ? b.sub(a) : a.sub(b);
  if (given.more) x = given.more(x);
  if (given.debug) x.debug();
  x.output(output);
  return net;
}

const before = graphHash(make());

describe('the hash of a graph changes with', () => {
  const changed: Record<string, Choices> = {
    'the name of the network': { name: 'other' },
    'the name of a dim': { dim: 'n' },
    'the name of an input': { input: 'image' },
    'the dtype of an input': { dtype: float16 },
    'the shape of a weight': { kernel: Array(72).fill(1), kernelShape: [2, 4, 3, 3] },
    'the name of a weight': { kernelName: 'stem.weight' },
    'a parameter': { stride: 2 },
    'a parameter that is a fraction': { alpha: 0.2 },
    'a parameter that is minus zero': { alpha: -0 },
    'a parameter that is zero': { alpha: 0 },
    'the name of a layer': { layer: 'first' },
    'the order of inputs of a layer': { swapped: true },
    'one more layer': { more: (x) => x.relu() },
    'the name of an output': { output: 'z' },
    'a debug tensor': { debug: true },
  };
  const hashes = Object.entries(changed).map(([what, choices]) => [what, graphHash(make(choices))] as const);
  test.each(hashes)('%s', (_, hash) => {
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(hash).not.toBe(before);
  });

  test('each of them in another way', () => {
    expect(new Set(hashes.map(([, hash]) => hash)).size).toBe(hashes.length);
  });

  test('the layers of nested graphs, and their order', () => {
    const nested = (f: (x: Tensor) => Tensor) => {
      const net = network('nested', { p: bool(1), x: float32(4) });
      const [p, x] = net.inputs as [Tensor, Tensor];
      const out = net.if(
        p.squeeze(0),
        () => f(x),
        () => x,
      );
      out.output('y');
      return graphHash(net);
    };
    const hashes = [
      nested((x) => x.relu().sigmoid()),
      nested((x) => x.sigmoid().relu()),
      nested((x) => x.relu()),
      nested((x) => x.relu().tanh()),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test('which weights are one', () => {
    const shared = (same: boolean) => {
      const net = network('shared', { x: float32(2, 2) });
      const [a, b] = [new Float32Array([1, 2, 3, 4]), new Float32Array([1, 2, 3, 4])];
      const square = (data: Float32Array) => weight(data, [2, 2], 'float32');
      const one = square(a);
      net
        .linear({ weight: one })
        .linear({ weight: same ? one : square(b) })
        .output('y');
      return graphHash(net);
    };
    expect(shared(true)).not.toBe(shared(false));
  });
});

describe('the hash of a graph does not change with', () => {
  test('elements of weights', () => {
    expect(graphHash(make({ kernel: Array(36).fill(2) }))).toBe(before);
  });

  test('the place of the calls', () => {
    // On other lines.
    const [a, b] = [make(), make()];
    expect(graphHash(a)).toBe(graphHash(b));
    expect(graphHash(a)).toBe(before);
  });

  test('numbers of values and weights: recorded again from JSON, after calls that failed', () => {
    const net = make();
    const json = net.toJSON();
    const shifted = structuredClone(json);
    const shift = (id: number) => id + 1000;
    for (const one of shifted.inputs) one.id = shift(one.id);
    for (const node of shifted.nodes) {
      node.id = shift(node.id);
      node.inputs = node.inputs.map((id) => (id === null ? null : shift(id)));
      for (const output of node.outputs) output.id = shift(output.id);
    }
    for (const one of shifted.outputs) one.id = shift(one.id);
    expect(graphHash(Network.fromJSON(shifted))).toBe(before);
    const taken = snapshot(net);
    const moved = <T extends { id: number }>(one: T): T => ({ ...one, id: shift(one.id) });
    const nodes = taken.nodes.map((node) => ({
      ...moved(node),
      inputs: node.inputs.map((id) => (id === null ? null : shift(id))),
      outputs: node.outputs.map(moved),
    }));
    const others = { nodes, inputs: taken.inputs.map(moved), outputs: taken.outputs.map(moved) };
    expect(graphHash({ ...taken, ...others } as never)).toBe(before);
    const failed = make({
      more: (x) => {
        expect(() => x.linear({ weight: new Float32Array(7) } as never)).toThrow();
        return x;
      },
    });
    expect(graphHash(failed)).toBe(before);
  });

  test('made-up names of sizes that depend on data', () => {
    const make = () => {
      const net = network('sizes', { x: int32(4) });
      net.nonZero().output('y');
      return net;
    };
    const [a, b] = [make(), make()];
    expect(a.outputs[0]!.tensor.shape).not.toEqual(b.outputs[0]!.tensor.shape);
    expect(graphHash(a)).toBe(graphHash(b));
  });
});
