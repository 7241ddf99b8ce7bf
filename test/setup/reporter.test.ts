import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
});

/** Runs vitest with the project's reporter on the given test files. */
function runVitest(files: Record<string, string>) {
  const cache = join(root, '.cache');
  mkdirSync(cache, { recursive: true });
  const dir = mkdtempSync(join(cache, 'reporter-test-'));
  dirs.push(dir);
  mkdirSync(join(dir, 'test'));
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(dir, 'test', `${name}.test.ts`), `import { beforeAll, describe, test } from 'vitest';\n${text}`);
  const args = ['run', '--root', dir, '--reporter', join(root, 'test', 'reporter.ts')];
  const { status, stdout } = spawnSync(join(root, 'node_modules', '.bin', 'vitest'), args, { encoding: 'utf8' });
  return { status, stdout, last: stdout.trimEnd().split('\n').at(-1) };
}

test('counts passed and skipped tests, and says why they were skipped', () => {
  const { status, stdout, last } = runVitest({
    a: `test('one', () => {}); test('two', ({ skip }) => skip('no moon')); test.skip('three', () => {});`,
  });
  expect(last).toBe('1 passed, 0 failed, 2 skipped');
  expect(status).toBe(0);
  expect(stdout).toMatch(/a\.test\.ts > two: no moon/);
  expect(stdout).toMatch(/a\.test\.ts > three: no reason given/);
});

test('a suite that is skipped whole is one line, and counts all of its tests', () => {
  const all = `describe.skip('moon', () => { test('one', () => {}); test('two', () => {}); });`;
  const some = `describe('sun', () => { test.skip('three', () => {}); test('four', () => {}); });`;
  const { stdout, last } = runVitest({ a: `${all} ${some}` });
  expect(last).toBe('1 passed, 0 failed, 3 skipped');
  expect(stdout).toMatch(
    /a\.test\.ts > moon: no reason given \(2 tests\)\n {2}\S*a\.test\.ts > sun > three: no reason given\n/,
  );
});

test('counts failed tests', () => {
  const { status, last } = runVitest({ a: `test('one', () => {}); test('two', () => { throw new Error('x'); });` });
  expect(last).toBe('1 passed, 1 failed');
  expect(status).toBe(1);
});

test.each([
  ['a file that cannot be collected', `import './missing.js'; test('never', () => {});`, 1],
  ['a file without tests', ``, 1],
  ['a failing hook', `describe('d', () => { beforeAll(() => { throw new Error('x'); }); test('t', () => {}); });`, 1],
  ['an unhandled error', `test('t', () => { Promise.reject(new Error('x')); });`, 2],
  ['a worker that dies', `test('t', () => { process.kill(process.pid, 'SIGKILL'); });`, 1],
])('%s is a failure', (_, text, passed) => {
  const { status, last } = runVitest({ good: `test('one', () => {});`, bad: text });
  expect(last).toMatch(new RegExp(`^${passed} passed, [1-9]\\d* failed`));
  expect(status).not.toBe(0);
});

test.each([
  ['no test file', {}],
  ['only skipped tests', { a: `test.skip('one', () => {});` }],
])('%s is a failure', (_, files) => {
  const { status, last } = runVitest(files);
  expect(last).toMatch(/^0 passed, 1 failed/);
  expect(status).not.toBe(0);
});
