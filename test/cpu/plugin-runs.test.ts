import { describe, expect, it } from 'vitest';
import { createCpuModel } from '../../src/cpu/session.js';
import { definePlugin, float32, network, type ReferenceTensor } from '../../src/index.js';
import type { DType } from '../../src/values/dtype.js';
import { cuda, launch } from './plugin-definitions.js';

// What references are given, what they may return, and what becomes of it.

const given: ReferenceTensor[] = [];
const narrow = ['float8e4m3', 'int4'] as const;
const wide = ['float32', 'float16', 'bfloat16', 'int64', 'int32', 'int8', 'bool'] as const;

/** Its input. */
const same = definePlugin({
  name: 'test_same',
  version: '1',
  inputs: ['x'],
  types: [...wide, ...narrow].map((dtype) => ({ x: dtype, y: dtype })),
  outputs: ({ x }) => ({ y: x.shape }),
  cuda,
  launch,
  reference({ x }) {
    given.push(x);
    return { y: x.data };
  },
});

/** Elements at the edges of each dtype, as feeds carry them, and the array in which a reference gets them. */
const elements: Record<
  (typeof wide | typeof narrow)[number],
  { bytes: ArrayBufferView; array: object; numbers: unknown[] }
> = {
  float32: {
    bytes: Float32Array.of(1.5, -0, Infinity, 1e-45),
    array: Float32Array,
    numbers: [1.5, -0, Infinity, 1.401298464324817e-45],
  },
  float16: {
    bytes: Uint16Array.of(0x3c01, 0x8000, 0x7c00, 1),
    array: Float32Array,
    numbers: [1.0009765625, -0, Infinity, 2 ** -24],
  },
  bfloat16: {
    bytes: Uint16Array.of(0x3f81, 0x8000, 0x7f80, 0x7f7f),
    array: Float32Array,
    numbers: [1.0078125, -0, Infinity, 3.3895313892515355e38],
  },
  float8e4m3: { bytes: Uint8Array.of(0x39, 0x80, 0x7e, 1), array: Float32Array, numbers: [1.125, -0, 448, 2 ** -9] },
  int64: {
    bytes: BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n), 0n, 2n ** 53n + 1n),
    array: BigInt64Array,
    numbers: [2n ** 63n - 1n, -(2n ** 63n), 0n, 2n ** 53n + 1n],
  },
  int32: {
    bytes: Int32Array.of(2 ** 31 - 1, -(2 ** 31), 0, 7),
    array: Int32Array,
    numbers: [2 ** 31 - 1, -(2 ** 31), 0, 7],
  },
  int8: { bytes: Int8Array.of(127, -128, 0, 7), array: Int8Array, numbers: [127, -128, 0, 7] },
  int4: { bytes: Uint8Array.of(0x87, 0x2f), array: Int8Array, numbers: [7, -8, -1, 2] },
  bool: { bytes: Uint8Array.of(0, 1, 1, 0), array: Uint8Array, numbers: [0, 1, 1, 0] },
};

describe.each([...wide, ...narrow])('values of %s keep their bits', (dtype) => {
  const { bytes, array, numbers } = elements[dtype];

  it('into a reference and out of it', async () => {
    const net = network('direct', { x: { dtype, shape: ['n'] } });
    net.tensor().plugin(same).output('y');
    using model = await createCpuModel(net);
    given.length = 0;
    const { y } = await model.run({ x: { shape: [4], data: bytes as Uint8Array } });
    expect(given).toEqual([{ dtype, shape: [4], data: expect.any(array) }]);
    expect([...(given[0]!.data as Float32Array)]).toEqual(numbers);
    expect(y).toMatchObject({ dtype, shape: [4] });
    expect(y!.data).toEqual(bytes);
  });
});

// No other layer takes narrow dtypes and gives them.
it.each(wide)('values of %s go from one session to the next, beside a plugin', async (dtype) => {
  const { bytes } = elements[dtype];
  const net = network('across', { x: { dtype, shape: ['n', 1] } });
  const before = net.tensor().reshape([-1]);
  before.concat(before.plugin(same)).output('y');
  using model = await createCpuModel(net);
  const { y } = await model.run({ x: { shape: [4, 1], data: bytes as Uint8Array } });
  expect(y!.shape).toEqual([8]);
  const whole = Buffer.from(y!.data.buffer, y!.data.byteOffset, y!.data.byteLength);
  const half = Buffer.from(bytes.buffer);
  expect(whole.equals(Buffer.concat([half, half]))).toBe(true);
});

/** A plugin of one output whose reference returns what `returned` says. */
let returned: () => unknown;
const returns = Object.fromEntries(
  (['float32', 'float16', 'bfloat16', 'float8e4m3', 'int64', 'int32', 'int8', 'int4', 'bool'] as const).map((dtype) => [
    dtype,
    definePlugin({
      name: `test_returns_${dtype}`,
      version: '1',
      inputs: ['x'],
      types: [{ x: 'float32', y: dtype }],
      outputs: ({ x }) => ({ y: x.shape }),
      cuda,
      launch,
      reference: () => returned() as { y: number },
    }),
  ]),
);

async function runReturning(dtype: DType, value: () => unknown, name = 'layer') {
  const net = network('returning', { x: float32('n') });
  net.tensor().plugin(returns[dtype]!, {}, { name }).output('y');
  using model = await createCpuModel(net);
  returned = value;
  return (await model.run({ x: [1, 2, 3] })).y!;
}

describe('what a reference returns', () => {
  const third = { float32: Math.fround(1 / 3), float16: 0.333251953125, bfloat16: 0.333984375, float8e4m3: 0.34375 };
  it.each(Object.entries(third))('is rounded to %s', async (dtype, rounded) => {
    const forms = [
      { y: [1 / 3, -1, 0] },
      { y: Float32Array.of(1 / 3, -1, 0) },
      { y: Float64Array.of(1 / 3, -1, 0) },
      { y: { data: [1 / 3, -1, 0] } },
      { y: { dtype, shape: [3], data: Float32Array.of(1 / 3, -1, 0) } },
    ];
    for (const form of forms) {
      const y = await runReturning(dtype as DType, () => form);
      expect([...y.toFloat32()]).toEqual([rounded, -1, 0]);
    }
  });

  it('may be what carries the dtype', async () => {
    const bits = Uint16Array.of(0x3c00, 0xc000, 0x7e00);
    for (const dtype of ['float16', 'bfloat16'] as const)
      expect((await runReturning(dtype, () => ({ y: bits }))).data).toEqual(bits);
    expect((await runReturning('float8e4m3', () => ({ y: Uint8Array.of(0x38, 0xb8, 1) }))).data[2]).toBe(1);
    const { data } = await runReturning('int64', () => ({ y: BigInt64Array.of(2n ** 60n, -1n, 0n) }));
    expect(data).toEqual(BigInt64Array.of(2n ** 60n, -1n, 0n));
  });

  it('may be numbers and booleans for integers', async () => {
    expect((await runReturning('bool', () => ({ y: [true, false, 1] }))).data).toEqual(Uint8Array.of(1, 0, 1));
    expect((await runReturning('int64', () => ({ y: [2 ** 40, -1n, 0] }))).data[0]).toBe(2n ** 40n);
    expect((await runReturning('int32', () => ({ y: Float32Array.of(5, -1, 0) }))).data).toEqual(
      Int32Array.of(5, -1, 0),
    );
    expect((await runReturning('int4', () => ({ y: Int8Array.of(-8, 7, 1) }))).data).toEqual(Uint8Array.of(0x78, 1));
  });

  it('is copied: it may go on to use its array', async () => {
    const kept = Float32Array.of(1, 2, 3);
    const first = await runReturning('float32', () => ({ y: kept }));
    kept.fill(9);
    expect([...first.data]).toEqual([1, 2, 3]);
  });

  const bad: [what: string, value: () => unknown, message: string | RegExp, dtype?: DType][] = [
    ['nothing', () => undefined, 'expected its reference to return { y }, given undefined'],
    ['elements alone', () => Float32Array.of(1, 2, 3), /expected its reference to return \{ y \}, given Float32Array/],
    ['a promise', async () => ({ y: [1, 2, 3] }), 'given a promise; references return at once'],
    ['a promise that is rejected', () => Promise.reject(new Error('late')), 'given a promise'],
    ['another name', () => ({ z: [1, 2, 3] }), "its reference returned 'z', expected { y }"],
    ['no output', () => ({}), "its reference did not return 'y', expected { y }"],
    ['an inherited output', () => Object.create({ y: [1, 2, 3] }), "did not return 'y'"],
    ['too few elements', () => ({ y: [1, 2] }), "output 'y' of its reference: expected 3 elements for [3], given 2"],
    ['another shape', () => ({ y: { shape: [1, 3], data: [1, 2, 3] } }), 'expected [3], given [1, 3]'],
    ['a shape of the wrong size', () => ({ y: { shape: [3], data: [1] } }), 'expected 3 elements for [3], given 1'],
    ['no shape', () => ({ y: { shape: '3', data: [1, 2, 3] } }), "expected a shape of whole numbers, given '3'"],
    ['another dtype', () => ({ y: { dtype: 'float16', data: [1, 2, 3] } }), "expected float32, given 'float16'"],
    ['text', () => ({ y: 'abc' }), "expected elements or { shape, data }, given 'abc'"],
    ['nested lists', () => ({ y: [[1, 2, 3]] }), 'element 0: expected a number, given [ 1, 2, 3 ]'],
    ['a DataView', () => ({ y: new DataView(new ArrayBuffer(12)) }), 'expected a typed array or a list of numbers'],
    ['bits of another width', () => ({ y: new Uint16Array(3) }), 'expected numbers for float32, given a Uint16Array'],
    ['a fraction', () => ({ y: [1, 2.5, 3] }), 'expected a whole number', 'int32'],
    ['a number that does not fit', () => ({ y: [1, 2, 300] }), 'from -128 to 127 for int8, given 300', 'int8'],
    ['another bool', () => ({ y: Uint8Array.of(0, 1, 2) }), 'expected true, false, 0 or 1 for bool, given 2', 'bool'],
    ['a detached array', () => ({ y: detached() }), 'the array is detached'],
    [
      'a getter that throws',
      () => ({
        get y() {
          throw new Error('no');
        },
      }),
      'what its reference returned cannot be read: no',
    ],
  ];
  it.each(bad)('is refused: %s', async (_, value, message, dtype = 'float32') => {
    const error: Error = await runReturning(dtype, value).then(
      () => expect.fail('it was taken'),
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ code: 'ERR_PLUGIN', layer: 'layer', kind: 'plugin' });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`plugin 'layer': test_returns_${dtype}: `);
    expect(error).toMatchObject({ source: { file: expect.stringContaining('plugin-runs.test.ts') } });
  });

  it('if it throws, the error names the line of the layer and has the cause', async () => {
    const cause = new RangeError('too far');
    const failing = runReturning('float32', () => {
      throw cause;
    });
    await expect(failing).rejects.toMatchObject({
      code: 'ERR_PLUGIN',
      cause,
      source: { file: expect.stringContaining('plugin-runs.test.ts') },
    });
    await expect(failing).rejects.toThrow('its reference threw: too far');
    const odd = runReturning('float32', () => {
      throw 'text';
    });
    await expect(odd).rejects.toThrow("its reference threw: 'text'");
  });
});

function detached(): Float32Array {
  const array = new Float32Array(3);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}
