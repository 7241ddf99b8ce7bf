import { describe, expect, test } from 'vitest';
import { bool, float32, int32, type Network, network, type Tensor, toTypeScript } from '../../src/index.js';
import { makeFolder, Written } from './support.js';

const written = new Written(makeFolder());

const networks: Readonly<Record<string, () => Network>> = {
  'inputs declared between layers': () => {
    const net = network('late', { x: float32(2, 3) });
    const y = net.relu();
    const z = net.input('z', float32(2, 3));
    y.add(z).output('sum');
    net.input('unused', int32('n'));
    y.tanh().output('y');
    return net;
  },
  'an input that is an output, outputs in another order than their layers, two names of one': () => {
    const net = network('order', { x: float32(2) });
    const [a, b] = [net.relu(), net.tanh()];
    b.output('b');
    a.output('a').output('again');
    net.tensor().output('same');
    return net;
  },
  'debug tensors, and layers that nothing takes': () => {
    const net = network('debug', { x: float32(2) });
    net.exp().debug();
    net.neg();
    net.relu().output('y');
    return net;
  },
  'names that are no identifiers': () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a template would take for a placeholder
    const net = network("it's \n a ${net} `w`", { 'in-put 1': float32('a', 2), class: float32('a', 2) });
    const y = net.tensor('in-put 1').add(net.tensor('class'), { name: "a'b\\c" });
    y.relu({ name: 'return' })
      .relu({ name: '../x' })
      .relu({ name: '\u2028' })
      .relu({ name: 'Überlänge' })
      .output('net');
    return net;
  },
  'scopes inside names that come from no scope': () => {
    const net = network('mixed', { x: float32(4, 4) });
    let x = net.tensor();
    for (let i = 0; i < 2; i++) {
      x = x.relu({ name: `block.${i}.first` }).softmax();
      net.scope(`block.${i}.inner`, () => (x = x.exp().neg().tanh()));
    }
    x.output('y');
    return net;
  },
  'scopes of scopes, with names of their own and products summed in float32': () => {
    const net = network('scopes', { x: float32(4, 4) }, { useFp32Acc: true });
    let x: Tensor = net.tensor();
    const weight = { dtype: 'float32', shape: [4, 4], data: Float32Array.from({ length: 16 }, (_, i) => i / 7) };
    for (const i of [0, 1, 2])
      net.scope(`stage${i % 2}.part${i}`, () => {
        net.scope('inner', () => (x = x.linear({ weight, name: 'fc' }).relu().matmul(x, { useFp32Acc: false })));
        x = x.softmax().add(1);
      });
    x.output('y');
    return net;
  },
  'loops in loops in conditionals': () => {
    const net = network('nested', { x: float32(3, 4), yes: bool() });
    const x = net.tensor('x');
    const out = net.if(
      net.tensor('yes'),
      () => {
        const { state, outputs } = net.loop(
          { count: 3, state: { 'a b': x }, iterate: { row: { tensor: x, reverse: true } }, name: 'outer' },
          ({ 'a b': a, row }) => {
            const inner = net.loop({ count: 2, state: { a } }, ({ a }) => ({ state: { a: a.mul(2).relu() } }));
            return { state: { 'a b': inner.state.a }, outputs: { kept: { tensor: row!.exp(), axis: 1 } } };
          },
        );
        return [state['a b'], outputs.kept.sum()];
      },
      () => [x, x.mean()],
    );
    for (const [i, tensor] of out.entries()) tensor.output(`y${i}`);
    return net;
  },
  'a loop that ends by its condition': () => {
    const net = network('while', { x: float32(3) });
    const { state } = net.loop({ state: { x: net.tensor() }, while: ({ x }) => x!.sum().lt(100) }, ({ x }) => ({
      state: { x: x.mul(1.5) },
    }));
    state.x.output('y');
    return net;
  },
  'one constant in several layers, and numbers of every kind': () => {
    const net = network('constants', { x: float32(2, 2) });
    const shared = { dtype: 'float32', shape: [2, 2], data: Float32Array.of(-0, 1e-30, 0.1, 3e38) };
    const x = net.tensor().add(shared).mul(shared).sub(0.1).div(1e-7);
    const big = net.constant([1n, 2n ** 60n]);
    big.output('big');
    net.constant([true, false]).output('bools');
    net.constant(Number.NEGATIVE_INFINITY).output('infinite');
    net.constant([0.1, 65504], { dtype: 'float16' }).output('halves');
    x.where(x.gt(0), -0).output('y');
    return net;
  },
};

describe('toTypeScript', () => {
  test.each(Object.entries(networks))('%s', async (label, make) => {
    const net = make();
    const code = await written.add(label, net);
    expect(code).not.toMatch(/\.layer\('\w+', \{/);
    expect(toTypeScript(net, { inline: Number.POSITIVE_INFINITY }).code).toBe(code);
  });

  test('the code records the same networks', () => written.run());

  test('the code is accepted by the compiler', { timeout: 120_000 }, () => expect(written.problems()).toEqual([]));

  test('reads like code that a person wrote', () => {
    const net = network('reads', { image: float32('batch', 3, 8, 8) });
    const weight = { dtype: 'float32', shape: [4, 3, 3, 3], data: new Float32Array(108) };
    net.conv2d({ weight, padding: 1 }).relu().maxPool({ kernel: 2 }).flatten().clamp({ min: 0.1 }).output('y');
    expect(toTypeScript(net).code).toBe(`import { float32, network } from 'node-tensorrt';

const net = network('reads', { image: float32('batch', 3, 8, 8) });
const image = net.tensor();

image
  .conv2d({
    weight: { dtype: 'float32', shape: [4, 3, 3, 3], data: new Float32Array(108) },
    padding: 1,
  })
  .relu()
  .maxPool({ kernel: 2 })
  .reshape([0, 64])
  .clamp({ min: 0.1 })
  .output('y');

export default net;
`);
  });

  test('weights that are in no file go into one beside the code', () => {
    const net = network('beside', { x: float32(1, 8) });
    const data = Float32Array.from({ length: 64 }, (_, i) => i);
    net
      .linear({ weight: { name: 'fc.weight', shape: [8, 8], data } })
      .add(data.subarray(0, 20).length)
      .output('y');
    const { code, weights, weightsFile } = toTypeScript(net, { weightsFile: 'w.safetensors' });
    expect([...weights.keys()]).toEqual(['fc.weight']);
    expect(weightsFile).toBe('w.safetensors');
    expect(code).toContain("await loadWeights(new URL('./w.safetensors', import.meta.url))");
  });

  test('refuses what it cannot use', () => {
    const net = network('n', { x: float32(1) });
    for (const options of [{ inline: -1 }, { path: 1 }, { plugins: { a: 1 } }, { other: 1 }, 2])
      expect(() => toTypeScript(net, options as never)).toThrow(expect.objectContaining({ code: 'ERR_PARAMETER' }));
    expect(() => toTypeScript({} as never)).toThrow(expect.objectContaining({ code: 'ERR_INPUT' }));
    expect(() => net.layer('relu', {})).toThrow(expect.objectContaining({ code: 'ERR_PARAMETER' }));
    expect(() => net.layer('activation', { inputs: [net.tensor()], params: { type: 'relu' } })).toThrow(
      expect.objectContaining({ code: 'ERR_PARAMETER' }),
    );
    expect(() => net.layer('loop', { bodies: { body: {} as never } })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^ERR_/) }),
    );
  });
});
