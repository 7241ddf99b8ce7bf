import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadWeights, saveSafetensors, weight } from '../../src/weights/index.js';
import { contents, failure, fixture, references } from './helpers.js';

const folder = mkdtempSync(join(tmpdir(), 'weights-write-'));
const path = (name: string): string => join(folder, name);

test.each(['odd.safetensors', 'f8.safetensors', 'bf16.safetensors'])(
  '%s is written byte for byte as Python wrote it',
  async (name) => {
    using source = await loadWeights(fixture(name));
    const written: number[] = [];
    await saveSafetensors(path(name), source, Object.fromEntries(source.metadata), (done) => written.push(done));
    expect(readFileSync(path(name)).equals(readFileSync(fixture(name)))).toBe(true);
    expect(written.at(-1)).toBe(readFileSync(path(name)).length);
  },
);

test.each(['all.safetensors', 'checkpoint.pt', 'views.pt', 'stored.npz', 'fortran.npy'])(
  '%s survives being written',
  async (name) => {
    using source = await loadWeights(fixture(name));
    await saveSafetensors(path(name), source);
    using back = await loadWeights(path(name));
    expect(contents(back)).toEqual(references[name]!.tensors);
  },
);

test('a file may be replaced while it is read', async () => {
  const target = path('self.safetensors');
  writeFileSync(target, readFileSync(fixture('all.safetensors')));
  using source = await loadWeights(target);
  await saveSafetensors(target, { half: source.get('x.float32').as('float16') });
  expect(contents(source)).toEqual(references['all.safetensors']!.tensors);
  using replaced = await loadWeights(target);
  expect(replaced.names()).toEqual(['half']);
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('what safetensors cannot hold is refused, and nothing is left behind', async () => {
  const w = weight(new Float32Array(2));
  const refused: [Record<string, typeof w>, string][] = [
    [{ __metadata__: w }, 'ERR_WEIGHTS_NAME'],
    [{ '\ud800': w }, 'ERR_WEIGHTS_NAME'],
    [{ a: w.as('int4') }, 'ERR_WEIGHTS_DTYPE'],
    [{ a: weight(new Uint8Array(2), [3], 'float4e2m1') }, 'ERR_WEIGHTS_SHAPE'],
  ];
  for (const [tensors, code] of refused) {
    expect((await failure(() => saveSafetensors(path('refused'), tensors))).code).toBe(code);
  }
  expect((await failure(() => saveSafetensors(path('no/such/folder'), { a: w }))).code).toBe('ERR_WEIGHTS_FILE');
  const gone = await loadWeights(fixture('bf16.safetensors'));
  const bias = gone.get('layer.bias');
  gone.dispose();
  expect((await failure(() => saveSafetensors(path('refused'), { bias }))).code).toBe('ERR_DISPOSED');
  expect(readdirSync(folder).filter((name) => name.startsWith('refused'))).toEqual([]);
});
