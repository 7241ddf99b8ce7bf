import { deflateRawSync } from 'node:zlib';
import { npy, safetensors } from './helpers.js';

// Files made to cost more than their size: each of about `n` bytes, with what it repeats or nests.

const u16 = (n: number): string => String.fromCharCode(n & 255, (n >> 8) & 255);
const u32 = (n: number): string => u16(n & 0xffff) + u16(n >>> 16);
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

interface Member {
  name: string | Buffer;
  data: Uint8Array;
  deflate?: boolean;
  extra?: Buffer;
}

/** A zip, written plainly: checksums are only right where a reader looks at them. */
export function zip(
  members: Iterable<Member>,
  options: { reversed?: boolean; crc?: (data: Uint8Array) => number } = {},
): Buffer {
  const parts: Buffer[] = [];
  const entries: Buffer[] = [];
  let at = 0;
  for (const { name, data, deflate, extra = Buffer.alloc(0) } of members) {
    const raw = typeof name === 'string' ? latin1(name) : name;
    const packed = deflate ? deflateRawSync(data, { level: 9 }) : data;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(deflate ? 8 : 0, 4);
    common.writeUInt32LE(options.crc?.(data) ?? 0, 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(raw.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    common.writeUInt16LE(extra.length, 24);
    entries.push(Buffer.concat([latin1(`PK\x01\x02${u16(20)}`), common, tail, raw, extra]));
    common.writeUInt16LE(0, 24);
    parts.push(latin1('PK\x03\x04'), common, raw, Buffer.from(packed));
    at += 30 + raw.length + packed.length;
  }
  if (options.reversed) entries.reverse();
  const directory = Buffer.concat(entries);
  const [count, most] = [entries.length, 0xffff];
  const end64 = Buffer.alloc(56 + 20);
  end64.write('PK\x06\x06', 'latin1');
  for (const [value, place] of [
    [44, 4],
    [count, 24],
    [count, 32],
    [directory.length, 40],
    [at, 48],
  ] as const)
    end64.writeBigUInt64LE(BigInt(value), place);
  end64.write('PK\x06\x07', 56, 'latin1');
  end64.writeBigUInt64LE(BigInt(at + directory.length), 64);
  end64.writeUInt32LE(1, 72);
  const end = latin1(
    `PK\x05\x06${u32(0)}${u16(Math.min(count, most))}${u16(Math.min(count, most))}${u32(directory.length)}${u32(at)}${u16(0)}`,
  );
  return Buffer.concat([...parts, directory, ...(count > most ? [end64] : []), end]);
}

// ---- PyTorch ----

const text = (value: string): string => `X${u32(value.length)}${value}`;
const storageOf = (key: string): string => `(${text('storage')}ctorch\nFloatStorage\n${key}${text('cpu')}K\x01tQ`;
const rebuild = 'ctorch._utils\n_rebuild_tensor_v2\n';
/** A tensor of one element, under what is memoized as 1: its storage. */
const tensor = (size = ')', stride = size): string => `${rebuild}(h\x01K\0${size}${stride}\x89}tR`;
const storage = `${storageOf(text('0'))}q\x01`;

/** A checkpoint with this pickle. */
function checkpoint(pickle: string, crc: (data: Uint8Array) => number, deflate = false): Buffer {
  const members: Member[] = [
    { name: 'a/data.pkl', data: latin1(`\x80\x02${pickle}.`), deflate },
    { name: 'a/version', data: latin1('3\n') },
    { name: 'a/data/0', data: new Uint8Array(4) },
  ];
  return zip(members, { crc });
}

const legacyHead = '\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02';
const legacy = (pickle: string, keys: string): Buffer =>
  Buffer.concat([
    latin1(`${legacyHead}${pickle}.\x80\x02]${keys}a.`),
    Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
  ]);

/** Repeated to fill `n` bytes. */
const fill = (n: number, unit: string): string => unit.repeat(Math.ceil(n / unit.length));
/** `times` of them, or as many as `n` bytes hold. */
const numbered = (n: number, each: (i: number) => string): string => {
  const parts: string[] = [];
  for (let size = 0, i = 0; size < n; size += parts[i]!.length, i++) parts.push(each(i));
  return parts.join('');
};

/** A dictionary of what is found under a number of keys, which are all in the pickle. */
const listOf = (before: string, n: number, unit: string): string => `${before}](${fill(n, unit)}e`;

const backslashes = text('\\'.repeat(1000));
const wideTuple = `(${`${backslashes}q\x02`}${'h\x02'.repeat(63)}tq\x03`;
const longKey = text('k'.repeat(100_000));
const bigInteger = (i: number): string => `\x8a\x80${u32(i)}${'\x7f'.repeat(124)}`;

const pickles: Record<string, (n: number) => string> = {
  'items under one tuple key': (n) => `${wideTuple}0}${fill(n, 'h\x03Ns')}`,
  'tuple keys around one tuple': (n) => `${wideTuple}0}${fill(n, 'h\x03\x85Ns')}`,
  'tuple keys around one tuple, with a tensor each': (n) =>
    `${storage}0${tensor()}q\x04${wideTuple}0}${fill(n, 'h\x03\x85h\x04s')}`,
  'one tensor listed': (n) => listOf(`${storage}0${tensor()}q\x02`, n, 'h\x02'),
  'one opaque object listed': (n) => `${storage}0(${tensor()}${listOf('cos\nsystem\n)Rq\x02', n, 'h\x02')}t`,
  'one dictionary with long keys listed': (n) =>
    `${storage}0${tensor()}q\x02}(${longKey}h\x02tq\x03]`.replace('tq\x03]', `uq\x03](${fill(n, 'h\x03')}e`),
  'one dictionary with integer keys of 128 bytes listed': (n) =>
    `${storage}0${tensor()}q\x02}(${numbered(n / 2, (i) => `${bigInteger(i)}h\x02`)}uq\x03](${fill(n / 2, 'h\x03')}e`,
  'one list of numbers listed': (n) => `](${fill(n / 2, 'N')}eq\x01](${fill(n / 2, 'h\x01')}e`,
  'tuples that double': () => `)${'q\0h\0\x86'.repeat(60)}`,
  'lists in lists': (n) => `${fill(n / 2, ']')}${fill(n / 2, 'a')}`,
  'tuples in tuples': (n) => `)${fill(n, '\x85')}`,
  'dictionaries that share, to a depth of 60': () =>
    `}q\0${Array.from({ length: 60 }, () => `}(${text('a')}h\0${text('b')}h\0uq\0`).join('')}`,
  'a list in itself': (n) => `]q\0(${fill(n, 'h\0')}e`,
  'empty dictionaries': (n) => `(${fill(n, '}')}t`,
  'dictionaries of one item': (n) => `(${fill(n, '}NNs')}t`,
  'lists of one item': (n) => `(${fill(n, ']Na')}t`,
  'tuples of one item': (n) => `(${fill(n, 'N\x85')}t`,
  sets: (n) => `(${fill(n, '\x8f')}t`,
  marks: (n) => `${fill(n, '(')}N`,
  memos: (n) => `N${fill(n, '\x94')}`,
  'memos by number': (n) => `N${numbered(n, (i) => `r${u32(i)}`)}`,
  'memos by number, from the last': (n) => `N${numbered(n, (i) => `r${u32(Math.max(0, Math.floor(n / 5) - i))}`)}`,
  'short strings': (n) => `(${fill(n, '\x8c\x02ab')}t`,
  'one long string': (n) => text('s'.repeat(n)),
  'one long string of two-byte characters': (n) => text('\xc3\xa9'.repeat(n / 2)),
  'a long string as a key': (n) => `${storage}0}${text('k'.repeat(n))}${tensor()}s`,
  bytes: (n) => `(${fill(n, 'C\0')}t`,
  globals: (n) => `(${fill(n, 'ca\nb\n')}t`,
  'globals by two long strings': (n) =>
    `${text('m'.repeat(n / 2))}q\x01${text('m'.repeat(900))}q\x02(${fill(n / 2, 'h\x02h\x02\x93')}t`,
  'calls of one': (n) => `cos\nsystem\nq\x01(${fill(n, 'h\x01)R')}t`,
  'integers of 128 bytes': (n) => `(${fill(n, `\x8a\x80${'\x7f'.repeat(128)}`)}t`,
  'integers of 7 bytes': (n) => `(${fill(n, `\x8a\x07${'\x7f'.repeat(7)}`)}t`,
  'floats as keys': (n) => `}(${numbered(n, (i) => `G@\x10${u32(i)}\0\0N`)}u`,
  // As whole numbers all of these have zeros in their last 64 bits.
  'floats near 1e300 as keys': (n) => `}(${numbered(n, (i) => `G\x7e\x37${u32(i)}\0\0N`)}u`,
  'long integers that end alike as keys': (n) => `}(${numbered(n, (i) => `\x8a\x0d${'\0'.repeat(8)}${u32(i)}\x01N`)}u`,
  'integers as keys': (n) => `}(${numbered(n, (i) => `J${u32(i)}N`)}u`,
  'integers as keys of tensors': (n) => `${storage}0${tensor()}q\x02}(${numbered(n, (i) => `J${u32(i)}h\x02`)}u`,
  'OrderedDict of one list': (n) =>
    `](${fill(n / 2, 'NN\x86')}eq\x01(${fill(n / 2, 'ccollections\nOrderedDict\nh\x01\x85R')}t`,
  'OrderedDict of a long list': (n) => `ccollections\nOrderedDict\n](${numbered(n, (i) => `J${u32(i)}N\x86`)}e\x85R`,
  'empty OrderedDicts': (n) => `ccollections\nOrderedDict\nq\x01(${fill(n, 'h\x01)R')}t`,
  'tensors of 64 axes': (n) =>
    `${storage}0(${'K\x01'.repeat(64)}tq\x02${rebuild}q\x03(h\x01K\0h\x02h\x02\x89}tq\x04](${fill(n, 'h\x03h\x04R')}e`,
  'metadata of many bits': (n) =>
    `${storage}0}(${numbered(n / 2, (i) => `${text(`b${i}`)}\x89`)}uq\x02${rebuild}q\x03(h\x01K\0))\x89}h\x02tq\x04](${fill(n / 2, 'h\x03h\x04R')}e`,
  'sparse tensors of many parts': (n) =>
    `ctorch._utils\n_rebuild_sparse_tensor\nq\x03(Nq\x05(${fill(n / 2, 'N')}ttq\x04](${fill(n / 2, 'h\x03h\x04R')}e`,
  'storages of one long key': (n) => {
    const key = `${text('k'.repeat(n / 2))}q\x05`;
    const id = `(${text('storage')}ctorch\nFloatStorage\nh\x05${text('cpu')}K\x01tq\x06`;
    return `${key}0${id}0${rebuild}q\x03](${fill(n / 2, 'h\x03(h\x06QK\0))\x89}tR')}e`;
  },
};

const keyOfMany = (n: number): Buffer => {
  const key = `${text('k'.repeat(Math.min(2 ** 20, n / 2)))}q\x05`;
  const id = `(${text('storage')}ctorch\nFloatStorage\nh\x05${text('cpu')}K\x01Ntq\x06`;
  return legacy(
    `${key}0${id}0${rebuild}q\x03](${fill(n / 2, 'h\x03(h\x06QK\0))\x89}tR')}e`,
    text('k'.repeat(Math.min(2 ** 20, n / 2))),
  );
};

// ---- zips ----

const array = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (0,)}");
const arrays = (count: number, member: (i: number) => Omit<Member, 'name'> & { name?: Member['name'] }): Member[] =>
  Array.from({ length: count }, (_, i) => ({ name: `${i}.npy`, ...member(i) }));
/** An array of 10 MB behind the longest header. */
const inflated = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (10000000,)}".padEnd(10_000), 10_000_000);
const inflating = deflateRawSync(inflated, { level: 9 });
const padded = npy(`{'descr': '|u1', 'fortran_order': False, 'shape': (0,)}${' '.repeat(9_900)}`);
const axes = npy(`{'descr': '|u1', 'fortran_order': False, 'shape': (${'0,'.repeat(4_900)})}`);

/** Members that are what one deflates to. */
function deflated(packed: Uint8Array, size: number, count: number): Buffer {
  const whole = zip(arrays(count, () => ({ data: packed })));
  // Stored so far: what says so is put right.
  for (let at = whole.indexOf('PK\x03\x04'); at >= 0; at = whole.indexOf('PK\x03\x04', at + 30 + packed.length)) {
    whole.writeUInt16LE(8, at + 8);
    whole.writeUInt32LE(size, at + 22);
  }
  for (let at = whole.indexOf('PK\x01\x02'); at >= 0; at = whole.indexOf('PK\x01\x02', at + 46)) {
    whole.writeUInt16LE(8, at + 10);
    whole.writeUInt32LE(size, at + 24);
  }
  return whole;
}

const zips: Record<string, (n: number) => Uint8Array> = {
  'empty members': (n) => zip(arrays(n / 90, () => ({ data: new Uint8Array(0) }))),
  'small arrays': (n) => zip(arrays(n / 170, () => ({ data: array }))),
  'small arrays, deflated': (n) => zip(arrays(n / 150, () => ({ data: array, deflate: true }))),
  'arrays in another order': (n) =>
    zip(
      arrays(n / 170, () => ({ data: array })),
      { reversed: true },
    ),
  'arrays whose names are long': (n) =>
    zip(arrays(n / 40_000, (i) => ({ data: array, name: `${i}`.padEnd(20_000, 'n') }))),
  'members with many extra fields': (n) =>
    zip(arrays(n / 40_000, () => ({ data: array, extra: Buffer.from('\x01\xaa\0\0'.repeat(10_000), 'latin1') }))),
  'members that inflate 10 MB for a header': (n) => deflated(inflating, inflated.length, n / inflating.length),
  'headers of 10,000 blanks, deflated': (n) => zip(arrays(n / 200, () => ({ data: padded, deflate: true }))),
  'headers of 5,000 axes, deflated': (n) =>
    zip([...arrays(n / 200, () => ({ data: padded, deflate: true })), { name: 'z.npy', data: axes }]),
  'names that are twice there': (n) =>
    zip([...arrays(n / 170, () => ({ data: array })), { name: '0.npy', data: array }]),
};

// ---- JSON ----

const headers: Record<string, (n: number) => string> = {
  'keys without a tensor': (n) => `{${numbered(n, (i) => `"${i.toString(36)}":{},`)}"":0}`,
  'keys of one item': (n) => `{${numbered(n, (i) => `"${i.toString(36)}":{"":0},`)}"":0}`,
  'empty objects in a list': (n) => `{"a":[${fill(n, '{},')}0]}`,
  'empty lists in a list': (n) => `{"a":[${fill(n, '[],')}0]}`,
  'numbers in a list': (n) => `{"a":[${fill(n, '1,')}0]}`,
  'fractions in a list': (n) => `{"a":[${fill(n, '1.5,')}0]}`,
  'lists in lists': (n) => `{"a":${'['.repeat(n)}`,
  'objects in objects': (n) => fill(n, '{"a":'),
  'one long string': (n) => `{"${'n'.repeat(n)}":0}`,
  'one long string of escapes': (n) => `{"${fill(n, '\\u0061\\\\')}":0}`,
  'one long string without an end': (n) => `{"${fill(n, '\\u0061')}`,
  'white space': (n) => `{${' '.repeat(n)}}`,
  digits: (n) => `{"a":${'1'.repeat(n)}}`,
  metadata: (n) => `{"__metadata__":{${numbered(n, (i) => `"${i}":"",`)}"x":""}}`,
  'metadata of another type': (n) => `{"__metadata__":{"${'n'.repeat(n)}":0}}`,
  'a dtype that is a list of lists': (n) => `{"a":{"dtype":[${fill(n, '[1,"a"],')}0]}}`,
  'a shape of many axes': (n) => `{"a":{"dtype":"U8","shape":[${fill(n, '0,')}0],"data_offsets":[0,0]}}`,
  tensors: (n) =>
    `{${numbered(n, (i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},`)}"z":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`,
};

/** Tensors that lie in another order than they are listed. */
function shuffled(n: number): Uint8Array {
  const count = Math.floor(n / 70);
  const entry = (i: number): string => {
    const at = (i * 7919) % count;
    return `"${i}":{"dtype":"U8","shape":[1],"data_offsets":[${at},${at + 1}]}`;
  };
  return safetensors(
    `{${Array.from({ length: count % 7919 ? count : count + 1 }, (_, i) => entry(i)).join(',')}}`,
    count,
  );
}

const index = (map: string): Uint8Array => Buffer.from(`{"weight_map": {${map}}}`);
const indices: Record<string, (n: number) => Uint8Array> = {
  'names in one file': (n) => index(`${numbered(n, (i) => `"${i}":"a",`)}"z":"a"`),
  'a file for each name': (n) => index(`${numbered(n, (i) => `"${i}":"f${i}",`)}"z":"a"`),
  'one file by a long name': (n) => index(`${numbered(n / 2, (i) => `"${i}":"a",`)}"z":"${fill(n / 2, 'a/')}a"`),
  'no map': (n) => Buffer.from(`{  "a": [${fill(n, '0,')}0]}`),
};

// ---- .wts ----

const wts: Record<string, (n: number) => string> = {
  'one long line': (n) => `1\na ${Math.ceil(n / 9)} ${fill(n, '3f800000 ')}\n`,
  'one long line of blanks': (n) => `1\na 1 ${' '.repeat(n)}0\n`,
  'one long line of digits': (n) => `1\na 1 ${'1'.repeat(n)}\n`,
  'empty tensors': (n) => `${Math.floor(n / 8)}\n${numbered(n, (i) => `${i.toString(36)} 0\n`)}`,
  'blank lines': (n) => `2\na 1 0\n${'\n'.repeat(n)}`,
  'raw tensors without elements': (n) => `${Math.floor(n / 16)}\n${numbered(n, (i) => `${i.toString(36)} 0 (0,) \n`)}`,
  'raw tensors of many axes': (n) => `9\na 0 (${fill(n, '1, ')}) \n`,
  'a count above all': (n) => `999999\n${numbered(n, (i) => `${i.toString(36)} 1 0\n`)}`,
};

/** By name: bytes of a file that take about `n` bytes, and how the file is called. */
export function adversaries(crc: (data: Uint8Array) => number): Record<string, (n: number) => Uint8Array> {
  const all: Record<string, (n: number) => Uint8Array> = {};
  for (const [name, make] of Object.entries(pickles)) all[`pickle: ${name}`] = (n) => checkpoint(make(n), crc);
  all['pickle, deflated: items under one tuple key'] = () =>
    checkpoint(pickles['items under one tuple key']!(180_000), crc, true);
  all['pickle, deflated: nothing'] = (n) => checkpoint(`(${fill(40 * n, 'N0')}t`, crc, true);
  all['legacy: storages of one long key'] = keyOfMany;
  for (const [name, make] of Object.entries(zips)) all[`zip: ${name}`] = make;
  for (const [name, make] of Object.entries(headers)) all[`safetensors: ${name}`] = (n) => safetensors(make(n));
  all['safetensors: tensors in another order'] = shuffled;
  for (const [name, make] of Object.entries(indices)) all[`index: ${name}`] = make;
  for (const [name, make] of Object.entries(wts)) all[`wts: ${name}`] = (n) => Buffer.from(make(n));
  return all;
}
