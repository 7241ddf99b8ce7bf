import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { float32, network } from '../../src/index.js';
import { node, root } from '../setup/checkout.js';
import { temporaryFolder } from '../setup/fake-library.js';

const cache = temporaryFolder();
const folder = join(cache, 'engines');
const run = (...args: string[]) =>
  node(root, [join(root, 'dist/cli/main.js'), 'cache', ...args], { NODE_TENSORRT_CACHE: cache });
const hostile = 'net\u001b[31m\nred';

beforeAll(async () => {
  const net = network(hostile, { x: float32(2) });
  net.relu().output('y');
  await net.build({ cache: folder });
  writeFileSync(join(folder, `${'0'.repeat(64)}.engine`), 'damaged');
});

test('path', () => {
  expect(run('path')).toMatchObject({ status: 0, stdout: `${folder}\n`, stderr: '' });
  expect(JSON.parse(run('path', '--dir', 'a', '--json').stdout)).toEqual({ folder: join(root, 'a') });
});

test('ls, with hostile names escaped, and damaged engines', () => {
  const { status, stdout } = run('ls');
  expect(status).toBe(0);
  expect(stdout).toContain('net\\u001b[31m\\nred');
  expect(stdout).toMatch(/\(damaged\) .*000000000000$/m);
  expect(stdout).toMatch(/^2 engines, .* of at most 9\.3 GiB, in \//m);
  expect(stdout).not.toContain('\u001b');
});

test('ls --json is one document', () => {
  const { stdout, stderr } = run('ls', '--json');
  expect(stderr).toBe('');
  const { engines, ...rest } = JSON.parse(stdout);
  expect(rest).toEqual({ folder, limit: 10e9, bytes: expect.any(Number) });
  const whole = engines.find((one: { engine?: unknown }) => one.engine);
  expect(whole.engine).toMatchObject({ name: hostile, library: { flavor: 'rtx1' } });
  expect(Object.keys(whole.engine.parts)).toEqual(expect.arrayContaining(['graph', 'weights', 'options', 'gpu']));
});

test('wrong usage exits with 2', () => {
  const wrong = run('prune', '--max-size', 'much');
  expect([wrong.status, wrong.stdout]).toEqual([2, '']);
  expect(wrong.stderr).toContain('Expected a size such as 5GB or 500MiB, given "much"');
});

test('what is no folder exits with 1, in the words of the system', () => {
  const file = join(cache, 'file');
  writeFileSync(file, '');
  const { status, stderr } = run('ls', '--dir', file);
  expect(status).toBe(1);
  expect(stderr).toBe(`error: the cache in ${file} cannot be used: ENOTDIR: not a directory\n`);
});

test('prune and clear remove engines', () => {
  mkdirSync(join(folder, 'keep'));
  expect(JSON.parse(run('prune', '--older-than', '1d', '--json').stdout)).toMatchObject({ engines: 0, bytes: 0 });
  expect(run('clear').stdout).toMatch(/^removed 2 engines, \d/);
  expect(readdirSync(folder).filter((name) => name.endsWith('.engine'))).toEqual([]);
  expect(run('ls').stdout).toContain('0 engines, 0 bytes of at most');
});
