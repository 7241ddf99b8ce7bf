import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import {
  type Engine,
  float32,
  loadWeights,
  network,
  saveSafetensors,
  type TypedArray,
  type Weight,
  type WeightLike,
  weight,
} from '../../../src/index.js';
import { binding } from '../../../src/tensorrt/binding.js';
import { mappingOf } from '../../../src/values/weight.js';
import { binding as files, type MappedFile } from '../../../src/weights/binding.js';
import { rejection } from '../networks.js';

const folder = mkdtempSync(join(tmpdir(), 'lifetime-'));
afterAll(() => rmSync(folder, { recursive: true }));

const [rows, columns] = [512, 4096];

/** A network with 8 MiB of weights, which take several turns of the event loop to hand over. */
function linear(data: TypedArray, name?: string) {
  const net = network('linear', { x: float32(1, columns) });
  net.linear({ weight: { shape: [rows, columns], data, ...(name && { name }) } }).output('y');
  return net;
}
const elements = () => new Float32Array(rows * columns).fill(0.5);
/** Whether four such numbers in a row are in the engine. */
const holds = ({ bytes }: Engine, value: number) =>
  Buffer.from(bytes).includes(Buffer.from(Float32Array.of(value, value, value, value).buffer));

describe('weights that the caller takes away', () => {
  test('transferred before the build', async () => {
    const data = elements();
    const net = linear(data, 'fc.weight');
    structuredClone(data.buffer, { transfer: [data.buffer] });
    const error = await rejection(net.build());
    expect(error).toMatchObject({ code: 'ERR_DISPOSED', message: expect.stringMatching(/'fc.weight' are gone/) });
  });

  test.each([
    ['transferred', (data: Float32Array<ArrayBuffer>) => structuredClone(data.buffer, { transfer: [data.buffer] })],
    ['changed', (data: Float32Array<ArrayBuffer>) => data.fill(9)],
  ])('%s right after build() was called: the engine holds what they were', async (_, take) => {
    const data = elements();
    const build = linear(data).build();
    take(data);
    using engine = await build;
    expect([holds(engine, 0.5), holds(engine, 9)]).toEqual([true, false]);
  });

  test('copied once, into memory that the build uses where it lies', async () => {
    const { allocate } = binding();
    const sizes: number[] = [];
    binding().allocate = (bytes) => {
      sizes.push(bytes);
      return allocate(bytes);
    };
    try {
      const bias = new Float32Array(3);
      const net = linear(elements());
      net.constant(bias).output('bias');
      (await net.build()).dispose();
      expect(sizes).toEqual([rows * columns * 4 + 64]);
      using model = await net.compile();
      expect(model.backend).toBe('cpu');
      expect(sizes).toHaveLength(2);
    } finally {
      binding().allocate = allocate;
    }
  });

  test('transferred after they were handed over: the build has its own', async () => {
    const data = elements();
    let begun = false;
    const build = linear(data).build({
      onProgress: () => {
        if (!begun) structuredClone(data.buffer, { transfer: [data.buffer] });
        begun = true;
      },
    });
    using engine = await build;
    expect([begun, data.byteLength]).toEqual([true, 0]);
    expect(engine.size).toBeGreaterThan(data.byteLength);
  });

  test('changed while TensorRT builds: the engine holds what they were', async () => {
    const data = elements();
    using before = await linear(elements()).build();
    using after = await linear(data).build({ onProgress: () => data.fill(9) });
    expect(data[0]).toBe(9);
    expect([holds(before, 0.5), holds(after, 0.5), holds(after, 9)]).toEqual([true, true, false]);
  });

  test('of a resizable buffer that shrinks', async () => {
    // ES2024, of which the types here know nothing.
    const Resizable = ArrayBuffer as unknown as new (
      bytes: number,
      options: object,
    ) => ArrayBuffer & { resize(bytes: number): void };
    const buffer = new Resizable(rows * columns * 4, { maxByteLength: rows * columns * 4 });
    const net = linear(new Float32Array(buffer));
    buffer.resize(16);
    expect((await rejection(net.build())).code).toBe('ERR_DISPOSED');
  });

  test('of shared memory', async () => {
    const shared = new Float32Array(new SharedArrayBuffer(rows * columns * 4)).fill(0.5);
    using engine = await linear(shared).build();
    expect(engine.size).toBeGreaterThan(0);
  });

  test('a view into a larger buffer is handed over where it lies', async () => {
    const whole = new Float32Array(rows * columns + 3).fill(3);
    whole.subarray(3).fill(0.25);
    using engine = await linear(whole.subarray(3)).build();
    expect([holds(engine, 0.25), holds(engine, 3)]).toEqual([true, false]);
  });
});

describe('weights of files', () => {
  const path = join(folder, 'mapped.safetensors');
  const write = () => saveSafetensors(path, { 'fc.weight': weight(elements(), [rows, columns]) });
  const mapped = async () => {
    await write();
    const weights = await loadWeights(path);
    const net = network('mapped', { x: float32(1, columns) });
    net.linear(weights.layer('fc')).output('y');
    return { weights, net };
  };

  test('disposed while TensorRT builds: the pages stay until it is done', async () => {
    const { weights, net } = await mapped();
    let begun = false;
    using engine = await net.build({
      onProgress: () => {
        begun = true;
        weights.dispose();
      },
    });
    expect(begun).toBe(true);
    expect(holds(engine, 0.5)).toBe(true);
  });

  test('disposed right after build() was called', async () => {
    const { weights, net } = await mapped();
    const build = net.build();
    weights.dispose();
    expect((await rejection(build)).code).toBe('ERR_DISPOSED');
  });

  test('whose file is cut short while TensorRT builds: an error, not a crash', async () => {
    const { weights, net } = await mapped();
    let cut = false;
    const error = await rejection(
      net.build({
        onProgress: () => {
          if (!cut) truncateSync(path, 100);
          cut = true;
        },
      }),
    );
    expect(cut).toBe(true);
    expect(error.code).toMatch(/^ERR_WEIGHTS/);
    weights.dispose();
  });

  // Elements that are used where they lie go with the file, copies do not.
  const size = 64;
  const square = { shape: [size, size] };
  const ways: [way: string, isView: boolean, (w: Weight) => WeightLike][] = [
    ['as it is', true, (w) => w],
    ['reshaped', true, (w) => w.reshape([size / 2, 2 * size]).reshape([size, size])],
    ['in its own dtype', true, (w) => w.as('float32')],
    [
      'cut and reshaped',
      true,
      (w) =>
        w
          .reshape([1, size * size])
          .split([1])[0]!
          .reshape([size, size]),
    ],
    ['as an object with its elements', true, (w) => ({ ...square, data: w.data })],
    ['as a part of its elements', true, (w) => ({ ...square, data: w.data.subarray(0) })],
    ['transposed', false, (w) => w.transpose()],
    ['converted and back', false, (w) => w.as('float64').as('float32')],
    ['copied', false, (w) => ({ ...square, data: w.data.slice() })],
  ];
  test.each(ways)('given %s, and cut short while TensorRT builds', async (way, isView, given) => {
    const file = join(folder, `${way}.safetensors`);
    await saveSafetensors(file, { w: weight(new Float32Array(size * size).fill(0.5), square.shape) });
    using weights = await loadWeights(file);
    const net = network('cut', { x: float32(1, size) });
    net.linear({ weight: given(weights.get('w')) }).output('y');
    let cut = false;
    const outcome = await net
      .build({
        onProgress: () => {
          if (!cut) truncateSync(file, 0);
          cut = true;
        },
      })
      .then(
        (engine) => engine.dispose(),
        (error) => error.code,
      );
    expect([cut, outcome]).toEqual([true, isView ? 'ERR_WEIGHTS_CHANGED' : undefined]);
  });
});

describe('what the addon refuses', () => {
  const bytes = 4096;
  const file = (name: string) => {
    writeFileSync(join(folder, name), new Uint8Array(bytes));
    return files().mapFile(join(folder, name));
  };
  const [one, other, closed] = ['one', 'other', 'closed'].map(file) as [MappedFile, MappedFile, MappedFile];
  const view = (of: MappedFile, begin = 0, length = bytes) => new Uint8Array(of.view(begin, length));
  const lost = new Uint8Array(bytes);
  structuredClone(lost.buffer, { transfer: [lost.buffer] });
  closed.close();

  const add = (given: object) => {
    const program = new (binding().Program)('refusals');
    const whole = { dtype: 'uint8', shape: [bytes], data: view(one), mapping: one, ...given };
    program.addWeights([whole as never]);
  };

  test('nothing of what is right', () => {
    const right = [{}, { data: view(one), mapping: one }, { data: view(one, 96, 4000), shape: [4000], mapping: one }];
    // No elements need no file.
    right.push({ shape: [0, 3], data: new Uint8Array(0), mapping: one });
    const memory = binding().allocate(bytes) as MappedFile;
    right.push({ data: view(memory), mapping: memory });
    for (const given of right) add(given);
  });

  test.each([
    ['an array beside the file it claims', 'ERR_ARGUMENT', { data: new Uint8Array(bytes) }],
    ['an array of no file', 'ERR_ARGUMENT', { data: new Uint8Array(bytes), mapping: undefined }],
    ['a view of another file', 'ERR_ARGUMENT', { data: view(other), mapping: one }],
    ['a file that was closed', 'ERR_DISPOSED', { mapping: closed }],
    ['a mapping that is no mapped file', 'ERR_ARGUMENT', { data: view(one), mapping: { size: 2 ** 40 } }],
    ['a mapping that inherits from a mapped file', 'ERR_ARGUMENT', { data: view(one), mapping: Object.create(one) }],
    ['a mapping that is a number', 'ERR_ARGUMENT', { data: view(one), mapping: 4096 }],
    ['fewer elements than the shape has', 'ERR_DISPOSED', { data: new Uint8Array(bytes - 1) }],
    ['a view that is shorter than the shape', 'ERR_DISPOSED', { data: view(one, 0, 8), mapping: one }],
    ['an array that was detached', 'ERR_DISPOSED', { data: lost }],
    ['a dtype without a name', 'ERR_ARGUMENT', { dtype: 'complex64' }],
    ['a shape that overflows', 'ERR_ARGUMENT', { shape: [2 ** 40, 2 ** 40] }],
    ['a negative size', 'ERR_ARGUMENT', { shape: [-1, -bytes] }],
  ])('%s', (_, code, given) => {
    expect(() => add(given)).toThrow(expect.objectContaining({ code }));
  });

  test('none of what a reader gives, in any format', async () => {
    const program = new (binding().Program)('readers');
    const fixtures = fileURLToPath(new URL('../../weights/fixtures/files', import.meta.url));
    let views = 0;
    for (const name of readdirSync(fixtures)) {
      if (!/\.(safetensors|npy|npz|pt|bin|wts|json)$/.test(name)) continue;
      const weights = await loadWeights(join(fixtures, name)).catch(() => undefined);
      for (const tensor of weights?.names() ?? []) {
        if (weights!.info(tensor).dtype === undefined) continue;
        const { dtype, shape, data } = weights!.get(tensor);
        const mapping = mappingOf(data);
        if (!mapping) continue;
        views++;
        program.addWeights([{ dtype: dtype as 'uint8', shape, data, mapping }]);
      }
      weights?.dispose();
    }
    expect(views).toBeGreaterThan(100);
  });
});
