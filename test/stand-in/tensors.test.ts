import { beforeAll, expect, test } from 'vitest';
import { compiling, endStandIn, prepare, runStandIn } from './harness.js';

beforeAll(() => prepare('10.6.0'), compiling);

/** For programs: tensors, and the errors that calls give. */
const tools = `
const { deviceTensor, deviceMemory, hostTensor, hostMemory, uint8 } = api;
const errorOf = async (call) => { try { await call(); } catch (error) { return error.code + ': ' + error.message; } return undefined; };
const tick = () => new Promise((resolve) => setTimeout(resolve, 5));
const until = async (condition) => { for (let i = 0; i < 400 && !(await condition()); i++) await tick(); return condition(); };
const bytes = (count, seed) => Uint8Array.from({ length: count }, (_, i) => (i * 31 + (i >> 12) + seed) & 255);
const same = (a, b) => a.length === b.length && Buffer.compare(a, b) === 0;
const collect = await (async () => {
  (await import('node:v8')).setFlagsFromString('--expose-gc');
  return (await import('node:vm')).runInNewContext('gc');
})();
`;
const run = <T>(program: string, env: Record<string, string> = {}) => runStandIn<T>(tools + program, { env });

const slow = { STANDIN_DELAY: '500,1' };

test.each([{}, slow, { ...slow, STANDIN_NO_POOLS: '1' }, { ...slow, STANDIN_PINNED_LIMIT: '0' }])(
  'what is uploaded is what the array held at the call: %j',
  async (env) => {
    const { result } = await run<boolean[]>(
      `const results = [];
    for (const count of [0, 1, 3, 4096, 70_000, 700_000, 3_000_001]) {
      const tensor = deviceTensor(uint8(count));
      const data = bytes(count, 1);
      const expected = data.slice();
      const done = tensor.upload(data);
      data.fill(0);
      const read = tensor.download();
      await done;
      results.push(same((await read).data, expected));
    }
    console.log(JSON.stringify(results));`,
      env,
    );
    expect(result).toEqual(Array(7).fill(true));
  },
);

test.each([slow, { ...slow, STANDIN_NO_POOLS: '1' }])('copies keep the order of their calls: %j', async (env) => {
  const { result } = await run<number[]>(
    `const tensors = [deviceTensor(uint8(5000)), deviceTensor(uint8(600_000))];
    const reads = [];
    for (let i = 0; i < 60; i++) {
      const tensor = tensors[i % 2];
      void tensor.upload(new Uint8Array(tensor.byteLength).fill(i));
      reads.push(tensor.download(), tensor.download());
    }
    const wrong = (await Promise.all(reads)).flatMap(({ data }, i) => (data.every((one) => one === i >> 1) ? [] : [i]));
    console.log(JSON.stringify(wrong));`,
    env,
  );
  expect(result).toEqual([]);
});

test('a tensor that is disposed during copies lets them end; later uses are refused', async () => {
  const { result } = await run<unknown[]>(
    `const tensor = deviceTensor(uint8(600_000));
    const done = tensor.upload(new Uint8Array(600_000).fill(7));
    const read = tensor.download();
    tensor.dispose();
    tensor.dispose();
    const errors = [await errorOf(() => tensor.upload(new Uint8Array(600_000))), await errorOf(() => tensor.download()), await errorOf(() => tensor.pointer)];
    await done;
    const { data } = await read;
    console.log(JSON.stringify([data.every((one) => one === 7), ...errors.map((text) => text?.split(':')[0]), deviceMemory().used]));`,
    slow,
  );
  expect(result).toEqual([true, 'ERR_DISPOSED', 'ERR_DISPOSED', 'ERR_DISPOSED', 0]);
});

test('memory that somebody else owns is checked, used, and not freed', async () => {
  const { result } = await run<{ shared: boolean; used: number; errors: string[] }>(
    `const owner = deviceTensor(uint8(1024));
    await owner.upload(bytes(1024, 2));
    const view = deviceTensor.from(owner.pointer, uint8(1024), owner);
    const shared = same((await view.download()).data, bytes(1024, 2));
    view.dispose();
    await tick();
    const used = deviceMemory().used;
    const at = (pointer, count, device = 0) => errorOf(() => deviceTensor.from(pointer, uint8(count), owner, { device }));
    const errors = await Promise.all([
      at(owner.pointer + 8n, 8), at(owner.pointer, 1025), at(4096n, 1), at(2n ** 64n - 256n, 512), at(owner.pointer, 8, 1), at(owner.pointer, 8, 2),
    ]);
    console.log(JSON.stringify({ shared, used, errors: errors.map((text) => text?.replaceAll(String(owner.pointer), 'P').replaceAll(String(owner.pointer + 8n), 'P8')) }));`,
    { STANDIN_DEVICES: '2' },
  );
  expect(result.shared).toBe(true);
  expect(result.used).toBe(1024);
  expect(result.errors.map((text) => text?.split('\n')[0])).toEqual([
    expect.stringContaining('expected a pointer that is a multiple of 256, given pointer P8'),
    expect.stringContaining(
      'expected memory of GPU 0 of 1025 bytes, given pointer P: byte 1024 is in no memory of CUDA',
    ),
    expect.stringContaining('byte 0 is in no memory of CUDA'),
    expect.stringContaining('no memory has 512 bytes from there on'),
    expect.stringContaining('expected memory of GPU 1 of 8 bytes, given pointer P: byte 0 is in memory of GPU 0'),
    expect.stringContaining('ERR_NO_GPU'),
  ]);
});

test('without enough memory of the GPU, the error says what was asked for and what is free', async () => {
  const { result } = await run<unknown[]>(
    `const first = deviceTensor(uint8(600 * 1024));
    const error = await errorOf(() => deviceTensor(uint8(500 * 1024)));
    const second = deviceTensor(uint8(400 * 1024), new Uint8Array(400 * 1024).fill(3));
    const { data } = await second.download();
    console.log(JSON.stringify([error, data[0], deviceMemory()]));`,
    { STANDIN_MEMORY: `${1 << 20}` },
  );
  expect(result[0]).toContain('ERR_OUT_OF_MEMORY');
  expect(result[0]).toContain('asked for 512000 bytes of memory of GPU 0, 434176 of 1048576 are free');
  expect(result.slice(1)).toEqual([3, { free: 24 * 1024, total: 1 << 20, used: 1000 * 1024 }]);
});

test('forgotten tensors are freed by the garbage collector, which knows their size', async () => {
  const { result } = await run<[number, boolean]>(
    `for (let i = 0; i < 600; i++) {
      deviceTensor(uint8(4 << 20));
      if (i % 16 === 0) await tick();
    }
    const most = deviceMemory().used;
    collect();
    console.log(JSON.stringify([most, await until(() => deviceMemory().used === 0)]));`,
  );
  expect(result).toEqual([expect.any(Number), true]);
  expect(result[0]).toBeLessThan(600 * (4 << 20));
});

test('a host tensor is page-locked, starts with zeros, and is detached when it is disposed', async () => {
  const { result } = await run<unknown[]>(
    `const first = hostTensor(uint8(5000));
    first.data.fill(9);
    const held = hostMemory().pinned;
    const { data } = first;
    first.dispose();
    first.dispose();
    const detached = data.length;
    const returned = await until(() => hostMemory().pinned === 0);
    const kept = hostMemory().cached;
    const again = hostTensor(uint8(5000));
    const zeros = again.data.every((one) => one === 0);
    console.log(JSON.stringify([first.isPinned, held, detached, returned, kept, hostMemory().cached, zeros, hostTensor(uint8(0)).data.length, hostMemory().refused ?? null]));`,
  );
  expect(result).toEqual([true, 5120, 0, true, 5120, 0, true, 0, null]);
});

test('elements outlive a host tensor that is forgotten, and downloads return to the pool', async () => {
  const { result } = await run<unknown[]>(
    `let data = (() => hostTensor(uint8(100_000)).data.fill(5))();
    collect(); await tick(); collect(); await tick();
    const others = Array.from({ length: 8 }, () => hostTensor(uint8(100_000)).data.fill(6));
    const kept = data.every((one) => one === 5);
    others.length = 0;
    data = undefined;
    let large = await deviceTensor(uint8(100_000), new Uint8Array(100_000).fill(4)).download();
    const held = large.data.every((one) => one === 4);
    large = undefined;
    console.log(JSON.stringify([kept, held, await until(() => (collect(), hostMemory().pinned === 0))]));`,
  );
  expect(result).toEqual([true, true, true]);
});

test('where page-locked memory is refused, all goes on with ordinary memory, told once', async () => {
  const { result, ended } = await run<unknown[]>(
    `const tensors = [hostTensor(uint8(8192)), hostTensor(uint8(8192))];
    const tensor = deviceTensor(uint8(8192), bytes(8192, 3));
    const { data } = await tensor.download();
    await tick();
    console.log(JSON.stringify([tensors.map((one) => one.isPinned), same(data, bytes(8192, 3)), hostMemory()]));`,
    { STANDIN_PINNED_LIMIT: '0' },
  );
  const [pinned, right, { refused, ...rest }] = result as [boolean[], boolean, { refused: string }];
  expect([pinned, right]).toEqual([[false, false], true]);
  expect(rest).toEqual({ pinned: 0, cached: 0, limit: expect.any(Number) });
  expect(refused).toBe('allocating page-locked memory failed: CUDA_ERROR_OUT_OF_MEMORY (out of memory)');
  expect(ended.stderr.match(/allocating page-locked memory failed/g)).toHaveLength(1);
});

test('a worker and the process may end during copies', async () => {
  const program = `
    import { isMainThread, parentPort, Worker } from 'node:worker_threads';
    ${tools}
    const copies = () => {
      const data = new Uint8Array(600_000);
      for (let i = 0; i < 40; i++) {
        const tensor = deviceTensor(uint8(600_000), data);
        void tensor.download().catch(() => {});
        globalThis.host = hostTensor(uint8(70_000));
      }
    };
    if (isMainThread) {
      for (let i = 0; i < 3; i++) {
        const worker = new Worker(new URL('worker.mjs', import.meta.url));
        await new Promise((resolve) => worker.once('message', resolve));
        await worker.terminate();
      }
      if (!(await until(() => deviceMemory().used === 0))) throw new Error('memory of ended workers is in use');
      copies();
      process.exit(3);
    } else {
      copies();
      parentPort.postMessage('begun');
    }`;
  const { ended } = await endStandIn(program, { env: slow });
  expect([ended.code, ended.signal, ended.stderr]).toEqual([3, null, '']);
});
