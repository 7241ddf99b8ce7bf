import { expect, test } from 'vitest';
import { float32, int32, int64, loadEngine, network, type Tensor } from '../../src/index.js';
import { describeGpu } from './support.js';

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error) => error.code as string,
  );

describeGpu('inputs that decide shapes', () => {
  test('one engine, several sizes: built, loaded again, with two profiles', async () => {
    const net = network('best', { x: float32('n', 6), count: int32(), sizes: int64(2) });
    const [x, count, sizes] = net.inputs as [Tensor, Tensor, Tensor];
    x.topk(count)[0].output('best');
    x.reshape(sizes).output('reshaped');
    count.mul(2).output('twice');
    const ranges = [
      { min: [1, 1], opt: [2, 6], max: [24, 24] },
      { min: [1, 1], opt: [3, 2], max: [12, 12] },
    ];
    using built = await net.build({
      profiles: [
        { n: [1, 2, 4], count: [1, 2, 4], sizes: [ranges[0]!.min, ranges[0]!.opt, ranges[0]!.max] },
        { n: 1, count: 6, sizes: [ranges[1]!.min, ranges[1]!.opt, ranges[1]!.max] },
      ],
    });
    using loaded = await loadEngine(built.bytes);
    for (const engine of [built, loaded]) {
      const named = Object.fromEntries(engine.inputs.map((input) => [input.name, input]));
      expect(named.count!.values).toEqual([
        { min: [1], opt: [2], max: [4] },
        { min: [6], opt: [6], max: [6] },
      ]);
      expect(named.sizes!.values).toEqual(ranges);
      expect(named.x).not.toHaveProperty('values');

      const rows = [
        [3, 1, 6, 2, 5, 4],
        [9, 8, 7, 12, 11, 10],
      ];
      const feeds = (n: number, count: number, sizes: [number, number]) => ({
        x: { shape: [n, 6], data: Float32Array.from(rows.slice(0, n).flat()) },
        count,
        sizes,
      });
      for (const [k, sizes] of [
        [2, [6, 2]],
        [4, [1, 12]],
        [1, [12, 1]],
        [3, [3, 4]],
      ] as [number, [number, number]][]) {
        const { best, reshaped, twice } = await engine.run(feeds(2, k, sizes));
        expect(best!.shape).toEqual([2, k]);
        expect([...best!.data]).toEqual(rows.flatMap((row) => row.toSorted((a, b) => b - a).slice(0, k)));
        expect(reshaped!.shape).toEqual(sizes);
        expect([...reshaped!.data]).toEqual(rows.flat());
        expect([...twice!.data]).toEqual([2 * k]);
      }
      expect(await code(engine.run(feeds(2, 5, [6, 2])))).toBe('ERR_SHAPE');
      expect(await code(engine.run(feeds(2, 2, [0, 2])))).toBe('ERR_SHAPE');
      // Within the profile, and yet no shape of 12 elements.
      expect(await code(engine.run(feeds(2, 2, [5, 2])))).not.toBe('none');
      expect((await engine.run(feeds(2, 2, [4, 3]))).reshaped!.shape).toEqual([4, 3]);

      using other = await engine.createContext({ profile: 1 });
      expect((await other.run(feeds(1, 6, [2, 3]))).best!.shape).toEqual([1, 6]);
      expect(await code(other.run(feeds(1, 5, [2, 3])))).toBe('ERR_SHAPE');
    }
  });

  test('the number of iterations, with and without collected outputs', async () => {
    const net = network('powers', { h: float32(2), count: int64() });
    const [h, count] = net.inputs as [Tensor, Tensor];
    const { state, outputs } = net.loop({ count, state: { h } }, ({ h }) => {
      const next = h.mul(2);
      return { state: { h: next }, outputs: { all: next } };
    });
    state.h.output('last');
    outputs.all.output('all');
    using engine = await net.build({ profiles: [{ count: [1, 3, 10] }] });
    for (const n of [1, 7, 3, 10]) {
      const { last, all } = await engine.run({ h: Float32Array.of(1, 3), count: n });
      expect([...last!.data]).toEqual([2 ** n, 3 * 2 ** n]);
      expect(all!.shape).toEqual([n, 2]);
      expect([...all!.data]).toEqual(Array.from({ length: n }, (_, i) => [2 ** (i + 1), 3 * 2 ** (i + 1)]).flat());
    }
  });
});

describeGpu('operations in place', () => {
  test('leave the caller’s cache as it is, and see it anew in every run', async () => {
    const net = network('cache', { cache: float32(1, 1, 4, 2), update: float32(1, 1, 1, 2), at: int32(1) });
    const [cache, update, at] = net.inputs as [Tensor, Tensor, Tensor];
    cache.kvCacheUpdate(update, at).output('next');
    using built = await net.build();
    using loaded = await loadEngine(built.bytes);
    for (const engine of [built, loaded]) {
      const given = new Float32Array(8);
      for (const row of [1, 3, 0]) {
        const { next } = await engine.run({ cache: given, update: Float32Array.of(5, 6), at: Int32Array.of(row) });
        expect([...next!.data]).toEqual([0, 1, 2, 3].flatMap((i) => (i === row ? [5, 6] : [0, 0])));
      }
      expect([...given]).toEqual(Array(8).fill(0));
    }
  });
});
