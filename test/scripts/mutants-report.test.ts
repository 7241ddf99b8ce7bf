import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Mutant } from '../../scripts/mutants/catalogue.js';
import { joinResults, judge, reportText } from '../../scripts/mutants/report.js';
import type { MutantResult } from '../../scripts/mutants/runner.js';
import { readReport, tierOf, type VitestReport } from '../../scripts/mutants/vitest.js';
import { removeStale, Workspace } from '../../scripts/mutants/workspace.js';

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

const result = (id: string, state: MutantResult['state'], more: Partial<MutantResult> = {}): MutantResult => ({
  id,
  state,
  tiers: [],
  seconds: 1,
  ...more,
});
const mutants = (...ids: string[]) => ids.map((id) => ({ id })) as Mutant[];
const none = { equivalent: {}, elsewhere: {} };

describe('the three lists', () => {
  const results = [
    result('a', 'killed', { tiers: ['read-back', 'plans'] }),
    result('b', 'killed', { note: 'timeout' }),
    result('c', 'survived'),
    result('d', 'survived'),
    result('e', 'survived'),
    result('f', 'uncompilable', { failure: 'error: a | b' }),
  ];
  const known = { equivalent: { c: 'It adds 0.' }, elsewhere: { d: { runs: 'TensorRT 10.6', checkedBy: 'test/gpu' } } };
  const all = mutants('a', 'b', 'c', 'd', 'e', 'f');

  test('who survives and is not known is a survivor', () => {
    const { killed, equivalent, elsewhere, survivors, uncompilable, errors } = judge(results, known, all);
    const ids = [killed, equivalent, elsewhere, survivors, uncompilable].map((list) => list.map(({ id }) => id));
    expect(ids).toEqual([['a', 'b'], ['c'], ['d'], ['e'], ['f']]);
    expect(errors).toEqual([]);
  });

  test('known ones that are gone, killed or listed twice are errors', () => {
    expect(judge([result('a', 'killed')], { equivalent: { a: '', x: '' }, elsewhere: {} }, all).errors).toEqual([
      "known.ts lists 'x', which is no mutant",
      "known.ts lists 'a', which a test kills",
    ]);
    const twice = { equivalent: { c: '' }, elsewhere: { c: { runs: '', checkedBy: '' } } };
    expect(judge([], twice, all).errors).toEqual(["known.ts lists 'c' twice"]);
  });

  test('the report has date, commit, library, counts and every mutant', () => {
    const run = { date: '2026-01-02', commit: 'abc', library: 'rtx1 1.7.1', results };
    const text = reportText(run, judge(results, known, all));
    expect(text).toContain(
      '2026-01-02, commit abc, rtx1 1.7.1: 6 mutants, 2 killed, 1 equivalent, 1 reached by other releases only, 1 survived, 1 not compiled.',
    );
    expect(text).toContain('read-back 1, plans 1, timeout 1');
    expect(text).toContain('## Survivors\n\nNo test notices these.\n\n- `e`\n');
    expect(text).toContain('| `f` | error: a \\| b |');
    expect(text).toContain(
      '## Killed\n\n| mutant | noticed by |\n| --- | --- |\n| `a` | read-back, plans |\n| `b` | timeout |',
    );
    expect(text).toContain('| `c` | It adds 0. |');
    expect(text).toContain('| `d` | TensorRT 10.6 | test/gpu |');
    expect(reportText(run, judge(results.slice(0, 1), none, all))).not.toMatch(/Survivors|Not compiled/);
  });

  test('parts of one run are joined, parts of two are not', () => {
    const part = (commit: string, ...ids: string[]) => ({
      date: `2026-01-0${ids.length}`,
      commit,
      library: 'rtx1 1.7.1',
      results: ids.map((id) => result(id, 'killed')),
    });
    const joined = joinResults([part('abc', 'a'), part('abc', 'b', 'c')]);
    expect([joined.date, joined.results.map(({ id }) => id)]).toEqual(['2026-01-02', ['a', 'b', 'c']]);
    expect(() => joinResults([part('abc', 'a'), part('def', 'b')])).toThrow(/parts of different runs/);
  });
});

describe('what noticed', () => {
  test.each([
    ['test/layers/softmax.test.ts', "softmax: infer 'a'", '', 'infer'],
    ['test/layers/softmax.test.ts', "softmax: build 'a'", '', 'build'],
    ['test/layers/softmax.test.ts', "softmax: run on the CPU 'a'", '', 'run'],
    ['test/layers/softmax.test.ts', "softmax: TensorRT's shapes at other sizes 'a'", '', 'shapes'],
    ['test/layers/softmax.test.ts', "softmax: build 'a'", 'ERR_READ_BACK', 'read-back'],
    ['test/layers/softmax.test.ts', 'a refusal', '', 'softmax'],
    ['test/layers/fallback.test.ts', 'squeeze without addSqueeze a', '', 'stand-ins'],
    ['test/plans/plans.test.ts', 'softmax', '', 'plans'],
    ['test/cpu/session.test.ts', 'a run', '', 'cpu'],
  ])('%s: %s %s', (file, name, message, tier) => {
    expect(tierOf(file, name, message)).toBe(tier);
  });

  const file = (status: string, ...tests: [string, string][]): VitestReport['testResults'][number] => ({
    name: '/root/test/layers/relu.test.ts',
    status,
    message: status === 'failed' ? 'SyntaxError: here\nthere' : '',
    startTime: 0,
    endTime: 1,
    assertionResults: tests.map(([fullName, status]) => ({ fullName, status, failureMessages: ['Error: no\nat x'] })),
  });
  const read = (report: VitestReport | undefined, code: number | null, timedOut = false) =>
    readReport(report, code, timedOut, '/root');

  test('all passed', () => {
    expect(read({ testResults: [file('passed', ['a', 'passed'])] }, 0)).toEqual({ ok: true, passed: 1, tiers: [] });
  });
  test('a failed test', () => {
    const report = { testResults: [file('failed', ['relu: build a', 'failed'], ['b', 'passed'])] };
    expect(read(report, 1)).toEqual({ ok: false, passed: 1, tiers: ['build'], failure: 'relu: build a: Error: no' });
  });
  test('a file that cannot be collected', () => {
    expect(read({ testResults: [file('failed')] }, 1)).toMatchObject({
      ok: false,
      tiers: ['relu'],
      failure: 'test/layers/relu.test.ts: SyntaxError: here',
    });
  });
  test('a crash, with and without a report', () => {
    for (const report of [undefined, { testResults: [file('passed', ['a', 'passed'])] }])
      expect(read(report, 1)).toMatchObject({ ok: false, note: 'crash' });
  });
  test('a timeout', () => {
    expect(read(undefined, null, true)).toEqual({ ok: false, passed: 0, tiers: [], note: 'timeout' });
  });
});

describe('the copy', () => {
  function tree(): string {
    const dir = mkdtempSync(join(tmpdir(), 'mutants-test-'));
    dirs.push(dir);
    for (const folder of ['src', 'build', 'dist', '.git', 'node_modules/one'])
      mkdirSync(join(dir, folder), { recursive: true });
    writeFileSync(join(dir, 'src', 'a.ts'), 'a');
    return dir;
  }

  test('has the sources, links to the packages, and goes when it is disposed', () => {
    const source = tree();
    const copy = new Workspace(source);
    expect(readdirSync(copy.root).sort()).toEqual(['node_modules', 'src']);
    expect(readdirSync(join(copy.root, 'node_modules'))).toEqual(['one']);
    copy.write('src/a.ts', 'b');
    expect(copy.read('src/a.ts')).toBe('b');
    copy.dispose();
    expect(existsSync(copy.root)).toBe(false);
    expect(readdirSync(join(source, 'src'))).toEqual(['a.ts']);
    expect(existsSync(join(source, 'node_modules', 'one'))).toBe(true);
  });

  test('runs commands, and kills what takes too long', async () => {
    const copy = new Workspace(tree());
    try {
      expect(await copy.run(process.execPath, ['-e', 'console.log(1); process.exit(3)'], 30_000)).toEqual({
        code: 3,
        timedOut: false,
        output: '1\n',
      });
      const slow = await copy.run('sh', ['-c', 'sleep 60 & sleep 60'], 200);
      expect([slow.code, slow.timedOut]).toEqual([null, true]);
      expect((await copy.run('no-such-command', [], 1000)).code).toBe(127);
    } finally {
      copy.dispose();
    }
  });

  test('of a process that is gone is removed by the next', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mutants-test-'));
    dirs.push(folder);
    const child = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => child.once('exit', resolve));
    for (const name of [`node-tensorrt-mutants-${child.pid}-a`, `node-tensorrt-mutants-${process.pid}-b`, 'other'])
      mkdirSync(join(folder, name));
    removeStale(folder);
    expect(readdirSync(folder)).toEqual([`node-tensorrt-mutants-${process.pid}-b`, 'other']);
  });
});
