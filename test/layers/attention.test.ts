import { expect, test } from 'vitest';
import { extract, float16, float32, int32, type Network, network, type Tensor } from '../../src/index.js';
import { cases } from './attention.cases.js';
import { readFixture, type StoredCase } from './fixture.js';
import { expectClose, expectRefusal, expectSameJSON, testLayer } from './harness.js';

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
  expectRefusal(() => q.attention(k, odd), 'ERR_SHAPE', /key and value differ before their last axis/);
  expectRefusal(() => q.attention(odd, odd), 'ERR_SHAPE', /no multiple/);
  expectRefusal(() => q.attention(half, half), 'ERR_DTYPE', /key: expected float32/);
  expectRefusal(() => q.attention(k, 3 as never), 'ERR_INPUT', /expected a tensor/);
  const call = q as unknown as Record<string, (...args: unknown[]) => Tensor>;
  expectRefusal(() => call.attention!(k), 'ERR_INPUT', /: value: expected a tensor, given undefined/);
  expectRefusal(() => call.attention!(), 'ERR_INPUT', /: key: expected a tensor, given undefined/);
  expectRefusal(() => call.gridSample!(), 'ERR_INPUT', /: grid: expected a tensor, given undefined/);
  expectRefusal(() => call.scatter!(k), 'ERR_INPUT', /: updates: expected .*, given undefined/);
  expectRefusal(() => call.matmul!(), 'ERR_INPUT', /: b: expected .*, given undefined/);
});

test('bad parameters are refused', () => {
  const { net, q, k, half, lengths } = parts();
  const mask = net.input('mask', float32('b', 4, 'n', 'm'));
  expectRefusal(() => q.attention(k, k, { mask, causal: true }), 'ERR_PARAMETER', /given both/);
  expectRefusal(() => q.attention(k, k, { mask: half }), 'ERR_DTYPE', /mask/);
  expectRefusal(() => q.attention(k, k, { mask: [[[1]], [[1]]] }), 'ERR_SHAPE', /mask: expected \[b, 4, n, m\]/);
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

/** Kinds and names of the layers that a call adds. */
function added(net: Network, call: () => unknown): [kind: string, name: string][] {
  const { length } = net.graph.nodes;
  call();
  return net.graph.nodes.slice(length).map(({ kind, name }) => [kind, name]);
}

test('what selects 0 for queries without keys is added only where there may be one', () => {
  const { net, q, k, lengths } = parts();
  const x = net.input('x', float32('b', 2, 5, 8));
  const past = net.input('cache', float32('b', 2, 'past', 8)).concat(q.narrow(1, 0, 2), { axis: 2 });
  expect(past.shape[2]).toBe('n + past');
  const alone = [['attention', expect.anything()]];
  const kinds = (...given: Parameters<Tensor['attention']>) =>
    added(net, () => q.attention(given[0], given[1], { scale: 1, ...given[2] })).map(([kind]) => kind);
  const constant = (...list: number[]) => ({
    dtype: 'bool' as const,
    shape: [1, 1, 2, 2],
    data: Uint8Array.from(list),
  });
  expect(kinds(k, k, { causal: true })).toEqual(['attention']);
  expect(kinds(past, past, { causal: 'lower_right' })).toEqual(['attention']);
  expect(kinds(k, k, { mask: constant(1, 0, 1, 1) })).toEqual(['constant', 'attention']);
  expect(kinds(k, k, { mask: [[0, -1e9]] })).toEqual(['constant', 'attention']);
  expect(kinds(k, k, { normalization: 'none', mask: net.input('m', float32('n', 'm')) })).not.toContain('select');
  expect(kinds(k, k, { keyValueLengths: [1, 2] })).toEqual(['constant', 'attention']);
  expect(added(net, () => x.attention(x, x, { scale: 1, causal: 'lower_right' }))).toEqual(alone);
  expect(kinds(k, k, { mask: constant(1, 0, 0, 0) })).toEqual([
    'constant',
    'constant',
    'constant',
    'attention',
    'select',
  ]);
  expect(kinds(k, k, { keyValueLengths: lengths }).at(-1)).toBe('select');
  expect(kinds(k, k, { keyValueLengths: [0, 2] }).at(-1)).toBe('select');
  expect(kinds(k, k, { causal: 'lower_right' }).at(-1)).toBe('select');
});

test('its layers are named after the attention, which gives the result its name; a mask is reduced once', () => {
  const { net, q, k } = parts();
  const mask = net.input('mask', { dtype: 'bool', shape: ['b', 1, 'n', 'm'] });
  const first = added(net, () => q.attention(k, k, { scale: 1, mask, name: 'self' }).output());
  expect(first).toEqual([
    ['cast', 'self.cast'],
    ['reduce', 'self.reduce'],
    ['constant', 'self.constant'],
    ['element_wise', 'self.element_wise'],
    ['constant', 'self.constant_1'],
    ['attention', 'self.attention'],
    ['select', 'self'],
  ]);
  expect(net.outputs[0]!.name).toBe('self');
  expect(added(net, () => q.attention(k, k, { scale: 1, mask }))).toEqual([
    ['constant', 'attention.constant'],
    ['attention', 'attention.attention'],
    ['select', 'attention'],
  ]);
  expectRefusal(() => q.attention(k, k, { mask, name: 3 as never }), 'ERR_NAME');
  expectSameJSON(net);
});

test('a mask reduced in a branch is reduced again outside of it', async () => {
  const { net, q, k } = parts();
  const mask = net.input('mask', { dtype: 'bool', shape: ['n', 'm'] });
  const chosen = net.if(
    net.input('on', { dtype: 'bool', shape: [] }),
    () => q.attention(k, k, { mask }),
    () => q,
  );
  q.attention(k, k, { mask }).add(chosen).output('y');
  await expect(net.compile({ backend: 'cpu' })).resolves.toBeDefined();
});

const ragged = readFixture('attention_lengths');

test.each([...ragged].filter(([name]) => !name.startsWith('packed')))(
  '%s: on the CPU backend, as PyTorch',
  async (name, stored) => {
    const { net, y } = recordRagged(name, stored);
    y.output('y');
    using model = await net.compile({ backend: 'cpu' });
    expectClose((await model.run(stored.inputs)).y!, stored.outputs[0]!);
    const { mask, ...others } = stored.inputs;
    if (!mask) return;
    // The same as numbers.
    const numbers = Float32Array.from(mask.data as Uint8Array, (see) => (see ? 0 : Number.NEGATIVE_INFINITY));
    const added = { ...mask, dtype: 'float32' as const, data: numbers };
    const { net: again, y: z } = recordRagged(name, { ...stored, inputs: { ...others, mask: added } });
    z.output('y');
    using other = await again.compile({ backend: 'cpu' });
    expectClose((await other.run({ ...others, mask: numbers })).y!, stored.outputs[0]!);
  },
);

test.each([...ragged].filter(([name]) => name.startsWith('packed')))(
  '%s: rows that PyTorch gives as zeros',
  async (name, stored) => {
    const { net, y } = recordRagged(name, stored);
    const select = net.graph.nodes.at(-1)!;
    expect(select).toMatchObject({ kind: 'select', outputs: [{ id: y.id, shape: stored.outputs[0]!.shape }] });
    const cut = extract(net, { outputs: { blind: net.tensorOf(select.inputs[0]!)! } });
    using model = await cut.compile({ backend: 'cpu' });
    const feeds = Object.entries(stored.inputs).filter(([input]) => cut.inputs.some(({ name }) => name === input));
    const { blind } = await model.run(Object.fromEntries(feeds));
    const [output] = stored.outputs;
    const zeros = Array.from({ length: output!.data.length / 8 }, (_, i) =>
      Number((output!.data as Float32Array).subarray(8 * i, 8 * i + 8).every((v) => v === 0)),
    );
    // A row of heads for every token, or of tokens for every head.
    const [batch, heads, tokens] = output!.shape as [number, number, number];
    const rows =
      output!.shape.length === 3
        ? zeros.filter((_, i) => i % heads === 0)
        : zeros.filter((_, i) => i % (heads * tokens) < tokens);
    const given = Array.from(blind!.data as Uint8Array);
    expect(rows.length).toBe(output!.shape.length === 3 ? batch : batch * tokens);
    expect(
      given.length === batch && output!.shape.length === 4 ? given.flatMap((one) => Array(tokens).fill(one)) : given,
    ).toEqual(rows);
  },
);

function recordRagged(name: string, stored: StoredCase): { net: Network; y: Tensor } {
  const net = network(name, stored.inputs);
  const { q, k, v, ...lists } = Object.fromEntries(net.inputs.map((tensor) => [tensor.name, tensor]));
  const causal = name.endsWith('lower_right') && ('lower_right' as const);
  const forms = { queryForm: formOf(q!), keyValueForm: formOf(k!) };
  return { net, y: q!.attention(k!, v!, { ...lists, ...forms, causal }) };
}

const formOf = (x: Tensor) => (x.rank === 3 ? ('packed_nhd' as const) : ('padded_bhnd' as const));

test('an attention that must be one kernel is not built where there is none', async () => {
  const net = network('kernel');
  const q = net.input('q', float32(1, 2, 3, 8));
  q.attention(q, q, { scale: 1, decomposable: false }).output('y');
  await expect(net.build({ library: 'rtx1', computeCapabilities: [89] })).rejects.toThrow(/dedicated kernel/);
});
