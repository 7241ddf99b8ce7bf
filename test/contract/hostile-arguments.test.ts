import { describe, expect, test } from 'vitest';
import {
  concat,
  einsum,
  findTensorRT,
  float32,
  imageInput,
  int32,
  loadEngine,
  loadWeights,
  Network,
  network,
  TensorRTError,
  where,
} from '../../src/index.js';

const input = () => network('hostile', { x: float32('batch', 4, 8, 8) }).tensor();
type Loose = Record<string, (...args: unknown[]) => unknown>;
const loose = (value: object) => value as unknown as Loose;

async function refusal(call: () => unknown): Promise<TensorRTError> {
  try {
    await call();
  } catch (error) {
    expect(error).toBeInstanceOf(TensorRTError);
    expect((error as TensorRTError).code).toMatch(/^ERR_/);
    expect((error as TensorRTError).message.length).toBeLessThan(5000);
    return error as TensorRTError;
  }
  throw new Error('nothing was refused');
}

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const trap = (): object =>
  new Proxy(
    {},
    {
      ownKeys() {
        throw new Error('mine');
      },
      get() {
        throw new Error('mine');
      },
    },
  );
const holes = (length: number): unknown[] => {
  const list: unknown[] = [];
  list.length = length;
  return list;
};

describe('arguments that cannot be read', () => {
  const options: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['a revoked proxy', revoked()],
    ['a proxy whose traps throw', trap()],
    ['an object without a prototype', { type: Object.create(null), kernel: 2, weight: Object.create(null) }],
    ['a symbol', { type: Symbol('max'), kernel: 2, weight: Symbol('w') }],
  ];
  for (const method of ['conv2d', 'linear', 'pool', 'batchNorm', 'lstm', 'prelu']) {
    test.each(options)(`${method}: %s`, async (_, given) => {
      const error = await refusal(() => loose(input())[method]!(given));
      expect(error.source?.file).toContain('hostile-arguments.test');
    });
  }

  test('what a getter threw is the cause', async () => {
    const mine = new Error('mine');
    const given = {
      get weight() {
        throw mine;
      },
    };
    expect(await refusal(() => loose(input()).conv2d!(given))).toMatchObject({ code: 'ERR_INPUT', cause: mine });
  });

  test('a tensor that is none', async () => {
    const x = input();
    for (const other of [Object.create(Object.getPrototypeOf(x)), revoked()]) await refusal(() => loose(x).add!(other));
  });

  test('what a callback throws comes through as it is', () => {
    const net = network('callback', { x: float32(2) });
    const mine = new RangeError('mine');
    const fails = () => {
      throw mine;
    };
    expect(() => net.if(net.constant(true), fails, () => net.tensor())).toThrow(mine);
    expect(() => net.scope('block', fails)).toThrow(mine);
  });
});

describe('public functions', () => {
  const odd = [undefined, null, 5, 'text', [], [null], {}, Symbol('x'), revoked(), trap()];

  test('functions over tensors', async () => {
    for (const given of odd) {
      for (const call of [concat, where, einsum, imageInput]) {
        await refusal(() => (call as unknown as Loose[string])(given, given, given));
      }
      if (given !== undefined && !(typeof given === 'object' && given && Object.keys({}).length === 0)) {
        await refusal(() => concat([input()], given as never));
      }
    }
  });

  test('networks and JSON', async () => {
    for (const given of odd) {
      await refusal(() => Network.fromJSON(given as never));
      await refusal(() => network(given as never, given as never));
    }
    for (const given of [null, 5, 'text', [], Symbol('x'), revoked(), trap(), { x: null }, { x: {} }]) {
      await refusal(() => network('net', given as never));
    }
  });

  test('files', async () => {
    for (const given of odd) {
      if (given !== 'text') await refusal(() => loadWeights(given as never));
      await refusal(() => loadEngine(given as never));
    }
  });

  test('builds and runs', async () => {
    const net = network('net', { x: float32('n') });
    net.relu().output('y');
    using model = await net.compile({ backend: 'cpu' });
    for (const given of [null, 5, 'text', [null], Symbol('x'), revoked(), trap()]) {
      await refusal(() => net.build(given as never));
      await refusal(() => net.compile(given as never));
      await refusal(() => net.compile({ backend: given as never }));
    }
    for (const given of [...odd, { x: trap() }, { x: { data: new Float32Array(2), shape: [Symbol('x')] } }]) {
      expect((await refusal(() => model.run(given as never))).code).toBe('ERR_FEED');
    }
    expect(await findTensorRT(null as never)).toEqual(await findTensorRT());
  });
});

test('names that are no Unicode text', async () => {
  await refusal(() => network('\ud800'));
  await refusal(() => network('net').input('\udc00x', float32(1)));
  await refusal(() => input().relu({ name: 'a\ud800' }));
  expect(network('😀').name).toBe('😀');
});

describe('lists that would fill the memory', () => {
  test.each([2 ** 32 - 1, 2 ** 26])('%i holes', async (length) => {
    const x = input();
    for (const given of [holes(length), { axes: holes(length) }, { kernel: holes(length), type: 'max' }]) {
      for (const method of ['reshape', 'transpose', 'mean', 'pool', 'add', 'squeeze', 'expand']) {
        await refusal(() => loose(x)[method]!(given));
      }
    }
    await refusal(() => x.conv2d({ weight: { shape: holes(length) as number[], data: new Float32Array(4) } }));
  });

  test('lists in themselves, or nested without end', async () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    let deep: unknown = [1];
    for (let i = 0; i < 50_000; i++) deep = [deep];
    for (const given of [cyclic, deep]) {
      expect((await refusal(() => loose(input()).add!(given))).code).toBe('ERR_SHAPE');
      await refusal(() => loose(input()).reshape!(given));
    }
  });

  test('a list of options that claims a length', () => refusal(() => loose(input()).flip!({ length: 2 ** 31 })));

  test('shapes of absurd rank, parts without number', async () => {
    const net = network('rank', { sizes: int32(2 ** 31 - 1), x: float32(2 ** 31 - 1) });
    const [sizes, x] = net.inputs as [never, ReturnType<typeof input>];
    await refusal(() => x.reshape(sizes));
    await refusal(() => net.zeros(sizes));
    await refusal(() => net.randomUniform(sizes));
    await refusal(() => x.split(1));
    await refusal(() => x.chunk(2 ** 31));
  });
});

describe('weights that lie', () => {
  test.each([
    ['elements beyond 2^53', { shape: [2 ** 53, 2 ** 53, 1, 1], data: new Float32Array(1) }],
    ['a product beyond every number', { shape: [2 ** 31, 2 ** 31, 2 ** 31, 2 ** 31], data: new Float32Array(0) }],
    ['a negative size', { shape: [-1, -4, 1, 1], data: new Float32Array(4) }],
    ['holes', { shape: holes(4), data: new Float32Array(4) }],
    ['a shape that is text', { shape: '4411', data: new Float32Array(4) }],
    ['a name that is none', { name: {}, shape: [1, 4, 1, 1], data: new Float32Array(4) }],
    ['a dtype that is none', { dtype: Symbol('float32'), shape: [1, 4, 1, 1], data: new Float32Array(4) }],
    ['a view of another kind', { shape: [1, 4, 1, 1], data: new DataView(new ArrayBuffer(16)) }],
  ])('%s', async (_, weight) => {
    expect((await refusal(() => loose(input()).conv2d!({ weight }))).code).toBe('ERR_WEIGHT');
  });

  test('a detached array', async () => {
    const data = new Float32Array(4);
    structuredClone(data.buffer, { transfer: [data.buffer] });
    expect((await refusal(() => input().conv2d({ weight: { shape: [1, 4, 1, 1], data } }))).code).toBe('ERR_WEIGHT');
  });
});

test('a constant of one repeated number takes no list of them', () => {
  const net = network('constant');
  expect(net.constant(3, { dtype: 'int4', shape: [3] }).shape).toEqual([3]);
  expect(net.weights[0]!.data).toEqual(Uint8Array.of(0x33, 0x03));
  net.constant(1.5, { shape: [1 << 24] });
  expect(net.weights[1]!.data.length).toBe(1 << 24);
});
