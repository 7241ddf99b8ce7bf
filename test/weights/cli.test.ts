import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test, vi } from 'vitest';
import { weightsCommand } from '../../src/cli/commands/weights.js';
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
    '1 tensor, 12 bytes',
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
  expect(JSON.parse(result)).toEqual({ output, tensors: 9, bytes: 166, leftOut: [] });
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

test('convert filters by the names of the file, and refuses what would write nothing or another format', async () => {
  const [from, output] = [fixture('state_dict.pt'), join(folder, 'filtered.safetensors')];
  const rename = ['-r', 'conv=stem'];
  const result = JSON.parse(await run('convert', from, output, '-f', 'conv.*', ...rename, '--json'));
  expect(result.tensors).toBe(2);
  using back = await loadWeights(output);
  expect(back.names().sort()).toEqual(['stem.bias', 'stem.weight']);
  const none = join(folder, 'none.safetensors');
  expect((await failure(() => run('convert', from, none, '-f', 'stem.*', ...rename))).message).toContain(
    "no tensors to convert that match 'stem.*'",
  );
  for (const name of ['o.npz', 'o', 'o.safetensors.bin']) {
    expect((await failure(() => run('convert', from, join(folder, name)))).message).toMatch(
      /ends in \.safetensors, given/,
    );
  }
  expect(existsSync(none)).toBe(false);
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
  await expect(run('convert', from, none, '-d', 'int4')).rejects.toThrow('exit 1');
  expect(stderr.mock.calls.join()).toMatch(/Allowed choices are .*float16/);
  exit.mockRestore();
  stderr.mockRestore();
});

test('convert refuses an overflow and leaves no file, or makes it infinite', async () => {
  const [from, to] = [join(folder, 'large.safetensors'), join(folder, 'small.safetensors')];
  await saveSafetensors(from, { mask: weight(Float32Array.of(0, -1e9)) });
  const { code, message } = await failure(() => run('convert', from, to, '-d', 'float16'));
  expect(code).toBe('ERR_WEIGHTS_CONVERT');
  expect(message).toMatch(/mask of .*large\.safetensors: element 1 is -1000000000, expected at most 65504/);
  expect(existsSync(to)).toBe(false);
  await run('convert', from, to, '-d', 'float16', '--overflow', 'infinity');
  using w = await loadWeights(to);
  expect([...w.get('mask').toFloat32()]).toEqual([0, -Infinity]);
});

test('what cannot be read is listed with its bytes, left out of convert, and told apart by diff', async () => {
  const file = fixture('torch2_training.pt');
  const { tensors } = JSON.parse(await run('ls', file, '--json'));
  const bytes = Object.fromEntries(tensors.map((t: { name: string; bytes: number | null }) => [t.name, t.bytes]));
  expect(bytes).toMatchObject({
    'special.complex': 24,
    'special.complex32': 12,
    'special.sparse': null,
  });
  expect(await run('ls', file, '-f', 'special.sparse')).toMatch(/torch\.FloatStorage\s+\[3, 3\]\s+\?/);
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const output = join(folder, 'training.safetensors');
  const result = JSON.parse(await run('convert', file, output, '--json'));
  expect([result.tensors, result.leftOut.length]).toEqual([5, 8]);
  expect(stderr.mock.calls.join()).toContain('left out: special.fnuz, torch.float8_e4m3fnuz');
  stderr.mockRestore();

  expect(JSON.parse(await run('diff', file, file, '-f', 'state_dict.*', '--json')).equal).toBe(true);
  expect(process.exitCode).toBeUndefined();
  const same = JSON.parse(await run('diff', file, file, '--json'));
  expect([same.equal, same.differences, same.notCompared.length, process.exitCode]).toEqual([false, [], 8, 2]);
  process.exitCode = undefined;
  expect(await run('diff', file, output, '-f', 'special.*')).toMatch(/special\.complex\s+only in/);
  expect(process.exitCode).toBe(1);
});

test('diff exits with 2 where it cannot read', async () => {
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  expect(await run('diff', fixture('state_dict.pt'), join(folder, 'absent'))).toBe('');
  expect(process.exitCode).toBe(2);
  expect(stderr.mock.calls.join()).toContain('cannot be read');
  process.exitCode = undefined;
  await run('diff', fixture('state_dict.pt'), fixture('deflated.pt'), '-f', 'nothing.*');
  expect(process.exitCode).toBe(2);
  stderr.mockRestore();
});

test('diff sees a difference of one in 64-bit integers', async () => {
  const [a, b] = [join(folder, 'i64.a'), join(folder, 'i64.b')];
  await saveSafetensors(a, { x: weight(new BigInt64Array([2n ** 53n + 1n])) });
  await saveSafetensors(b, { x: weight(new BigInt64Array([2n ** 53n])) });
  expect(await run('diff', a, b)).toContain('1 of 1 elements differ, by at most 1');
  expect(process.exitCode).toBe(1);
});

test('a reader that closes the pipe ends the command quietly', async () => {
  const path = join(folder, 'many.safetensors');
  const one = weight(new Float32Array(1));
  await saveSafetensors(path, Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`tensor.${i}.weight`, one])));
  const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
  const command = `set -o pipefail; '${process.execPath}' '${main}' weights ls '${path}' | head -n 1`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', command], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^name/);
  expect(status).toBe(0);
});

test('diff names shapes and overlooks a tolerance', async () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => join(folder, name)) as [string, string, string];
  await saveSafetensors(a, { x: weight(new Float32Array([1, NaN])) });
  await saveSafetensors(b, { x: weight(new Float32Array([1.5, NaN])) });
  await saveSafetensors(c, { x: weight(new Float32Array([1, 2]), [2, 1]) });
  expect(JSON.parse(await run('diff', a, b, '-t', '0.5', '--json'))).toEqual({
    equal: true,
    differences: [],
    notCompared: [],
  });
  expect(JSON.parse(await run('diff', a, b, '--json')).differences[0]).toMatchObject({ count: 1, maxAbs: 0.5 });
  expect(await run('diff', a, c)).toContain('shape [2], [2, 1]');
  await saveSafetensors(c, { x: weight(new Float32Array([1, 2])) });
  expect(JSON.parse(await run('diff', a, c, '--json')).differences[0].maxAbs).toBe('Infinity');
});
