/** Mulberry32: small, seeded, good enough to choose mutations. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

type Random = (below: number) => number;

const bytes = [0, 1, 9, 10, 32, 34, 44, 45, 48, 57, 58, 91, 93, 123, 125, 0x7f, 0x80, 0xff];
const words = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0x7fffn,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  1n << 53n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 64n) - 1n,
];
const numbers = [
  '0',
  '1',
  '-1',
  '2',
  '1.0',
  '1e3',
  '007',
  '4294967296',
  '9007199254740993',
  '18446744073709551615',
  '18446744073709551616',
  '99999999999999999999999',
];
const strings = [
  '__proto__',
  'constructor',
  '__metadata__',
  'F32',
  'BF16',
  'F4',
  'dtype',
  'shape',
  'data_offsets',
  '<f4',
  '>i8',
  '|O',
  '\\ud800',
  'a',
];

const concat = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** One random change of some bytes. */
export function mutateOnce(input: Uint8Array, next: Random, other: Uint8Array): Uint8Array {
  const at = next(Math.max(1, input.length));
  // Headers decide what is read, so half of the changes are there.
  const near = next(2) ? Math.min(at, next(Math.min(400, Math.max(1, input.length)))) : at;
  const out = input.slice();
  switch (next(9)) {
    case 0:
      out[near]! ^= 1 << next(8);
      return out;
    case 1:
      out[near] = bytes[next(bytes.length)]!;
      return out;
    case 2:
      return input.slice(0, at);
    case 3: {
      const view = new DataView(out.buffer);
      const value = words[next(words.length)]!;
      if (near + 8 <= out.length && next(2)) view.setBigUint64(near, value, true);
      else if (near + 4 <= out.length) view.setUint32(near, Number(value & 0xffffffffn), true);
      return out;
    }
    case 4: {
      const length = next(16);
      return concat(input.subarray(0, near), input.subarray(near + length));
    }
    case 5: {
      const from = next(Math.max(1, input.length));
      return concat(input.subarray(0, near), input.subarray(from, from + next(64)), input.subarray(near));
    }
    case 6: {
      const from = next(Math.max(1, other.length));
      return concat(input.subarray(0, near), other.subarray(from, from + next(64)), input.subarray(near + next(64)));
    }
    case 7:
      return replaceToken(input, next, /\d+/g, numbers);
    default:
      return replaceToken(input, next, /(?<=['"])[\w.<>|]+(?=['"])/g, strings);
  }
}

function replaceToken(input: Uint8Array, next: Random, pattern: RegExp, tokens: string[]): Uint8Array {
  const text = Buffer.from(input.buffer, input.byteOffset, Math.min(input.length, 2000)).toString('latin1');
  const found = [...text.matchAll(pattern)];
  if (found.length === 0) return input;
  const match = found[next(found.length)]!;
  const token = Buffer.from(tokens[next(tokens.length)]!, 'latin1');
  return concat(input.subarray(0, match.index), new Uint8Array(token), input.subarray(match.index + match[0].length));
}

/** One to four changes, mostly one. */
export function mutate(input: Uint8Array, next: Random, other: Uint8Array): Uint8Array {
  let out = input;
  for (let i = 1 + next(next(4) + 1); i > 0; i--) out = mutateOnce(out, next, other);
  return out;
}
