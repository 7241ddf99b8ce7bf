import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { compile, driver, sources } from './compile.js';
import { compiling, readCounters } from './harness.js';

const folder = join(sources, '../../native/cuda');
const files = readdirSync(folder).filter((name) => name !== 'nvrtc.cc');
const headers = createHash('sha256');
for (const name of files.filter((one) => one.endsWith('.h'))) headers.update(readFileSync(join(folder, name)));
headers.update(readFileSync(join(sources, 'programs', 'check.h')));

const hostChecks = ['capacities', 'blocks', 'refused', 'no_driver', 'many_threads', 'copies'];

/** A program of programs/ with native/cuda. The flag makes all anew when a header changes. */
const program = (name: 'host_memory' | 'device_memory') => {
  const code = files.filter((name) => name.endsWith('.cc')).map((name) => join(folder, name));
  const flags = ['-std=c++17', `-DHEADERS_${headers.copy().digest('hex').slice(0, 16)}`];
  return compile(name, [join(sources, 'programs', `${name}.cc`), ...code], flags);
};

beforeAll(() => Promise.all([program('host_memory'), program('device_memory'), driver()]), compiling);

async function check(name: string, env: Record<string, string> = {}): Promise<string> {
  const [path, cuda] = await Promise.all([
    program(hostChecks.includes(name) ? 'host_memory' : 'device_memory'),
    driver(),
  ]);
  return new Promise((resolve) => {
    const all = { ...process.env, LD_LIBRARY_PATH: dirname(cuda), ...env };
    execFile(path, [name], { env: all, timeout: 60_000 }, (error, out, err) =>
      resolve(out.trim() + err.trim() + (error?.signal ?? '')),
    );
  });
}

const delays = ['200,1', '200,2', '1000,3'].map((STANDIN_DELAY) => ({ STANDIN_DELAY }));
const pools: Record<string, string>[] = [{}, { STANDIN_NO_POOLS: '1' }];
const hard = delays.flatMap((delay) => pools.map((pool) => ({ ...delay, ...pool })));

test.each(hard)('readers see the last write, and no writer overtakes a reader: %j', async (env) => {
  expect(await check('order', env)).toBe('ok');
});

test.each(hard)('memory that is let go stays until its users are done: %j', async (env) => {
  expect(await check('letting_go', env)).toBe('ok');
});

test('events are used again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'events-'));
  try {
    const STANDIN_COUNTERS = join(folder, 'counters');
    expect(await check('events', { STANDIN_DEVICES: '2', STANDIN_COUNTERS })).toBe('ok');
    expect(readCounters(STANDIN_COUNTERS).events).toBeLessThanOrEqual(10);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('without enough memory, the error says how much there is, and kept memory is given back first', async () => {
  expect(await check('out_of_memory', { STANDIN_MEMORY: `${8 << 20}` })).toBe('ok');
});

test('sizes of page-locked blocks', async () => {
  expect(await check('capacities')).toBe('ok');
});

test('page-locked blocks are used again, within the limit', async () => {
  expect(await check('blocks', { NODE_TENSORRT_PINNED_LIMIT: `${1 << 20}` })).toBe('ok');
});

test('where page-locked memory is refused, ordinary memory does', async () => {
  expect(await check('refused', { STANDIN_PINNED_LIMIT: `${1 << 20}` })).toBe('ok');
  expect(await check('no_driver', { LD_LIBRARY_PATH: '' })).toBe('ok');
});

test('a limit that is no number is refused', async () => {
  const said = await check('blocks', { NODE_TENSORRT_PINNED_LIMIT: '1G' });
  expect(said).toBe("expected a number of bytes in NODE_TENSORRT_PINNED_LIMIT, given '1G'");
});

test.each(['many_threads', 'copies', 'turns', 'lost'])('%s', async (name) => {
  expect(await check(name)).toBe('ok');
});

test.each([{}, ...delays])('graphs: %j', async (env) => {
  expect(await check('graphs', env)).toBe('ok');
});

test('several devices', async () => {
  expect(await check('devices', { STANDIN_DEVICES: '2' })).toBe('ok');
});
