import { expect, test } from 'vitest';
import { float16, float32, int32, network, type Tensor } from '../../src/index.js';
import { cases } from './attention.cases.js';
import { expectRefusal, testLayer } from './harness.js';

testLayer('attention', cases);

function parts() {
  const net = network('attention', {
    q: float32('b', 4, 'n', 8),
    k: float32('b', 2, 'm', 8),
    flat: float32('b', 'n', 8),
    wide: float32('b', 2, 'm', 9),
    odd: float32('b', 3, 'm', 8),
    half: float16('b', 2, 'm', 8),
    lengths: int32('b'),
  });
  const [q, k, flat, wide, odd, half, lengths] = net.inputs as unknown as Record<number, Tensor> & Iterable<Tensor>;
  return { net, q: q!, k: k!, flat: flat!, wide: wide!, odd: odd!, half: half!, lengths: lengths! };
}

test('tensors that do not fit are refused', () => {
  const { q, k, flat, wide, odd, half } = parts();
  expectRefusal(() => flat.attention(k, k), 'ERR_RANK', /query: expected \[batch, heads, tokens, size\]/);
  expectRefusal(() => q.attention(flat, flat), 'ERR_RANK', /key/);
  expectRefusal(() => q.attention(wide, wide), 'ERR_SHAPE', /differ in the size of their heads/);
  expectRefusal(() => q.attention(k, wide), 'ERR_SHAPE', /key and value differ/);
  expectRefusal(() => q.attention(odd, odd), 'ERR_SHAPE', /no multiple/);
  expectRefusal(() => q.attention(half, half), 'ERR_DTYPE', /key: expected float32/);
  expectRefusal(() => q.attention(k, 3 as never), 'ERR_INPUT', /expected a tensor/);
});

test('bad parameters are refused', () => {
  const { net, q, k, half, lengths } = parts();
  const mask = net.input('mask', float32('b', 4, 'n', 'm'));
  expectRefusal(() => q.attention(k, k, { mask, causal: true }), 'ERR_PARAMETER', /given both/);
  expectRefusal(() => q.attention(k, k, { mask: half }), 'ERR_DTYPE', /mask/);
  expectRefusal(() => q.attention(k, k, { mask: [[1]] }), 'ERR_SHAPE', /mask: expected \[b, 4, n, m\]/);
  expectRefusal(() => q.attention(k, k, { causal: 'left' as never }), 'ERR_PARAMETER', /: causal: /);
  expectRefusal(() => q.attention(k, k, { scale: Number.NaN }), 'ERR_PARAMETER', /scale: expected a number/);
  expectRefusal(() => q.attention(k, k, { ranks: 0 }), 'ERR_PARAMETER', /ranks/);
  expectRefusal(
    () => q.attention(k, k, { quantize: { to: 'int4' as never, scale: 1 } }),
    'ERR_PARAMETER',
    /: quantize: /,
  );
  expectRefusal(() => q.attention(k, k, { queryLengths: lengths }), 'ERR_INPUT', /queryLengths: expected none/);
  const packed = net.input('packed', float32('t', 4, 8));
  expectRefusal(() => packed.attention(k, k, { queryForm: 'packed_nhd' }), 'ERR_INPUT', /the packed form needs them/);
});

test('the default scale is 1 / √size; a scale of 1 adds nothing', () => {
  const { net, q, k } = parts();
  const kinds = () => net.graph.nodes.map(({ kind }) => kind);
  expect(q.attention(k, k, { scale: 1 }).shape).toEqual(['b', 4, 'n', 8]);
  expect(kinds()).toEqual(['attention']);
  q.attention(k, k);
  expect(kinds()).toEqual(['attention', 'constant', 'element_wise', 'attention']);
});

test('what this TensorRT-RTX lacks is an error that says so, not a crash', async () => {
  const { net, q, k, lengths } = parts();
  q.attention(k, k, { keyValueLengths: lengths }).output('y');
  await expect(net.check()).rejects.toMatchObject({
    code: 'ERR_UNSUPPORTED',
    message: expect.stringContaining('keyValueLengths'),
  });
  using model = await net.compile({ backend: 'cpu' });
  const feeds = Object.fromEntries(
    net.inputs.map(({ name, shape }) => [
      name,
      new Float32Array(shape.reduce<number>((n, d) => n * (typeof d === 'number' ? d : 1), 1)),
    ]),
  );
  await expect(model.run({ ...feeds, half: new Uint16Array(16), lengths: [1] })).resolves.toBeDefined();
});

test('an attention that must be one kernel is not built where there is none', async () => {
  const net = network('kernel');
  const q = net.input('q', float32(1, 2, 3, 8));
  q.attention(q, q, { scale: 1, decomposable: false }).output('y');
  await expect(net.build({ library: 'rtx1', computeCapabilities: [89] })).rejects.toThrow(/dedicated kernel/);
});
