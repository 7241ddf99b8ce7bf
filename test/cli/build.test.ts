import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { env as pinned } from '../../vitest.config.js';
import { cleanEnv, write } from '../setup/checkout.js';
import { temporaryFolder } from '../setup/fake-library.js';
import { cli, command } from './cli.js';

const folder = temporaryFolder();
const build = (...args: string[]) => cli(folder, ['build', ...args], pinned);

beforeAll(() => {
  write(
    folder,
    'net.ts',
    `import { network, float32 } from 'node-tensorrt';
console.log('loading');
export default ({ size = 4, name = 'net' }: { size?: number; name?: string }) => {
  const net = network(name, { x: float32('batch', size) });
  net.tensor('x').relu().output('y');
  return net;
};\n`,
  );
  write(folder, 'throws.ts', `throw new Error('\\x1b[31mno weights');\n`);
});

test('writes an engine; --json is one document, and everything else is on standard error', async () => {
  const { status, stdout, stderr } = await build(
    ...[
      'net.ts',
      '--set',
      'size=7',
      '--set',
      'name=mine',
      '--dims',
      'batch=1:2:9',
      '--no-tf32',
      '--workspace',
      '64MiB',
    ],
    ...['--profiling-verbosity', 'detailed', '-o', 'a.plan', '--json', '--no-isolate'],
  );
  expect(stderr).toBe('loading\n');
  expect(status).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  const made = JSON.parse(lines[0]!);
  expect(made).toMatchObject({
    output: 'a.plan',
    container: false,
    network: 'mine',
    library: { flavor: 'rtx1' },
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 7] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 7] }],
  });
  expect(made.bytes).toBe(statSync(join(folder, 'a.plan')).size);
});

test('without --json a line says what was made; the engine has the name of the model', async () => {
  const { status, stdout, stderr } = await build('net.ts');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^net\.engine: [\d.]+ KiB, TensorRT [\d.]+ \(rtx1\), [\d.]+s\n$/);
  expect(existsSync(join(folder, 'net.engine'))).toBe(true);
  expect(stderr).toMatch(
    /^loading\nwarning: no profiles were given, so batch may be 1 to 64, tuned for 8; for other sizes, give --dims batch=min:opt:max\n$/,
  );
});

describe('exit codes', () => {
  test.each<[string[], number, RegExp]>([
    [['net.ts', '--frobnicate'], 2, /unknown option '--frobnicate'\nRun node-tensorrt build --help for its options/],
    [[], 2, /missing required argument 'model'/],
    [['net.ts', '--optimization-level', '9'], 2, /'--optimization-level <n>' argument '9' is invalid.*Expected/],
    [['net.ts', '--workspace', '1.5GiB'], 2, /Expected a whole number/],
    [['net.ts', '--dims', 'batch'], 2, /Expected name=size/],
    [['net.ts', '--memory-pools', 'nope=1'], 2, /Expected workspace, .*given "nope"/],
    [['net.ts', '--fp16'], 2, /not offered: networks are strongly typed/],
    [['none.ts'], 1, /^error: none\.ts: there is no such file: \/.*none\.ts\n$/],
    [['throws.ts'], 1, /^error: throws\.ts: the module threw Error: \\u001b\[31mno weights\n {2}at .*throws\.ts:1/],
    [['net.ts', '--dims', 'batch=1:8:64', '--dims', 'depth=3'], 1, /no dynamic dim 'depth'; it has batch/],
    [['net.ts', '--set', 'name=7', '--dims', 'batch=1'], 1, /name/],
    [
      ['net.ts', '--dims', 'batch=1', '-o', 'none/a.engine'],
      1,
      /^error: could not write the engine to none\/a\.engine: ENOENT: the folder none does not exist\n$/,
    ],
    [['net.ts', '--library', 'nothing'], 1, /nothing/],
  ])('%j ends with %d', async (args, code, message) => {
    const { status, stdout, stderr } = await build(...args);
    expect(stderr.replace(/^loading\n/, '').replace(/^warning:.*\n/gm, '')).toMatch(message);
    expect([stdout, status]).toEqual(['', code]);
  });
});

test('--help has examples and exit codes; every build option is a flag', async () => {
  const { status, stdout } = await build('--help');
  expect(status).toBe(0);
  expect(stdout).toMatch(
    /Examples:\n {2}node-tensorrt build[\s\S]*Exit codes: 0 ok, 1 failed, 2 wrong usage, 130 interrupted/,
  );
  const { optionNames } = await import('../../src/tensorrt/compile/options.js');
  const { flagOf } = await import('../../src/cli/shared/build-flags.js');
  for (const name of optionNames)
    if (!['profiles', 'signal', 'onLog', 'onProgress'].includes(name))
      expect(stdout, name).toContain(`--${flagOf(name)}`);
});

describe('interrupted', () => {
  /** A network that takes TensorRT a while. */
  const slow = `import { network, float32 } from 'node-tensorrt';
const net = network('slow', { x: float32(4, 8) });
let x = net.tensor('x');
for (let i = 0; i < 4000; i++) x = i % 2 ? x.relu() : x.sigmoid();
x.output('y');
console.log('loaded');
export default net;\n`;

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends with %d and leaves no file', async (signal, code) => {
    write(folder, 'slow.ts', slow);
    const child = spawn(process.execPath, [...command, 'build', 'slow.ts', '-o', 'slow.engine'], {
      cwd: folder,
      env: cleanEnv(pinned),
      stdio: 'pipe',
    });
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    while (!stderr.includes('loaded')) await new Promise((resolve) => setTimeout(resolve, 5));
    // The build has begun, or is about to.
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill(signal);
    const [status] = await once(child, 'close');
    expect([status, stderr]).toEqual([
      code,
      expect.stringMatching(new RegExp(`loaded\\n(warning: .*\\n)*interrupted by ${signal}\\n$`)),
    ]);
    expect(readdirSync(folder).filter((name) => name.includes('slow') && name !== 'slow.ts')).toEqual([]);
    expect(readdirSync(folder).filter((name) => name.startsWith('.node-tensorrt'))).toEqual([]);
  });
});

test('what was built can be read again', () => {
  expect(readFileSync(join(folder, 'a.plan')).length).toBeGreaterThan(100);
});
