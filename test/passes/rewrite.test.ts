import { describe, expect, test } from 'vitest';
import {
  bool,
  float16,
  float32,
  layersOf,
  type Network,
  network,
  type RuleSet,
  rewrite,
  type Tensor,
  uint8,
} from '../../src/index.js';
import { refusal } from '../refusal.js';
import { comparable, eventful, expectIdentical, feeds, recorded, run, sample } from './support.js';

const names = (list: readonly { name: string }[]) => list.map(({ name }) => name);
const identities = ['float32', 'float16', 'bfloat16', 'int32', 'int64', 'bool'];
const x4 = { x: Float32Array.of(-1, 2, -3, 4) };

/** x → first.act (relu) → second.act (relu) → y. */
function chain(): Network {
  const net = network('chain', { x: float32(4) });
  const first = net.scope('first', () => net.relu({ name: 'act' }));
  net.scope('second', () => first.relu({ name: 'act' })).output('y');
  return net;
}

describe('identity layers behind all layers of random graph', () => {
  test.each(sample.map((one) => [one[0], one] as const))('%i change no result', async (_, one) => {
    const { net, feeds } = recorded(one);
    const before = comparable(net);
    let inserted = 0;
    const rewritten = rewrite(net, (layer) =>
      layer.keep().map((tensor) => {
        if (!identities.includes(tensor.dtype)) return tensor;
        inserted++;
        return tensor.identity();
      }),
    );
    const inside = (layers: ReturnType<typeof layersOf>): number =>
      layers.reduce((sum, { bodies }) => sum + 1 + Object.values(bodies).reduce((s, b) => s + inside([...b]), 0), 0);
    expect(inside(layersOf(rewritten))).toBe(inside(layersOf(net)) + inserted);
    expect(inserted).toBeGreaterThan(2);
    expect(comparable(net)).toEqual(before);
    expectIdentical(await run(rewritten, feeds), await run(net, feeds));
    const removed = rewrite(rewritten, {
      identity: (layer) => (net.graph.nodes.some(({ name }) => name === layer.name) ? undefined : layer.inputs),
    });
    if (!before.nodes.some(({ kind }) => kind === 'identity')) expect(comparable(removed)).toEqual(before);
  });
});

describe('a rule', () => {
  test('replaces a layer, whose name it may take', async () => {
    const net = chain();
    const { nodes } = net.graph;
    const rewritten = rewrite(net, (layer) =>
      layer.name === 'first.act' ? layer.input(0).neg({ name: layer.name }) : undefined,
    );
    expect(rewritten.graph.nodes.map(({ kind, name }) => [kind, name])).toEqual([
      ['unary', 'first.act'],
      ['activation', 'second.act'],
    ]);
    expect([...(await run(rewritten, x4)).y!.data]).toEqual([1, 0, 3, 0]);
    expect(net.graph.nodes).toBe(nodes);
    expect([...(await run(net, x4)).y!.data]).toEqual([0, 2, 0, 4]);
  });

  test('inserts before and behind, under names made from that of the layer', () => {
    const rewritten = rewrite(chain(), {
      activation: (layer) => {
        const [out] = layer.keep({ inputs: [layer.input(0).exp().exp()] });
        return out!.neg().abs({ name: 'last' });
      },
    });
    expect(names(rewritten.graph.nodes)).toEqual(
      ['first', 'second'].flatMap((s) =>
        ['unary', 'unary_1', '', 'unary_2', 'last'].map((n) => `${s}.act${n && `.${n}`}`),
      ),
    );
  });

  test('gives the same names every time, and none that a later layer has', () => {
    const net = network('names', { x: float32(4) });
    net.relu({ name: 'a' }).relu({ name: 'a.activation' }).relu({ name: 'a.activation_1' }).output('y');
    const rules: RuleSet = (layer) => (layer.name === 'a' ? layer.keep()[0]!.sigmoid() : undefined);
    const rewritten = rewrite(net, rules);
    expect(names(rewritten.graph.nodes)).toEqual(['a', 'a.activation_2', 'a.activation', 'a.activation_1']);
    expect(rewrite(net, rules).toJSON()).toEqual(rewritten.toJSON());
    const error = refusal(() => rewrite(net, (layer) => layer.input(0).neg({ name: 'activation' })));
    expect([error.code, error.layer]).toEqual(['ERR_DUPLICATE_NAME', 'activation']);
    // A removed layer's name stays free of others until the end, then not.
    const without = rewrite(net, (layer) => (layer.name === 'a.activation' ? layer.inputs : undefined));
    expect(without.outputs[0]!.tensor.relu({ name: 'a.activation' }).name).toBe('a.activation');
  });

  test('records a layer twice, a loop too', async () => {
    const net = network('twice', { x: float32(4) });
    const x = net.tensor();
    net.loop({ name: 'walk', count: 3, state: { s: x } }, ({ s }) => ({ state: { s: s.add(x) } })).state.s.output('y');
    const rewritten = rewrite(net, { loop: (layer) => layer.keep()[0]!.add(layer.keep()[0]!) });
    expect(names(rewritten.graph.nodes).filter((name) => name.includes('walk'))).toEqual([
      ...names(net.graph.nodes).slice(0, -1),
      'walk',
      'walk_1',
      'walk.element_wise_2',
    ]);
    expect([...(await run(rewritten, x4)).y!.data]).toEqual([-8, 16, -24, 32]);
  });

  test('keeps a layer with other parameters, weights and name', async () => {
    const net = network('changes', { x: float32(1, 2) });
    const weight = { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) };
    net.linear({ weight }).relu().output('y');
    const rewritten = rewrite(net, [
      { activation: (layer) => layer.keep({ params: { type: 'sigmoid' }, name: 'gate' }) },
      { constant: (layer) => layer.keep({ weights: { value: { shape: [2, 2], data: Float32Array.of(0, 0, 0, 0) } } }) },
      { activation: () => expect.fail('a second rule of a layer that the first has replaced') },
    ]);
    expect(rewritten.graph.nodes.at(-1)).toMatchObject({
      kind: 'activation',
      name: 'activation.gate',
      params: { type: 'sigmoid' },
    });
    expect([...(await run(rewritten, { x: Float32Array.of(1, 1) })).y!.data]).toEqual([0.5, 0.5]);
    expect(net.weights[0]!.data).toBe(weight.data);
  });

  test('that returns nothing after keep leaves what that recorded', () => {
    const rewritten = rewrite(chain(), (layer) => {
      layer.keep()[0]!.output(layer.name);
    });
    expect(names(rewritten.graph.nodes)).toEqual(['first.act', 'second.act']);
    expect(names(rewritten.outputs)).toEqual(['y', 'first.act', 'second.act']);
  });

  test('sees the layer as it was recorded, and cannot change it', () => {
    const net = eventful();
    const seen: string[] = [];
    const before = comparable(net);
    rewrite(net, (layer) => {
      seen.push(`${layer.depth} ${layer.name}`);
      expect(layer.source).toEqual(layer.original.source);
      expect(layer.network).not.toBe(net);
      for (const tensor of layer.inputs) if (tensor) expect(tensor.network).toBe(layer.network);
      for (const tensor of layer.original.outputs) expect(tensor.network).toBe(net);
      for (const key of Object.keys(layer.params)) delete (layer.params as Record<string, unknown>)[key];
    });
    expect(comparable(net)).toEqual(before);
    expect(seen).toEqual(expect.arrayContaining(['0 first.act', '0 walk', '1 walk.element_wise', '1 if.then.unary']));
    expect(seen.indexOf('0 walk')).toBeLessThan(seen.indexOf('1 walk.element_wise'));
  });

  test('reads several layers at once', async () => {
    // −(relu x) as one layer: the pattern starts at its end, the rest is looked up by what made the input.
    const net = chain();
    net.outputs[0]!.tensor.neg().output('z');
    const made = new Map(layersOf(net).flatMap((layer) => layer.outputs.map((tensor) => [tensor, layer] as const)));
    const rewritten = rewrite(net, {
      unary: (layer) => {
        const before = made.get(layer.original.inputs[0]!)!;
        expect(before.name).toBe('second.act');
        return layer.input(0).mul(-1);
      },
    });
    expect([...(await run(rewritten, x4)).z!.data]).toEqual([-0, -2, -0, -4]);
  });

  test('keeps sources of layers that stay, and gives its own place to those it records', () => {
    const net = chain();
    const own = new Error().stack!.split('\n')[1]!;
    const rewritten = rewrite(net, (layer) => layer.keep()[0]!.neg());
    const lineHere = Number(/:(\d+):\d+\)?$/.exec(own)![1]);
    const lines = rewritten.toJSON().nodes.map(({ source }) => source!.line);
    const [first, second] = net.toJSON().nodes.map(({ source }) => source!.line);
    expect(lines).toEqual([first, lineHere + 1, second, lineHere + 1]);
    expect(first).not.toBe(second);
  });
});

describe('what a rule changes', () => {
  test('is inferred anew in the layers behind it', () => {
    const net = network('halves', { x: float32('batch', 4) });
    net
      .relu()
      .reshape([net.tensor().dim(0).mul(2), 2])
      .softmax()
      .output('y');
    const rewritten = rewrite(net, { activation: (layer) => layer.input(0).cast('float16').relu() });
    const { tensor } = rewritten.outputs[0]!;
    expect([tensor.dtype, tensor.shape]).toEqual(['float16', ['2*batch', 2]]);
    expect(net.outputs[0]!.tensor.dtype).toBe('float32');
    const wider = rewrite(net, { activation: (layer) => layer.input(0).concat(layer.inputs[0]!, { axis: 0 }) });
    expect(wider.outputs[0]!.tensor.shape).toEqual(['4*batch', 2]);
  });

  test('is refused by the layer that cannot take it, with its name and place', () => {
    const net = network('mixed', { x: float32(2), y: float32(2) });
    const [x, y] = net.inputs as [Tensor, Tensor];
    x.relu().add(y, { name: 'sum' }).output('z');
    const { source } = net.toJSON().nodes[1]!;
    const error = refusal(() => rewrite(net, { activation: (layer) => layer.input(0).cast('float16') }));
    expect([error.code, error.layer, error.kind, error.source]).toEqual(['ERR_DTYPE', 'sum', 'element_wise', source]);
    expect(error.message).toContain("element_wise 'sum'");
  });

  test('reaches the states of loops', async () => {
    const net = network('states', { x: float32(2, 4) });
    const x = net.relu({ name: 'start' });
    const { state, outputs } = net.loop({ iterate: { row: x }, state: { sum: x.select(0, 0) } }, ({ row, sum }) => ({
      state: { sum: sum.add(row) },
      outputs: { sums: sum },
    }));
    state.sum.output('y');
    outputs.sums.output('z');
    const rewritten = rewrite(net, (layer) => (layer.name === 'start' ? layer.input(0).cast('float16') : undefined));
    expect(rewritten.outputs.map(({ tensor: { dtype, shape } }) => [dtype, shape])).toEqual([
      ['float16', [4]],
      ['float16', [2, 4]],
    ]);
    const data = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    expect([...(await run(rewritten, { x: data })).y!.toFloat32()]).toEqual(
      [0, 1, 2, 3].map((i) => data[i]! * 2 + data[i + 4]!),
    );
  });

  test('within loops and conditionals', async () => {
    const net = eventful();
    const rewritten = rewrite(net, (layer) =>
      layer.depth === 1 && layer.kind === 'activation' ? layer.input(0).mul(0.5) : undefined,
    );
    const kinds = (one: Network) =>
      layersOf(one).map(({ kind, bodies }) => [kind, Object.values(bodies).map((b) => b.map((l) => l.kind))]);
    expect(JSON.stringify(kinds(rewritten))).not.toContain('["element_wise","activation"]');
    expect(JSON.stringify(kinds(net))).toContain('["element_wise","activation"]');
    const before = await run(net, feeds);
    const after = await run(rewritten, feeds);
    expect(after.top!.shape).toEqual(before.top!.shape);
    // sum = (sum + a) / 2, three times, from the first of the collected states.
    const [first, second] = [0, 1].map((i) => after.sums!.toFloat32().subarray(i * 8, i * 8 + 8));
    const a = first!.map((sum, i) => second![i]! * 2 - sum);
    const third = after.sums!.toFloat32().subarray(16);
    for (const [i, value] of third.entries()) expect(value).toBeCloseTo((second![i]! + a[i]!) / 2, 5);
  });

  test('may leave outputs without anything where nothing takes them', () => {
    const net = network('several', { x: float32(1, 5) });
    const [values, indices] = net.topk(2, { name: 'best' });
    values.output('v');
    const max: RuleSet = { topk: (layer) => [layer.input(0).max({ axes: [1], keepDims: true }), null] };
    expect(names(rewrite(net, max).graph.nodes)).toEqual(['best.reduce']);
    indices.neg({ name: 'taker' }).output('i');
    const error = refusal(() => rewrite(net, max));
    expect([error.code, error.layer]).toEqual(['ERR_OUTPUT', 'best']);
    expect(error.message).toMatch(/topk 'best': a rule removed it, but unary 'taker' takes its output/);
  });
});

describe('rewrite refuses', () => {
  const net = eventful();
  const before = comparable(net);
  const foreign = chain().graph && chain().relu();
  let kept: Tensor | undefined;
  const activation = (rule: RuleSet extends infer R ? Extract<R, (...args: never[]) => unknown> : never): RuleSet => ({
    activation: rule,
  });
  test.each<[string, () => unknown, string, RegExp]>([
    ['no network', () => rewrite({} as never, []), 'ERR_INPUT', /^rewrite: expected a network, given \{\}/],
    ['no rules', () => rewrite(net, null as never), 'ERR_PARAMETER', /^rewrite: expected rules, given null/],
    [
      'a rule that is none',
      () => rewrite(net, { activation: 3 as never }),
      'ERR_PARAMETER',
      /^rewrite: activation: expected a function, given 3/,
    ],
    [
      'an unknown kind',
      () => rewrite(net, { conv: () => undefined }),
      'ERR_PARAMETER',
      /no layer kind 'conv'; there are .*convolution/,
    ],
    [
      'an unknown option',
      () => rewrite(net, [], { title: 'x' } as never),
      'ERR_PARAMETER',
      /no option 'title'; there is name/,
    ],
    ['a bad name', () => rewrite(net, [], { name: '' }), 'ERR_NAME', /^rewrite: name: expected a name, given ''/],
    [
      'a promise',
      () => rewrite(net, activation((async () => undefined) as never)),
      'ERR_INPUT',
      /activation 'first\.act': expected a tensor, a list of tensors or nothing from its rule, given Promise/,
    ],
    [
      'too few tensors',
      () => rewrite(net, { topk: (layer) => [layer.input(0)] }),
      'ERR_OUTPUT',
      /topk 'topk': expected 2 tensors from its rule, given 1/,
    ],
    [
      'a tensor of the network that is being rewritten',
      () =>
        rewrite(
          net,
          activation((layer) => layer.original.outputs[0]),
        ),
      'ERR_FOREIGN_TENSOR',
      /the rule for activation 'first\.act': Tensor\(first\.act.* another network that is named 'eventful' too/,
    ],
    [
      'one of a later layer of it, which would be a cycle',
      () =>
        rewrite(
          net,
          activation((layer) => layer.input(0).add(net.outputs[0]!.tensor)),
        ),
      'ERR_FOREIGN_TENSOR',
      /^add: Tensor\(top.* another network/,
    ],
    [
      'layers recorded in it',
      () =>
        rewrite(
          net,
          activation((layer) => void layer.original.inputs[0]!.relu()),
        ),
      'ERR_FOREIGN_TENSOR',
      /activation 'first\.act': its rule changed the network that is being rewritten/,
    ],
    [
      'outputs marked in it',
      () =>
        rewrite(
          net,
          activation((layer) => void layer.original.outputs[0]!.output('mine')),
        ),
      'ERR_FOREIGN_TENSOR',
      /its rule changed the network/,
    ],
    [
      'a tensor of a third network',
      () =>
        rewrite(
          net,
          activation(() => foreign),
        ),
      'ERR_FOREIGN_TENSOR',
      /belongs to network 'chain', not to 'eventful'/,
    ],
    [
      'a tensor of a body outside of it',
      () =>
        rewrite(net, (layer) => {
          if (layer.depth > 0) kept ??= layer.inputs[0]!;
          return layer.kind === 'topk' ? [kept!, kept!] : undefined;
        }),
      'ERR_NESTED_TENSOR',
      /the rule for topk 'topk': .* is closed/,
    ],
    [
      'an output within a body',
      () =>
        rewrite(net, (layer) => {
          if (layer.depth > 0) layer.keep()[0]!.output('inner');
        }),
      'ERR_NESTED_TENSOR',
      /output: .* belongs to the body of a loop or conditional/,
    ],
    [
      'another dtype of a state',
      () =>
        rewrite(net, (layer) =>
          layer.depth === 1 && layer.kind === 'activation' ? layer.input(0).cast('float16') : undefined,
        ),
      'ERR_SHAPE',
      /loop 'walk': state 0: expected the next value to be float32\[batch, 4\]/,
    ],
    [
      'branches that differ',
      () => rewrite(net, (layer) => (layer.name === 'if.then.unary' ? layer.input(0).cast('float16') : undefined)),
      'ERR_SHAPE',
      /if_conditional 'if_conditional': output 0: expected one dtype/,
    ],
    [
      'an output name that another has',
      () =>
        rewrite(
          net,
          activation((layer) => {
            if (layer.depth === 0) layer.keep()[0]!.output('top');
          }),
        ),
      'ERR_DUPLICATE_NAME',
      /input or output named 'top'/,
    ],
    [
      'a removed output',
      () => rewrite(net, { topk: () => [null, null] }),
      'ERR_OUTPUT',
      /topk 'topk': a rule removed it, but output 'top' of the network is one of its outputs/,
    ],
    [
      'bad changes',
      () =>
        rewrite(
          net,
          activation((layer) => layer.keep(3 as never)),
        ),
      'ERR_PARAMETER',
      /^keep: expected options, given 3/,
    ],
    [
      'an unknown change',
      () =>
        rewrite(
          net,
          activation((layer) => layer.keep({ kind: 'unary' } as never)),
        ),
      'ERR_PARAMETER',
      /no option 'kind'; there are name, inputs/,
    ],
    [
      'inputs that are no list',
      () =>
        rewrite(
          net,
          activation((layer) => layer.keep({ inputs: layer.inputs[0] as never })),
        ),
      'ERR_PARAMETER',
      /^keep: inputs: expected a list, given Tensor/,
    ],
    [
      'inputs that are no tensors',
      () =>
        rewrite(
          net,
          activation((layer) => layer.keep({ inputs: [7 as never] })),
        ),
      'ERR_INPUT',
      /^activation 'first.act': expected a tensor, given 7/,
    ],
    [
      'no inputs',
      () =>
        rewrite(
          net,
          activation((layer) => layer.keep({ inputs: [] })),
        ),
      'ERR_INPUT',
      /activation 'first\.act': input 0 is missing/,
    ],
    [
      'no inputs of a loop',
      () => rewrite(net, { loop: (layer) => layer.keep({ inputs: [] }) }),
      'ERR_INPUT',
      /loop 'walk': input 1 is missing/,
    ],
    [
      'parameters that do not fit',
      () =>
        rewrite(
          net,
          activation((layer) => layer.keep({ params: { type: 'none' } })),
        ),
      'ERR_PARAMETER',
      /activation 'first\.act': type: /,
    ],
    [
      'parameters that the body of a loop does not fit',
      () =>
        rewrite(net, {
          loop: (layer) =>
            layer.keep({ params: { states: 2 }, inputs: [layer.input(0), layer.input(1), layer.input(1)] }),
        }),
      'ERR_PARAMETER',
      /loop 'walk': its body takes 1 values, given 2/,
    ],
    [
      'parameters that are none',
      () =>
        rewrite(
          net,
          activation((layer) => layer.keep({ params: [] as never })),
        ),
      'ERR_PARAMETER',
      /^keep: params: expected an object, given \[\]/,
    ],
    [
      'weights that are none',
      () => rewrite(net, { constant: (layer) => layer.keep({ weights: { value: 3 } }) }),
      'ERR_WEIGHT',
      /constant '.*': value: expected a weight/,
    ],
  ])('%s', (_, call, code, message) => {
    const error = refusal(call);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.source?.file).toMatch(/test\/passes\/(rewrite\.test|support)\.ts$/);
    expect(comparable(net)).toEqual(before);
  });

  test('nothing that a rule throws: it goes through as it is, and the network stays as it was', () => {
    const thrown = new RangeError('mine');
    const rule: RuleSet = (layer) => {
      if (layer.kind !== 'topk') return;
      layer.original.outputs[0]!.neg();
      throw thrown;
    };
    expect(() => rewrite(net, rule)).toThrow(thrown);
    expect(comparable(net)).toEqual(before);
  });

  test('uint8 inside bodies', () => {
    const bytes = network('bytes', { x: float32(2), b: uint8(2), hot: bool(), h: float16(2) });
    const [x, , hot] = bytes.inputs as [Tensor, Tensor, Tensor];
    bytes
      .if(
        hot,
        () => x.relu(),
        () => x.neg(),
      )
      .output('y');
    const error = refusal(() =>
      rewrite(bytes, (layer) => (layer.kind === 'unary' ? layer.network.inputs[1]!.cast('float32') : undefined)),
    );
    expect([error.code, error.layer]).toEqual(['ERR_DTYPE', 'if_conditional']);
  });
});
