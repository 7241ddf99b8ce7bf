import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { binding } from '../../src/weights/binding.js';
import { loadWeights, parseWeights } from '../../src/weights/index.js';
import { zip } from './adversaries.js';
import { contents, failure, fixture, fixtureBytes, npy, references } from './helpers.js';

// What is accepted reads as Python reads it: names, elements and which of several there are. See fixtures/as_python.py.
const expected = JSON.parse(readFileSync(new URL('fixtures/expected-python.json', import.meta.url), 'utf8')) as Record<
  string,
  ReturnType<typeof contents>
>;

test.each(Object.keys(expected))('%s', async (name) => {
  using weights = await loadWeights(fixture(name));
  expect(weights.names().sort()).toEqual(Object.keys(expected[name]!).sort());
  expect(contents(weights)).toEqual(expected[name]);
  using memory = await parseWeights(fixtureBytes(name), name.replace(/\.npy$/, ''));
  expect(contents(memory)).toEqual(expected[name]);
});

test('equal keys are one, with the name of the first', async () => {
  using weights = await loadWeights(fixture('python_keys.pt'));
  const others = weights.names().filter((name) => !name.startsWith('keys.'));
  expect(others).toEqual(['int first.1', 'float first.0.0', "tuples.(1, 'a')", 'large.1.2089258196146292e+24']);
});

test('two tensors whose keys are not equal, but have one name, are refused', async () => {
  const nan = 'G\x7f\xf8\0\0\0\0\0\0';
  const one = (key: string) => `${key}ctorch._utils\n_rebuild_tensor_v2\n(h\x01K\0K\x01\x85K\x01\x85\x89}tR`;
  const storage = '(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0' + '0X\x03\0\0\0cpuK\x01tQq\x01';
  const file = zipSync({
    'a/data.pkl': Buffer.from(`\x80\x02${storage}0}(${one(nan)}${one(nan)}u.`, 'latin1'),
    'a/version': Buffer.from('3\n'),
    'a/data/0': new Uint8Array(4),
  });
  expect((await failure(() => parseWeights(file, 'x'))).message).toMatch(/two tensors have the path "nan"/);
});

test('a checkpoint whose end record counts fewer members, of which PyTorch sees no more', async () => {
  const file = Buffer.from(fixtureBytes('state_dict.pt'));
  const end = file.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  file.writeUInt16LE(file.readUInt16LE(end + 10) - 1, end + 10);
  const end64 = file.lastIndexOf('PK\x06\x06', undefined, 'latin1');
  if (end64 >= 0) file.writeBigUInt64LE(file.readBigUInt64LE(end64 + 32) - 1n, end64 + 32);
  expect((await failure(() => parseWeights(new Uint8Array(file), 'x'))).message).toMatch(
    /as a zip: its end record counts \d+ members, its directory has \d+/,
  );
});

// Python heeds Info-ZIP's names since 3.13: those made for the very name beside them, and none that are empty.
test('names in Unicode beside names without', async () => {
  const crc = (bytes: Uint8Array): number => binding().crc32(bytes);
  const data = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}", 1);
  const field = (of: string, text: string, version = 1): Buffer => {
    const body = Buffer.concat([Buffer.from([version, 0, 0, 0, 0]), Buffer.from(text)]);
    body.writeUInt32LE(crc(Buffer.from(of)), 1);
    const head = Buffer.from([0x75, 0x70, 0, 0]);
    head.writeUInt16LE(body.length, 2);
    return Buffer.concat([Buffer.from([0xfe, 0xca, 1, 0, 9]), head, body]);
  };
  const file = zip(
    [
      { name: 'a.npy', data, extra: field('a.npy', 'ü.npy') },
      { name: 'b.npy', data, extra: field('another', 'ö.npy') },
      { name: 'c.npy', data, extra: field('c.npy', '') },
      { name: 'd.npy', data, extra: field('d.npy', 'ä.npy', 2) },
    ],
    { crc },
  );
  expect((await parseWeights(file, 'x')).names()).toEqual(['ü', 'b', 'c', 'd']);
  const broken = zip([{ name: 'a.npy', data, extra: Buffer.from([0x75, 0x70, 2, 0, 1, 1]) }], { crc });
  expect((await failure(() => parseWeights(broken, 'x'))).message).toMatch(/broken name in Unicode/);
  const cut = zip([{ name: 'a.npy', data, extra: Buffer.from([1, 0, 9, 0, 1, 1]) }], { crc });
  expect((await failure(() => parseWeights(cut, 'x'))).message).toMatch(/a field that is cut off/);
});

test.each(['tensorrtx.wts', 'charrnn.wts'])('%s without its last new line', async (name) => {
  const text = Buffer.from(fixtureBytes(name)).toString('latin1').replace(/\s+$/, '');
  using weights = await parseWeights(new Uint8Array(Buffer.from(text, 'latin1')), name);
  expect(contents(weights)).toEqual(references[name]!.tensors);
});

test('a last value that may be cut is refused', async () => {
  for (const [text, message] of [
    ['1\na 1 3f80000', /ends within a line, after the value 3f80000; expected 8 digits, or a new line/],
    ['1\na 1 0', /after the value 0; expected 8 digits/],
    ['1\na 2 3f800000 ', /counts 2 values, its line has 1/],
  ] as const)
    expect((await failure(() => parseWeights(Buffer.from(text), 'x'))).message).toMatch(message);
  using whole = await parseWeights(Buffer.from('2\na 0\nb 1 3f800000'), 'x');
  expect([...whole.get('b').toFloat32()]).toEqual([1]);
});

test.each([
  ['python_exported.pt2', /a program of torch\.export.*torch\.save\(torch\.export\.load\(path\)\.state_dict, /],
  ['python_libtorch.pt', /TorchScript archive.*torch\.save\(torch\.jit\.load\(path, 'cpu'\)\.state_dict\(\), /],
  ['python_frozen.pt', /a frozen TorchScript archive.*save the state_dict\(\) of the model before torch\.jit\.freeze/],
])('%s: what to do instead', async (name, message) => {
  const { code, message: given } = await failure(() => loadWeights(fixture(name)));
  expect([code, given]).toEqual(['ERR_WEIGHTS_FORMAT', expect.stringMatching(message)]);
});

test('packages of compiled code, and programs of PyTorch 1.0', async () => {
  const packed = (...names: string[]) => zipSync(Object.fromEntries(names.map((name) => [name, new Uint8Array(1)])));
  for (const [file, message] of [
    [packed('m/data/aotinductor/model/x.so', 'm/archive_format'), /compiled code \(AOTInductor\)/],
    [packed('m/version', 'm/model.json', 'm/tensors/0'), /a TorchScript archive/],
    [packed('serialized_exported_program.json', 'serialized_state_dict.json'), /a program of torch\.export/],
  ] as const)
    expect((await failure(() => parseWeights(file, 'x'))).message).toMatch(message);
});

test('a prefix that is not there: near ones, or all', async () => {
  using weights = await loadWeights(fixture('torch2_training.pt'));
  const asked = async (run: () => unknown) => (await failure(run)).message;
  using state = await loadWeights(fixture('state_dict.pt'));
  for (const ask of [() => state.scope('transformer'), () => state.layer('transformer')])
    expect(await asked(ask)).toMatch(/has no tensors under 'transformer'; its prefixes are 'conv', 'bn', 'fc'/);
  expect(await asked(() => state.scope('cnov'))).toMatch(/did you mean 'conv'\?/);
  using flat = await parseWeights(fixtureBytes('bf16.safetensors'), 'x');
  expect(await asked(() => flat.rename((name) => name.replaceAll('.', '_')).scope('transformer'))).toMatch(
    /; its names have no prefixes/,
  );
  expect(await asked(() => weights.scope('transformer'))).not.toMatch(/did you mean/);
});
