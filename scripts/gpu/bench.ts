// Figures of bench/gpu: docs/gpu-bench.json, how reports of runs merge, and how the page shows them.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, root } from './results.js';

export const benchFile = join(root, 'docs', 'gpu-bench.json');
/** What a figure speaks of, besides src and native. */
export const benchFiles = ['bench/gpu'];

/** A table that one step of bench/gpu/run.sh wrote. */
export interface BenchSection {
  title: string;
  /** How it was measured. */
  note: string;
  head: readonly string[];
  rows: (readonly string[])[];
  /** When the step began, in ISO 8601. */
  date: string;
  commit: string;
  /** Whether the code differed from that commit. */
  dirty: boolean;
  gpu: string;
  system: string;
  library: string;
  /** Hash of the code, at the time of the run. */
  code: string;
}

/** By step. */
export type Bench = Record<string, BenchSection>;

/** Steps in the order of the page. */
const order = [
  'latency',
  'throughput',
  'overlap',
  'gpt2',
  'gpt2-torch',
  'hold-many',
  'hold-few',
  'cache',
  'refit',
  'soak-runs',
  'soak-graphs',
  'plugins',
];

export const readBench = (file = benchFile): Bench =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Bench) : {};

/** Replaces the file in one step. */
export function writeBench(bench: Bench, file = benchFile): void {
  writeFileSync(`${file}.part`, `${JSON.stringify(bench, null, 1)}\n`);
  renameSync(`${file}.part`, file);
}

/** The newest of every step. */
export function mergeBench(...all: Bench[]): Bench {
  const merged: Bench = {};
  for (const [id, section] of all.flatMap((one) => Object.entries(one))) {
    if (!merged[id] || merged[id].date <= section.date) merged[id] = section;
  }
  return merged;
}

const place = (id: string) => (order.includes(id) ? order.indexOf(id) : order.length);

/** Sections of the third level; nothing if there are none. */
export function benchText(
  bench: Bench,
  table: (head: readonly string[], rows: readonly (readonly string[])[]) => string,
): string {
  const sections = Object.entries(bench).sort(([a], [b]) => place(a) - place(b));
  return sections
    .map(([, one]) => {
      const { title, note, head, rows, date, commit, dirty, gpu, library, system, code } = one;
      const mark = code === codeOf(benchFiles) ? '' : ' †';
      const when = `${date.slice(0, 16).replace('T', ' ')}, ${commit.slice(0, 7)}${dirty ? ', changed' : ''}`;
      return `### ${title}${mark}\n\n${note}\n${when}; ${gpu}, ${library}, ${system}.\n\n${table(head, rows)}`;
    })
    .join('\n');
}
