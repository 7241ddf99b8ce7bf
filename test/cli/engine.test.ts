import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'cli-engine-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fixture = (name: string) => new URL(`../tensorrt/files/fixtures/${name}`, import.meta.url).pathname;
const main = new URL('../../dist/cli/main.js', import.meta.url).pathname;

/** Neither a TensorRT nor a GPU can be found. */
const env = { PATH: process.env.PATH, HOME: folder, NO_COLOR: '1', NODE_TENSORRT_LIBRARY: '/none' };
const run = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [main, 'engine', ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? (error.code as number) : 0, stdout, stderr }),
    );
  });

test('metadata: as text and as JSON', async () => {
  const [text, json, foreign] = await Promise.all([
    run('metadata', fixture('container.engine')),
    run('metadata', fixture('container.engine'), '--json'),
    run('metadata', fixture('ultralytics.engine')),
  ]);
  expect([text.code, text.stderr]).toEqual([0, '']);
  expect(text.stdout).toMatch(/^format +container of node-tensorrt$/m);
  expect(text.stdout).toMatch(/^library +TensorRT 10\.6\.0$/m);
  expect(text.stdout).toMatch(/^GPU +NVIDIA H200, compute capability 9\.0, CUDA 12\.8$/m);
  expect(text.stdout).toMatch(/^output +y: float16 \[2\*batch \+ 1, 3\]$/m);
  expect(text.stdout).toMatch(/^user +labels: \["a","b"\]$/m);
  expect(JSON.parse(json.stdout)).toMatchObject({
    file: fixture('container.engine'),
    format: 'container',
    metadata: { name: 'caf\u00e9', user: { threshold: 0.25 } },
    plan: { offset: 4096, bytes: 4124 },
  });
  expect(foreign.stdout).toMatch(/^user +task: detect$/m);
});

test('extract writes the plan; a damaged file leaves none and ends with 1', async () => {
  const bytes = readFileSync(fixture('container.engine'));
  const bad = Buffer.from(bytes);
  bad[bad.length - 1]! ^= 1;
  writeFileSync(join(folder, 'bad.engine'), bad);
  const [good, refused] = await Promise.all([
    run('extract', fixture('container.engine'), '-o', join(folder, 'good.plan')),
    run('extract', join(folder, 'bad.engine'), '-o', join(folder, 'bad.plan'), '--json'),
  ]);
  expect([good.code, good.stderr]).toEqual([0, '']);
  expect(readFileSync(join(folder, 'good.plan')).equals(bytes.subarray(4096))).toBe(true);
  expect([refused.code, refused.stdout]).toEqual([1, '']);
  expect(refused.stderr).toContain('the checksum of bytes 0 to 4124 of its plan is wrong');
  expect(() => readFileSync(join(folder, 'bad.plan'))).toThrow('ENOENT');
});

test('hostile names do not reach the terminal', async () => {
  const hostile = Buffer.from(JSON.stringify({ '\u001b[2J': '\u001b]0;owned\u0007', description: '\u202egnp.exe' }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(hostile.length);
  writeFileSync(join(folder, 'hostile.engine'), Buffer.concat([length, hostile, Buffer.from('plan')]));
  const { code, stdout } = await run('metadata', join(folder, 'hostile.engine'));
  expect(code).toBe(0);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it must not be there
  expect(stdout).not.toMatch(/[\u001b\u0007\u202e]/);
  expect(stdout).toContain('\\u001b[2J');
});
