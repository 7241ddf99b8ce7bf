import { writeFileSync } from 'node:fs';
import { arch, homedir, release, type } from 'node:os';
import { relative } from 'node:path';
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';
import { docsFile, page } from '../../scripts/gpu/page.js';
import {
  codeOf,
  commitOf,
  type Figure,
  merge,
  type Results,
  type Row,
  type Run,
  readResults,
  resultsFile,
  root,
  writeResults,
} from '../../scripts/gpu/results.js';
import { doctor } from '../../src/index.js';

/**
 * Writes the results of the GPU tier to the file NODE_TENSORRT_GPU_REPORT while it runs. For docs/gpu-results.json it merges
 * them at the end instead, and then renders docs/gpu-results.md.
 */
export default class GpuReporter implements Reporter {
  private readonly file = process.env.NODE_TENSORRT_GPU_REPORT!;
  private readonly start = new Date();
  private readonly modules = new Set<TestModule>();
  private run!: Run;
  private id!: string;
  private written = 0;

  async onInit(): Promise<void> {
    const { driver, gpus, node } = await doctor();
    // Processes of one run share its start time: their rows of one suite add up.
    const date = process.env.NODE_TENSORRT_GPU_RUN ?? this.start.toISOString();
    const { commit, dirty } = commitOf();
    this.id = `${date} ${commit.slice(0, 7)}`;
    this.run = {
      date,
      commit,
      dirty,
      command: atHome(process.env.NODE_TENSORRT_GPU_COMMAND ?? 'npm run test:gpu'),
      seconds: 0,
      gpu: gpus.map((gpu) => `${gpu.name} (compute capability ${gpu.computeCapability})`).join(', ') || 'none',
      driver: driver?.version ?? 'none',
      cuda: driver?.cuda ?? 'none',
      os: `${type()} ${release()} ${arch()}`,
      node,
      libraries: {},
      errors: [],
    };
  }

  onTestModuleCollected(module: TestModule): void {
    this.modules.add(module);
  }

  onTestCaseResult(): void {
    if (this.file !== resultsFile && Date.now() - this.written > 1000) this.write();
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    for (const module of modules) this.modules.add(module);
    const broken = [...this.modules].flatMap((module) =>
      [module, ...module.children.allSuites()].flatMap((one) =>
        one.errors().map(({ message }) => `${one.type === 'module' ? one.relativeModuleId : one.fullName}: ${message}`),
      ),
    );
    this.run.errors = [...broken, ...errors.map(({ message }) => message)].map(firstLine);
    this.write();
  }

  private write(): void {
    const results = this.results();
    if (results.rows.length === 0 && this.run.errors.length === 0) return;
    const all = this.file === resultsFile ? merge(readResults(), results) : results;
    writeResults(all, this.file);
    if (this.file === resultsFile) writeFileSync(docsFile, page(all));
    this.written = Date.now();
  }

  private results(): Results {
    const run = { ...this.run, libraries: {}, seconds: Math.round((Date.now() - this.start.getTime()) / 1000) };
    const rows = new Map<string, Row>();
    for (const module of this.modules) {
      for (const test of module.children.allTests()) {
        // Skipped by -t or for lack of a GPU.
        if (test.options.mode !== 'run') continue;
        count(test, rows, run, this.id);
      }
    }
    const list = [...rows.values()].filter(({ passed, failed, skipped }) => passed + failed + skipped > 0);
    return { runs: { [this.id]: run }, rows: list, byHand: [] };
  }
}

/** Adds a test to the row of its suite. A test that never started does not know its library, and takes the suite's. */
function count(test: TestCase, rows: Map<string, Row>, run: Run, id: string): void {
  const { suite, library, readBack, figures } = test.meta();
  if (!suite) throw new Error(`${test.fullName}: its suite says nothing about itself`);
  const file = relative(root, test.module.moduleId);
  const key = JSON.stringify([suite.library, suite.tier, suite.name]);
  let row = rows.get(key);
  if (!row) {
    const files = suite.files ?? [file];
    const counts = { passed: 0, failed: 0, skipped: 0, unfinished: 0, seconds: 0 };
    row = { run: id, library: '', tier: suite.tier, suite: suite.name, file, ...counts, files, code: codeOf(files) };
    rows.set(key, row);
  }
  const { state, errors } = test.result();
  row[state === 'pending' ? 'unfinished' : state]++;
  row.seconds = Math.round(row.seconds * 10 + (test.diagnostic()?.duration ?? 0) / 100) / 10;
  if (library) {
    row.library = library.name;
    run.libraries[library.name] = atHome(library.path);
  }
  if (readBack !== undefined) {
    row.readBack ??= { cases: 0, passed: 0 };
    row.readBack.cases++;
    if (readBack) row.readBack.passed++;
  }
  for (const [name, figure] of Object.entries(figures ?? {})) {
    row.figures ??= {};
    row.figures[name] = larger(row.figures[name], figure);
  }
  if (state === 'failed') {
    row.failures ??= [];
    row.failures.push(`${test.name}: ${firstLine(errors?.[0]?.message ?? '')}`);
  }
}

/** Removes the home directory from paths. */
const atHome = (text: string) => text.replaceAll(homedir(), '~');

const firstLine = (text: string) => text.split('\n')[0]!.slice(0, 300);

const larger = (a: Figure | undefined, b: Figure): Figure => (a && Number(a.value) > Number(b.value) ? a : b);
