import { describe, expect, test } from 'vitest';
import {
  bfloat16,
  bool,
  type Dim,
  dtypes,
  float8e4m3,
  float16,
  float32,
  int4,
  int8,
  int32,
  int64,
  network,
  TensorRTError,
  uint8,
} from '../../src/index.js';

const specs = { bfloat16, bool, float8e4m3, float16, float32, int4, int8, int32, int64, uint8 };

describe('specs', () => {
  test.each(Object.entries(specs))('%s', (name, spec) => {
    expect(spec('batch', 0, 3)).toEqual({ dtype: name, shape: ['batch', 0, 3] });
    expect(spec()).toEqual({ dtype: name, shape: [] });
    expect(dtypes).toContain(name);
  });

  test.each<[string, unknown]>([
    ['NaN', Number.NaN],
    ['a negative size', -1],
    ['a fraction', 1.5],
    ['infinity', Infinity],
    ['2^31', 2 ** 31],
    ['a bigint', 3n],
    ['null', null],
    ['undefined', undefined],
    ['a list', [1, 2]],
    ['an empty name', ''],
    ['a number in quotes', '3'],
    ['a name with a space', 'my batch'],
    ['an expression without names', '2*3'],
    ['an expression that is never above 0', '1 - n'],
    ['a quotient by 0', 'floor(n / 0)'],
    ['an unknown function', 'sqrt(n)'],
    ['an expression cut off', 'n +'],
    ['a product of very many terms', Array(300).fill('(a+b)').join('*')],
    ['a very deep expression', '('.repeat(1e6)],
    ['a name with a question mark', 'n?1'],
    ['a symbol', Symbol('n')],
  ])('%s is no dim', (_, dim) => {
    expect(() => float32(2, dim as Dim)).toThrow(
      expect.objectContaining({
        code: 'ERR_SHAPE',
        message: expect.stringMatching(/^float32 dim 1: expected a whole number/),
      }),
    );
  });

  test.each(['n', 'batch_size', 'seq-len', 'größe', '批', 'a.b', '_'])("'%s' is a dim's name", (name) => {
    expect(float32(name).shape).toEqual([name]);
  });

  test.each([
    ['past + tokens', 'past + tokens'],
    ['tokens+past', 'past + tokens'],
    ['h*2', '2*h'],
    ['(n + 1)*2 - 1', '2*n + 1'],
    ['n + 0', 'n'],
    [' floor( (n+2)/2 )', 'floor(n / 2) + 1'],
    ['max(a,b)', 'max(a, b)'],
  ])("the expression '%s' is %s", (text, canonical) => {
    expect(float32(text, 1).shape).toEqual([canonical, 1]);
  });

  test('the largest size is 2^31 − 1', () => {
    expect(float32(2 ** 31 - 1).shape).toEqual([2 ** 31 - 1]);
  });

  test('at most 8 dims', () => {
    expect(float32(1, 2, 3, 4, 5, 6, 7, 8).shape).toHaveLength(8);
    expect(() => float32(1, 2, 3, 4, 5, 6, 7, 8, 9)).toThrow(/at most 8 dims, given 9/);
  });

  test.each<[string, unknown]>([
    ['an unknown dtype', { dtype: 'float64', shape: [1] }],
    ['no dtype', { shape: [1] }],
    ['no shape', { dtype: 'float32' }],
    ['a shape that is a number', { dtype: 'float32', shape: 3 }],
    ['a shape that is a string', { dtype: 'float32', shape: 'abc' }],
    ['a function', float32],
    ['null', null],
    ['a string', 'float32'],
  ])('%s is no spec', (_, spec) => {
    let error: unknown;
    try {
      network('n').input('x', spec as never);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(TensorRTError);
    expect((error as TensorRTError).code).toMatch(/^ERR_(DTYPE|SHAPE)$/);
    expect((error as TensorRTError).message).toMatch(/expected .*given/);
  });

  test('a spec may be used twice and is not changed', () => {
    const spec = Object.freeze({ dtype: 'float32' as const, shape: Object.freeze(['n', 2]) });
    const net = network('n', { a: spec, b: spec });
    expect(net.inputs.map((t) => t.shape)).toEqual([
      ['n', 2],
      ['n', 2],
    ]);
  });
});
