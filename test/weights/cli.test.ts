import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { weightsCommand } from '../../src/cli/weights.js';
import { loadWeights, saveSafetensors, weight } from '../../src/weights/index.js';
import { failure, fixture, references } from './helpers.js';

const folder = mkdtempSync(join(tmpdir(), 'weights-cli-'));

/** What the command prints. */
async function run(...args: string[]): Promise<string> {
  let out = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  try {
    await weightsCommand().parseAsync(args, { from: 'user' });
  } finally {
    spy.mockRestore();
  }
  return out;
}

afterEach(() => {
  process.exitCode = undefined;
});

test('ls --json tells what Python tells', async () => {
  const { tensors, metadata } = JSON.parse(await run('ls', fixture('all.safetensors'), '--json', '--stats'));
  const reference = references['all.safetensors']!;
  expect(metadata).toEqual(reference.metadata);
  expect(Object.fromEntries(tensors.map((t: { name: string; dtype: string }) => [t.name, t.dtype]))).toEqual(
    Object.fromEntries(Object.entries(reference.tensors).map(([name, { dtype }]) => [name, dtype])),
  );
});

test('statistics count NaN apart', async () => {
  const path = join(folder, 'nan.safetensors');
  const values = {
    a: weight(new Float32Array([1, NaN, 4, -2])),
    none: weight(new Float32Array([NaN])),
    empty: weight(new Float32Array(0)),
  };
  await saveSafetensors(path, values);
  const { tensors } = JSON.parse(await run('ls', path, '--json', '-s'));
  expect(tensors[0]).toEqual({ name: 'a', dtype: 'float32', shape: [4], bytes: 16, min: -2, max: 4, mean: 1, nan: 1 });
  expect(tensors[2]).toMatchObject({ name: 'none', min: null, mean: null, nan: 1 });
  expect(tensors[1]).toMatchObject({ name: 'empty', bytes: 0, max: null, nan: 0 });
});

test('ls as a table, filtered', async () => {
  const text = await run('ls', fixture('state_dict.pt'), '--filter', 'bn.*_mean');
  expect(text.split('\n').map((line) => line.trim())).toEqual([
    'name             dtype    shape  bytes',
    'bn.running_mean  float32  [3]    12',
    '1 tensors, 12 bytes',
    '',
  ]);
});

test('cat prints elements', async () => {
  expect(await run('cat', fixture('views.pt'), 'step')).toBe('float32 [2, 2]\n0 3 12 15\n');
  expect(await run('cat', fixture('views.pt'), 'base', '-n', '3')).toBe('float32 [4, 6]\n0 1 2\n… 21 more\n');
  expect(JSON.parse(await run('cat', fixture('checkpoint.pt'), 'list.0', '--json'))).toEqual({
    name: 'list.0',
    dtype: 'int64',
    shape: [3],
    elements: 3,
    values: ['0', '1', '2'],
  });
  expect((await failure(() => run('cat', fixture('views.pt'), 'bsae'))).message).toContain("did you mean 'base'");
});

test('convert, then diff', async () => {
  const output = join(folder, 'half.safetensors');
  const result = await run(
    'convert',
    fixture('state_dict.pt'),
    output,
    '-d',
    'float16',
    '-r',
    'conv=stem',
    '-r',
    'bias=b',
    '--json',
  );
  expect(JSON.parse(result)).toEqual({ output, tensors: 9, bytes: 166 });
  using back = await loadWeights(output);
  expect(back.get('stem.b').dtype).toBe('float16');
  expect(back.get('bn.num_batches_tracked').dtype).toBe('int64');

  const same = await run('diff', fixture('state_dict.pt'), fixture('deflated.pt'));
  expect(same).toBe('9 tensors, all equal\n');
  expect(process.exitCode).toBeUndefined();
  const { equal, differences } = JSON.parse(await run('diff', fixture('state_dict.pt'), output, '--json'));
  expect(process.exitCode).toBe(1);
  expect(equal).toBe(false);
  const fc = differences.find((d: { name: string }) => d.name === 'fc.weight');
  expect(fc.difference).toMatch(/^dtype float32, float16; \d of 8 elements differ, by at most/);
  expect(fc.maxAbs).toBeLessThan(1e-3);
  expect(differences.map((d: { name: string }) => d.name)).toContain('stem.b');
});

test('diff names shapes and overlooks a tolerance', async () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => join(folder, name)) as [string, string, string];
  await saveSafetensors(a, { x: weight(new Float32Array([1, NaN])) });
  await saveSafetensors(b, { x: weight(new Float32Array([1.5, NaN])) });
  await saveSafetensors(c, { x: weight(new Float32Array([1, 2]), [2, 1]) });
  expect(JSON.parse(await run('diff', a, b, '-t', '0.5', '--json'))).toEqual({ equal: true, differences: [] });
  expect(JSON.parse(await run('diff', a, b, '--json')).differences[0]).toMatchObject({ count: 1, maxAbs: 0.5 });
  expect(await run('diff', a, c)).toContain('shape [2], [2, 1]');
  await saveSafetensors(c, { x: weight(new Float32Array([1, 2])) });
  expect(JSON.parse(await run('diff', a, c, '--json')).differences[0].maxAbs).toBe('Infinity');
});
