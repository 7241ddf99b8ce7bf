import type { Mutant } from './catalogue.js';
import { type Step, stepKey, type TestTable } from './tests.js';
import { readReport, runStep, type StepResult, type VitestReport } from './vitest.js';
import type { Workspace } from './workspace.js';

export interface MutantResult {
  id: string;
  state: 'killed' | 'survived' | 'uncompilable';
  /** The tests that noticed. */
  tiers: string[];
  note?: string;
  failure?: string;
  seconds: number;
}

/** Time limit of each step in milliseconds, by `stepKey`; steps without tests are absent. */
export type Limits = ReadonlyMap<string, number>;

const shortest = 90_000;

/** Runs the tests of the unbroken tree: all must pass, and every step must have some. Steps of plans may have none. */
export async function baseline(
  workspace: Workspace,
  steps: readonly Step[],
  warn: (text: string) => void,
): Promise<Limits> {
  const files = [...new Set(steps.flatMap((step) => step.files))].sort();
  const out = 'build/baseline.json';
  const { code, timedOut, output } = await workspace.run(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--config',
      'vitest.all.config.ts',
      ...files,
      '--reporter=json',
      `--outputFile=${out}`,
    ],
    30 * 60_000,
  );
  let report: VitestReport;
  try {
    report = JSON.parse(workspace.read(out));
  } catch {
    throw new Error(`the tests did not run:\n${output}`);
  }
  const all = readReport(report, code, timedOut, workspace.root);
  if (!all.ok) throw new Error(`the unbroken tree does not pass its tests: ${all.failure ?? output}`);

  const limits = new Map<string, number>();
  for (const step of steps) {
    const pattern = new RegExp(step.pattern ?? '');
    const results = report.testResults.filter(({ name }) => step.files.some((file) => name.endsWith(`/${file}`)));
    const count = results
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ status, fullName }) => status === 'passed' && pattern.test(fullName)).length;
    const took = results.reduce((sum, { startTime, endTime }) => sum + endTime - startTime, 0);
    if (count > 0) limits.set(stepKey(step), Math.max(shortest, 10 * took));
    else if (step.pattern) warn(`no test: ${stepKey(step)}`);
    else throw new Error(`no test ran: ${stepKey(step)}`);
  }
  return limits;
}

/** Tries mutants in one copy of the tree, one after another. */
export class Runner {
  readonly #workspace: Workspace;
  readonly #table: TestTable;
  readonly #limits: Limits;
  /** The file that is broken now. */
  #broken: { path: string; text: string } | undefined;
  #mustCompile = false;

  constructor(workspace: Workspace, table: TestTable, limits: Limits) {
    this.#workspace = workspace;
    this.#table = table;
    this.#limits = limits;
  }

  #write(path: string, text: string): void {
    this.#workspace.write(path, text);
    if (!path.endsWith('.ts')) this.#mustCompile = true;
  }

  #restore(): void {
    if (this.#broken) this.#write(this.#broken.path, this.#broken.text);
    this.#broken = undefined;
  }

  async #compile(): Promise<{ ok: boolean; output: string }> {
    if (!this.#mustCompile) return { ok: true, output: '' };
    const { code, output } = await this.#workspace.compile();
    this.#mustCompile = code !== 0;
    return { ok: code === 0, output };
  }

  async run(mutant: Mutant): Promise<MutantResult> {
    const started = performance.now();
    const { path, text } = mutant.target;
    if (this.#broken?.path !== path) this.#restore();
    this.#broken = { path, text };
    this.#write(path, mutant.text);
    const end = (state: MutantResult['state'], result: Partial<StepResult> = {}): MutantResult => ({
      id: mutant.id,
      state,
      tiers: result.tiers ?? [],
      ...(result.note && { note: result.note }),
      ...(result.failure && { failure: result.failure }),
      seconds: Math.round((performance.now() - started) / 100) / 10,
    });
    const compiled = await this.#compile();
    if (!compiled.ok)
      return end('uncompilable', { failure: /error: .*/.exec(compiled.output)?.[0] ?? compiled.output });
    for (const step of this.#table.stepsFor(mutant)) {
      const limit = this.#limits.get(stepKey(step));
      if (limit === undefined) continue;
      const result = await runStep(this.#workspace, step, limit);
      if (!result.ok) return end('killed', result);
    }
    return end('survived');
  }

  /** Checks that the restored tree still passes: otherwise something other than the mutants failed. */
  async finish(mutant: Mutant): Promise<void> {
    this.#restore();
    const { ok, output } = await this.#compile();
    if (!ok) throw new Error(`the unbroken tree does not compile after the run:\n${output}`);
    const [step] = this.#table.stepsFor(mutant).filter((one) => this.#limits.has(stepKey(one)));
    const result = await runStep(this.#workspace, step!, this.#limits.get(stepKey(step!))!);
    if (!result.ok)
      throw new Error(`the unbroken tree fails its tests after the run: ${result.failure ?? result.note}`);
  }
}
