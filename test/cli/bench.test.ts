import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cleanEnv, write } from '../setup/checkout.js';
import { temporaryFolder } from '../setup/fake-library.js';
import { compiling, prepare, readCounters, standInEnv } from '../stand-in/harness.js';
import { cli, command } from './cli.js';

const folder = temporaryFolder();
let env: NodeJS.ProcessEnv;
const bench = (...args: string[]) => cli(folder, ['bench', ...args], { ...env, STANDIN_COMPUTE_US: '200' });
const short = ['--warm-up', '5', '--duration', '50'];

beforeAll(async () => {
  await prepare('10.6.0');
  env = { ...(await standInEnv()), NODE_TENSORRT_CACHE: join(folder, 'cache') };
  write(
    folder,
    'net.ts',
    `import { network, float32 } from 'node-tensorrt';
const net = network('net', { x: float32('batch', 3) });
net.tensor('x').relu().output('y');
export default net;\n`,
  );
  const { status, stderr } = await cli(folder, ['build', 'net.ts', '--dims', 'batch=1:2:8', '-o', 'net.engine'], env);
  expect([status, stderr]).toEqual([0, '']);
}, compiling);

describe('bench', () => {
  test('prints a table of the figures', async () => {
    const { status, stdout, stderr } = await bench('net.engine', ...short, '--transfers', '--profile');
    expect(status).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^[\d.]+ runs per second \(\d+ in [\d.]+ s, CUDA graph\)$/);
    expect(lines[1]).toMatch(/^milliseconds +min +max +mean +median +90% +95% +99% +cv$/);
    const names = lines.slice(2, 8).map((line) => line.split(/ {2,}/)[0]);
    expect(names).toEqual(['host latency', 'end to end', 'enqueue', 'copies in', 'GPU compute', 'copies out']);
    expect(stdout).toMatch(/layer \(mean of 10 runs\) +ms +of all\n/);
    for (const line of stderr.split('\n').filter(Boolean)) expect(line).toMatch(/^warning: /);
  });

  test('--json has figures, settings and inputs; --export-times every run', async () => {
    const { status, stdout } = await bench(
      'net.engine',
      ...short,
      '--json',
      '--export-times',
      'times.json',
      '--percentiles',
      '50,99.9',
      '--streams',
      '2',
      '--layers',
    );
    expect(status).toBe(0);
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({
      engine: { file: 'net.engine', library: { flavor: 'trt10', version: '10.6.0' } },
      inputs: { x: { dtype: 'float32', shape: [2, 3] } },
      settings: {
        warmUp: 5,
        duration: 50,
        iterations: 10,
        streams: 2,
        cudaGraph: true,
        spinWait: true,
        idle: 0,
        percentiles: [50, 99.9],
      },
      cudaGraph: true,
      layers: { Layers: expect.any(Array) },
    });
    expect(found.times).toBeUndefined();
    expect(Object.keys(found.compute.percentiles)).toEqual(['50', '99.9']);
    expect(found.compute.min).toBeGreaterThanOrEqual(0.19);
    const times = JSON.parse(readFileSync(join(folder, 'times.json'), 'utf8'));
    expect(times.compute).toHaveLength(found.runs);
    expect(Math.min(...times.compute)).toBe(found.compute.min);
    expect([...new Set(times.stream)].sort()).toEqual([0, 1]);
  });

  test.each<[string[], number, RegExp]>([
    [['net.engine', '--streams', '0'], 2, /Expected a whole number of at least 1/],
    [['net.engine', '--duration', 'long'], 2, /Expected a number of at least 0/],
    [['net.engine', '--percentiles', '101', ...short], 1, /percentiles: expected numbers from 0 to 100/],
    [['net.engine', '--optimization-profile', '3'], 1, /profile/],
    [
      ['net.engine', ...short, '--export-times', 'none/times.json'],
      1,
      /could not write the times to none\/times\.json: ENOENT/,
    ],
  ])('%j ends with %d', async (args, code, message) => {
    const { status, stderr } = await bench(...args);
    expect(stderr).toMatch(message);
    expect(status).toBe(code);
  });

  test('SIGINT ends it with 130, and writes no times', async () => {
    const counters = join(folder, 'counters');
    const args = [...command, 'bench', 'net.engine', '--duration', '60000', '--export-times', 'never.json'];
    const child = spawn(process.execPath, args, {
      cwd: folder,
      env: cleanEnv({ ...env, STANDIN_COMPUTE_US: '20000', STANDIN_COUNTERS: counters }),
      stdio: 'pipe',
    });
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    // A graph is there from the measurement on.
    while (!existsSync(counters) || readCounters(counters).execs === 0)
      await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    const [status, signal] = await once(child, 'close');
    expect([status, signal, stderr]).toEqual([130, null, 'interrupted by SIGINT\n']);
    expect(existsSync(join(folder, 'never.json'))).toBe(false);
  });
});
