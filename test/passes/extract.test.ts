import { describe, expect, test } from 'vitest';
import { bool, copy, extract, float32, int32, Network, network, type Tensor } from '../../src/index.js';
import { refusal } from '../refusal.js';
import { expectIdentical, recorded, run, sample } from './support.js';

/** Tensors of the outermost graph that a network can have as inputs and outputs. */
const cuttable = (net: Network): Tensor[] =>
  net.graph.nodes
    .flatMap(({ outputs }) => outputs.map(({ id }) => net.tensorOf(id)!))
    .filter(({ dtype }) => ['float32', 'float16', 'int32', 'int64', 'bool'].includes(dtype));

const every = 6;
/** Four units in the last place of float16. */
const half = 2 ** -8;
const halved = sample.filter(([i]) => i % 32 === 0 || i % 32 === 25);

/** A network with another output; the CPU backend fuses no layers across it. */
const withOutput = (net: Network, name: string, tensor: Tensor): Network =>
  extract(net, {
    outputs: { ...Object.fromEntries(net.outputs.map((one) => [one.name, one.tensor])), [name]: tensor },
  });

describe('the halves of random graph', () => {
  test.each(halved.map((one) => [one[0], one] as const))('%i compute what the whole does', async (index, one) => {
    const { net, feeds } = recorded(one);
    for (const tensor of cuttable(net).filter((_, i) => i % every === index % every)) {
      const whole = await run(withOutput(net, 'cut', tensor), feeds);
      const { cut, ...rest } = whole;
      const head = extract(net, { outputs: { cut: tensor } });
      expectIdentical(await run(head, feeds), { cut: cut! });
      const tail = extract(net, { inputs: { cut: tensor } });
      expect(tail.inputs.some(({ name }) => name === 'cut')).toBe(true);
      // Nothing but the cut is an output where the last layer was cut off.
      if (tail.graph.nodes.length > 0) expectIdentical(await run(tail, { ...feeds, cut: cut! }), rest, half);
    }
  });

  test('are of many cuts', () => {
    const cuts = halved.map((one) => cuttable(recorded(one).net).filter((_, i) => i % every === one[0] % every).length);
    expect(cuts.reduce((a, b) => a + b)).toBeGreaterThan(50);
  });
});

/** x → a → b → y, and x → c → y. */
function diamond() {
  const net = network('diamond', { x: float32('batch', 4), unused: float32(1) });
  const x = net.inputs[0]!;
  const a = x.relu({ name: 'a' });
  const b = a.exp({ name: 'b' });
  const c = x.tanh({ name: 'c' });
  const y = b.add(c, { name: 'sum' }).output('y');
  b.neg().output('z');
  return { net, x, a, b, c, y };
}

const names = (list: readonly { name: string }[]) => list.map(({ name }) => name);

describe('extract', () => {
  test('takes tensors or their names, and leaves out what outputs do not depend on', () => {
    const { net, b } = diamond();
    const part = extract(net, { inputs: [b], outputs: ['y'] });
    expect(names(part.graph.nodes)).toEqual(['c', 'sum']);
    expect(names(part.inputs)).toEqual(['x', 'b']);
    expect(names(part.outputs)).toEqual(['y']);
    expect(part.toJSON()).toEqual(extract(net, { inputs: ['b'], outputs: { y: 'y' } }).toJSON());
    const head = extract(net, { outputs: ['a', b] });
    expect(names(head.graph.nodes)).toEqual(['a', 'b']);
    expect(names(head.outputs)).toEqual(['a', 'b']);
    expect(names(extract(net).inputs)).toEqual(['x']);
  });

  test('does not change the network', () => {
    const { net, b } = diamond();
    const before = net.toJSON();
    extract(net, { inputs: [b] });
    expect(net.toJSON()).toEqual(before);
  });

  test('keeps an input that was asked for, though nothing depends on it', async () => {
    const { net, a, b } = diamond();
    const part = extract(net, { inputs: [b], outputs: [a] });
    expect(names(part.inputs)).toEqual(['x', 'b']);
    const feeds = { x: Float32Array.of(1, -2, 3, 4), b: Float32Array.of(0, 0, 0, 0) };
    expect([...(await run(part, feeds)).a!.data]).toEqual([1, 0, 3, 4]);
  });

  test('cuts at inputs, and gives outputs that are inputs', async () => {
    const { net, x, b } = diamond();
    const part = extract(net, { inputs: { features: x }, outputs: { same: x, a: 'a' } });
    expect(names(part.inputs)).toEqual(['features']);
    const run1 = await run(part, { features: Float32Array.of(1, -2, 3, 4) });
    expect([...run1.same!.data]).toEqual([1, -2, 3, 4]);
    const own = extract(net, { outputs: [x, 'b'] });
    expect([names(own.inputs), names(own.outputs)]).toEqual([['x'], ['x_1', 'b']]);
    const through = extract(net, { inputs: [b], outputs: [b, 'z'] });
    expect([names(through.inputs), names(through.outputs)]).toEqual([['b'], ['b_1', 'z']]);
  });

  test('gives an input another name where an output has its own', () => {
    const { net, y } = diamond();
    const part = extract(net, { inputs: [y] });
    expect([names(part.inputs), names(part.outputs)]).toEqual([
      ['x', 'y_1'],
      ['y', 'z'],
    ]);
  });

  test('keeps all names of an output, and copies one with several', () => {
    const { net, y } = diamond();
    y.output('again');
    expect(names(extract(net).outputs)).toEqual(['y', 'z', 'again']);
  });

  test('cuts one of several outputs', async () => {
    const net = network('several', { x: float32(1, 5) });
    const [values, indices] = net.topk(2);
    values.output('v');
    indices.cast('float32').add(values).output('sum');
    const part = extract(net, { inputs: { values } });
    expect(names(part.inputs)).toEqual(['x', 'values']);
    const feeds = { x: Float32Array.of(1, 5, 2, 4, 3), values: Float32Array.of(10, 20) };
    const results = await run(part, feeds);
    expect([...results.v!.data]).toEqual([10, 20]);
    expect([...results.sum!.data]).toEqual([11, 23]);
  });

  test('keeps dynamic dims, expressions of them, and knows the elements of shape tensors', async () => {
    const net = network('dims', { x: float32('batch', 2, 6) });
    const double = net.tensor().reshape([net.tensor().dim(0).mul(2), 6]);
    const sizes = net.dims([double.dim(0).div(2), 3, 4]);
    double.reshape(sizes).relu().output('y');
    expect(double.shape).toEqual(['2*batch', 6]);
    const part = extract(net, { inputs: { double, sizes } });
    expect(part.inputs.map(({ shape }) => shape)).toEqual([['2*batch', 6], [3]]);
    expect(part.outputs[0]!.tensor.shape).toEqual(net.outputs[0]!.tensor.shape);
    const data = Float32Array.from({ length: 24 }, (_, i) => i - 12);
    const feeds = { double: { shape: [4, 6], data }, sizes: BigInt64Array.of(2n, 3n, 4n) };
    expect([...(await run(part, feeds)).y!.data]).toEqual([...data].map((v) => Math.max(0, v)));
    using engine = await part.build({
      library: 'rtx1',
      profiles: [
        {
          batch: [1, 2, 4],
          sizes: [
            [1, 3, 4],
            [2, 3, 4],
            [4, 3, 4],
          ],
        },
      ],
    });
    expect(engine.inputs.map(({ name }) => name)).toEqual(['double', 'sizes']);
  });

  test('names sizes that only the data told', async () => {
    const net = network('open', { x: float32(6), non_zero: float32('non_zero') });
    const found = net.inputs[0]!.nonZero();
    const wide = found.cast('float32');
    const pairs = wide.concat(wide, { axis: 1 });
    pairs.neg().output('y');
    net.inputs[1]!.output('z');
    const part = extract(net, { inputs: { wide, pairs }, outputs: { w: wide.neg().output(), y: 'y', z: 'z' } });
    expect(part.inputs.map(({ shape }) => shape)).toEqual([['non_zero'], [1, 'non_zero_1'], [1, '2*non_zero_1']]);
    expect(part.outputs.map(({ tensor }) => tensor.shape)).toEqual([
      [1, 'non_zero_1'],
      [1, '2*non_zero_1'],
      ['non_zero'],
    ]);
    const again = extract(net, { inputs: { wide, pairs }, outputs: { y: 'y', z: 'z' } });
    expect(again.inputs[1]!.shape).toEqual([1, 'non_zero_1']);
    const feeds = { non_zero: Float32Array.of(5), wide: Float32Array.of(1, 2), pairs: Float32Array.of(1, 2, 1, 2) };
    expect([...(await run(part, feeds)).y!.data]).toEqual([-1, -2, -1, -2]);
  });

  test('survives JSON', () => {
    const net = network('dims', { x: float32('batch', 2) });
    const double = net.tensor().reshape([net.tensor().dim(0).mul(2)]);
    double.relu().output('y');
    const part = extract(net, { inputs: [double] });
    expect(Network.fromJSON(part.toJSON()).inputs[0]!.shape).toEqual(['2*batch']);
  });

  test('takes what bodies use of the tensors around them', async () => {
    const net = network('around', { x: float32(2), n: float32(2), hot: bool() });
    const [x, n, hot] = net.inputs as [Tensor, Tensor, Tensor];
    const step = n.abs({ name: 'step' });
    const { state } = net.loop({ count: 2, state: { x } }, (now) => ({
      state: {
        x: net.if(
          hot,
          () => now.x.add(step),
          () => now.x.sub(step),
        ),
      },
    }));
    state.x.output('y');
    expect(names(extract(net, { outputs: ['y'] }).graph.nodes)).toEqual(names(net.graph.nodes));
    const part = extract(net, { inputs: ['step'] });
    expect(names(part.inputs)).toEqual(['x', 'hot', 'step']);
    const results = await run(part, { x: Float32Array.of(0, 1), step: Float32Array.of(1, 2), hot: false });
    expect([...results.y!.data]).toEqual([-2, -3]);
  });

  test('leaves assertions out', () => {
    const net = network('guarded', { x: float32('n') });
    net
      .dims([net.tensor().dim(0)])
      .eq(net.dims([4]))
      .assert('four');
    net.relu().output('y');
    expect(extract(net).graph.nodes.map(({ kind }) => kind)).toEqual(['activation']);
    expect(copy(net).graph.nodes.map(({ kind }) => kind)).toContain('assertion');
  });

  describe('refuses', () => {
    const { net, x, a, b } = diamond();
    net.input('c', int32(1));
    let inner: Tensor | undefined;
    net.loop({ count: 1, state: { x } }, (now) => {
      inner = now.x.relu();
      return { state: { x: inner } };
    });
    const foreign = diamond().a;
    test.each<[string, () => unknown, string, RegExp]>([
      ['no network', () => extract({} as never), 'ERR_INPUT', /^extract: expected a network, given \{\}/],
      ['no options', () => extract(net, null as never), 'ERR_PARAMETER', /^extract: expected options, given null/],
      [
        'an unknown option',
        () => extract(net, { from: [] } as never),
        'ERR_PARAMETER',
        /no option 'from'; there are inputs/,
      ],
      [
        'a single tensor',
        () => extract(net, { inputs: a as never }),
        'ERR_PARAMETER',
        /inputs: expected a list or an object, given Tensor/,
      ],
      [
        'no tensor',
        () => extract(net, { inputs: [3 as never] }),
        'ERR_INPUT',
        /inputs\[0\]: expected a tensor or its name, given 3/,
      ],
      [
        'an unknown name',
        () => extract(net, { outputs: { p: 'nowhere' } }),
        'ERR_NAME',
        /outputs\.p: the network has no tensor 'nowhere'/,
      ],
      [
        'an ambiguous name',
        () => extract(net, { outputs: ['c'] }),
        'ERR_NAME',
        /outputs\[0\]: 2 tensors have the name 'c'/,
      ],
      [
        'a tensor of another network',
        () => extract(net, { outputs: [foreign] }),
        'ERR_FOREIGN_TENSOR',
        /outputs\[0\]: Tensor\(a: .* another network that is named 'diamond' too/,
      ],
      [
        'a tensor inside a loop',
        () => extract(net, { outputs: [inner!] }),
        'ERR_NESTED_TENSOR',
        /outputs\[0\]: Tensor\(loop\.activation: .* belongs to a loop or conditional body/,
      ],
      [
        'no output',
        () => extract(net, { outputs: [] }),
        'ERR_NO_OUTPUT',
        /expected an output, and network 'diamond' has none/,
      ],
      [
        'a tensor under two names',
        () => extract(net, { inputs: { one: a, two: a } }),
        'ERR_INPUT',
        /inputs\.two: Tensor\(a: .* is given twice/,
      ],
      [
        'a name twice',
        () => extract(net, { inputs: { p: a }, outputs: { p: b } }),
        'ERR_DUPLICATE_NAME',
        /input or output named 'p'/,
      ],
      [
        'the name of an input that stays',
        () => extract(net, { inputs: { x: a } }),
        'ERR_DUPLICATE_NAME',
        /input or output named 'x'/,
      ],
      ['no name', () => extract(net, { outputs: { '': a } }), 'ERR_NAME', /expected a name/],
    ])('%s', (_, call, code, message) => {
      const error = refusal(call);
      expect(error.code).toBe(code);
      expect(error.message).toMatch(message);
      expect(error.source?.file).toBe(import.meta.filename);
    });
  });
});
