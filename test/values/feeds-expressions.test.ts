import { describe, expect, test } from 'vitest';
import { type Dim, type Feeds, float32, int4, int32, type ValueType } from '../../src/index.js';
import { resolveFeeds } from '../../src/values/feeds.js';
import { refusal } from '../refusal.js';

/** Shapes and sizes that feeds of so many elements, or of these shapes, have. */
function resolved(specs: Record<string, ValueType>, given: Record<string, number | number[]>) {
  const inputs = Object.entries(specs).map(([name, type]) => ({ name, ...type }));
  const feeds: Feeds = Object.fromEntries(
    Object.entries(given).map(([name, size]) => {
      const count = typeof size === 'number' ? size : size.reduce((a, b) => a * b, 1);
      const data = specs[name]!.dtype === 'int4' ? new Uint8Array(count) : Array(count).fill(0);
      return [name, typeof size === 'number' ? data : { shape: size, data }];
    }),
  );
  const { feeds: list, sizes } = resolveFeeds(inputs, feeds);
  return { shapes: Object.fromEntries(list.map(({ name, shape }) => [name, shape])), sizes: { ...sizes } };
}

const cache = {
  mask: int32('batch', 'past + tokens'),
  ids: int32('batch', 'tokens'),
  keys: float32('batch', 'past', 4),
};
const image = { low: float32('b', 3, 'h', 'w'), high: float32('b', 3, '2*h', '2*w') };

describe('sizes of expressions', () => {
  test.each<[string, Record<string, ValueType>, Record<string, number | number[]>, Record<string, Dim[]>, object]>([
    ['from shapes', cache, { mask: [2, 8], ids: [2, 3], keys: [2, 5, 4] }, {}, { batch: 2, past: 5, tokens: 3 }],
    ['an empty cache', cache, { mask: [2, 3], ids: [2, 3], keys: [2, 0, 4] }, {}, { batch: 2, past: 0, tokens: 3 }],
    ['from lengths', cache, { mask: 16, ids: [2, 3], keys: 40 }, { mask: [2, 8] }, { batch: 2, past: 5, tokens: 3 }],
    ['the last name follows', cache, { mask: [2, 8], ids: 6, keys: 40 }, { keys: [2, 5, 4] }, { tokens: 3, past: 5 }],
    ['an input alone', { high: image.high }, { high: [1, 3, 8, 6] }, {}, { b: 1, h: 4, w: 3 }],
    ['one open size', image, { low: [1, 3, 4, 3], high: 144 }, { high: [1, 3, 8, 6] }, { h: 4, w: 3 }],
    ['one open name', { x: float32('n', 'n + 1', 2) }, { x: 84 }, { x: [6, 7, 2] }, { n: 6 }],
    ['one open name that may not be 0', { x: float32('n', 'n - 1') }, { x: 0 }, { x: [1, 0] }, { n: 1 }],
    ['no elements', { x: float32('2*n') }, { x: 0 }, { x: [0] }, { n: 0 }],
    ['one open expression', { x: float32('a + b', 2, 'a + b') }, { x: 18 }, { x: [3, 2, 3] }, {}],
    ['of a quotient', { x: float32('n'), y: float32('floor(n / 2)') }, { x: 7, y: 3 }, { y: [3] }, { n: 7 }],
    ['what falls', { x: float32('5 - n') }, { x: 3 }, { x: [3] }, { n: 2 }],
    ['a quotient alone', { y: float32('floor(n / 2)') }, { y: 3 }, { y: [3] }, {}],
    ['a product', { x: float32('h*w', 2), y: float32('h') }, { x: 24, y: 3 }, { x: [12, 2] }, { h: 3, w: 4 }],
    [
      'names in turn',
      { a: float32('n + m'), b: float32('m + k'), c: float32('k') },
      { a: 9, b: 5, c: 2 },
      {},
      { n: 6 },
    ],
    ['packed elements, of which one length is possible', { x: int4('2*n') }, { x: 3 }, { x: [6] }, { n: 3 }],
  ])('%s', (_, specs, given, shapes, sizes) => {
    const found = resolved(specs, given);
    expect(found.shapes).toMatchObject(shapes);
    expect(found.sizes).toMatchObject(sizes);
  });

  test.each<[string, Record<string, ValueType>, Record<string, number | number[]>, string]>([
    [
      'another size than its names make',
      cache,
      { mask: [2, 9], ids: [2, 3], keys: [2, 5, 4] },
      "input 'mask': expected [batch, past + tokens] with past = 5 (from input 'keys'), tokens = 3 (from input 'ids'), given [2, 9]: axis 1 is 9, not 8",
    ],
    [
      'another length than its names make',
      cache,
      { mask: 18, ids: [2, 3], keys: 40 },
      "input 'mask': expected 16 elements for int32 [batch, past + tokens] with batch = 2 (from input 'ids'), past = 5 (from input 'keys'), tokens = 3 (from input 'ids'), given 18",
    ],
    ['a half', image, { low: [1, 3, 4, 3], high: [1, 3, 9, 6] }, 'axis 2 is 9, not 8'],
    ['a half alone', { high: image.high }, { high: [1, 3, 9, 6] }, "axis 2 is 9, which '2*h' is for no size of h"],
    ['a negative name', { x: float32('n + 3') }, { x: [2] }, "axis 0 is 2, which 'n + 3' is for no size of n"],
    [
      'a length of half',
      { x: float32('2*n') },
      { x: 5 },
      'expected another number of elements for float32 [2*n], given 5',
    ],
    [
      'a negative size',
      { x: float32('n'), y: float32('n - 5') },
      { x: 3, y: 0 },
      "'n - 5' is -2 with n = 3 (from input 'x'), which is no size",
    ],
    ['a quotient by 0', { x: float32('n'), y: float32('floor(4 / n)') }, { x: 0, y: 2 }, "'floor(4 / n)' is Infinity"],
    [
      'one expression twice',
      { x: float32('a + b'), y: float32('b + a') },
      { x: [3], y: [4] },
      "input 'y': expected [a + b], given [4]: axis 0 is 4, not 3",
    ],
    [
      'what derived sizes contradict',
      { a: float32('n + m'), b: float32('m'), c: float32('2*n') },
      { a: [5], b: [2], c: [8] },
      'axis 0 is',
    ],
    ['open sizes', { x: float32('a + b', 'c') }, { x: 12 }, '12 elements do not tell the sizes of a + b and c'],
    ['open sizes of two names', { x: float32('a', 'a + b') }, { x: 12 }, 'do not tell the sizes of a and a + b'],
    ['sizes that fall and grow', { x: float32('n', '5 - n') }, { x: 6 }, 'do not tell the sizes of n and -n + 5'],
    ['two lengths of packed elements', { x: int4('n + 2') }, { x: 3 }, 'do not tell the size of n + 2'],
  ])('%s is refused', (_, specs, given, message) => {
    const error = refusal(() => resolved(specs, given));
    expect(error.code).toBe('ERR_FEED');
    expect(error.message).toContain(message);
  });

  test('every shape of small sizes is found, or left open, from its length', () => {
    const dims: [Dim, (n: number) => number][] = [
      ['n', (n) => n],
      ['n + 1', (n) => n + 1],
      ['2*n', (n) => 2 * n],
      ['2*n - 1', (n) => 2 * n - 1],
      ['n - 2', (n) => n - 2],
      [3, () => 3],
    ];
    for (const [a, sizeOfA] of dims) {
      for (const [b, sizeOfB] of dims) {
        for (let n = 0; n < 12; n++) {
          const shape = [sizeOfA(n), sizeOfB(n)];
          if (shape.some((one) => one < 0) || (a === 3 && b === 3)) continue;
          expect(resolved({ x: float32(a, b) }, { x: shape[0]! * shape[1]! }).shapes, `${a} ${b} ${n}`).toEqual({
            x: shape,
          });
        }
      }
    }
  });
});
