import { describe, expect, test } from 'vitest';
import { type Evaluate, float32, foldConstants, type Network, network, type WeightLike } from '../../src/index.js';
import { expectClose } from '../layers/harness.js';
import { comparable, recorded, run, sample } from './support.js';

const onCpu: Evaluate = async (part) => {
  expect(part.inputs).toEqual([]);
  using model = await part.compile({ backend: 'cpu' });
  return model.run({});
};
const kinds = (net: Network) => net.graph.nodes.map(({ kind }) => kind);
const names = (net: Network) => net.graph.nodes.map(({ name }) => name);

/** Relative and absolute, by dtype: onnxruntime fuses other layers once constants stand in their place. */
const tolerance = { float32: 1e-5, float16: 2 ** -8, bfloat16: 2 ** -5 } as Record<string, number>;

describe('folding random graph', () => {
  test.each(sample.filter(([i]) => i % 32 === 0).map((one) => [one[0], one] as const))(
    '%i keeps its results',
    async (_, one) => {
      const { net, feeds } = recorded(one);
      const before = comparable(net);
      const folded = await foldConstants(net, { evaluate: onCpu });
      expect(comparable(net)).toEqual(before);
      const [given, expected] = [await run(folded, feeds), await run(net, feeds)];
      expect(Object.keys(given)).toEqual(Object.keys(expected));
      for (const [name, value] of Object.entries(expected)) {
        const most = tolerance[value.dtype] ?? 0;
        expectClose(given[name]!, { ...value, shape: [...value.shape] }, { atol: most, rtol: most });
      }
    },
  );

  test('some of them have layers to fold', async () => {
    let gone = 0;
    for (const one of sample) {
      const { net } = recorded(one);
      const folded = await foldConstants(net);
      gone +=
        kinds(net).filter((kind) => kind !== 'constant').length -
        kinds(folded).filter((kind) => kind !== 'constant').length;
    }
    expect(gone).toBeGreaterThan(5);
  });
});

/** y = x · exp(w)ᵀ + n, where n is the number of columns of x. */
function small(): Network {
  const net = network('small', { x: float32('batch', 2) });
  const x = net.tensor();
  const w = net.constant({ shape: [2, 2], data: Float32Array.of(0, 1, 2, 3) }, { name: 'w' });
  const width = net.scope('size', () => net.dims([x.dim(0), x.dim(1)]).narrow(0, 1, 1));
  x.matmul(w.exp({ name: 'e' }).transpose([1, 0]), { name: 'm' })
    .add(width.cast('float32').reshape([1, 1]))
    .output('y');
  return net;
}

describe('foldConstants', () => {
  const x = { shape: [1, 2], data: Float32Array.of(1, 2) };

  test('folds known sizes without a backend, and nothing else', async () => {
    const net = small();
    const folded = await foldConstants(net);
    expect(kinds(folded)).toEqual(expect.arrayContaining(['unary', 'cast', 'matrix_multiply']));
    expect(kinds(net)).toContain('slice');
    expect(kinds(folded)).not.toContain('slice');
    expect(kinds(folded)).not.toContain('shape');
    expect(names(folded)).toEqual(expect.arrayContaining(['size.slice', 'e', 'm']));
    expect((await run(folded, { x })).y).toEqual((await run(net, { x })).y);
  });

  test('folds what an evaluator computes; names and places stay', async () => {
    const net = small();
    const parts: Network[] = [];
    const folded = await foldConstants(net, {
      evaluate: (part) => {
        parts.push(part);
        return onCpu(part);
      },
    });
    expect(kinds(folded)).toEqual(['constant', 'matrix_multiply', 'constant', 'element_wise']);
    expect(parts.map((part) => part.outputs.length)).toEqual([2]);
    const last = net.toJSON().nodes.filter(({ kind }) => kind === 'shuffle');
    const constants = folded.toJSON().nodes.filter(({ kind }) => kind === 'constant');
    expect(constants.map(({ name }) => name)).toEqual(last.map(({ name }) => name));
    expect(constants.map(({ source }) => source)).toEqual(last.map(({ source }) => source));
    const [e0, e1, e2, e3] = [0, 1, 2, 3].map(Math.exp) as [number, number, number, number];
    expectClose((await run(folded, { x })).y!, {
      dtype: 'float32',
      shape: [1, 2],
      data: Float32Array.of(e0 + 2 * e1 + 2, e2 + 2 * e3 + 2),
    });
  });

  test('leaves random numbers, quantization, assertions and large results as they are', async () => {
    const net = network('kept', { x: float32(2) });
    const one = net.constant([1, 2]);
    net.randomUniform([2], { name: 'random' }).output('r');
    one.quantize({ scale: 0.5 }).dequantize({ scale: 0.5 }).output('d');
    one.gt(net.constant([0, 0])).assert('positive');
    one
      .reshape([2, 1])
      .expand([2, 2 ** 16])
      .output('large');
    one.neg({ name: 'folded' }).output('n');
    net.relu().output('y');
    const folded = await foldConstants(net, { evaluate: onCpu });
    const kept = kinds(folded);
    for (const kind of ['fill', 'quantize', 'dequantize', 'assertion', 'slice', 'activation'])
      expect(kept).toContain(kind);
    expect(kept).not.toContain('unary');
    expect([...(await run(folded, { x: Float32Array.of(0, 0) })).n!.data]).toEqual([-1, -2]);
  });

  test('folds a loop of constants as a whole, and one output of several', async () => {
    const net = network('loops', { x: float32(2) });
    const start = net.constant([1, 2]);
    const { state } = net.loop({ name: 'walk', count: 3, state: { s: start } }, ({ s }) => ({
      state: { s: s.add(start) },
    }));
    const [, indices] = state.s.topk(1, { name: 'best' });
    net.relu().add(indices.cast('float32')).output('y');
    const folded = await foldConstants(net, { evaluate: onCpu });
    expect(kinds(folded)).toEqual(['activation', 'constant', 'element_wise']);
    expect([...(await run(folded, { x: Float32Array.of(5, 6) })).y!.data]).toEqual([6, 7]);
  });

  test('is not changed by what is recorded while it evaluates', async () => {
    const net = small();
    const before = kinds(await foldConstants(net, { evaluate: onCpu }));
    const promise = foldConstants(net, { evaluate: onCpu });
    net.outputs[0]!.tensor.relu().output('later');
    expect(kinds(await promise)).toEqual(before);
  });

  describe('refuses', () => {
    const result: WeightLike = { dtype: 'float32', shape: [2, 2], data: new Float32Array(4) };
    test.each<[string, () => Promise<unknown>, string, RegExp]>([
      ['no network', async () => foldConstants(3 as never), 'ERR_INPUT', /^foldConstants: expected a network, given 3/],
      [
        'an unknown option',
        async () => foldConstants(small(), { backend: 'cpu' } as never),
        'ERR_PARAMETER',
        /no option 'backend'; there is evaluate/,
      ],
      [
        'an evaluator that is none',
        async () => foldConstants(small(), { evaluate: 'cpu' as never }),
        'ERR_PARAMETER',
        /evaluate: expected a function, given 'cpu'/,
      ],
      [
        'no results',
        async () => foldConstants(small(), { evaluate: () => undefined as never }),
        'ERR_INPUT',
        /shuffle '.*': evaluate: expected float32\[2, 2\], given undefined/,
      ],
      [
        'results without an output',
        async () => foldConstants(small(), { evaluate: () => ({ other: result }) }),
        'ERR_INPUT',
        /evaluate: expected float32\[2, 2\], given undefined/,
      ],
      [
        'another shape',
        async () => foldConstants(small(), { evaluate: () => ({ value0: { ...result, shape: [4] } }) }),
        'ERR_INPUT',
        /expected float32\[2, 2\], given float32\[4\]/,
      ],
      [
        'another dtype',
        async () => foldConstants(small(), { evaluate: () => ({ value0: { ...result, dtype: 'int32' } }) }),
        'ERR_INPUT',
        /expected float32\[2, 2\], given int32\[2, 2\]/,
      ],
      [
        'too few elements',
        async () =>
          foldConstants(small(), {
            evaluate: (part) =>
              Object.fromEntries(
                part.outputs.map(({ name, tensor: { dtype, shape } }) => [
                  name,
                  { dtype, shape: shape as number[], data: new Float32Array(3) },
                ]),
              ),
          }),
        'ERR_WEIGHT',
        /value: shape \[2, 2\] of float32 takes 16 bytes/,
      ],
    ])('%s', async (_, call, code, message) => {
      await expect(call()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    });

    test('nothing that the evaluator throws: it goes through', async () => {
      const thrown = new RangeError('mine');
      await expect(foldConstants(small(), { evaluate: () => Promise.reject(thrown) })).rejects.toBe(thrown);
    });
  });
});
