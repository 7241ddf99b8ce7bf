import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  type Engine,
  float32,
  loadWeights,
  network,
  saveSafetensors,
  TensorRTError,
  type TypedArray,
  weight,
} from '../../../src/index.js';
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
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('weights that the caller takes away', () => {
  test('transferred before the build', async () => {
    const data = elements();
    const net = linear(data, 'fc.weight');
    structuredClone(data.buffer, { transfer: [data.buffer] });
    const error = await rejection(net.build());
    expect(error).toMatchObject({ code: 'ERR_DISPOSED', message: expect.stringMatching(/'fc.weight' are gone/) });
  });

  test('transferred while they are handed over: ERR_DISPOSED, or an engine with what they were', async () => {
    const ends: string[] = [];
    for (let turns = 0; turns < 40; turns++) {
      const data = elements();
      const build = linear(data).build();
      for (let i = 0; i < turns; i++) await turn();
      structuredClone(data.buffer, { transfer: [data.buffer] });
      const engine = await build.catch((error) => error as TensorRTError);
      if (engine instanceof TensorRTError) {
        expect(engine.code).toBe('ERR_DISPOSED');
        ends.push('refused');
        continue;
      }
      ends.push('built');
      expect(holds(engine, 0.5), `an engine of weights taken away after ${turns} turns`).toBe(true);
      engine.dispose();
      break;
    }
    // Taken away at once they cannot be read, after enough turns they were: both happen, in this order.
    expect([ends[0], ends.at(-1)]).toEqual(['refused', 'built']);
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
});
