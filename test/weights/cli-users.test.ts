import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { weightsCommand } from '../../src/cli/commands/weights.js';
import { endAsDocumented, reportError } from '../../src/cli/shared/exit.js';
import { TensorRTError } from '../../src/errors/error.js';
import { loadWeights, saveSafetensors, weight } from '../../src/weights/index.js';
import { contents, fixture, references, safetensors } from './helpers.js';

// The command as people run it: in a shell, with files that are not as hoped.

const folder = mkdtempSync(join(tmpdir(), 'weights-users-'));
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const command = [main, 'weights'];
/** As main.ts runs it, within this process. */
async function run(...args: string[]): Promise<{ stdout: string; stderr: string; status: number }> {
  const told = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      told[stream] += String(text);
      return true;
    }),
  );
  const exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Exit(Number(code));
  });
  try {
    await endAsDocumented(weightsCommand()).parseAsync(args, { from: 'user' });
    return { ...told, status: Number(process.exitCode ?? 0) };
  } catch (error) {
    if (error instanceof Exit) return { ...told, status: error.status };
    if (!(error instanceof TensorRTError)) throw error;
    const status = reportError(error);
    return { ...told, status };
  } finally {
    for (const spy of [...spies, exit]) spy.mockRestore();
    process.exitCode = undefined;
  }
}

class Exit extends Error {
  constructor(readonly status: number) {
    super();
  }
}

const shell = (line: string) => {
  const weights = `'${process.execPath}' ${command.map((part) => `'${part}'`).join(' ')}`;
  // Colours are on where CI is set.
  const env = { ...process.env, NO_COLOR: '1' };
  return spawnSync('bash', ['-c', line.replaceAll('WEIGHTS', weights)], { encoding: 'utf8', env });
};
const one = weight(new Float32Array([1]));

test('names with control characters cannot steer the terminal', async () => {
  const path = join(folder, 'names.safetensors');
  const bidi = '\u202eabc';
  await saveSafetensors(path, { 'a\x1b[31mred\u009bm': one, 'two\nlines': one, [bidi]: one, 日本: one });
  const listed = await run('ls', path);
  expect(listed.stdout).toContain('a\\u001b[31mred\\u009bm  float32');
  expect(listed.stdout).toContain('two\\nlines ');
  expect(listed.stdout).toContain('\\u202eabc ');
  expect(listed.stdout).toMatch(/^日本 {19}float32 {2}\[1\] {4}4$/m);
  const missed = await run('cat', path, 'a\x1b[31mred');
  expect(missed.stderr).toMatch(/has no tensor 'a\\u001b\[31mred'; did you mean 'a\\u001b/);
  // JSON escapes by itself; the names stay what they are.
  expect(JSON.parse((await run('ls', path, '--json')).stdout).tensors.map((t: { name: string }) => t.name)).toContain(
    bidi,
  );
});

test('errors say nothing about lines of code', () => {
  const output = join(folder, 'x.safetensors');
  const { stderr, status } = shell(`WEIGHTS convert '${fixture('state_dict.pt')}' '${output}' -r bn=conv`);
  expect(stderr).toMatch(/^error: .*: renaming gives two tensors the name 'conv\.weight'\n$/);
  expect(status).toBe(1);
});

test('whole numbers are shown whole, and what a filter leaves', async () => {
  const path = join(folder, 'whole.safetensors');
  await saveSafetensors(path, {
    i: weight(new Int32Array([1_234_567, -2_147_483_648])),
    u: weight(new BigUint64Array([2n ** 63n])),
    f: weight(new Float32Array([1 / 3])),
  });
  const { stdout } = await run('ls', path, '-s');
  expect(stdout).toMatch(/^i .* -2147483648 +1234567 /m);
  expect(stdout).toMatch(/^u .* 9\.22337e\+18 /m);
  expect(stdout).toMatch(/^f .* 0\.333333 /m);
  const none = await run('ls', path, '-f', 'zzz*');
  expect([none.stdout, none.status]).toEqual(["none of 3 tensors matches 'zzz*'\n", 0]);
  expect(JSON.parse((await run('ls', path, '-f', 'zzz*', '--json')).stdout).tensors).toEqual([]);
});

test('a hundred thousand tensors are listed and compared in seconds', async () => {
  const of = (name: string) => {
    const count = 100_000;
    const entry = (i: number) => [`${name}.${i}`, { dtype: 'U8', shape: [1], data_offsets: [i, i + 1] }];
    const path = join(folder, `${name}.safetensors`);
    writeFileSync(path, safetensors(Object.fromEntries(Array.from({ length: count }, (_, i) => entry(i))), count));
    return path;
  };
  const [a, b] = [of('experts'), of('expert')];
  const began = performance.now();
  const listed = (await run('ls', a)).stdout.split('\n');
  expect([listed.length, listed[1], listed.at(-2)]).toEqual([
    100_003,
    'experts.0      uint8  [1]    1',
    '100000 tensors, 97.7 KiB',
  ]);
  expect((await run('diff', a, b)).stdout.split('\n')).toHaveLength(200_002);
  expect(performance.now() - began).toBeLessThan(20_000);
}, 30_000);

test('convert: through a link, onto itself, and where nothing can be written', async () => {
  const expected = references['all.safetensors']!.tensors;
  const [real, link] = [join(folder, 'real.safetensors'), join(folder, 'link.safetensors')];
  writeFileSync(real, 'old');
  symlinkSync(real, link);
  for (const from of [fixture('all.safetensors'), link]) {
    expect((await run('convert', from, link)).status).toBe(0);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    using back = await loadWeights(real);
    expect(contents(back)).toEqual(expected);
  }
  const taken = join(folder, 'taken.safetensors');
  mkdirSync(taken);
  const cases: [string, string][] = [
    [taken, 'there is a folder of that name'],
    [join(folder, 'absent/x.safetensors'), `ENOENT: the folder ${join(folder, 'absent')} does not exist`],
    ['/proc/x.safetensors', 'ENOENT: no such file or directory'],
  ];
  for (const [output, why] of cases) {
    const { stderr, status } = await run('convert', fixture('all.safetensors'), output);
    expect([stderr, status]).toEqual([`error: ${output} cannot be written: ${why}\n`, 1]);
  }
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s in the middle of convert leaves no half file', async (signal) => {
  const at = mkdtempSync(join(folder, 'stopped-'));
  const [input, output] = [join(at, 'in.safetensors'), join(at, 'out.safetensors')];
  writeFileSync(output, 'old');
  // Sparse, so that only what is written takes room.
  const count = 2 ** 28;
  const offsets = (i: number) => ({ dtype: 'F32', shape: [count], data_offsets: [4 * count * i, 4 * count * (i + 1)] });
  const header = safetensors({ a: offsets(0), b: offsets(1) });
  writeFileSync(input, header);
  truncateSync(input, header.length + 8 * count);
  const child = spawn(process.execPath, [...command, 'convert', input, output], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const half = () => readdirSync(at).find((name) => name.endsWith('.tmp'));
  while (!half() && child.exitCode === null) await new Promise((done) => setTimeout(done, 5));
  child.kill(signal);
  const [code] = await once(child, 'close');
  expect([code, stderr]).toEqual([
    signal === 'SIGINT' ? 130 : 143,
    `error: ${output} was not written: ended by ${signal}\n`,
  ]);
  expect(half()).toBeUndefined();
  expect(readFileSync(output, 'utf8')).toBe('old');
});

test('renaming: a dot too many is overlooked, one that changes nothing is told', async () => {
  const output = join(folder, 'renamed.safetensors');
  const { stderr, status } = await run(
    'convert',
    fixture('checkpoint.pt'),
    output,
    '-f',
    'state_dict.*',
    '-r',
    'state_dict.=',
    '-r',
    'nowhere=x',
  );
  expect(status).toBe(0);
  expect(stderr).toBe("no name begins or ends with 'nowhere': 'nowhere=x' changes nothing\n");
  using back = await loadWeights(output);
  expect(back.names()).toContain('conv.weight');
  using weights = await loadWeights(fixture('checkpoint.pt'));
  expect(weights.rename({ 'state_dict.': 'net.', '.weight': '.kernel' }).has('net.conv.kernel')).toBe(true);
});

test('diff: files whose names differ by a prefix', async () => {
  const stripped = join(folder, 'stripped.safetensors');
  const args = [fixture('checkpoint.pt'), stripped];
  await run('convert', ...args, '-f', 'state_dict.*', '-r', 'state_dict=');
  const apart = await run('diff', ...args, '-f', '*conv*');
  expect([apart.status, apart.stdout.trimEnd().split('\n').pop()]).toEqual([
    1,
    'no name is in both; try --rename state_dict=',
  ]);
  const together = await run('diff', ...args, '-r', 'state_dict=', '-f', 'conv*');
  expect([together.stdout, together.status]).toEqual(['2 tensors, all equal\n', 0]);
});

test('diff: NaN on one side, and 2 for what is no comparison', async () => {
  const [a, b] = [join(folder, 'nan-a'), join(folder, 'nan-b')];
  await saveSafetensors(a, { x: weight(new Float32Array([NaN, Infinity, 1])) });
  await saveSafetensors(b, { x: weight(new Float32Array([0, Infinity, 1])) });
  const differ = await run('diff', a, b, '-t', '1e30');
  expect(differ.stdout).toContain('1 of 3 elements differ, some by infinity or NaN on one side');
  expect(differ.status).toBe(1);
  for (const args of [[a], [a, b, '--nope'], [a, b, '-t', 'x'], [a, join(folder, 'absent')], [a, b, '-f', 'z']]) {
    const { stdout, stderr, status } = await run('diff', ...args);
    expect([stdout, status]).toEqual(['', 2]);
    expect(stderr).toMatch(/^error: /);
  }
  expect((await run('diff', '--help')).status).toBe(0);
});

test('outputs that end early', () => {
  const path = fixture('state_dict.pt');
  const full = shell(`WEIGHTS ls '${path}' > /dev/full`);
  const unwritten = 'error: standard output could not be written: ENOSPC: no space left on device\n';
  expect([full.status, full.stderr]).toEqual([1, unwritten]);
  // 1 would be a difference.
  const diff = shell(`WEIGHTS diff '${path}' '${path}' > /dev/full`);
  expect([diff.status, diff.stderr]).toEqual([2, unwritten]);
  const output = join(folder, 'piped.safetensors');
  const piped = shell(
    `set -o pipefail; WEIGHTS convert '${fixture('torch2_training.pt')}' '${output}' 2> >(exit 0) | true`,
  );
  expect(piped.status).toBe(0);
  expect(existsSync(output)).toBe(true);
  // What diff found is told by its status, though nobody reads on.
  expect(shell(`set -o pipefail; WEIGHTS diff '${path}' '${fixture('all.safetensors')}' | true`).status).toBe(1);
});
