import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { unzipSync, zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { loadWeights, parseWeights } from '../../src/weights/index.js';
import { contents, failure, fixture, fixtureBytes, safetensors } from './helpers.js';

// Weights as people find them, and what they hand over in place of weights.

const folder = mkdtempSync(join(tmpdir(), 'weights-found-'));
const expected = JSON.parse(readFileSync(new URL('fixtures/expected-found.json', import.meta.url), 'utf8'));
const bytes = (text: string | number[]): Uint8Array =>
  new Uint8Array(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
const refused = async (what: Uint8Array): Promise<string> => {
  const { code, message } = await failure(() => parseWeights(what, 'model'));
  expect(code).toBe('ERR_WEIGHTS_FORMAT');
  return message;
};

test.each(Object.keys(expected))('%s reads as Python reads it', async (name) => {
  using weights = await loadWeights(fixture(name));
  const readable = weights.rename((n) => (weights.info(n).dtype ? n : undefined));
  expect(contents(readable)).toEqual(expected[name]);
});

test('what an npz holds beside numbers is listed, and get says what to save instead', async () => {
  using weights = await loadWeights(fixture('found_mixed.npz'));
  const cases: Record<string, [string, number[], RegExp]> = {
    objects: ['|O', [2], /is of dtype '\|O'; expected numbers; Python objects are a pickle, which is never run/],
    records: [
      "[('a', '<f4', (3,)), ('b', [('c', '<i4')])]",
      [2],
      /expected numbers; save each field of a structured array as an array of its own/,
    ],
    text: ['<U2', [2], /is of dtype '<U2'; expected numbers/],
    raw: ['|S3', [1], /is of dtype '\|S3'; expected numbers/],
    date: ['<M8[D]', [1], /save dates and times by their \.astype\('int64'\)/],
    span: ['<m8[s]', [1], /save dates and times by their \.astype\('int64'\)/],
    complex: ['<c16', [2], /expected real numbers; save \.real and \.imag apart/],
    long: ['<f16', [2], /at most 64 bits; save its \.astype\('float64'\)/],
  };
  expect(weights.names().sort()).toEqual([...Object.keys(cases), 'conv/kernel', 'step'].sort());
  for (const [name, [fileDType, shape, message]] of Object.entries(cases)) {
    expect(weights.info(name)).toMatchObject({ dtype: undefined, fileDType, shape });
    const error = await failure(() => weights.get(name));
    expect(error.code).toBe('ERR_WEIGHTS_DTYPE');
    expect(error.message).toMatch(message);
  }
});

test('a compressed sparse tensor is listed', async () => {
  using weights = await loadWeights(fixture('found_csr.pt'));
  expect(weights.info('csr').shape).toEqual([3, 3]);
  expect((await failure(() => weights.get('csr'))).message).toMatch(
    /csr of .* is a sparse tensor; save its \.to_dense/,
  );
});

test('tied weights are used under any of their names; a part of them is another tensor', async () => {
  for (const name of ['wte.weight', 'head.weight']) {
    using weights = await loadWeights(fixture('found_tied.pt'));
    expect(weights.names()).toEqual(['wte.weight', 'head.weight', 'row']);
    weights.get(name);
    expect(weights.unused()).toEqual(['row']);
  }
});

const lfs = 'version https://git-lfs.github.com/spec/v1\noid sha256:4665214bb1b1a1ef3e4cb0ce6b36d0f2\nsize 548105171\n';

test.each<[string, Uint8Array, RegExp]>([
  ['a pointer of Git LFS', bytes(lfs), /model: a Git LFS pointer, .* \(548105171 bytes\): run 'git lfs pull'/],
  ['one of Windows', bytes(lfs.replaceAll('\n', '\r\n')), /a Git LFS pointer, .* \(548105171 bytes\)/],
  ['a pointer of git-annex', bytes('/annex/objects/SHA256E-s1234--abcdef.pt\n'), /run 'git annex get'/],
  [
    'a web page',
    bytes('\n<!DOCTYPE html>\n<html><body>Not found</body></html>'),
    /model: an HTML page, not a weight file/,
  ],
  ['an answer in XML', bytes('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'), /an XML document/],
  [
    'an answer in text',
    bytes('Entry not found'),
    /\(15 bytes, text that begins "Entry not found"\); expected safetensors/,
  ],
  ['an answer in JSON', bytes('{"error":"Invalid username or password."}'), /not an index of shards: .* given "error"/],
  ['nothing', bytes(''), /model: an empty file; expected safetensors/],
  [
    'gzip',
    new Uint8Array(gzipSync(fixtureBytes('odd.safetensors'))),
    /compressed with gzip; decompress it first: gunzip/,
  ],
  ['bzip2', bytes('BZh91AY&SY'), /compressed with bzip2/],
  ['xz', bytes('\xfd7zXZ\0\0\x04'), /compressed with xz/],
  ['Zstandard', bytes('\x28\xb5\x2f\xfd\x24'), /compressed with Zstandard/],
  ['tar', bytes(`model.pt${'\0'.repeat(249)}ustar\x0000`), /a tar archive; extract it first/],
  ['HDF5', bytes('\x89HDF\r\n\x1a\n\0\0'), /an HDF5 file, as Keras writes it/],
  ['GGUF', bytes('GGUF\x03\0\0\0'), /a GGUF file of llama\.cpp/],
  ['ONNX', bytes('\x08\x08\x12\x07pytorch\x1a\x061.13.0'), /perhaps an ONNX model/],
  ['an engine', bytes('ftrt\0\0\0\0\xef\0'), /a TensorRT engine; open it with loadEngine/],
  ['a download that never came', new Uint8Array(4096), /it begins with zeros, as an interrupted download or copy/],
  [
    'a checkpoint cut off',
    fixtureBytes('state_dict.pt').slice(0, 900),
    /as a zip: it has no end record.*the file was cut off/,
  ],
  [
    'a header cut off',
    fixtureBytes('all.safetensors').slice(0, 100),
    /its header claims \d+ bytes, the file ends 92 after/,
  ],
  [
    'decimals as .wts',
    bytes('1\na 2 1.5 nan\n'),
    /not a hexadecimal number \(value 0\): .* such as 3f800000, given "1\.5"/,
  ],
])('%s', async (_, what, message) => {
  const read = async () => {
    using weights = await parseWeights(what, 'model');
    for (const name of weights.names()) weights.get(name).data;
  };
  const { code, message: given } = await failure(read);
  expect(code).toBe('ERR_WEIGHTS_FORMAT');
  expect(given).toMatch(message);
});

test('zips of other things', async () => {
  const odd = fixtureBytes('odd.safetensors');
  const zip = zipSync({ 'model.safetensors': odd, 'config.json': bytes('{}') });
  expect(await refused(zip)).toMatch(
    /a zip that is neither an npz nor a PyTorch checkpoint, of "model\.safetensors", "config\.json"; .* extracted first/,
  );
  const members = Object.entries(unzipSync(fixtureBytes('state_dict.pt')));
  const again = zipSync(
    Object.fromEntries(members.map(([name, member]) => [name.slice(name.indexOf('/') + 1), member])),
  );
  expect(await refused(again)).toMatch(/a PyTorch checkpoint that was packed again: .* in a folder of the zip/);
});

test('an index: absent shards all at once, tensors a shard lacks', async () => {
  const at = join(folder, 'sharded');
  mkdirSync(at);
  const path = join(at, 'model.safetensors.index.json');
  const index = (map: Record<string, string>) => writeFileSync(path, JSON.stringify({ metadata: {}, weight_map: map }));
  const shard = (n: number) => `model-0000${n}-of-00003.safetensors`;
  writeFileSync(join(at, shard(1)), safetensors({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }, 4));
  index({ a: shard(1), b: shard(2), c: shard(3) });
  const absent = await failure(() => loadWeights(path));
  expect(absent.code).toBe('ERR_WEIGHTS_FILE');
  expect(absent.message).toContain(
    `${path}: 2 of its 3 files cannot be found: ${join(at, shard(2))}, ${join(at, shard(3))}`,
  );
  index({ a: shard(1), b: shard(1), c: shard(1) });
  expect((await failure(() => loadWeights(path))).message).toContain(
    `says "b" and 1 more are in ${join(at, shard(1))}, which does not have them`,
  );
  writeFileSync(join(at, shard(1)), lfs);
  const pointer = await failure(() => loadWeights(path));
  expect(pointer.message).toContain(`${join(at, shard(1))}: a Git LFS pointer`);
});

test('links: followed, and told where they lead nowhere', async () => {
  const link = join(folder, 'link.pt');
  symlinkSync(fixture('state_dict.pt'), link);
  using weights = await loadWeights(link);
  expect(weights.size).toBe(9);
  const [lost, loop] = ['lost.pt', 'loop.pt'].map((name) => join(folder, name)) as [string, string];
  symlinkSync(join(folder, 'nowhere'), lost);
  symlinkSync(loop, loop);
  for (const [path, why] of [
    [lost, 'No such file'],
    [loop, 'symbolic links'],
    ['/dev/null', 'expected a file, which can be mapped'],
  ] as const) {
    const { code, message } = await failure(() => loadWeights(path));
    expect([code, message.includes(`${path} cannot be read: `), message.includes(why)]).toEqual([
      'ERR_WEIGHTS_FILE',
      true,
      true,
    ]);
  }
});

test('arrays of NumPy within a checkpoint: what to save instead', async () => {
  using weights = await loadWeights(fixture('torch2_training.pt'));
  expect((await failure(() => weights.get('array'))).message).toMatch(
    /'array' of .* is a NumPy array .*save torch\.from_numpy\(checkpoint\["array"\]\) in its place/,
  );
});
