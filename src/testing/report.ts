import { TensorRTError } from '../errors/error.js';
import type { DType } from '../values/dtype.js';
import { type ConcreteCase, nameOf } from './cases.js';
import type { Difference } from './compare.js';

/** What one thing that was checked came to. */
export interface PluginCheck {
  /** `decomposition`, `kernel, tactic 0`, `TensorRT`; `NVRTC`, `compute-sanitizer memcheck`. */
  what: string;
  /** What it was compared with: `reference`, or `decomposition` where there is no reference. */
  against?: string | undefined;
  /** Whether it was as expected. */
  passed: boolean;
  /** Outputs that differ. */
  differences: readonly Difference[];
  /** Why it failed, where it is no difference of an output. */
  error?: string | undefined;
}

/** A case in certain dtypes, and what came of it. */
export interface PluginCaseReport {
  /** Its place in `cases`, from 0. */
  case: number;
  /** The name that the case has, if any. */
  name?: string | undefined;
  /** What a generated edge case changed: `n = 0`. */
  edge?: string | undefined;
  /** Dtypes of inputs and outputs. */
  types: Readonly<Record<string, DType>>;
  /** Sizes of the inputs. */
  shapes: Readonly<Record<string, readonly number[]>>;
  /** What was checked. */
  checks: PluginCheck[];
}

/** What was not checked. */
export interface PluginTestSkip {
  /** The check that was left out. */
  what: string;
  /** The reason. */
  why: string;
  /** How many checks that leaves out. */
  count: number;
}

/** What `testPlugin` found. */
export interface PluginTestReport {
  /** Name and version of the plugin. */
  plugin: string;
  /** Of the random inputs. */
  seed: number;
  /** Checks that passed and failed. Those that could not be made are in `skipped` alone. */
  passed: number;
  /** Checks that failed. */
  failed: number;
  /** What was not checked, and why. */
  skipped: PluginTestSkip[];
  /** Every case with its checks. */
  cases: PluginCaseReport[];
  /** What is checked once for all cases: compiling, compute-sanitizer. */
  checks: PluginCheck[];
  /** Every failure in words: the case, the differences, and the call that repeats it. */
  failures: readonly string[];
  /** What compute-sanitizer warns of. */
  notes: readonly string[];
  /** All of it in words, one line each. */
  lines: readonly string[];
}

/** Most failures that a message tells in full. */
const mostFailures = 6;

/** Gathers what a test found. */
export class Findings {
  readonly #plugin: string;
  readonly #seed: number;
  readonly #cases: PluginCaseReport[] = [];
  readonly #checks: PluginCheck[] = [];
  readonly #skipped: PluginTestSkip[] = [];
  readonly #failures: string[] = [];
  readonly #notes: string[] = [];
  readonly #titles = new Map<PluginCaseReport, string>();

  constructor(plugin: string, seed: number) {
    this.#plugin = plugin;
    this.#seed = seed;
  }

  /** A case to which checks are added. */
  begin(one: ConcreteCase, types: PluginCaseReport['types']): PluginCaseReport {
    const { index, name, edge, inputs } = one;
    const shapes = Object.fromEntries(Object.entries(inputs).map(([input, { shape }]) => [input, shape]));
    const report = { case: index, name, edge, types, shapes, checks: [] };
    this.#titles.set(report, titleOf({ one, types }));
    this.#cases.push(report);
    return report;
  }

  /** @param again how to repeat it alone */
  add(one: PluginCaseReport | undefined, check: Omit<PluginCheck, 'passed'>, again?: string): void {
    const { what, against, differences, error } = check;
    const passed = differences.length === 0 && error === undefined;
    (one?.checks ?? this.#checks).push({ what, against, passed, differences, error });
    if (passed) return;
    const title = [one && this.#titles.get(one), against ? `${what} against ${against}` : what]
      .filter(Boolean)
      .join(': ');
    const lines = [
      ...(error?.split('\n') ?? []),
      ...differences.map(({ text }) => text),
      ...(again ? [`again: ${again}`] : []),
    ];
    const why = lines.map((line) => `\n  ${line}`).join('');
    // A kernel does not compile for any GPU, as a rule.
    const same = one ? -1 : this.#failures.findIndex((text) => text.endsWith(why));
    if (same >= 0) this.#failures[same] = `${title}\n${this.#failures[same]}`;
    else this.#failures.push(title + why);
  }

  /** What is neither a pass nor a failure. */
  note(text: string): void {
    this.#notes.push(text);
  }

  skip(what: string, why: string, count = 1): void {
    const same = this.#skipped.find((other) => other.what === what && other.why === why);
    if (same) same.count += count;
    else this.#skipped.push({ what, why, count });
  }

  report(): PluginTestReport {
    const all = [...this.#cases.flatMap(({ checks }) => checks), ...this.#checks];
    const passed = all.filter((check) => check.passed).length;
    const report = {
      plugin: this.#plugin,
      seed: this.#seed,
      passed,
      failed: all.length - passed,
      skipped: this.#skipped,
      cases: this.#cases,
      checks: this.#checks,
      failures: this.#failures,
      notes: this.#notes,
    };
    return { ...report, lines: linesOf(report) };
  }
}

/** A report in words, one line each, with at most so many failures. */
function linesOf(report: Omit<PluginTestReport, 'lines'>, most = report.failures.length): string[] {
  const { plugin, seed, passed, failed, skipped, failures, notes } = report;
  const left = skipped.reduce((sum, { count }) => sum + count, 0);
  const head = `plugin '${plugin}': ${passed} of ${passed + failed} checks passed, ${failed} failed, ${left} skipped (seed ${seed})`;
  const skips = skipped.map(({ what, why, count }) => `skipped ${count} × ${what}: ${why}`);
  const more = failures.length - most;
  return [
    head,
    ...failures.slice(0, most),
    ...(more > 0 ? [`and ${more} failures more`] : []),
    ...notes,
    ...skips,
  ].flatMap((text) => text.split('\n'));
}

/** `case 0 with n = 0, x float16[0, 37]`. */
export function titleOf({ one, types }: { one: ConcreteCase; types: PluginCaseReport['types'] }): string {
  const tensors = Object.entries(one.inputs).map(([name, { shape }]) => `${name} ${types[name]}[${shape.join(', ')}]`);
  return `${nameOf(one)}, ${tensors.join(', ')}`;
}

/** The error of a test that failed; `actual` is the report. */
export function failureOf(report: PluginTestReport): TensorRTError {
  return new TensorRTError('ERR_PLUGIN_TEST', linesOf(report, mostFailures).join('\n    '), {
    method: 'testPlugin',
    actual: report,
  });
}
