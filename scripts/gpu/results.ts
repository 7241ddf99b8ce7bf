// Results of runs on a GPU: docs/gpu-results.json, the parts that single runs write, and how they merge.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const resultsFile = join(root, 'docs', 'gpu-results.json');

/** `run`: built, run and compared. `networks`: the network is created and compared, but not built. */
export type Tier = 'run' | 'networks';

/** A number that a test measured; `allowed` is the largest that passes. */
export interface Figure {
  value: number | string | boolean;
  allowed?: number;
}

/** One command on one machine. */
export interface Run {
  /** When it started, in ISO 8601. */
  date: string;
  commit: string;
  /** Whether the code differed from that commit. */
  dirty: boolean;
  command: string;
  seconds: number;
  gpu: string;
  /** NVIDIA's driver, and the CUDA version it supports. */
  driver: string;
  cuda: string;
  os: string;
  node: string;
  /** Paths of the libraries used, by name. */
  libraries: Record<string, string>;
  /** Failures outside any test: a file that does not load, a process that ended. */
  errors: string[];
}

/** A suite run with one library. Tests that were filtered out do not count. */
export interface Row {
  /** Key of its run. */
  run: string;
  /** e.g. `TensorRT 10.6.0`. */
  library: string;
  tier: Tier;
  /** A layer kind, `modules/NAME`, or the suite's own name. */
  suite: string;
  file: string;
  passed: number;
  failed: number;
  skipped: number;
  /** Tests that the run had not reached when it was stopped. */
  unfinished: number;
  seconds: number;
  /** Number of networks read back from TensorRT, and of those that matched what was recorded. */
  readBack?: { cases: number; passed: number };
  figures?: Record<string, Figure>;
  /** Every failed test with the first line of its error. */
  failures?: string[];
  /** Files that the row covers, besides src and native. */
  files: string[];
  /** Hash of all of them, at the time of the run. */
  code: string;
}

/** A result recorded by hand, before runs wrote their own. Rows with the same library, tier, file and (if given) suite replace it. */
export interface ByHand {
  date: string;
  commit: string;
  library: string;
  tier: Tier;
  file: string;
  suite?: string;
  command: string;
  result: string;
}

export interface Results {
  runs: Record<string, Run>;
  rows: Row[];
  byHand: ByHand[];
}

export const noResults = (): Results => ({ runs: {}, rows: [], byHand: [] });

export function readResults(file = resultsFile): Results {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : noResults();
}

/** Replaces the file in one step: a run that is stopped leaves the last complete one. */
export function writeResults(results: Results, file = resultsFile): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.part`, `${JSON.stringify(results, null, 1)}\n`);
  renameSync(`${file}.part`, file);
}

const keyOf = ({ library, tier, file, suite }: Row) => JSON.stringify([library, tier, file, suite]);

/** Two parts of one suite, from two processes of one run. */
function sum(a: Row, b: Row): Row {
  const counts = (['passed', 'failed', 'skipped', 'unfinished', 'seconds'] as const).map(
    (key) => [key, a[key] + b[key]] as const,
  );
  const readBack = (a.readBack || b.readBack) && {
    cases: (a.readBack?.cases ?? 0) + (b.readBack?.cases ?? 0),
    passed: (a.readBack?.passed ?? 0) + (b.readBack?.passed ?? 0),
  };
  const failures = [...(a.failures ?? []), ...(b.failures ?? [])];
  return {
    ...a,
    ...Object.fromEntries(counts),
    ...(readBack && { readBack }),
    ...((a.figures || b.figures) && { figures: { ...a.figures, ...b.figures } }),
    ...(failures.length > 0 && { failures }),
  };
}

/** Keeps the newest row of every suite and library; parts of one run add up. Drops runs without a row, and results recorded by hand that a run replaces. */
export function merge(...all: Results[]): Results {
  const runs: Record<string, Run> = {};
  const rows = new Map<string, Row>();
  for (const one of all) {
    for (const [id, run] of Object.entries(one.runs)) runs[id] = joined(runs[id], run);
  }
  for (const row of all.flatMap((one) => one.rows)) {
    const other = rows.get(keyOf(row));
    if (other?.run === row.run) rows.set(keyOf(row), sum(other, row));
    else if (!other || runs[other.run]!.date <= runs[row.run]!.date) rows.set(keyOf(row), row);
  }
  const kept = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  const last = Object.values(runs).reduce((most, { date }) => (date > most ? date : most), '');
  const used = new Set(kept.map(({ run }) => run));
  const hasRun = (old: ByHand) =>
    kept.some(
      (row) =>
        `${row.library}.`.startsWith(`${old.library}.`) &&
        row.tier === old.tier &&
        row.file === old.file &&
        (old.suite === undefined || row.suite === old.suite),
    );
  return {
    // The last run is kept if something failed before any test, because it reports that.
    runs: Object.fromEntries(
      Object.entries(runs)
        .filter(([id, { date, errors }]) => used.has(id) || (errors.length > 0 && date === last))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    rows: kept,
    byHand: all.flatMap((one) => one.byHand).filter((old) => !hasRun(old)),
  };
}

function joined(a: Run | undefined, b: Run): Run {
  if (!a) return b;
  return {
    ...a,
    seconds: Math.max(a.seconds, b.seconds),
    dirty: a.dirty || b.dirty,
    libraries: { ...a.libraries, ...b.libraries },
    errors: [...new Set([...a.errors, ...b.errors])],
  };
}

function* filesBelow(path: string): Generator<string> {
  if (!existsSync(path)) return;
  if (statSync(path).isFile()) yield path;
  else {
    const names = readdirSync(path).filter((name) => !/^(\.|__pycache__$)/.test(name));
    for (const name of names.sort()) yield* filesBelow(join(path, name));
  }
}

const hashes = new Map<string, string>();

/** Hash of files and folders, including their names. It covers contents only, so it needs no history and survives a rebase. */
function hashOf(path: string): string {
  let hash = hashes.get(path);
  if (!hash) {
    const all = createHash('sha256');
    for (const file of filesBelow(join(root, path))) {
      all.update(`${file.slice(root.length)}\0`).update(createHash('sha256').update(readFileSync(file)).digest());
    }
    hash = all.digest('hex');
    hashes.set(path, hash);
  }
  return hash;
}

/** Hash of the code that a row covers, as it is now. */
export function codeOf(files: readonly string[]): string {
  const all = createHash('sha256');
  for (const path of ['src', 'native', ...files]) all.update(hashOf(path));
  return all.digest('hex').slice(0, 16);
}

/** Whether the code has changed since the row was written. */
export const isStale = (row: Row): boolean => row.code !== codeOf(row.files);

/** What `npm run gpu:pack` packs with the addon, for a tree without a history. */
export interface PackedCommit {
  commit: string;
  dirty: boolean;
  /** `codeOf([])` of the tree that was packed. */
  code: string;
}

export const packedCommitFile = join(root, 'build', 'commit.json');

/** The commit that is checked out; undefined if there is no history. */
export function checkedOutCommit(): { commit: string; dirty: boolean } | undefined {
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    // Ignore the history of an enclosing folder.
    if (resolve(git('rev-parse', '--show-toplevel')) !== resolve(root)) return undefined;
    return {
      commit: git('rev-parse', 'HEAD'),
      dirty: git('status', '--porcelain', '--', '.', ':!docs/gpu-results.*') !== '',
    };
  } catch {
    return undefined;
  }
}

/** What ran: the commit that came packed with the addon (a copied tree may have another history), else the one checked out. */
export function commitOf(file = packedCommitFile): { commit: string; dirty: boolean } {
  if (existsSync(file)) {
    const packed = JSON.parse(readFileSync(file, 'utf8')) as PackedCommit;
    return { commit: packed.commit, dirty: packed.dirty || packed.code !== codeOf([]) };
  }
  return checkedOutCommit() ?? { commit: 'unknown', dirty: true };
}
