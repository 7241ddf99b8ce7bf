import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  type ContextOptions,
  type DebugTensor,
  DeviceTensor,
  deviceMemory,
  deviceTensor,
  float16,
  float32,
  HostTensor,
  hostMemory,
  hostTensor,
  int4,
  int64,
  loadEngine,
} from '../../../src/index.js';
import { refusal } from '../../refusal.js';
import { rejection } from '../networks.js';
import { fakeAddon } from './fake-addon.js';

describe('tensors on the host', () => {
  test('have the array of their dtype', () => {
    fakeAddon();
    const types = [float32(2, 3), float16(3), int64(), int4(3), float32(0, 4)];
    const made = types.map((type) => hostTensor(type));
    expect(made.map(({ data, byteLength, shape }) => [data.constructor.name, data.length, byteLength, shape])).toEqual([
      ['Float32Array', 6, 24, [2, 3]],
      ['Uint16Array', 3, 6, [3]],
      ['BigInt64Array', 1, 8, []],
      ['Uint8Array', 2, 2, [3]],
      ['Float32Array', 0, 0, [0, 4]],
    ]);
    expect(Object.isFrozen(made[0]!.shape)).toBe(true);
    expect(made[0]!.isPinned).toBe(true);
    expect(inspect(made)).toContain('HostTensor(float32[2, 3])');
    expect(() => Number(made[0])).toThrow(expect.objectContaining({ code: 'ERR_INPUT' }));
  });

  test.each<[string, unknown, string]>([
    ['a name', float32('n', 2), 'ERR_SHAPE'],
    ['a negative size', { dtype: 'float32', shape: [-1] }, 'ERR_SHAPE'],
    ['nine sizes', { dtype: 'float32', shape: Array(9).fill(1) }, 'ERR_SHAPE'],
    ['no dtype', { shape: [1] }, 'ERR_DTYPE'],
    ['nothing', undefined, 'ERR_INPUT'],
    ['a function', float32, 'ERR_INPUT'],
  ])('need sizes: %s', (_, type, code) => {
    fakeAddon();
    expect(refusal(() => hostTensor(type as never)).code).toBe(code);
    expect(refusal(() => deviceTensor(type as never)).code).toBe(code);
    expect(refusal(() => deviceTensor.from(1n, type as never)).code).toBe(code);
  });

  test('say so after dispose', () => {
    fakeAddon();
    const tensor = hostTensor(float32(2));
    tensor.dispose();
    tensor[Symbol.dispose]();
    expect(refusal(() => tensor.data).code).toBe('ERR_DISPOSED');
    expect(tensor.shape).toEqual([2]);
  });

  test('memory that cannot be page-locked is told once', async () => {
    const fake = fakeAddon();
    fake.refusesPinned = 'ulimit -l is 64 KiB';
    const told: Error[] = [];
    const listen = (warning: Error) => told.push(warning);
    process.on('warning', listen);
    expect([hostTensor(float32(2)).isPinned, hostTensor(float32(2)).isPinned]).toEqual([false, false]);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    expect(told.map((one) => [one.name, (one as Error & { code: string }).code, one.message])).toEqual([
      [
        'TensorRTWarning',
        'NODE_TENSORRT_PAGEABLE',
        expect.stringContaining('memory could not be page-locked (ulimit -l is 64 KiB)'),
      ],
    ]);
    expect(hostMemory().refused).toBe('ulimit -l is 64 KiB');
  });
});

describe('tensors on the GPU', () => {
  test('have their elements from the start, or later, and give them', async () => {
    const fake = fakeAddon();
    const data = Float32Array.of(1, 2);
    using tensor = deviceTensor(float32(2), data, { device: 1 });
    data.fill(9);
    expect([...(await tensor.download()).data]).toEqual([1, 2]);
    const writing = tensor.upload([3, 4]);
    await writing;
    expect([...(await tensor.download()).data]).toEqual([3, 4]);
    expect([tensor.device, tensor.byteLength, tensor.dtype, fake.calls]).toEqual([
      1,
      8,
      'float32',
      ['deviceTensor 1 8'],
    ]);
    using half = deviceTensor(float16(2), Float32Array.of(1, -2));
    expect([...(await half.download()).toFloat32()]).toEqual([1, -2]);
    expect(inspect([tensor])).toContain('DeviceTensor(float32[2], GPU 1)');
    expect(deviceMemory()).toEqual({ free: 1, total: 2, used: 0 });
  });

  test.each<[string, unknown, string]>([
    ['too few elements', new Float32Array(1), 'ERR_FEED'],
    ['another array', new Float64Array(2), 'ERR_FEED'],
    ['a word', 'ab', 'ERR_FEED'],
    ['null', null, 'ERR_FEED'],
  ])('refuse %s', async (_, data, code) => {
    fakeAddon();
    expect(refusal(() => deviceTensor(float32(2), data as never)).code).toBe(code);
    using tensor = deviceTensor(float32(2));
    expect((await rejection(tensor.upload(data as never))).code).toBe(code);
  });

  test('whose upload failed are not used, until one succeeds', async () => {
    const fake = fakeAddon();
    using context = await fake.engine().createContext();
    fake.fault = Object.assign(new Error('no'), { code: 'ERR_CUDA' });
    using tensor = deviceTensor(float32(2, 2), [1, 2, 3, 4]);
    await new Promise((resolve) => setImmediate(resolve));
    fake.fault = undefined;
    expect((await rejection(context.run({ x: tensor, at: [3] }))).code).toBe('ERR_CUDA');
    expect((await rejection(tensor.download())).code).toBe('ERR_CUDA');
    await tensor.upload([1, 2, 3, 4]);
    expect([...(await context.run({ x: tensor, at: [3] })).y!.data]).toEqual([2, 4, 6, 8]);
  });

  test('over memory of somebody else', () => {
    fakeAddon();
    const owner = {};
    using tensor = deviceTensor.from(0x7000n, float32(2), owner);
    expect([tensor instanceof DeviceTensor, tensor.pointer, tensor.byteLength]).toEqual([true, 0x7000n, 8]);
    for (const pointer of [0n, -1n, 2n ** 64n, 5, undefined]) {
      expect(refusal(() => deviceTensor.from(pointer as never, float32(2))).code).toBe('ERR_INPUT');
    }
  });

  test('say so after dispose', async () => {
    fakeAddon();
    const tensor = deviceTensor(float32(2));
    tensor.dispose();
    tensor.dispose();
    expect(refusal(() => tensor.pointer).code).toBe('ERR_DISPOSED');
    expect((await rejection(tensor.upload([1, 2]))).code).toBe('ERR_DISPOSED');
    expect((await rejection(tensor.download())).code).toBe('ERR_DISPOSED');
  });

  test.each([-1, 0.5, '0', null])('on no GPU: %j', (device) => {
    fakeAddon();
    const error = refusal(() => deviceTensor(float32(2), undefined, { device: device as never }));
    expect([error.code, error.option]).toEqual(['ERR_PARAMETER', 'device']);
    expect(refusal(() => deviceMemory(device as never)).code).toBe('ERR_PARAMETER');
  });
});

describe('options of a context', () => {
  test('become those of the addon', async () => {
    const fake = fakeAddon();
    const engine = fake.engine();
    await engine.createContext();
    expect(fake.context).toEqual({ profile: 0, inFlight: 1, graphs: 0, memory: 'own', priority: 0 });
    using memory = deviceTensor(float32(1024));
    await engine.createContext({ cudaGraph: true, inFlight: 8, memory, priority: -1, auxStreams: 0 });
    expect(fake.context).toMatchObject({ graphs: 8, inFlight: 8, priority: -1, auxStreams: 0 });
    const context = await engine.createContext({ cudaGraph: { limit: 2 }, memory: 'shared' });
    expect(fake.context).toMatchObject({ graphs: 2, memory: 'shared' });
    expect([context.memorySize, engine.memorySizes, engine.device]).toEqual([4096, [4096], 0]);
  });

  test.each<[string, unknown]>([
    ['inFlight', 0],
    ['inFlight', 9],
    ['maxQueued', -1],
    ['maxQueued', Number.NaN],
    ['cudaGraph', 1],
    ['limit', { limit: 0 }],
    ['memory', 'mine'],
    ['memory', { handle: 1 }],
    ['priority', 0.5],
    ['auxStreams', -1],
    ['onDebug', {}],
  ])('%s is not %j', async (option, value) => {
    const engine = fakeAddon().engine();
    const given = { [option === 'limit' ? 'cudaGraph' : option]: value };
    const error = await rejection(engine.createContext(given as ContextOptions));
    expect([error.code, error.option]).toEqual(['ERR_PARAMETER', option]);
  });

  test('unknown ones are refused', async () => {
    const engine = fakeAddon().engine();
    const error = await rejection(engine.createContext({ graph: true } as never));
    expect([error.code, error.message]).toEqual(['ERR_PARAMETER', expect.stringContaining("no option 'graph'")]);
    expect((await rejection(engine.createContext({ profile: 1 }))).code).toBe('ERR_PROFILE');
  });
});

describe('what runs tell', () => {
  const feeds = { x: [1, 2], at: [1] };

  test('a listener of debug tensors that throws fails that run', async () => {
    const fake = fakeAddon();
    const seen: DebugTensor[] = [];
    const mine = new Error('mine');
    using context = await fake.engine().createContext({
      onDebug: (tensor) => {
        seen.push(tensor);
        if (seen.length > 1) throw mine;
      },
    });
    expect(fake.context!.debug).toBe(true);
    const tell = () => {
      fake.debug = [{ name: 'inner', dtype: 'float32', shape: [2], data: Float32Array.of(1, 2).buffer }];
    };
    tell();
    await context.run(feeds);
    expect(seen).toEqual([{ name: 'inner', dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) }]);
    tell();
    const error = await rejection(context.run(feeds));
    expect([error.code, error.message, error.cause]).toEqual(['ERR_CALLBACK', 'onDebug threw: mine', mine]);
    await context.run(feeds);
  });

  test('why there is no graph, once', async () => {
    const fake = fakeAddon();
    const told: string[] = [];
    const listen = (warning: Error & { code?: string }) => told.push(`${warning.code}: ${warning.message}`);
    process.on('warning', listen);
    using context = await fake.engine().createContext({ cudaGraph: true });
    await context.run(feeds);
    fake.refusesGraph = 'a loop';
    await context.run(feeds);
    context.runSync(feeds);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    expect(told).toEqual([
      'NODE_TENSORRT_NO_GRAPH: an engine cannot be captured as a CUDA graph, and runs without: a loop',
    ]);
  });

  test('the times of layers', async () => {
    using context = await fakeAddon().engine().createContext();
    expect(await context.profile(feeds, { runs: 3 })).toEqual({
      runs: 3,
      layers: [
        { name: 'conv', ms: 3, percent: 75 },
        { name: 'relu', ms: 1, percent: 25 },
      ],
      totalMs: 4,
    });
    for (const runs of [0, 0.5, '1', 10_001]) {
      const error = await rejection(context.profile(feeds, { runs: runs as never }));
      expect([error.code, error.option]).toEqual(['ERR_PARAMETER', 'runs']);
    }
  });
});

describe('an engine that is shared', () => {
  test('is plain data, and has the same inputs and outputs', async () => {
    const fake = fakeAddon();
    const engine = fake.engine();
    const token = structuredClone(await engine.share());
    using other = await loadEngine(token);
    expect([other.inputs, other.outputs, other.size, other.device]).toEqual([engine.inputs, engine.outputs, 1, 0]);
    expect([...(await other.run({ x: [1, 2], at: [1] })).y!.data]).toEqual([2, 4]);
    expect((await rejection(loadEngine({ ...token, token: 'another' }))).code).toBe('ERR_DISPOSED');
    expect((await rejection(loadEngine(token, { device: 0 }))).code).toBe('ERR_LOAD');
  });

  test('options of loadEngine', async () => {
    const wrong: [object, string][] = [
      [{ device: -1 }, 'ERR_PARAMETER'],
      [{ devcie: 1 }, 'ERR_PARAMETER'],
      [{ weightStreamingBudget: -1 }, 'ERR_LOAD'],
      [{ weightStreamingBudget: 'auto' as never }, 'ERR_LOAD'],
      [{ allowHostCode: 1 }, 'ERR_LOAD'],
    ];
    for (const [options, code] of wrong) {
      expect((await rejection(loadEngine(Buffer.from('ftrt'), options))).code).toBe(code);
    }
  });
});

test('classes are told apart', () => {
  fakeAddon();
  expect(hostTensor(float32(1))).toBeInstanceOf(HostTensor);
  expect(deviceTensor(float32(1))).not.toBeInstanceOf(HostTensor);
});
