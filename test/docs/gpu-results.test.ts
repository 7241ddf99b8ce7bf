import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { docsFile, page } from '../../scripts/gpu/page.js';
import {
  checkedOutCommit,
  codeOf,
  commitOf,
  isStale,
  merge,
  noResults,
  type Results,
  type Row,
  type Run,
  readResults,
  root,
} from '../../scripts/gpu/results.js';
import { findTensorRT } from '../../src/index.js';
import { temporaryFolder } from '../setup/fake-library.js';

test('docs/gpu-results.md is what `npm run docs:gpu` renders', () => {
  expect(readFileSync(docsFile, 'utf8')).toBe(page(readResults()));
});

const run = (date: string, more: Partial<Run> = {}): Run => ({
  date,
  commit: '0123456789abcdef',
  dirty: false,
  command: 'npm run test:gpu',
  seconds: 1,
  gpu: 'NVIDIA T4',
  driver: '1.2',
  cuda: '13.0',
  os: 'Linux',
  node: '20.0.0',
  libraries: { 'TensorRT 10.6.0': '/a' },
  errors: [],
  ...more,
});
const row = (from: string, more: Partial<Row> = {}): Row => ({
  run: from,
  library: 'TensorRT 10.6.0',
  tier: 'run',
  suite: 'activation',
  file: 'test/gpu/layers.test.ts',
  passed: 3,
  failed: 0,
  skipped: 0,
  unfinished: 0,
  seconds: 2,
  files: ['test/layers/activation.cases.ts'],
  code: 'of then',
  ...more,
});
const results = (id: string, rows: Row[], more: Partial<Run> = {}): Results => ({
  runs: { [id]: run(id, more) },
  rows,
  byHand: [],
});

describe('merging', () => {
  const old = results('2026-01-01', [row('2026-01-01'), row('2026-01-01', { suite: 'loop' })]);

  test.each(['first', 'last'])('the newer row of a suite stays, the old one being the %s', (order) => {
    const fresh = results('2026-01-02', [row('2026-01-02', { passed: 2, failed: 1 })]);
    const { rows, runs } = order === 'first' ? merge(old, fresh) : merge(fresh, old);
    expect(rows.map(({ suite, run, passed }) => [suite, run, passed])).toEqual([
      ['activation', '2026-01-02', 2],
      ['loop', '2026-01-01', 3],
    ]);
    expect(Object.keys(runs)).toEqual(['2026-01-01', '2026-01-02']);
  });

  test('a run all of whose rows were replaced goes, and one that broke stays until the next', () => {
    const fresh = results(
      '2026-01-02',
      old.rows.map((one) => ({ ...one, run: '2026-01-02' })),
    );
    expect(Object.keys(merge(old, fresh).runs)).toEqual(['2026-01-02']);
    const broken = results('2026-01-03', [], { errors: ['a file does not load'] });
    expect(Object.keys(merge(old, fresh, broken).runs)).toEqual(['2026-01-02', '2026-01-03']);
    expect(Object.keys(merge(old, broken, results('2026-01-04', [row('2026-01-04')])).runs)).toEqual([
      '2026-01-01',
      '2026-01-04',
    ]);
  });

  test('other libraries and tiers are rows of their own', () => {
    const others = [{ library: 'TensorRT 11.2.1' }, { tier: 'networks' as const }];
    expect(
      merge(
        old,
        results(
          '2026-01-02',
          others.map((one) => row('2026-01-02', one)),
        ),
      ).rows,
    ).toHaveLength(4);
  });

  test('parts of a suite from processes of one run add up', () => {
    const part = (figure: string, readBack: Row['readBack'], failures?: string[]) =>
      results('r', [
        row('r', { figures: { [figure]: { value: 1 } }, readBack, ...(failures && { failed: 1, failures }) }),
      ]);
    const [sum] = merge(part('a', { cases: 3, passed: 3 }), part('b', { cases: 4, passed: 2 }, ['x: y'])).rows;
    expect(sum).toMatchObject({
      passed: 6,
      failed: 1,
      seconds: 4,
      readBack: { cases: 7, passed: 5 },
      figures: { a: { value: 1 }, b: { value: 1 } },
      failures: ['x: y'],
    });
  });

  test('what was recorded by hand goes once its suite has run with that release', () => {
    const hand = { date: '2025', commit: 'a', tier: 'run', command: '', result: '' } as const;
    const byHand = [
      { ...hand, library: 'TensorRT 10.6', file: 'test/gpu/layers.test.ts' },
      { ...hand, library: 'TensorRT 10.15', file: 'test/gpu/layers.test.ts' },
      { ...hand, library: 'TensorRT 10.6.0', file: 'test/gpu/layers.test.ts', suite: 'another' },
      { ...hand, library: 'TensorRT 10.6.0', file: 'test/gpu/models.test.ts' },
    ];
    expect(merge({ ...noResults(), byHand }, old).byHand).toEqual(byHand.slice(1));
  });
});

describe('the code that a row speaks of', () => {
  test('is src, native and its own files', () => {
    const own = codeOf(['test/layers/activation.cases.ts']);
    expect(own).not.toBe(codeOf([]));
    expect(own).not.toBe(codeOf(['test/layers/loop.cases.ts']));
    expect(isStale(row('r', { code: own }))).toBe(false);
    expect(isStale(row('r'))).toBe(true);
  });
});

describe('the page', () => {
  const all = merge(
    results('2026-01-01', [
      row('2026-01-01'),
      row('2026-01-01', { suite: 'loop', failed: 1, unfinished: 2, failures: ['one|case: 1 ≠ 2'] }),
    ]),
    results(
      '2026-01-02',
      [
        row('2026-01-02', { tier: 'networks', library: 'TensorRT 11.2.1', readBack: { cases: 3, passed: 2 } }),
        row('2026-01-02', { suite: 'models', file: 'm.test.ts', figures: { bert: { value: 1.2e-5, allowed: 1e-3 } } }),
      ],
      { dirty: true },
    ),
  );
  const text = page(all, ({ run }) => run === '2026-01-01');

  test('marks what is older than its code', () => {
    expect(text).toContain('| activation | 3 passed A † | 3 passed B |');
    expect(text).toContain('- TensorRT 10.6.0, built and run: 9 passed, 1 failed, 2 not reached; 2 of 3 suites †\n');
    expect(
      page(all, () => false)
        .split('\n')
        .filter((line) => line.startsWith('|') && line.includes('†')),
    ).toEqual([]);
  });

  test('says what failed, what was not reached and what was read back', () => {
    expect(text).toContain('| loop | 3 passed, 1 failed, 2 not reached A † |');
    expect(text).toContain('- loop, TensorRT 10.6.0, A †: one|case: 1 ≠ 2\n');
    expect(text).toContain('- TensorRT 11.2.1, network made: 3 passed; read back: 3 cases, 2 passed\n');
  });

  test('says where each run came from, and the figures beside what is allowed', () => {
    expect(text).toContain('| B | 2026-01-02 | 0123456, changed | NVIDIA T4 | 1.2, CUDA 13.0 |');
    expect(text).toContain('| models | bert | 1.2e-5 | 1.0e-3 | TensorRT 10.6.0 | B |');
  });
});

const folder = temporaryFolder();
const atHome = (text: string) => text.replaceAll(homedir(), '~');

test('npm run test:gpu -- --report=FILE leaves what ran, with its commit and library, and passes the rest on', async () => {
  const report = join(folder, 'report.json');
  const args = [
    'scripts/test-gpu.mjs',
    `--report=${report}`,
    'test/gpu/layers.test.ts',
    '-t',
    'networks of other releases',
  ];
  const library = (await findTensorRT()).find(({ flavor }) => flavor === 'rtx1')!.path;
  const env = {
    ...process.env,
    NODE_TENSORRT_SKIP_SETUP: '1',
    NODE_TENSORRT_KINDS: 'softmax',
    NODE_TENSORRT_CHECK_LIBRARIES: library,
  };
  execFileSync(process.execPath, args, { cwd: root, env, stdio: 'pipe' });
  const { runs, rows } = readResults(report);
  const [[id, made]] = Object.entries(runs) as [[string, Run]];
  expect(made.commit).toMatch(/^([0-9a-f]{40}|unknown)$/);
  expect(made.libraries).toEqual({ [rows[0]!.library]: atHome(library) });
  expect(made.command).toBe(atHome(`npm run test:gpu -- ${args.slice(1).join(' ')}`));
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({ run: id, tier: 'networks', suite: 'softmax', failed: 0, unfinished: 0 });
  expect(rows[0]!.passed).toBeGreaterThan(5);
  expect(isStale(rows[0]!)).toBe(false);
}, 120_000);

describe('the commit of a run', () => {
  const packed = (name: string, content: object) => {
    const file = join(temporaryFolder(), name);
    writeFileSync(file, JSON.stringify(content));
    return file;
  };

  test('is the packed one, whatever history the tree was copied with', () => {
    const file = packed('same.json', { commit: 'abc', dirty: false, code: codeOf([]) });
    expect(commitOf(file)).toEqual({ commit: 'abc', dirty: false });
  });

  test('counts as changed if other code runs than was packed', () => {
    const file = packed('other.json', { commit: 'abc', dirty: false, code: 'of then' });
    expect(commitOf(file)).toEqual({ commit: 'abc', dirty: true });
  });

  test('is the one checked out if nothing came packed', () => {
    const missing = join(temporaryFolder(), 'none.json');
    expect(commitOf(missing)).toEqual(checkedOutCommit() ?? { commit: 'unknown', dirty: true });
  });
});
