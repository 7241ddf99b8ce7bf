import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync, type Zippable, zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { loadWeights, parseWeights } from '../../src/weights/index.js';
import { failure, fixture, fixtureBytes, npy } from './helpers.js';

const array = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4,)}", 4);
const utf8 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

/** Reads everything; the error must be one of format. */
async function refused(bytes: Uint8Array): Promise<string> {
  const error = await failure(async () => {
    using weights = await parseWeights(bytes, 'hostile');
    for (const name of weights.names()) weights.get(name).data;
  });
  expect(error.code).toBe('ERR_WEIGHTS_FORMAT');
  expect(error.message).toMatch(/^hostile: /);
  return error.message;
}

/** Replaces all of `from` by as many bytes. */
function patched(bytes: Uint8Array, from: string, to: string): Uint8Array {
  expect(from.length).toBe(to.length);
  return utf8(Buffer.from(bytes).toString('latin1').replaceAll(from, to));
}

const u16 = (n: number): string => String.fromCharCode(n & 255, (n >> 8) & 255);
const u32 = (n: number): string => u16(n & 0xffff) + u16(n >>> 16);

test('names that only look special are plain names', async () => {
  const members = Object.fromEntries(
    ['__proto__.npy', 'constructor.npy', 'a b.npy', '../../etc/passwd.npy'].map((n) => [n, array]),
  );
  using weights = await parseWeights(zipSync(members), 'x');
  expect(weights.names().sort()).toEqual(['../../etc/passwd', '__proto__', 'a b', 'constructor']);
});

test('the same name twice', async () => {
  expect(await refused(patched(zipSync({ 'a.npy': array, 'b.npy': array }), 'b.npy', 'a.npy'))).toMatch(
    /holds "a.npy" twice/,
  );
});

test('members that share bytes', async () => {
  const zip = Buffer.from(zipSync({ 'a.npy': array, 'a.npz': array }, { level: 0 }));
  // The second central entry points at the first member.
  const second = zip.lastIndexOf('PK\x01\x02');
  zip.writeUInt32LE(0, second + 42);
  expect(await refused(patched(new Uint8Array(zip), 'a.npz', 'a.npy').slice())).toMatch(/twice/);
  const aliased = Buffer.from(zip);
  aliased.write('a.npy', second + 46, 'latin1');
  aliased.write('b.npy', zip.indexOf('PK\x01\x02') + 46, 'latin1');
  aliased.write('a.npy', 30, 'latin1');
  expect(await refused(new Uint8Array(aliased))).toMatch(/another name in its local header|shares bytes/);
});

test('a bomb is refused by its claims, or stopped where it lies', async () => {
  const zeros = new Uint8Array(64 * 2 ** 20);
  const header = Buffer.from(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (67108864,)}"));
  const bomb = zipSync({ 'bomb.npy': new Uint8Array(Buffer.concat([header, zeros])) }, { level: 9 });
  using weights = await parseWeights(bomb, 'bomb');
  expect(weights.get('bomb').data.length).toBe(zeros.length); // honest, if large

  const size = header.length + zeros.length;
  const small = patched(bomb, u32(size), u32(header.length + 10));
  expect(await refused(small)).toMatch(/its header promises 67108864 bytes of elements, but 10 follow/);
  const fitting = zipSync({
    'a.npy': new Uint8Array(
      Buffer.concat([npy("{'descr': '|u1', 'fortran_order': False, 'shape': (10,)}", 10), zeros]),
    ),
  });
  const claimed = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (10,)}", 10).length;
  expect(await refused(patched(fitting, u32(claimed + zeros.length), u32(claimed)))).toMatch(
    /does not inflate to the \d+ bytes it claims/,
  );
  expect(await refused(patched(bomb, u32(size), u32(4_000_000_000)))).toMatch(/more than deflate can hold/);
});

test('damage, encryption, other methods', async () => {
  const stored = zipSync({ 'a.npy': array }, { level: 0 });
  expect(
    await refused(
      stored.with(
        stored.findIndex((_, i) => i > 30 + 5 + array.length - 2),
        1,
      ),
    ),
  ).toMatch(/CRC-32 does not match/);
  const zip = Buffer.from(stored);
  const central = zip.indexOf('PK\x01\x02');
  const encrypted = Buffer.from(zipSync({ 'a.npy': array }));
  encrypted[encrypted.indexOf('PK\x01\x02') + 8]! |= 1;
  expect(await refused(new Uint8Array(encrypted))).toMatch(/encrypted/);
  const bzip2 = Buffer.from(zip);
  bzip2.writeUInt16LE(12, central + 10);
  expect(await refused(new Uint8Array(bzip2))).toMatch(/method 12/);
  const beyond = Buffer.from(zip);
  beyond.writeUInt32LE(2 ** 31, central + 42);
  expect(await refused(new Uint8Array(beyond))).toMatch(/as a zip/);
});

test('members that are not npy files', async () => {
  expect(await refused(zipSync({ 'a.npy': array, 'readme.txt': utf8('hello') }))).toMatch(
    /readme.txt: is not an npy file/,
  );
});

const shards = (map: unknown): string => {
  const folder = mkdtempSync(join(tmpdir(), 'weights-shards-'));
  const path = join(folder, 'model.safetensors.index.json');
  writeFileSync(path, typeof map === 'string' ? map : JSON.stringify({ weight_map: map }));
  return path;
};

test('an index whose shards lie', async () => {
  const code = async (map: unknown): Promise<string> => (await failure(() => loadWeights(shards(map)))).code;
  for (const file of ['../secret', '/etc/passwd', 'a/../../b', 'a//b', 'a/..', 'a/', '.', '..', 'a\\b', '', 5, null])
    expect(await code({ a: file })).toBe('ERR_WEIGHTS_FORMAT');
  expect(await code({ a: 'absent.safetensors' })).toBe('ERR_WEIGHTS_FILE');
  expect(await code({ a: 'model.safetensors.index.json' })).toBe('ERR_WEIGHTS_FORMAT');
  expect(await code({})).toBe('ERR_WEIGHTS_FORMAT');
  expect(await code('{"weight_map": {"a": "x", "a": "y"}}')).toBe('ERR_WEIGHTS_FORMAT');
  expect(await code('{"weight_map"')).toBe('ERR_WEIGHTS_FORMAT');
  const path = shards({ missing: 'shard.safetensors' });
  writeFileSync(join(path, '../shard.safetensors'), fixtureBytes('odd.safetensors'));
  expect((await failure(() => loadWeights(path))).message).toContain('which does not have it');
});

// ---- PyTorch ----

const zipped = unzipSync(fixtureBytes('state_dict.pt'));

/** A checkpoint with this pickle, and storages 0 to 8 of the fixture. */
function checkpoint(pickle: string | Uint8Array, more: Zippable = {}): Uint8Array {
  return zipSync(
    { ...zipped, ...more, 'state_dict/data.pkl': typeof pickle === 'string' ? utf8(pickle) : pickle },
    { level: 0 },
  );
}

const text = (value: string): string => `X${u32(value.length)}${value}`;
const whole = (value: number): string => `J${u32(value)}`;
const tuple = (values: number[]): string => `(${values.map(whole).join('')}t`;
/** Storage 0 holds the 54 float32 of conv.weight. */
const storage = (key = '0', type = 'torch\nFloatStorage', count = 54): string =>
  `(${text('storage')}c${type}\n${text(key)}${text('cpu')}${whole(count)}tQ`;
const tensor = (offset: number, shape: number[], strides: number[], from = storage(), metadata = ''): string =>
  `ctorch._utils\n_rebuild_tensor_v2\n(${from}${whole(offset)}${tuple(shape)}${tuple(strides)}\x89}${metadata}tR`;
const dict = (name: string, value: string): string => `\x80\x02}${text(name)}${value}s.`;

test('a tensor made by hand reads', async () => {
  using weights = await parseWeights(checkpoint(dict('w', tensor(2, [2, 3], [3, 1]))), 'x');
  using all = await loadWeights(fixture('state_dict.pt'));
  expect([...weights.get('w').data]).toEqual([...all.get('conv.weight').data.slice(2, 8)]);
});

const pickles: Record<string, [string, RegExp]> = {
  'os.system': [`\x80\x02cos\nsystem\n(${text('true')}tR.`, /an object made by os\.system.*nothing was run/],
  'builtins.eval': [
    `\x80\x02c__builtin__\neval\n(${text('1')}tR.`,
    /an object made by __builtin__\.eval.*nothing was run/,
  ],
  'eval by STACK_GLOBAL': [`\x80\x04\x8c\x08builtins\x8c\x04eval\x93.`, /is the name builtins\.eval/],
  'a module of torch': ['\x80\x02ctorch.hub\nload\n.', /is the name torch\.hub\.load/],
  'a dotted name': [
    '\x80\x02ctorch._utils\n_rebuild_tensor_v2.__globals__\n)R.',
    /made by torch\._utils\._rebuild_tensor_v2\.__globals__/,
  ],
  'a call of what a call gave': ['\x80\x02cos\npopen\n)R)R.', /an object made by os\.popen/],
  'a class with state': ['\x80\x02cos\nsystem\n)\x81}b.', /an object made by os\.system/],
  'nothing but os.system': [
    dict('w', `cos\nsystem\n(${text('true')}tR`),
    /holds no tensors, but at "w" an object made by os\.system/,
  ],
  'opcode INST': ['\x80\x02(ios\nsystem\n.', /opcode 0x69 is not allowed/],
  'opcode OBJ': ['\x80\x02(o.', /opcode 0x6f is not allowed/],
  'opcode EXT1': ['\x80\x02\x82\x01.', /opcode 0x82 is not allowed/],
  'opcode PERSID': ['\x80\x02Pabc\n.', /opcode 0x50 is not allowed/],
  'protocol 0': ['(dp0\n.', /opcode 0x64 is not allowed/],
  'NEWOBJ_EX of a listed class': ['\x80\x04ccollections\nOrderedDict\n)}\x92.', /by NEWOBJ_EX/],
  'NEWOBJ_EX without names': ['\x80\x04cx\ny\n))\x92.', /named arguments/],
  'protocol 9': ['\x80\x09}.', /protocol 9/],
  'calling a storage class': ['\x80\x02ctorch\nFloatStorage\n(tR.', /arguments that make no sense/],
  'calling a string': [`\x80\x02${text('os.system')}(tR.`, /calls something that is not a global/],
  'state for a list': ['\x80\x02]}b.', /state to an object that takes none/],
  'appending to a dictionary': ['\x80\x02}Na.', /appends to something that is not a list/],
  'setting items of a list': ['\x80\x02]NNs.', /item of something that is not a dictionary/],
  'a list as a key': ['\x80\x02}]Ns.', /a list, dictionary or set as a key/],
  'a list within a key': ['\x80\x02}N]\x86Ns.', /a list, dictionary or set as a key/],
  'state for a tensor': [dict('w', `${tensor(0, [1], [1])}}b`), /state to an object that takes none/],
  'an empty stack': ['\x80\x02.', /stack is empty/],
  'TUPLE2 of one': ['\x80\x02N\x86.', /stack is too short/],
  'no mark': ['\x80\x02Nt.', /mark is missing/],
  'no STOP': ['\x80\x02}', /ends before STOP/],
  'an empty memo': ['\x80\x02h\x05.', /memo 5 is empty/],
  'a memo far away': ['\x80\x02Nr\xff\xff\xff\x7f.', /memo 2147483647/],
  'a string of 4 GB': ['\x80\x02X\xff\xff\xff\xff.', /claims 4294967295 bytes/],
  'a string of 2^63': ['\x80\x04\x8d\0\0\0\0\0\0\0\x80.', /claims 9223372036854776000 bytes/],
  'an integer of a megabyte': [`\x80\x02\x8b${u32(1_000_000)}${'\x01'.repeat(1_000_000)}.`, /integer of 1000000 bytes/],
  'a string of invalid UTF-8': ['\x80\x02X\x01\0\0\0\xff.', /not valid UTF-8/],
  'a frame of 2^40': ['\x80\x04\x95\0\0\0\0\0\x01\0\0}.', /claims 1099511627776 bytes/],
  'a list within itself': [`\x80\x02]q\0h\0a.`, /contains itself/],
  'a dictionary within itself': [`\x80\x02}q\0${text('a')}h\0s.`, /contains itself/],
  'tuples that double forty times': [`\x80\x02)${'q\0h\0\x86'.repeat(40)}.`, /more than 105\d{4} steps/],
  'five million opcodes': [`\x80\x02]${'Na'.repeat(2_500_000)}.`, /more than 4000000 opcodes/],
  'a tensor beyond its storage': [
    dict('w', tensor(0, [55], [1])),
    /"w" of shape \[55\].*outside its storage of 216 bytes/,
  ],
  'an offset beyond its storage': [dict('w', tensor(54, [1], [1])), /outside its storage/],
  'strides beyond its storage': [dict('w', tensor(0, [2, 2], [53, 1])), /outside its storage/],
  'a negative offset': [dict('w', tensor(-1, [1], [1])), /arguments that make no sense/],
  'a negative stride': [dict('w', tensor(5, [2], [-1])), /arguments that make no sense/],
  'a negative dim': [dict('w', tensor(0, [-1], [1])), /arguments that make no sense/],
  'fewer strides than dims': [dict('w', tensor(0, [1, 1], [1])), /arguments that make no sense/],
  'a product that overflows': [dict('w', tensor(0, [2 ** 30, 2 ** 30, 2 ** 30], [0, 0, 0])), /outside its storage/],
  'a view repeated to 4 GB': [dict('w', tensor(0, [2 ** 30], [0])), /repeats a storage of 216 bytes into 4294967296/],
  'a storage that is absent': [dict('w', tensor(0, [1], [1], storage('99'))), /storage "99", which is not in the file/],
  'a storage named by a path': [dict('w', tensor(0, [1], [1], storage('../data.pkl'))), /not in the file/],
  'a storage of another size': [
    dict('w', tensor(0, [1], [1], storage('0', 'torch\nFloatStorage', 55))),
    /should have 220 bytes, .* has 216/,
  ],
  'a storage of two dtypes': [
    `\x80\x02}${text('a')}${tensor(0, [1], [1])}s${text('b')}${tensor(0, [1], [1], storage('0', 'torch\nIntStorage'))}s.`,
    /storage 0 is torch\.FloatStorage and torch\.IntStorage/,
  ],
  'a storage of no class of storages': [
    dict('w', tensor(0, [1], [1], storage('0', 'os\nsystem'))),
    /persistent id that is not a storage/,
  ],
  'metadata that is not a dictionary': [dict('w', tensor(0, [1], [1], storage(), ']')), /arguments that make no sense/],
  'metadata of numbers': [
    dict('w', tensor(0, [1], [1], storage(), `}${text('neg')}${whole(1)}s`)),
    /arguments that make no sense/,
  ],
  'a shape of a million axes': [
    dict('w', `ctorch._utils\n_rebuild_tensor_v2\n(${storage()}${whole(0)}${tuple(Array(1e6).fill(1))})\x89}tR`),
    /arguments that make no sense/,
  ],
  'a persistent id that is not a storage': [`\x80\x02${text('x')}Q.`, /persistent id that is not a storage/],
  'one path for two tensors': [
    `\x80\x02}${text('a.b')}${tensor(0, [1], [1])}s${text('a')}}${text('b')}${tensor(0, [1], [1])}ss.`,
    /two tensors have the path "a\.b"/,
  ],
};

test.each(Object.entries(pickles))('pickle: %s', async (_, [pickle, message]) => {
  expect(await refused(checkpoint(pickle))).toMatch(message);
});

test('keys of prototypes are plain names', async () => {
  using weights = await parseWeights(checkpoint(dict('__proto__', `}${text('polluted')}${tensor(0, [1], [1])}s`)), 'x');
  expect(weights.names()).toEqual(['__proto__.polluted']);
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test('a TorchScript archive is told apart from weights', async () => {
  expect((await failure(() => loadWeights(fixture('script.pt')))).message).toContain(
    "a TorchScript archive, a program that is not run here. In Python: torch.save(torch.jit.load(path, 'cpu').state_dict(), 'weights.pt')",
  );
});

// ---- unlisted names: inert, and nothing of theirs is kept ----

const one = tensor(0, [1], [1]);
const item = (key: string, value: string): string => `${key}${value}s`;
const beside = (value: string): Uint8Array => checkpoint(`\x80\x02}${item(text('w'), one)}${item(text('x'), value)}.`);

test('beside tensors, hostile objects are opaque, and nothing is run', async () => {
  const flag = join(mkdtempSync(join(tmpdir(), 'weights-run-')), 'flag');
  const touch = text(`touch ${flag}`);
  const values = [
    `cos\nsystem\n(${touch}tR`,
    `cposix\nsystem\n${touch}\x85R`,
    `c__builtin__\neval\n(${text(`__import__('os').system('touch ${flag}')`)}tR`,
    `cprocess\nexit\n)R`,
    `cFunction\nconstructor\n(${text('process.exit(1)')}tR)R`,
    `c__proto__\nconstructor\n)R}${text('polluted')}Nsb`,
    `cos\nsystem\n)\x81}${item(text('__proto__'), `}${text('polluted')}Ns`)}b`,
    `cos\nsystem\n)\x81${text('a')}Ns`,
    'cos\nsystem\n)\x81Na(NNe',
    'cos\nsystem\n)}\x92(N\x90',
    `c__builtin__\ngetattr\n(cos\npath\n${text('join')}tR)\x81`,
    `ctorch._utils\n_rebuild_parameter\n(cos\nsystem\n)R\x89}tR`,
    `ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\ncx\ny\n(t}tR`,
  ];
  for (const value of values) {
    using weights = await parseWeights(beside(value), 'x');
    expect(weights.names()).toEqual(['w']);
    expect(weights.get('w').data.length).toBe(1);
    expect((await failure(() => weights.get('x.y'))).message).toMatch(
      /'x' of x is an object made by .*nothing was run/,
    );
  }
  expect(existsSync(flag)).toBe(false);
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect('polluted' in {}).toBe(false);
});

test('listed functions within an opaque call are still checked', async () => {
  expect(await refused(beside(`cx\ny\n(${tensor(-1, [1], [1])}tR`))).toMatch(/arguments that make no sense/);
});

test('opaque keys, and tuples that grow without end, leave their items out', async () => {
  const doubled = `)${'q\0h\0\x86'.repeat(40)}`;
  const long = `${text('k'.repeat(2000))}\x85`;
  const keys = ['cx\ny\n', 'cx\ny\n)R', doubled, long, one];
  const items = keys.map((key) => item(key, one)).join('');
  using weights = await parseWeights(checkpoint(`\x80\x02}${items}${item(text('w'), one)}.`), 'x');
  expect(weights.names()).toEqual(['w']);
  const pair = `(${text("it's")}NK\x01\x88t`;
  using named = await parseWeights(checkpoint(`\x80\x02}${item(pair, one)}${item(`${text('a')}\x85`, one)}.`), 'x');
  expect(named.names()).toEqual(['("it\'s", None, 1, True)', "('a',)"]); // Python's str of the same tuples
});

test('work that multiplies is stopped', async () => {
  const began = performance.now();
  // A list of 400,000 numbers: listed a million times, made an OrderedDict of a hundred thousand times.
  const list = `](${'N'.repeat(400_000)}eq\x01`;
  const walked = `\x80\x02}${text('l')}(${list}${'h\x01'.repeat(900_000)}ts.`;
  expect(await refused(checkpoint(walked))).toMatch(/takes more than \d+ steps to read/);
  const pairs = `](${`NN\x86`.repeat(100_000)}eq\x01`;
  const copied = `\x80\x02]${pairs}${'0ccollections\nOrderedDict\nh\x01\x85R'.repeat(100_000)}.`;
  expect(await refused(checkpoint(copied))).toMatch(/takes more than \d+ steps to read/);
  expect(performance.now() - began).toBeLessThan(10_000);
});

test('a tensor with a bit of conj or neg is never given with the wrong sign', async () => {
  for (const bit of ['neg', 'conj', 'other']) {
    const set = (value: string) => dict('w', tensor(0, [2], [1], storage(), `}${text(bit)}${value}s`));
    using pending = await parseWeights(checkpoint(set('\x88')), 'x');
    expect((await failure(() => pending.get('w'))).message).toMatch(`w of x is a tensor with ${bit} pending`);
    using clear = await parseWeights(checkpoint(set('\x89')), 'x');
    expect(clear.get('w').data.length).toBe(2);
  }
});

test('big-endian checkpoints are swapped', async () => {
  const order = { 'state_dict/byteorder': utf8('big') };
  const data = zipped['state_dict/data/0']!.slice();
  Buffer.from(data.buffer).swap32();
  using weights = await parseWeights(
    checkpoint(zipped['state_dict/data.pkl']!, { ...order, 'state_dict/data/0': data }),
    'x',
  );
  using reference = await loadWeights(fixture('state_dict.pt'));
  expect([...weights.get('conv.weight').data]).toEqual([...reference.get('conv.weight').data]);
});

test('float8 of newer PyTorch: an untyped storage with a dtype of its own', async () => {
  const from = storage('0', 'torch.storage\nUntypedStorage', 216);
  const value = `ctorch._utils\n_rebuild_tensor_v3\n(${from}${whole(4)}${tuple([2])}${tuple([1])}\x89}ctorch\nfloat8_e4m3fn\ntR`;
  using weights = await parseWeights(checkpoint(dict('w', value)), 'x');
  expect(weights.get('w').dtype).toBe('float8e4m3');
  expect([...weights.get('w').data]).toEqual([...zipped['state_dict/data/0']!.slice(4, 6)]);
});
