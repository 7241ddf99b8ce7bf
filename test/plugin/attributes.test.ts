import { describe, expect, test } from 'vitest';
import { attr, float32, Network, network, type Tensor } from '../../src/index.js';
import { attributeFields, type OwnParams } from '../../src/plugin/layer.js';
import { refusal } from '../refusal.js';
import { define, record } from './definitions.js';

/** What a rule sees of the attribute `a`, and the field that an engine gets. */
function given(a: unknown, value?: unknown) {
  let seen: unknown;
  const { net } = record(
    {
      attributes: { a },
      outputs: ({ x }: { x: Tensor }, attributes: { a: unknown }) => {
        seen = attributes.a;
        return { y: x.shape };
      },
    },
    value === undefined ? {} : { a: value },
  );
  const params = net.graph.nodes[0]!.params as unknown as OwnParams;
  const [field] = attributeFields(params);
  return { seen, plain: params.attributes.a, field: field!, hex: Buffer.from(field!.data).toString('hex') };
}

describe('every type of field', () => {
  test.each<[string, unknown, unknown, unknown, string, number, string]>([
    ['float32', attr.float32(0), 0.1, Math.fround(0.1), 'float32', 1, 'cdcccc3d'],
    ['float16', attr.float16(0), 0.1, 0.0999755859375, 'float16', 1, '662e'],
    ['bfloat16', attr.bfloat16(0), 0.1, 0.10009765625, 'bfloat16', 1, 'cd3d'],
    ['float64', attr.float64(0), 0.1, 0.1, 'float64', 1, '9a9999999999b93f'],
    ['int8', attr.int8(0), -128, -128, 'int8', 1, '80'],
    ['int16', attr.int16(0), -2, -2, 'int16', 1, 'feff'],
    ['int32', attr.int32(0), 2 ** 31 - 1, 2 ** 31 - 1, 'int32', 1, 'ffffff7f'],
    ['int64', attr.int64(0), 5, 5n, 'int64', 1, '0500000000000000'],
    ['int64 beyond 2^53', attr.int64(0), -(2n ** 63n), -(2n ** 63n), 'int64', 1, '0000000000000080'],
    ['bool', attr.bool(false), true, true, 'int8', 1, '01'],
    ['string', attr.string(''), 'hé', 'hé', 'char', 3, '68c3a9'],
    ['float32s', attr.float32s([]), new Float32Array([1, 2]), [1, 2], 'float32', 2, '0000803f00000040'],
    ['float64s', attr.float64s([]), [1], [1], 'float64', 1, '000000000000f03f'],
    ['float16s', attr.float16s([]), [1, -1], [1, -1], 'float16', 2, '003c00bc'],
    ['int8s', attr.int8s([]), [1, -1], [1, -1], 'int8', 2, '01ff'],
    ['int16s', attr.int16s([]), [1], [1], 'int16', 1, '0100'],
    ['int32s', attr.int32s([]), [1, 2], [1, 2], 'int32', 2, '0100000002000000'],
    ['int64s', attr.int64s([]), [1, 2n ** 60n], [1n, 2n ** 60n], 'int64', 2, '01000000000000000000000000000010'],
    ['no int32s', attr.int32s([1]), [], [], 'int32', 0, ''],
    ['bytes', attr.bytes(), Uint8Array.of(1, 255), Uint8Array.of(1, 255), 'unknown', 2, '01ff'],
    [
      'dims',
      attr.dims(),
      [2, 3],
      [2, 3],
      'dims',
      1,
      `0200000000000000${'0200000000000000'}${'0300000000000000'}${'00'.repeat(48)}`,
    ],
    ['infinity', attr.float32(0, { infinite: true }), -Infinity, -Infinity, 'float32', 1, '000080ff'],
  ])('%s', (_, a, value, seen, type, length, hex) => {
    const result = given(a, value);
    expect(result.seen).toEqual(seen);
    expect(result.field).toMatchObject({ name: 'a', type, length });
    expect(result.hex).toBe(hex);
    // Plain data, so that a network is JSON.
    expect(JSON.parse(JSON.stringify(result.plain))).toEqual(result.plain);
  });

  test('without a value, the default', () => {
    expect(given(attr.float32(1.5)).seen).toBe(1.5);
    expect(given(attr.bool(true)).seen).toBe(true);
  });
});

describe('what does not fit is refused, with the attribute’s name', () => {
  test.each<[string, unknown, unknown, RegExp]>([
    ['NaN', attr.float32(0), Number.NaN, /attribute 'a': expected a number, given NaN/],
    ['NaN where infinity passes', attr.float32(0, { infinite: true }), Number.NaN, /given NaN/],
    [
      'infinity',
      attr.float32(0),
      Infinity,
      /expected a finite number, given Infinity; \{ infinite: true \} lets it pass/,
    ],
    ['beyond float32', attr.float32(0), 1e300, /expected a number that float32 can hold, given 1e\+300/],
    ['beyond float16', attr.float16(0), 65520, /expected a number that float16 can hold, given 65520/],
    ['text for a number', attr.float32(0), '1', /expected a number, given '1'/],
    ['a fraction', attr.int32(0), 1.5, /expected a whole number from -2147483648 to 2147483647, given 1.5/],
    ['beyond int8', attr.int8(0), 128, /expected a whole number from -128 to 127, given 128/],
    [
      'beyond 2^53',
      attr.int64(0),
      2 ** 53,
      /expected a whole number of int64 \(a bigint beyond 2\^53\), given 9007199254740992/,
    ],
    ['beyond int64', attr.int64(0), 2n ** 63n, /expected a whole number of int64/],
    ['a number for a boolean', attr.bool(false), 1, /expected true or false, given 1/],
    ['a number for text', attr.string(''), 1, /expected a string, given 1/],
    ['a number for a list', attr.int32s([]), 1, /expected a list, given 1/],
    ['NaN in a list', attr.float32s([]), [1, Number.NaN], /attribute 'a': element 1: expected a number, given NaN/],
    ['a negative size', attr.dims(), [-1], /element 0: expected sizes of 0 or more, given -1/],
    ['nine sizes', attr.dims(), Array(9).fill(1), /expected at most 8 elements, given 9/],
    ['no byte', attr.bytes(), [256], /element 0: expected bytes, given 256/],
    ['a list of millions', attr.int8s([]), new Int8Array(2 ** 21), /expected at most 1048576 elements/],
  ])('%s', (_, a, value, expected) => {
    const error = refusal(() => given(a, value));
    expect(error).toMatchObject({ code: 'ERR_PLUGIN', method: 'plugin' });
    expect(error.message).toMatch(expected);
    expect(error.message).toContain("attribute 'a'");
  });

  test('one that is missing, one that is unknown', () => {
    expect(refusal(() => given(attr.int32())).message).toMatch(/attribute 'a' is missing; it has no default/);
    expect(refusal(() => record({ attributes: { groups: attr.int32(1) } }, { group: 2 })).message).toMatch(
      /has no attribute 'group'; did you mean 'groups'\?/,
    );
    expect(refusal(() => record({}, { any: 2 })).message).toMatch(/has no attribute 'any'; it has none/);
    expect(refusal(() => record({}, 5 as never)).message).toMatch(/expected attributes by name, given 5/);
  });

  test('a default', () => {
    expect(refusal(() => attr.float32(Number.NaN)).message).toMatch(/attr\.float32\(\): expected a number, given NaN/);
    expect(refusal(() => attr.int32s([1.5])).message).toMatch(/attr\.int32s\(\): element 0/);
    for (const options of [null, 5, { infinit: true }, { infinite: 1 }])
      refusal(() => attr.float32(0, options as never));
    refusal(() => (attr.int32 as (...args: unknown[]) => unknown)(0, { infinite: true }));
    const trap = new Proxy([], {
      get: () => {
        throw new Error('mine');
      },
    });
    expect(refusal(() => attr.int32s(trap)).code).toMatch(/^ERR_/);
  });

  test('hostile values', () => {
    const trap = new Proxy(
      {},
      {
        get: () => {
          throw new Error('mine');
        },
        ownKeys: () => {
          throw new Error('mine');
        },
      },
    );
    const getter = {
      get a() {
        throw new Error('mine');
      },
    };
    for (const attributes of [trap, getter, { a: trap }, { a: Symbol('x') }, { a: { valueOf: () => 1 } }]) {
      const error = refusal(() => record({ attributes: { a: attr.float32(0) } }, attributes as never));
      expect(error.code).toMatch(/^ERR_(INPUT|PLUGIN)$/);
    }
  });
});

test('a polluted prototype adds no attributes', () => {
  const prototype = Object.prototype as unknown as Record<string, unknown>;
  prototype.a = 7;
  try {
    expect(given(attr.float32(1)).seen).toBe(1);
  } finally {
    delete prototype.a;
  }
});

test('infinities and int64 survive JSON text', () => {
  const made = define({
    attributes: { low: attr.float32(0, { infinite: true }), big: attr.int64(0), list: attr.int64s([]) },
  });
  const net = network('json', { x: float32(2) });
  const attributes = { low: -Infinity, big: 2n ** 62n + 1n, list: [1n, -(2n ** 63n)] };
  net.plugin(made, { x: net.tensor() }, attributes as never);
  const again = Network.fromJSON(JSON.parse(JSON.stringify(net.toJSON())));
  const fields = (one: Network) => attributeFields(one.graph.nodes[0]!.params as unknown as OwnParams);
  expect(fields(again)).toEqual(fields(net));
  expect(fields(net).map(({ data }) => Buffer.from(data).toString('hex'))).toEqual([
    '000080ff',
    '0100000000000040',
    '01000000000000000000000000000080',
  ]);
});
