import { expect, test } from 'vitest';
import { parseWeights } from '../../src/weights/index.js';
import { failure, fixtureBytes, npy, safetensors } from './helpers.js';

const info = (dtype: unknown, shape: unknown, offsets: unknown) => ({ dtype, shape, data_offsets: offsets });
const f4 = info('F32', [1], [0, 4]);
const text = (header: string, data = 0): Uint8Array => safetensors(header, data);

function lying(length: bigint, rest = 16): Uint8Array {
  const bytes = Buffer.alloc(8 + rest, '{');
  bytes.writeBigUInt64LE(length);
  return new Uint8Array(bytes);
}

/** File, and what the error must say. */
const cases: Record<string, [Uint8Array, RegExp]> = {
  // ---- safetensors ----
  'header of 100 MB and a byte': [lying(100_000_001n), /header claims 100000001 bytes, more than the 100000000/],
  'header of 2^64 - 1': [lying(2n ** 64n - 1n), /header claims 18446744073709551615 bytes/],
  'header beyond the file': [safetensors('{}').slice(0, 9), /no known weight format/],
  'truncated header': [lying(15n, 14), /header claims 15 bytes, the file ends 14 after the length; it was cut off/],
  'no JSON': [text('{"a":}'), /header is malformed at byte 5: expected a value/],
  'JSON that goes on': [text('{}{}'), /expected the end/],
  'zero bytes after the JSON': [text('{}\0\0'), /expected the end/],
  'byte order mark': [text('{\ufeff}'), /expected a key/],
  'invalid UTF-8': [
    new Uint8Array(
      Buffer.concat([Buffer.from([4, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{"'), Buffer.from([0xff, 0x7d])]),
    ),
    /not valid UTF-8/,
  ],
  'half a surrogate pair': [
    text('{"\\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4),
    /half a surrogate pair/,
  ],
  'raw control character in a name': [text('{"a\nb":{}}'), /malformed string/],
  'nested too deep': [text(`{"a":{"x":${'['.repeat(200)}${']'.repeat(200)}}}`), /nested deeper than 127/],
  'nested a million deep': [text(`{"a":${'['.repeat(1_000_000)}`), /nested deeper than 127/],
  'same tensor twice': [text(`{"a":${JSON.stringify(f4)},"a":${JSON.stringify(f4)}}`, 4), /has the key "a" twice/],
  'same field twice': [
    text('{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4),
    /has the key "dtype" twice/,
  ],
  'same tensor twice, once escaped': [
    text(`{"a":${JSON.stringify(f4)},"\\u0061":${JSON.stringify(f4)}}`, 4),
    /has the key "a" twice/,
  ],
  'same metadata twice': [text('{"__metadata__":{"k":"1","k":"2"}}'), /has the key "k" twice/],
  'metadata of numbers': [safetensors({ __metadata__: { k: 1 } }), /__metadata__ "k" is not a string/],
  'metadata as a tensor': [
    safetensors({ __metadata__: f4 }, 4),
    /__metadata__ "shape" is not a string|is not a string/,
  ],
  'metadata as a list': [safetensors({ __metadata__: [] }), /not an object of strings/],
  'unknown dtype': [safetensors({ a: info('F99', [1], [0, 4]) }, 4), /has dtype "F99"; expected one of BOOL/],
  'dtype of a prototype': [safetensors({ a: info('constructor', [1], [0, 4]) }, 4), /has dtype "constructor"/],
  'no dtype': [safetensors({ a: { shape: [1], data_offsets: [0, 4] } }, 4), /has dtype nothing/],
  'negative dim': [safetensors({ a: info('F32', [-1], [0, 4]) }, 4), /has shape \[-1\]/],
  'fractional dim': [safetensors({ a: info('F32', [1.5], [0, 4]) }, 4), /has shape \[1.5\]/],
  'dim 1.0': [text('{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}', 4), /expected whole numbers/],
  'dim as text': [safetensors({ a: info('F32', ['1'], [0, 4]) }, 4), /expected whole numbers/],
  'dim 2^64': [
    text('{"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]}}', 4),
    /expected whole numbers/,
  ],
  'product that overflows to the right size': [
    text('{"a":{"dtype":"U8","shape":[4294967296,4294967296,1],"data_offsets":[0,0]}}'),
    /whose size overflows/,
  ],
  'product that overflows before a zero': [
    text('{"a":{"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}'),
    /whose size overflows/,
  ],
  'offsets swapped': [safetensors({ a: info('F32', [1], [4, 0]) }, 4), /takes 4 bytes, its data_offsets are \[4, 0\]/],
  'one offset': [safetensors({ a: info('F32', [1], [4]) }, 4), /expected \[begin, end\]/],
  'three offsets': [safetensors({ a: info('F32', [1], [0, 4, 4]) }, 4), /expected \[begin, end\]/],
  'negative offset': [safetensors({ a: info('F32', [1], [-4, 0]) }, 4), /expected \[begin, end\]/],
  'beyond the file': [safetensors({ a: info('F32', [2], [0, 8]) }, 4), /end at byte 8 of the data, the file has 4/],
  'far beyond the file': [safetensors({ a: info('U8', [2 ** 49], [0, 2 ** 49]) }, 4), /end at byte 562949953421312/],
  'wts that counts 999,999,999 tensors': [wts('999999999\na 1 0\n'), /999999999 tensors, more than 1000000/],
  'shape that is not its range': [
    safetensors({ a: info('F32', [2], [0, 4]) }, 4),
    /takes 8 bytes, its data_offsets are \[0, 4\]/,
  ],
  overlap: [safetensors({ a: f4, b: info('F32', [1], [2, 6]) }, 6), /"b" at data_offsets \[2, 6\] overlaps/],
  'two tensors on one range': [safetensors({ a: f4, b: f4 }, 4), /overlaps/],
  hole: [safetensors({ a: f4, b: info('F32', [1], [8, 12]) }, 12), /leaves a hole of 4 bytes/],
  'hole at the start': [safetensors({ a: info('F32', [1], [4, 8]) }, 8), /leaves a hole of 4 bytes/],
  'bytes at the end': [safetensors({ a: f4 }, 5), /end at byte 4 of the data, the file has 5/],
  'half a byte': [safetensors({ a: info('F4', [3], [0, 2]) }, 2), /does not end at a whole byte/],
  'an unterminated name of 10 MB': [text(`{"${'a'.repeat(10_000_000)}`), /unterminated string/],
  'a number of a million digits': [
    text(`{"a":{"shape":[${'1'.repeat(1_000_000)}]}}`),
    /a number of more than 400 characters/,
  ],
  '65 axes': [safetensors({ a: info('F32', Array(65).fill(1), [0, 4]) }, 4), /has 65 axes, more than 64/],
  'a million axes': [
    text(`{"a":{"dtype":"F32","shape":[${'1,'.repeat(1_000_000)}1],"data_offsets":[0,4]}}`, 4),
    /axes, more than 64/,
  ],
  'a tensor as a list': [safetensors({ a: ['F32', [1], [0, 4]] }, 4), /not an object with dtype/],
  'header as a list': [text('[]      '), /no known weight format/],

  // ---- npy ----
  'npy cut in its magic': [fixtureBytes('float32.npy').slice(0, 8), /within the header/],
  'npy cut in its header': [fixtureBytes('float32.npy').slice(0, 60), /the file ends before/],
  'npy cut in its data': [fixtureBytes('float32.npy').slice(0, -1), /take 24 bytes, the file has 23/],
  'npy with more data': [
    npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 8),
    /take 4 bytes, the file has 8/,
  ],
  'npy version 4': [fixtureBytes('float32.npy').with(6, 4), /version 4.0/],
  'npy version 1.1': [fixtureBytes('float32.npy').with(7, 1), /version 1.1/],
  'npy header of 20,000 bytes': [npy(' '.repeat(20_000)), /header claims 20000 bytes, more than the 10000/],
  'npy of objects': [
    npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", 8),
    /has dtype '\|O'; expected numbers; Python objects are a pickle, which is never run/,
  ],
  'npy of strings': [
    npy("{'descr': '<U1', 'fortran_order': False, 'shape': (1,)}", 4),
    /objects and strings are refused/,
  ],
  'npy of records': [
    npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 4),
    /has dtype '\[\('a', '<f4'\)\]'; expected numbers; save each field of a structured array/,
  ],
  'npy of records without an end': [
    npy("{'descr': [('a', '<f4'), 'fortran_order': False, 'shape': (1,)}", 4),
    /header is malformed at character/,
  ],
  'npy of dates': [
    npy("{'descr': '<M8[D]', 'fortran_order': False, 'shape': (1,)}", 8),
    /has dtype '<M8\[D\]'; expected numbers; save dates and times by their \.astype\('int64'\)/,
  ],
  'npy of long doubles': [
    npy("{'descr': '<f16', 'fortran_order': False, 'shape': (1,)}", 16),
    /at most 64 bits; save its \.astype\('float64'\)/,
  ],
  'npy of raw bfloat16': [
    npy("{'descr': '<V2', 'fortran_order': False, 'shape': (1,)}", 2),
    /how NumPy saves bfloat16/,
  ],
  'npy of complex': [
    npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", 8),
    /has dtype '<c8'; expected real numbers; save \.real and \.imag apart/,
  ],
  'npy with a negative dim': [npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", 4), /dimension -1/],
  'npy with a huge dim': [
    npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", 4),
    /has the dimension/,
  ],
  'npy whose product overflows': [
    npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 2)}", 4),
    /size overflows/,
  ],
  'npy whose shape is a number': [npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3)}", 12), /not a tuple/],
  'npy whose shape is a list': [npy("{'descr': '<f4', 'fortran_order': False, 'shape': [1]}", 4), /structured|exactly/],
  'npy with a key twice': [
    npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 4),
    /'descr' twice/,
  ],
  'npy with another key': [
    npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), '__proto__': 1}", 4),
    /expected exactly/,
  ],
  'npy without a key': [npy("{'descr': '<f4', 'shape': (1,)}", 4), /expected exactly/],
  'npy that calls': [npy("__import__('os').system('true')"), /malformed/],
  'npy that goes on': [npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} 1", 4), /continues after/],

  // ---- wts ----
  'wts that counts more tensors': [wts('2\na 1 3f800000\n'), /ends before the last tensor/],
  'wts that counts fewer': [wts('1\na 1 3f800000\nb 1 3f800000\n'), /continues after them/],
  'wts with a value missing': [wts('1\na 2 3f800000\n'), /"a" counts 2 values, its line has 1/],
  'wts with a value too many': [wts('1\na 1 3f800000 00000000\n'), /"a" counts 1 values, its line has 2/],
  'wts with no hexadecimal': [wts('1\na 1 3f80000g\n'), /not a hexadecimal number/],
  'wts with nine digits': [wts('1\na 1 03f800000\n'), /9 hexadecimal digits/],
  'wts with a name twice': [wts('2\na 1 0\na 1 0\n'), /holds "a" twice/],
  'wts that counts 4 billion values': [wts('1\na 4294967295 0\n'), /its line has 1/],
  'wts2 beyond the file': [wts('1\na 0 (4,) 0000\n'), /takes 16 bytes, the file has/],
  'wts2 whose product overflows': [wts('1\na 0 (9007199254740991, 9007199254740991) 0000\n'), /takes .* bytes/],
  'wts2 of an unknown type': [wts('1\na 9 (1,) 0000\n'), /type 9; expected 0 to 3/],
  'wts2 with other bytes behind': [wts('1\na 0 (1,) 0000x\n'), /not followed by a new line/],

  // ---- other ----
  'a pickle': [new Uint8Array([0x80, 2, 0x4e, 0x2e, 0, 0, 0, 0, 0]), /a bare pickle/],
  'an index from memory': [fixtureBytes('model.safetensors.index.json'), /read only by its own path/],
  'an ELF file': [
    new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0]),
    /no known weight format \(9 bytes\); expected safetensors/,
  ],
};

function wts(content: string): Uint8Array {
  return new Uint8Array(Buffer.from(content));
}

test.each(Object.entries(cases))('%s', async (_, [bytes, message]) => {
  const error = await failure(async () => {
    using weights = await parseWeights(bytes, 'hostile');
    for (const name of weights.names()) weights.get(name).data;
  });
  expect(error.code).toBe('ERR_WEIGHTS_FORMAT');
  expect(error.message).toMatch(message);
  expect(error.message).toMatch(/^hostile: /);
  expect(error.message.length).toBeLessThan(1000);
});

test('a name of 10 MB is read', async () => {
  const name = 'n\\u0061'.repeat(1_000_000);
  const weights = await parseWeights(text(`{"${name}":${JSON.stringify(f4)}}`, 4));
  expect(weights.names()[0]).toBe('na'.repeat(1_000_000));
});

test('long names read as JSON.parse reads them, wherever they are cut on the way', async () => {
  for (const unit of ['é', '€', '😀', '\\u00e9', '\\ud83d\\ude00', '\\\\\\\\u0061', 'a\\n', '\\ud83d\\ude00é'])
    for (let before = 0; before < 13; before++) {
      const name = `${'x'.repeat(before)}${unit.repeat(Math.ceil(140_000 / unit.length))}`;
      const weights = await parseWeights(text(`{"${name}" :${JSON.stringify(f4)}}`, 4));
      expect(weights.names()[0] === JSON.parse(`"${name}"`), `${unit} after ${before}`).toBe(true);
    }
  for (const half of ['\\ud83d', '\\ude00'])
    for (const name of [`${'x'.repeat(65_530)}${half}${'x'.repeat(70_000)}`, `${'x'.repeat(140_000)}${half}`])
      expect((await failure(() => parseWeights(text(`{"${name}":0}`)))).message).toMatch(/half a surrogate pair/);
});

test('any cut of a file is refused', async () => {
  for (const name of [
    'odd.safetensors',
    'float32.npy',
    'charrnn.wts',
    'tensorrtx.wts',
    'stored.npz',
    'state_dict.pt',
  ]) {
    const bytes = fixtureBytes(name);
    // A .wts is whole without the white space behind it.
    const whole = name.endsWith('.wts') ? Buffer.from(bytes).toString('latin1').trimEnd().length : bytes.length;
    for (let length = 0; length < whole; length += 1 + Math.floor(bytes.length / 500)) {
      const read = async () => {
        using weights = await parseWeights(bytes.slice(0, length), name);
        for (const tensor of weights.names()) weights.get(tensor).data;
      };
      expect((await failure(read)).code, `${name} cut at ${length}`).toBe('ERR_WEIGHTS_FORMAT');
    }
  }
});
