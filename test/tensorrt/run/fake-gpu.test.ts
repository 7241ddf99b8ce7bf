import { expect, test } from 'vitest';
import { temporaryFolder } from '../../setup/fake-library.js';
import { resultOf, runChild } from '../child.js';
import { fakeGpu } from './fake-gpu.js';

/** What TensorRT's headers ask of whom runs an engine; test/gpu runs real ones. */
async function ranOn<T>(release: '10.6.0' | '10.15.0', program: string): Promise<T> {
  const folder = temporaryFolder();
  const library = fakeGpu(folder, release);
  const start = `const engine = await loadEngine(Buffer.from('ftrt'), { library: ${JSON.stringify(library)} });
    const cache = Float32Array.of(1, 2, 3, 4);
    const feeds = (at, sizes, update = [10]) =>
      ({ cache, update: Float32Array.from(update), at, sizes: sizes.map(BigInt) });
    const code = (promise) => promise.then(() => 'none', (error) => error.code + ': ' + error.message);
    const plain = (results) => Object.fromEntries(Object.entries(results).map(([name, { shape, data }]) => [name, { shape, data: [...data] }]));
  `;
  return resultOf<T>(await runChild(start + program, { env: { LD_LIBRARY_PATH: folder } }));
}

test.each(['10.6.0', '10.15.0'] as const)('shape tensors and outputs in place, with TensorRT %s', async (release) => {
  const result = await ranOn<Record<string, unknown>>(
    release,
    `const first = plain(await engine.run(feeds(2, [2, 3])));
     const again = plain(await engine.run(feeds(0, [2, 1], [1, 2, 3])));
     const together = (await Promise.all([engine.run(feeds(1, [1, 1])), engine.run(feeds(3, [2, 2]))])).map(plain);
     console.log(JSON.stringify({ inputs: engine.inputs, first, again, together, cache: [...cache] }));`,
  );
  const filled = (...shape: number[]) => ({ shape, data: [...Array(shape[0]! * shape[1]!).keys()] });
  const next = (...data: number[]) => ({ shape: [4], data });
  expect(result).toEqual({
    inputs: [
      { name: 'cache', dtype: 'float32', shape: [4] },
      { name: 'update', dtype: 'float32', shape: ['update_0'] },
      {
        name: 'at',
        dtype: 'int32',
        shape: [],
        values: [
          { min: [0], opt: [1], max: [3] },
          { min: [2], opt: [2], max: [2] },
        ],
      },
      {
        name: 'sizes',
        dtype: 'int64',
        shape: [2],
        values: [
          { min: [1, 1], opt: [2, 3], max: [4, 8] },
          { min: [5, 1], opt: [5, 1], max: [9, 9] },
        ],
      },
    ],
    first: { next: next(1, 2, 13, 4), filled: filled(2, 3) },
    again: { next: next(7, 2, 3, 4), filled: filled(2, 1) },
    together: [
      { next: next(1, 12, 3, 4), filled: filled(1, 1) },
      { next: next(1, 2, 3, 14), filled: filled(2, 2) },
    ],
    // The caller's own array is not the memory that is worked in.
    cache: [1, 2, 3, 4],
  });
});

test('what was given at the call counts: while the context is made, at rest, and while other runs are under way', async () => {
  const result = await ranOn<Record<string, unknown>>(
    '10.6.0',
    `const { binding } = await import(${JSON.stringify(new URL('../../../src/tensorrt/binding.js', import.meta.url).href)});
     const { run } = binding();
     const handed = [];
     binding().run = (context, io, ticket) => {
       handed.push(io[1].data.buffer);
       return run(context, io, ticket);
     };
     const given = feeds(2, [1, 1]);
     const at = async (value) => {
       given.update[0] = value;
       const running = engine.run(given);
       given.update[0] = 900;
       return plain(await running).next.data[2];
     };
     const first = await at(10);
     const rested = await at(20);
     const together = await Promise.all([30, 40, 50].map(at));
     const isOwn = handed.map((buffer) => buffer === given.update.buffer);
     const bare = new Float32Array(1);
     structuredClone(bare.buffer, { transfer: [bare.buffer] });
     const lost = await code(engine.run({ ...given, update: bare }));
     const plan = Uint8Array.of(1);
     structuredClone(plan.buffer, { transfer: [plan.buffer] });
     const gone = await code(loadEngine(plan, { library: engine.library.path }));
     console.log(JSON.stringify({ first, rested, together, isOwn, lost, gone }));`,
  );
  expect(result).toEqual({
    first: 13,
    rested: 23,
    together: [33, 43, 53],
    // The addon copies the array before the call returns. It is copied in JavaScript only where the context has to be made first.
    isOwn: [false, true, true, true, true],
    lost: expect.stringMatching(/^ERR_FEED: input 'update': the array is detached/),
    gone: expect.stringMatching(/^ERR_LOAD: loadEngine: the array is detached/),
  });
});

test('elements outside the profile, and what TensorRT cannot infer', async () => {
  const result = await ranOn<Record<string, unknown>>(
    '10.15.0',
    `const outcomes = {
       third: await code(engine.createContext({ profile: 2 })),
       high: await code(engine.run(feeds(2, [2, 9]))),
       low: await code(engine.run(feeds(-1, [2, 3]))),
       dim: await code(engine.run(feeds(2, [2, 3], [1, 2, 3, 4]))),
       impossible: await code(engine.run(feeds(2, [3, 3]))),
       missing: await code(engine.run(feeds(2, [4, 3]))),
       after: await code(engine.run(feeds(2, [2, 3]))),
     };
     const other = await engine.createContext({ profile: 1 });
     outcomes.other = await code(other.run(feeds(3, [5, 5])));
     outcomes.fits = plain(await other.run(feeds(2, [5, 5]))).filled.shape;
     console.log(JSON.stringify(outcomes));`,
  );
  expect(result).toEqual({
    third: expect.stringMatching(/^ERR_PROFILE: profile: expected a whole number from 0 to 1, given 2/),
    high: expect.stringMatching(/^ERR_SHAPE: element 1 of input 'sizes' is 9, but profile 0 was built for 1 to 8/),
    low: expect.stringMatching(/^ERR_SHAPE: element 0 of input 'at' is -1, but profile 0 was built for 0 to 3/),
    dim: expect.stringMatching(/^ERR_SHAPE: input 'update' has 4 on axis 0, but profile 0 was built for 1 to 3/),
    other: expect.stringMatching(/^ERR_SHAPE: element 0 of input 'at' is 3, but profile 1 was built for 2 to 2/),
    fits: [5, 5],
    impossible: expect.stringMatching(/^ERR_SHAPE: TensorRT could not infer the shapes of the outputs/),
    missing: expect.stringMatching(/^ERR_SHAPE: TensorRT needs the shape or the elements of input 'sizes'/),
    after: 'none',
  });
});

test("an engine's layers, in TensorRT's JSON", async () => {
  const result = await ranOn<Record<string, unknown>>(
    '10.6.0',
    `const information = await engine.inspect();
     process.env.NO_JSON = '1';
     const outcomes = { information, damaged: await code(engine.inspect()) };
     engine.dispose();
     outcomes.disposed = await code(engine.inspect());
     console.log(JSON.stringify(outcomes));`,
  );
  expect(result).toEqual({
    information: { Layers: ['add'], Bindings: ['cache'] },
    damaged: expect.stringMatching(/^ERR_ENGINE: TensorRT's description of the engine is not valid JSON/),
    disposed: expect.stringMatching(/^ERR_DISPOSED/),
  });
});

test('an output whose size only the data tells', async () => {
  const result = await ranOn<Record<string, unknown>>(
    '10.6.0',
    `process.env.UNKNOWN = '1';
     const first = plain(await engine.run(feeds(2, [2, 3]))).filled;
     const larger = plain(await engine.run(feeds(2, [2, 7]))).filled;
     console.log(JSON.stringify({ first, larger }));`,
  );
  expect(result).toEqual({
    first: { shape: [2, 3], data: [0, 1, 2, 3, 4, 5] },
    larger: { shape: [2, 7], data: [...Array(14).keys()] },
  });
});

test("a failure carries TensorRT's warnings and errors", async () => {
  const result = await ranOn<Record<string, unknown>>(
    '10.6.0',
    `process.env.NO_ENGINE = '1';
     const error = await loadEngine(Buffer.from('ftrt'), { library: engine.library.path }).catch((error) => error);
     console.log(JSON.stringify({ code: error.code, log: error.log }));`,
  );
  expect(result).toEqual({ code: 'ERR_ENGINE', log: ['the fake begins'] });
});

test('an engine that brings code is refused unless it is allowed', async () => {
  const result = await ranOn<Record<string, unknown>>(
    '10.6.0',
    `process.env.CODE = '1';
     const options = { library: engine.library.path };
     const load = (more) => loadEngine(Buffer.from('ftrt'), { ...options, ...more }).then(() => 'loaded', ({ code, message }) => [code, message.split('\\n')[0]]);
     console.log(JSON.stringify([await load({}), await load({ allowHostCode: false }), await load({ allowHostCode: true }), await load({ allowHostCode: 1 })]));`,
  );
  const refused = [
    'ERR_HOST_CODE',
    'the engine brings code of its own (a lean runtime or plugin libraries), which was not allowed to run: if you trust it, use loadEngine(file, { allowHostCode: true })',
  ];
  const mistyped = ['ERR_LOAD', 'loadEngine: allowHostCode: expected true or false, given 1'];
  expect(result).toEqual([refused, refused, 'loaded', mistyped]);
});
