import { copyFileSync, mkdtempSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { loadWeights, parseWeights, type WeightsReport, weight } from '../../src/weights/index.js';
import { failure, fixture, fixtureBytes, safetensors } from './helpers.js';

const folder = mkdtempSync(join(tmpdir(), 'weights-'));

function f32(shapes: Record<string, number[]>): Uint8Array {
  let at = 0;
  const entries = Object.entries(shapes).map(([name, shape]) => {
    const begin = at;
    at += 4 * shape.reduce((a, b) => a * b, 1);
    return [name, { dtype: 'F32', shape, data_offsets: [begin, at] }];
  });
  const data = new Uint8Array(new Float32Array(at / 4).map((_, i) => i).buffer);
  return safetensors(Object.fromEntries(entries), data);
}

const shapes = {
  'conv1.weight': [2, 3],
  'conv1.bias': [2],
  'block.0.conv.weight': [1],
  'block.0.norm.weight': [1],
  'block.1.conv.weight': [1],
};
const lenet = () => parseWeights(f32(shapes), 'lenet.safetensors');

test('get gives the same object, with name, shape, dtype and elements', async () => {
  const w = await lenet();
  const bias = w.get('conv1.bias');
  expect(bias).toBe(w.get('conv1.bias'));
  expect({ name: bias.name, dtype: bias.dtype, shape: bias.shape, size: bias.size }).toEqual({
    name: 'conv1.bias',
    dtype: 'float32',
    shape: [2],
    size: 2,
  });
  expect([...bias.data]).toEqual([6, 7]);
  expect(w.has('conv1.bias')).toBe(true);
  expect(w.has('toString')).toBe(false);
  expect(w.names()).toEqual(Object.keys(shapes));
});

test('unknown names are answered with the nearest', async () => {
  const w = await lenet();
  const error = await failure(() => w.get('conv1.wieght'));
  expect(error.code).toBe('ERR_WEIGHTS_NAME');
  expect(error.message.split('\n')[0]).toBe(
    "lenet.safetensors has no tensor 'conv1.wieght'; did you mean 'conv1.weight'?",
  );
  expect((await failure(() => w.get('conv.weight'))).message).toContain("'block.0.conv.weight'");
  expect((await failure(() => w.layer('conv2'))).message).toContain("did you mean 'conv1'?");
  expect((await failure(() => w.layer('block'))).message).toContain(
    "no tensors directly under 'block'; did you mean 'block.0.conv'",
  );
  expect((await failure(() => w.scope('blok'))).message).toContain("did you mean 'block'");
  expect((await failure(() => w.scope('block').get('0.conv.bias'))).message).toContain("no tensor 'block.0.conv.bias'");
  expect((await failure(() => w.get('zzzzzzzzzzzz'))).message).not.toContain('did you mean');
});

test('layer gives what lies directly under a prefix', async () => {
  const w = await lenet();
  const layer = w.layer('conv1');
  expect(Object.keys(layer)).toEqual(['weight', 'bias']);
  expect(layer.weight).toBe(w.get('conv1.weight'));
  await failure(() => w.layer('block'));
  expect(w.unused()).toEqual(['block.0.conv.weight', 'block.0.norm.weight', 'block.1.conv.weight']);
});

test('scopes are views that track use in common', async () => {
  const w = await lenet();
  const block = w.scope('block');
  expect(block.names()).toEqual(['0.conv.weight', '0.norm.weight', '1.conv.weight']);
  expect(block.scope('0').layer('conv').weight.name).toBe('block.0.conv.weight');
  expect(block.unused()).toEqual(['0.norm.weight', '1.conv.weight']);
  expect(w.unused()).toContain('conv1.weight');
  expect(w.unused()).not.toContain('block.0.conv.weight');
  expect(w.scope('').names()).toEqual(w.names());
});

test('rename replaces whole parts, or asks a function', async () => {
  const w = await lenet();
  const r = w.rename({ block: 'layers', 'block.1': 'last', weight: 'gamma' });
  expect(r.names()).toEqual([
    'conv1.gamma',
    'conv1.bias',
    'layers.0.conv.gamma',
    'layers.0.norm.gamma',
    'last.conv.gamma',
  ]);
  expect(r.get('last.conv.gamma').name).toBe('last.conv.gamma');
  expect([...r.get('last.conv.gamma').data]).toEqual([10]);
  expect(r.unused()).not.toContain('last.conv.gamma');
  expect(w.unused()).not.toContain('block.1.conv.weight');
  expect(w.rename({ conv1: 'block', block: 'conv1' }).names()).toContain('conv1.0.conv.weight');
  expect(w.rename((n) => (n.startsWith('conv1') ? n.toUpperCase() : undefined)).names()).toEqual([
    'CONV1.WEIGHT',
    'CONV1.BIAS',
  ]);
  expect((await failure(() => w.rename(() => 'same'))).code).toBe('ERR_WEIGHTS_NAME');
});

test('strict lists all that does not fit', async () => {
  const w = await lenet();
  const error = await failure(() =>
    w.strict({ 'conv1.weight': [3, 2], 'conv1.bias': [-1], 'conv1.biass': [2], 'block.0.conv.weight': [1] }),
  );
  expect(error.code).toBe('ERR_WEIGHTS_MISMATCH');
  expect(error.message.split('\n  ').slice(0, -1)).toEqual([
    'lenet.safetensors does not fit the network:',
    'missing conv1.biass (nearest: conv1.bias)',
    'misshapen conv1.weight: expected [3, 2], the file has [2, 3]',
    'unused block.0.norm.weight',
    'unused block.1.conv.weight',
  ]);
  w.strict(shapes);
  expect((await failure(() => w.strict())).message).toContain('unused conv1.weight');
  for (const name of w.names()) w.get(name);
  w.strict();
});

test('get may insist on a shape', async () => {
  const w = await lenet();
  expect(w.get('conv1.weight', { shape: [-1, 3] }).shape).toEqual([2, 3]);
  const error = await failure(() => w.get('conv1.weight', { shape: [2, 4] }));
  expect(error.message.split('\n')[0]).toBe(
    'conv1.weight of lenet.safetensors: expected shape [2, 4], the file has [2, 3]',
  );
  expect(w.get('conv1.bias', { dtype: 'float16' }).data).toBeInstanceOf(Uint16Array);
});

test('a tensor of a dtype without a name here is listed but not given', async () => {
  const w = await parseWeights(
    safetensors({ z: { dtype: 'C64', shape: [1], data_offsets: [0, 8] } }, 8),
    'c.safetensors',
  );
  expect(w.names()).toEqual(['z']);
  expect((await failure(() => w.get('z'))).code).toBe('ERR_WEIGHTS_DTYPE');
});

test('several files are one store; a name in two is refused', async () => {
  const other = join(folder, 'other.safetensors');
  writeFileSync(other, f32({ extra: [1] }));
  using w = await loadWeights([fixture('bf16.safetensors'), other]);
  expect(w.names()).toEqual(['layer.bias', 'layer.weight', 'extra']);
  expect((await failure(() => loadWeights([other, pathToFileURL(other)]))).code).toBe('ERR_WEIGHTS_NAME');
});

test('use after dispose is an error', async () => {
  const w = await loadWeights(fixture('bf16.safetensors'));
  const scope = w.scope('layer');
  const bias = w.get('layer.bias');
  const data = bias.data;
  const copy = bias.as('float16');
  const part = bias.split([1, 3])[1]!;
  w.dispose();
  w.dispose();
  for (const use of [
    () => w.get('layer.bias'),
    () => scope.names(),
    () => bias.data,
    () => part.data,
    () => w.unused(),
  ]) {
    expect((await failure(use)).code).toBe('ERR_DISPOSED');
  }
  expect(data.length).toBe(0);
  expect(copy.data.length).toBe(4);
});

test('writing to the data of a mapped file leaves the file alone', async () => {
  const path = join(folder, 'written.safetensors');
  copyFileSync(fixture('bf16.safetensors'), path);
  using w = await loadWeights(path);
  (w.get('layer.bias').data as Float32Array).fill(0);
  expect([...w.get('layer.bias').data]).toEqual([0, 0, 0, 0]);
  using again = await loadWeights(path);
  expect(again.get('layer.bias').data[0]).not.toBe(0);
});

test('elements are views of one mapping, not copies', async () => {
  using w = await loadWeights(fixture('all.safetensors'));
  const buffers = new Set(w.names().map((name) => w.get(name).data.buffer));
  expect(buffers.size).toBe(1);
});

test('a file that shrinks while mapped is an error, never a crash', async () => {
  const path = join(folder, 'shrinks.safetensors');
  writeFileSync(path, f32({ a: [1000], big: [100_000], tail: [1000] }));
  using w = await loadWeights(path);
  const { data } = w.get('big');
  expect(data[99_999]).toBe(100_999);
  truncateSync(path, 200_000);
  expect(data[99_999]).toBe(0); // the page is gone: SIGBUS without the handler
  for (const use of [() => w.get('big').data, () => w.get('a').data, () => w.get('tail').as('float16')]) {
    expect((await failure(use)).code).toBe('ERR_WEIGHTS_CHANGED');
  }
});

test('what cannot be opened is named', async () => {
  for (const path of [join(folder, 'absent'), folder, '/dev/zero', 'nul\0byte']) {
    const error = await failure(() => loadWeights(path));
    expect(error.code).toBe('ERR_WEIGHTS_FILE');
    expect(error.message).toContain(path);
  }
  for (const path of [undefined, '', 5, [], new URL('http://localhost/x')]) {
    expect((await failure(() => loadWeights(path as string))).code).toBe('ERR_WEIGHTS_FILE');
  }
  const empty = join(folder, 'empty');
  writeFileSync(empty, '');
  expect((await failure(() => loadWeights(empty))).code).toBe('ERR_WEIGHTS_FORMAT');
  expect((await failure(() => loadWeights(fileURL('helpers.ts')))).code).toBe('ERR_WEIGHTS_FORMAT');
  expect((await failure(() => parseWeights('x' as never))).code).toBe('ERR_WEIGHTS_FILE');
});

const fileURL = (name: string): URL => new URL(name, import.meta.url);

test('misaligned elements are copied, and equal', async () => {
  const header = JSON.stringify({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } });
  const bytes = safetensors(
    header.padEnd(header.length + 5 - (header.length % 4)),
    new Uint8Array(new Float32Array([1, 2]).buffer),
  );
  expect((bytes.length - 8) % 4).toBe(1);
  expect([...(await parseWeights(bytes)).get('a').data]).toEqual([1, 2]);
});

test('weights of your own', async () => {
  expect(weight(new Float32Array(6), [2, 3]).dtype).toBe('float32');
  expect(weight(new Uint16Array(2), [2], 'bfloat16').byteLength).toBe(4);
  const arrays = [
    Float32Array,
    Float64Array,
    Int8Array,
    Int16Array,
    Int32Array,
    BigInt64Array,
    Uint8Array,
    Uint32Array,
    BigUint64Array,
  ];
  expect(arrays.map((array) => weight(new array(0)).dtype).join(' ')).toBe(
    'float32 float64 int8 int16 int32 int64 uint8 uint32 uint64',
  );
  for (const array of [new Uint16Array(2), new Uint8ClampedArray(2), new DataView(new ArrayBuffer(2))])
    expect((await failure(() => weight(array as Uint16Array, [2]))).code).toBe('ERR_WEIGHTS_DTYPE');
  expect((await failure(() => weight(new Float32Array(2), [3]))).code).toBe('ERR_WEIGHTS_SHAPE');
  expect((await failure(() => weight(new Float32Array(2), [-2]))).code).toBe('ERR_WEIGHTS_SHAPE');
  expect((await failure(() => weight(new Float32Array(2), [2], 'float' as never))).code).toBe('ERR_WEIGHTS_DTYPE');
});

test('names of objects stay plain names', async () => {
  const w = await parseWeights(fixtureBytes('odd.safetensors'), 'odd');
  expect(w.has('__proto__')).toBe(true);
  const layer = w.layer('');
  expect(Object.getPrototypeOf(layer)).toBe(null);
  expect(Object.keys(layer)).toContain('__proto__');
});

test('as gives floats in another dtype, once, and leaves integers alone', async () => {
  const data = new Uint8Array(new Float32Array([1, 0.1]).buffer);
  const bytes = safetensors(
    {
      'bn.weight': { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
      'bn.count': { dtype: 'I32', shape: [1], data_offsets: [4, 8] },
    },
    data,
  );
  const w = await parseWeights(bytes, 'bn.safetensors');
  const half = w.as('float16');
  expect(w.unused()).toEqual(['bn.weight', 'bn.count']);
  const { weight, count } = half.scope('bn').layer('');
  expect([weight.dtype, weight.data[0], count!.dtype]).toEqual(['float16', 0x3c00, 'int32']);
  expect(half.get('bn.weight')).toBe(half.get('bn.weight'));
  expect(w.get('bn.weight').dtype).toBe('float32');
  expect(w.unused()).toEqual([]);
  expect((await failure(() => w.as('half' as 'float16'))).code).toBe('ERR_WEIGHTS_DTYPE');
});

test('a forgotten scope over ten thousand tensors is told in seconds', async () => {
  const count = 10_000;
  const names = Array.from({ length: count }, (_, i) => `layers.${i >> 4}.attention.output.dense.weight_${i & 15}`);
  const header = names.map((name, i) => [`model.${name}`, { dtype: 'U8', shape: [1], data_offsets: [i, i + 1] }]);
  using w = await parseWeights(safetensors(Object.fromEntries(header), count));
  const began = performance.now();
  const error = await failure(() => w.strict(Object.fromEntries(names.map((name) => [name, [1]]))));
  expect(performance.now() - began).toBeLessThan(20_000);
  expect(error.message).toContain(`missing ${names[0]} (nearest: model.${names[0]}`);
  const { missing } = error.actual as WeightsReport;
  expect([missing.length, missing.at(-1)]).toEqual([count, { name: names.at(-1), nearest: [] }]);
}, 30_000);
