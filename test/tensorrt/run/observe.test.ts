import { beforeAll, describe, expect, test } from 'vitest';
import { compiling, prepare, runStandIn } from '../../stand-in/harness.js';

const releases = ['10.2.0', '10.16.0', '11.1.0'] as const;

beforeAll(() => prepare(...releases), compiling);

/** x → relu 'a' (debug) → identity 'b' → relu 'c' (debug, and output y). */
const start = `
const net = network('observed', { x: float32(4) });
net.tensor('x').relu({ name: 'a' }).debug().identity({ name: 'b' }).relu({ name: 'c' }).debug().output('y');
net.constant([1, 2, 3], { dtype: 'float32', name: 'k' }).output('k');
const engine = await net.build({ weightStreaming: true });
const x = [-1, 2, -3, 4];
const outcome = (promise) => promise.then(() => 'none', ({ code, message, tensorrtCode, log, cause }) =>
  ({ code, message, tensorrtCode, log, cause: cause?.message }));
`;

describe.each(releases)('TensorRT %s', (release) => {
  test('a context with a listener tells debug tensors in every run, others do not', async () => {
    const { result } = await runStandIn<unknown>(
      `${start}
      const seen = [];
      const context = await engine.createContext({ onDebug: ({ data, ...rest }) => seen.push({ ...rest, data: [...data] }) });
      await context.run({ x });
      await context.run({ x: [5, -6, 7, 8] });
      await engine.run({ x });
      const failing = await engine.createContext({ onDebug: () => { throw new Error('no'); } });
      const failed = await outcome(failing.run({ x }));
      console.log(JSON.stringify({ seen, failed }));`,
      { release },
    );
    const told = (name: string, ...data: number[]) => ({ name, dtype: 'float32', shape: [4], data });
    expect(result).toMatchObject({
      seen: [told('a', 0, 2, 0, 4), told('y', 0, 2, 0, 4), told('a', 5, 0, 7, 8), told('y', 5, 0, 7, 8)],
      failed: { code: 'ERR_CALLBACK', cause: 'no' },
    });
  });

  test('layers are timed in the order in which they ran', async () => {
    const { result } = await runStandIn<{ runs: number; layers: { name: string; ms: number }[]; totalMs: number }>(
      `${start}
      const context = await engine.createContext();
      const report = await context.profile({ x }, { runs: 3 });
      await context.run({ x });
      console.log(JSON.stringify(report));`,
      { release },
    );
    // The stand-in's times: a quarter of a millisecond more for each layer.
    expect(result.layers.map(({ name, ms }) => [name, ms])).toEqual(
      ['a', 'b', 'c', 'k'].map((name, i) => [name, (i + 1) / 4]),
    );
    expect(result).toMatchObject({ runs: 3, totalMs: 2.5 });
  });

  test('an error has TensorRT’s code, and each line once', async () => {
    const { result } = await runStandIn<{ tensorrtCode: string; log: string[] }>(
      `${start}
      console.log(JSON.stringify(await outcome(loadEngine(Buffer.from('ftrt')))));`,
      { release },
    );
    expect(result).toMatchObject({ code: 'ERR_ENGINE', tensorrtCode: 'kUNSPECIFIED_ERROR' });
    expect(result.log).toHaveLength(1);
  });

  test('what only TensorRT-RTX has is refused', async () => {
    const { result } = await runStandIn<unknown>(
      `${start}
      const results = [];
      for (const rtx of [{ cudaGraphStrategy: 'disabled' }, { dynamicShapesKernelSpecialization: 'none' }, { runtimeCache: new Uint8Array() }])
        results.push(await outcome(engine.createContext({ rtx })));
      results.push(await outcome((await engine.createContext()).runtimeCache()));
      console.log(JSON.stringify(results));`,
      { release },
    );
    const unsupported = { code: 'ERR_UNSUPPORTED', message: expect.stringContaining('needs TensorRT-RTX 1') };
    expect(result).toMatchObject([unsupported, unsupported, unsupported, { code: 'ERR_CONTEXT' }]);
  });

  test('streamed weights keep to a budget', async () => {
    const { result } = await runStandIn<unknown>(
      `${start}
      const bytes = engine.bytes;
      const some = await loadEngine(bytes, { weightStreamingBudget: 4 });
      const all = await loadEngine(bytes, { weightStreamingBudget: 4000 });
      const chosen = await loadEngine(bytes, { weightStreamingBudget: 'automatic' });
      const { k } = await some.run({ x });
      console.log(JSON.stringify({ some: some.weightStreaming, all: all.weightStreaming, chosen: chosen.weightStreaming, k: [...k.data] }));`,
      { release },
    );
    // 'automatic' of the stand-in is a half.
    const minimum = expect.any(Number);
    expect(result).toEqual({
      some: { size: 12, budget: 4, minimum, scratch: 512 },
      all: { size: 12, budget: 12, minimum, scratch: 0 },
      chosen: { size: 12, budget: 6, minimum, scratch: 512 },
      k: [1, 2, 3],
    });
  });
});
