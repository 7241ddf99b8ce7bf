import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readEngineFile } from '../../../src/index.js';
import { binding } from '../../../src/tensorrt/binding.js';
import { DamagedEntry, describeEntry, type Entry, readEntry, writeEntry } from '../../../src/tensorrt/cache/entry.js';

const folder = mkdtempSync(join(tmpdir(), 'cache-entry-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'new', 'e.engine');
const parts = { graph: 'g', weights: 'w', options: 'o', profiles: 'p', plugins: 'q' };

function entryOf(bytes: number, key = 'k'): Entry {
  return {
    head: {
      key,
      parts: { ...parts, library: 'l', gpu: 'none', addon: 'a', environment: 'e' },
      built: '2026-12-01T00:00:00.000Z',
      buildMs: 12,
      log: ['a warning, ünd\n'],
      shapeInputs: ['sizes'],
    },
    metadata: { name: 'net', library: { flavor: 'rtx1', version: '1.7.1' }, options: { tf32: true }, user: {} },
    plan: binding().planOf(Uint8Array.from({ length: bytes }, (_, i) => i * 7 + (i >> 8))),
    bytes,
  };
}
const bytesOf = ({ plan }: Entry): Buffer => Buffer.from(binding().planBytes(plan));

test.each([1, 4096, 2 ** 24, 2 ** 24 + 5])('a plan of %i bytes comes back', async (bytes) => {
  const entry = entryOf(bytes);
  await writeEntry(path, entry);
  const back = (await readEntry(path, 'k'))!;
  expect([back.head, back.bytes]).toEqual([entry.head, bytes]);
  expect(Buffer.compare(bytesOf(back), bytesOf(entry))).toBe(0);
  const { library, options } = entry.metadata;
  expect(await describeEntry(path)).toMatchObject({ head: entry.head, metadata: { name: 'net', library, options } });
});

test('it is an engine file as any other', async () => {
  await writeEntry(path, entryOf(10));
  expect(await readEngineFile(path)).toMatchObject({ format: 'container', metadata: { name: 'net' } });
});

test('one that is not there is none', async () => {
  expect(await readEntry(join(folder, 'none'), 'k')).toBeUndefined();
  expect(await describeEntry(join(folder, 'none'))).toBeUndefined();
});

test('one that cannot be read is an error', async () => {
  await expect(readEntry(folder, 'k')).rejects.toMatchObject({ code: 'ERR_LOAD' });
});

describe('damage', () => {
  const damaged = (bytes: Uint8Array) => {
    writeFileSync(path, bytes);
    return readEntry(path, 'k');
  };

  test('of one bit, at 500 places', async () => {
    await writeEntry(path, entryOf(300));
    const whole = readFileSync(path);
    for (let i = 0; i < whole.length; i += Math.ceil(whole.length / 500)) {
      const bytes = Buffer.from(whole);
      bytes[i]! ^= 1 << (i % 8);
      await expect(damaged(bytes), `byte ${i}`).rejects.toBeInstanceOf(DamagedEntry);
    }
    await expect(damaged(whole)).resolves.toBeDefined();
  });

  test('by its end', async () => {
    await writeEntry(path, entryOf(300));
    const whole = readFileSync(path);
    for (let i = 0; i < whole.length; i += 97)
      await expect(damaged(whole.subarray(0, i)), `${i} bytes`).rejects.toBeInstanceOf(DamagedEntry);
  });

  test('of another engine, or no entry at all', async () => {
    await writeEntry(path, entryOf(3, 'other'));
    await expect(readEntry(path, 'k')).rejects.toThrow('is the entry of another engine');
    for (const bytes of ['ftrt', 'a plan of somebody', ''])
      await expect(damaged(Buffer.from(bytes)), bytes).rejects.toBeInstanceOf(DamagedEntry);
  });
});
