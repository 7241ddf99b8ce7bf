import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { float32, loadEngine, loadWeights, network } from '../../../src/index.js';
import { chain, rejection } from '../networks.js';

const folder = mkdtempSync(join(tmpdir(), 'engine-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('saving', () => {
  test('writes the bytes, again over an older file, several at once', async () => {
    const path = join(folder, 'saved.plan');
    writeFileSync(path, 'older and shorter');
    using engine = await chain(2).build();
    await Promise.all([engine.save(path), engine.save(path), engine.save(path)]);
    expect(new Uint8Array(readFileSync(path))).toEqual(engine.bytes);
    expect(readdirSync(folder)).toEqual(['saved.plan']);
  });

  test.each<[string, () => string]>([
    ['a folder that does not exist', () => join(folder, 'none', 'a.plan')],
    ['a folder', () => folder],
    ['a file taken for a folder', () => join(folder, 'saved.plan', 'a.plan')],
    ['a file system that takes none', () => '/proc/a.plan'],
    ['a name with NUL', () => join(folder, 'a\0b')],
    ['an empty path', () => ''],
    ['no path', () => undefined as unknown as string],
    ['a number', () => 3 as unknown as string],
  ])('to %s is ERR_SAVE and leaves nothing', async (_, path) => {
    using engine = await chain(1).build();
    const [before, here] = [readdirSync(folder), readdirSync('.')];
    const error = await rejection(engine.save(path()));
    expect(error.code).toBe('ERR_SAVE');
    expect(error.message).toMatch(/could not write the engine to|expected a path/);
    expect([readdirSync(folder), readdirSync('.')]).toEqual([before, here]);
  });
});

describe('loadEngine', () => {
  test.each<[string, () => string | Uint8Array, RegExp]>([
    [
      'a missing file',
      () => join(folder, 'missing.plan'),
      /^ERR_LOAD could not read the engine .*missing\.plan: ENOENT/,
    ],
    ['a folder', () => folder, /^ERR_LOAD .*not a file/],
    ['a device', () => '/dev/zero', /^ERR_LOAD .*not a file/],
    ['a number', () => 3 as unknown as string, /^ERR_LOAD .*expected a path, a Uint8Array or a token, given 3/],
    ['null', () => null as unknown as string, /^ERR_LOAD .*given null/],
    ['an empty file', () => empty(), /^ERR_ENGINE .*0 bytes/],
    ['no bytes', () => new Uint8Array(), /^ERR_ENGINE .*0 bytes/],
  ])('%s', async (_, source, message) => {
    const error = await rejection(loadEngine(source()));
    expect(`${error.code} ${error.message}`).toMatch(message);
  });

  const expected = "expected a plan of TensorRT, a container of engine.save, or a file of Ultralytics'";
  test.each<[string, Uint8Array, string]>([
    ['zeros', new Uint8Array(5000), '00 00 00 00 00 00 00 00'],
    ['text', Buffer.from('import { a } from "b";'), "69 6d 70 6f 72 74 20 7b ('import {')"],
    ['one byte', Uint8Array.of(1), '01'],
    ['a plan whose first byte is lost', Buffer.from('trt\0\0\0\0\xef', 'latin1'), '74 72 74 00 00 00 00 ef'],
  ])('%s is no engine, whatever library there is', async (_, bytes, first) => {
    const file = join(folder, 'junk.engine');
    writeFileSync(file, bytes);
    for (const [source, name] of [[bytes, 'the engine'] as const, [file, file] as const]) {
      const error = await rejection(loadEngine(source, { library: join(folder, 'no-library') }));
      expect([error.code, error.message]).toEqual([
        'ERR_ENGINE_FILE',
        `${name} begins with ${first}, as no engine does: ${expected}`,
      ]);
    }
  });

  test.each(['ftrt', 'vtrt', 'ptrt'])('what begins with %s is TensorRT’s to judge', async (tag) => {
    const error = await rejection(loadEngine(Buffer.from(tag), { library: join(folder, 'no-library') }));
    expect(error.code).toBe('ERR_LIBRARY_NOT_FOUND');
  });

  test('half an engine is none', async () => {
    using engine = await chain(1).build();
    const half = engine.bytes.slice(0, engine.size / 2);
    expect((await rejection(loadEngine(half))).code).toMatch(/^ERR_(LIBRARY_NOT_FOUND|NO_GPU|ENGINE)$/);
  });
});

describe('after dispose', () => {
  test('an engine', async () => {
    const engine = await chain(1).build();
    engine.dispose();
    engine.dispose();
    engine[Symbol.dispose]();
    expect(() => engine.bytes).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));
    const path = join(folder, 'gone.plan');
    for (const use of [() => engine.run({ x: new Float32Array(8) }), () => engine.createContext()])
      expect((await rejection(use())).code).toBe('ERR_DISPOSED');
    expect((await rejection(engine.save(path))).code).toBe('ERR_DISPOSED');
    expect(existsSync(path)).toBe(false);
    expect(engine.inputs[0]!.name).toBe('x');
  });

  test('an engine disposed while it is saved is written whole', async () => {
    const engine = await chain(1).build();
    const path = join(folder, 'late.plan');
    const saving = engine.save(path);
    const { size } = engine;
    engine.dispose();
    await saving;
    expect(readFileSync(path).byteLength).toBe(size);
  });

  test('a model', async () => {
    const model = await chain(1).compile();
    model.dispose();
    model.dispose();
    expect((await rejection(model.run({ x: new Float32Array(8) }))).code).toBe('ERR_DISPOSED');
    expect(() => model.engine?.bytes ?? expect.unreachable()).toThrow(
      expect.objectContaining({ code: 'ERR_DISPOSED' }),
    );
  });

  test('a model disposed while it runs gives its result or ERR_DISPOSED', async () => {
    const model = await chain(1).compile({ backend: 'cpu' });
    const run = model.run({ x: new Float32Array(8) });
    model.dispose();
    const outcome = await run.then(
      ({ y }) => y!.shape,
      (error) => error.code,
    );
    expect([[1, 8], 'ERR_DISPOSED']).toContainEqual(outcome);
  });

  test('weights of a recorded network: build says so', async () => {
    const file = new URL('../../../examples/mnist/lenet.safetensors', import.meta.url).pathname;
    const weights = await loadWeights(file);
    const net = network('n', { x: float32(1, 1, 28, 28) });
    net.conv2d(weights.layer('conv1')).output('y');
    weights.dispose();
    for (const use of [() => net.build(), () => net.compile({ backend: 'cpu' })]) {
      const error = await rejection(use());
      expect(error.code).toBe('ERR_DISPOSED');
      expect(error.message).toContain("'conv1.weight'");
    }
  });
});

function empty(): string {
  const path = join(folder, 'empty.plan');
  writeFileSync(path, '');
  return path;
}
