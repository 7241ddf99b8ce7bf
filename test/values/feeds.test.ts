import { describe, expect, it } from 'vitest';
import { type Feeds, type InputType, resolveFeeds } from '../../src/values/feeds.js';
import { Result } from '../../src/values/result.js';
import { weight } from '../../src/weights/index.js';

const inputs: InputType[] = [
  { name: 'data', dtype: 'float32', shape: ['batch', 3, 2] },
  { name: 'mask', dtype: 'bool', shape: ['batch'] },
];
const only = (dtype: InputType['dtype'], ...shape: (number | string)[]): InputType[] => [{ name: 'x', dtype, shape }];
const mask = (n: number) => new Uint8Array(n);

const refused = (types: readonly InputType[], feeds: unknown) => {
  try {
    resolveFeeds(types, feeds as Feeds);
  } catch (error) {
    expect(error).toMatchObject({ name: 'TensorRTError', code: 'ERR_FEED' });
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
};

describe('shapes', () => {
  it('solves a dynamic dim from the length, in whatever order it becomes known', () => {
    const { feeds, sizes } = resolveFeeds(inputs, { mask: mask(4), data: new Float32Array(24) });
    expect(feeds.map((f) => [f.name, f.dtype, f.shape])).toEqual([
      ['data', 'float32', [4, 3, 2]],
      ['mask', 'bool', [4]],
    ]);
    expect({ ...sizes }).toEqual({ batch: 4 });
  });

  it('uses sizes of other inputs where one alone does not tell', () => {
    const types: InputType[] = [
      { name: 'tokens', dtype: 'int32', shape: ['batch', 'length'] },
      { name: 'lengths', dtype: 'int64', shape: ['batch'] },
    ];
    const { feeds, sizes } = resolveFeeds(types, { tokens: new Int32Array(12), lengths: new BigInt64Array(3) });
    expect(feeds[0]!.shape).toEqual([3, 4]);
    expect({ ...sizes }).toEqual({ batch: 3, length: 4 });
    expect(refused(types, { tokens: new Int32Array(11), lengths: new BigInt64Array(3) })).toBe(
      "input 'tokens': expected a multiple of 3 elements for int32 [batch, length] with batch = 3 (from input 'lengths'), given 11",
    );
  });

  it('solves a name that stands twice', () => {
    expect(resolveFeeds(only('float32', 'n', 2, 'n'), { x: new Float32Array(18) }).feeds[0]!.shape).toEqual([3, 2, 3]);
    expect(refused(only('float32', 'n', 'n'), { x: new Float32Array(5) })).toMatch(
      /to the power of 2 elements.*given 5$/,
    );
  });

  it('takes explicit shapes, also of results', () => {
    const types = only('float32', 'h', 'w');
    const x = { dtype: 'float32', shape: [2, 3], data: new Float32Array(6) };
    expect(resolveFeeds(types, { x }).feeds[0]).toEqual({ name: 'x', ...x, isOwn: false });
    expect(refused(types, { x: x.data })).toBe(
      "input 'x': 6 elements do not tell the sizes of h and w in float32 [h, w]: give { shape, data }",
    );
  });

  it('takes empty tensors and scalars', () => {
    expect(resolveFeeds(only('float32', 'n', 3), { x: new Float32Array(0) }).feeds[0]!.shape).toEqual([0, 3]);
    expect(resolveFeeds(only('int64'), { x: 7 }).feeds[0]).toMatchObject({ shape: [], data: BigInt64Array.of(7n) });
    expect(resolveFeeds(only('bool'), { x: true }).feeds[0]!.data).toEqual(Uint8Array.of(1));
    expect(refused(only('float32', 'n', 0), { x: new Float32Array(0) })).toMatch(/do not tell the size of n/);
  });

  it('finds a name that every object has', () => {
    const { sizes } = resolveFeeds(only('float32', '__proto__'), { x: new Float32Array(2) });
    expect(Object.entries(sizes)).toEqual([['__proto__', 2]]);
    const types: InputType[] = [{ name: 'toString', dtype: 'float32', shape: [] }];
    expect(refused(types, {})).toBe("input 'toString': it is missing; expected float32 []");
  });

  it('counts packed elements', () => {
    expect(resolveFeeds(only('int4', 3), { x: new Uint8Array(2) }).feeds[0]!.shape).toEqual([3]);
    expect(resolveFeeds(only('int4', 'n', 4), { x: new Uint8Array(2) }).feeds[0]!.shape).toEqual([1, 4]);
    expect(refused(only('int4', 5), { x: new Uint8Array(2) })).toMatch(/expected 5 elements in 3 bytes .* given 2$/);
    expect(refused(only('int4', 'n'), { x: new Uint8Array(2) })).toMatch(/do not tell the size of n/);
  });
});

describe('elements', () => {
  it('converts plain numbers, and float32 for the 16-bit floats', () => {
    expect(resolveFeeds(only('float32', 'n'), { x: [1, 2.5] }).feeds[0]!.data).toEqual(Float32Array.of(1, 2.5));
    expect(resolveFeeds(only('int64', 2), { x: [1, 2n] }).feeds[0]!.data).toEqual(BigInt64Array.of(1n, 2n));
    expect(resolveFeeds(only('float16', 2), { x: Float32Array.of(1, -2) }).feeds[0]!.data).toEqual(
      Uint16Array.of(0x3c00, 0xc000),
    );
    expect(resolveFeeds(only('bfloat16', 1), { x: { data: Float32Array.of(1) } }).feeds[0]!.data).toEqual(
      Uint16Array.of(0x3f80),
    );
  });

  it('passes the right array as it is, and copies shared memory', () => {
    const data = Buffer.from([1, 2]);
    expect(resolveFeeds(only('uint8', 2), { x: data }).feeds[0]!.data).toBe(data);
    const shared = new Float32Array(new SharedArrayBuffer(8));
    shared[1] = 3;
    const copy = resolveFeeds(only('float32', 2), { x: shared }).feeds[0]!.data;
    expect(copy).toEqual(Float32Array.of(0, 3));
    expect(copy.buffer).toBeInstanceOf(ArrayBuffer);
    // Its `slice` would be shared again.
    const bytes = Buffer.from(new SharedArrayBuffer(2));
    expect(resolveFeeds(only('uint8', 2), { x: bytes }).feeds[0]!.data).toEqual(Uint8Array.of(0, 0));
  });

  it('takes a Float16Array by its bits, and only for float16', () => {
    // Node has them from version 24 on.
    class Float16Array extends Uint16Array {
      override get [Symbol.toStringTag]() {
        return 'Float16Array' as 'Uint16Array';
      }
    }
    const x = Float16Array.of(0x3c00) as never;
    const [feed] = resolveFeeds(only('float16', 1), { x }).feeds;
    expect(feed!.data).toEqual(Uint16Array.of(0x3c00));
    expect(feed!.data.buffer).toBe((x as Uint16Array).buffer);
    for (const dtype of ['bfloat16', 'float32'] as const)
      expect(refused(only(dtype, 1), { x })).toMatch(/given a Float16Array; convert it with Float32Array.from\(data\)/);
  });

  it('says how to feed float32 elements that stand for another dtype', () => {
    const types = only('float16', 2);
    const data = Float32Array.of(1, 2);
    const rounded = 'and the elements are rounded to float16';
    expect(refused(types, { x: { dtype: 'float16', data } })).toBe(
      `input 'x': expected a Uint16Array of bits for float16, given a Float32Array; leave out dtype, ${rounded}`,
    );
    expect(refused(types, { x: new Result('float32', [2], data) })).toBe(
      `input 'x': expected float16, given float32; give { shape, data } without dtype, ${rounded}`,
    );
    expect(refused(types, { x: weight(data) })).toBe(
      "input 'x': expected float16, given float32; convert the weight with .as('float16')",
    );
    expect(refused(types, { x: new Result('bfloat16', [2], Uint16Array.of(1, 2)) })).toMatch(
      /given bfloat16; give \{ shape, data: result.toFloat32\(\) \}$/,
    );
    expect(refused(only('float32', 2), { x: new Result('float16', [2], Uint16Array.of(1, 2)) })).toMatch(
      /given float16; give \{ shape, data: result.toFloat32\(\) \}$/,
    );
    // What they say works.
    for (const x of [{ data }, { shape: [2], data }, weight(data).as('float16')] as const)
      expect(resolveFeeds(types, { x: x as never }).feeds[0]!.data).toEqual(Uint16Array.of(0x3c00, 0x4000));
    expect(refused(types, { x: { dtype: 'float16', data: new Float64Array(2) } })).toMatch(
      /convert it with Float32Array.from\(data\), and leave out dtype$/,
    );
  });

  it('refuses an array whose buffer shrank below it, which looks empty', () => {
    const Resizable = ArrayBuffer as unknown as new (
      bytes: number,
      options: object,
    ) => ArrayBuffer & { resize(bytes: number): void };
    const buffer = new Resizable(16, { maxByteLength: 16 });
    const [x, tracking] = [new Float32Array(buffer, 8, 2), new Float32Array(buffer)];
    buffer.resize(8);
    expect(refused(only('float32', 'n'), { x })).toMatch(/detached: its buffer was transferred elsewhere, or shrank/);
    expect(resolveFeeds(only('float32', 'n'), { x: tracking }).feeds[0]!.shape).toEqual([2]);
  });

  it('refuses a detached array', () => {
    const data = new Float32Array(2);
    structuredClone(data.buffer, { transfer: [data.buffer] });
    expect(refused(only('float32', 'n'), { x: data })).toMatch(/detached/);
    expect(refused(only('float32', 'n'), { x: { data } })).toMatch(/detached/);
  });
});

const feed = (data: unknown, m: unknown = mask(1)) => ({ data, mask: m });
const good = new Float32Array(6);
it.each([
  ['feeds of another kind', good, 'expected an object with the inputs'],
  ['null', null, "expected an object with the inputs 'data', 'mask', given null"],
  ['a list', [good], 'given an array of 1'],
  ['a missing input', { data: good }, "input 'mask': it is missing; expected bool [batch]"],
  ['an undefined input', feed(undefined), "input 'data': it is missing"],
  ['a misspelt input', { data: good, masks: mask(1) }, "no input 'masks'; did you mean 'mask'?"],
  ['an unknown input', { data: good, mask: mask(1), other: 1 }, "no input 'other'; the inputs are 'data', 'mask'"],
  ['another typed array', feed(new Float64Array(6)), 'given a Float64Array; convert it with Float32Array.from(data)'],
  ['another dtype', feed({ dtype: 'float16', shape: [1, 3, 2], data: good }), 'expected float32, given float16'],
  ['another count', feed(new Float32Array(7)), 'expected a multiple of 6 elements for float32 [batch, 3, 2], given 7'],
  ['another rank', feed({ shape: [3, 2], data: good }), 'expected rank 3 [batch, 3, 2], given rank 2 [3, 2]'],
  ['another size', feed({ shape: [1, 2, 3], data: good }), 'given [1, 2, 3]: axis 1 is 2, not 3'],
  ['a shape that is not its data', feed({ shape: [2, 3, 2], data: good }), 'takes 12 elements, given 6'],
  [
    'a size of NaN',
    feed({ shape: [Number.NaN, 3, 2], data: good }),
    'expected a shape of whole numbers, given [NaN, 3, 2]',
  ],
  ['a negative size', feed({ shape: [-1, 3, 2], data: good }), 'expected a shape of whole numbers'],
  ['a shape that is no list', feed({ shape: 6, data: good }), 'expected a shape of whole numbers, given number 6'],
  [
    'a string',
    feed('abc'),
    "expected a typed array, a list of numbers or { shape, data } for float32 [batch, 3, 2], given 'abc'",
  ],
  ['a DataView', feed(new DataView(new ArrayBuffer(24))), 'given a DataView'],
  [
    'an ArrayBuffer as data',
    feed({ data: new ArrayBuffer(24) }),
    'expected a typed array or a list of numbers as data, given an ArrayBuffer',
  ],
  [
    'lists in a list',
    feed([
      [1, 2, 3],
      [4, 5, 6],
    ]),
    "input 'data': expected one flat list of numbers, given lists in a list; give them as { shape: [2, 3], data: values.flat() }",
  ],
  [
    'deeper lists',
    feed([
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ]),
    'give them as { shape: [1, 3, 2], data: values.flat(2) }',
  ],
  ['such lists as data', feed({ data: [[1], [2]] }), 'give them as { shape: [2, 1], data: values.flat() }'],
  ['lists of two lengths', feed([[1, 2], [3]]), 'given lists in a list, which differ in length or depth'],
  ['lists beside numbers', feed([[1], 2]), 'given lists in a list, which differ in length or depth'],
  ['lists of two depths', feed([[1], [[2]]]), 'given lists in a list, which differ in length or depth'],
  ['lists of lists of nothing', feed([[], []]), 'give them as { shape: [2, 0], data: values.flat() }'],
  ['lists of texts', feed([['a']]), 'given lists in a list, which differ in length or depth'],
  ['a text among numbers', feed([1, 'a']), "element 1: expected a number, given 'a'"],
  [
    'a bool that is neither',
    feed(good, Uint8Array.of(2)),
    "input 'mask': element 0: expected 0 or 1 for bool, given 2",
  ],
  [
    'two batch sizes',
    feed(new Float32Array(12)),
    "expected 2 elements for bool [batch] with batch = 2 (from input 'data'), given 1",
  ],
  [
    'two batch sizes by shape',
    feed({ shape: [2, 3, 2], data: new Float32Array(12) }, { shape: [1], data: mask(1) }),
    "with batch = 2 (from input 'data'), given [1]: axis 0 is 1, not 2",
  ],
])('refuses %s', (_, feeds, message) => {
  expect(refused(inputs, feeds)).toContain(message);
});

it.each([
  ['int32', [1.5], 'whole number'],
  ['int8', [300], 'whole number from -128 to 127'],
  ['int64', ['1'], "expected a number, given '1'"],
  ['int64', new Int32Array(1), 'BigInt64Array.from(data, BigInt)'],
  ['float16', new Float64Array(1), 'expected a Uint16Array of bits for float16'],
  ['float16', { dtype: 'float16', data: new Float32Array(1) }, 'expected a Uint16Array of bits'],
  ['int4', new Int8Array(1), 'expected a Uint8Array (packed) for int4'],
] as const)('refuses for %s what is none', (dtype, x, message) => {
  expect(refused(only(dtype, 1), { x })).toContain(message);
});
