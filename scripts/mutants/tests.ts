import { basename, dirname, join } from 'node:path';
import type { Mutant } from './catalogue.js';
import { layerRows, type Target, testFiles } from './sources.js';

/** One run of vitest: files, and which of their tests. */
export interface Step {
  files: string[];
  /** Regular expression for full names; all tests if absent. */
  pattern?: string;
}

export const stepKey = ({ files, pattern }: Step): string => `${files.join(' ')}${pattern ? ` -t ${pattern}` : ''}`;

/**
 * A kind at the start of the name of a plan's case, or after `fallback_`: `reduce_scalar` belongs to `reduce`, but
 * `ragged_softmax` not to `softmax`.
 */
const caseOf = (kind: string): string => `(?<![\\w])(fallback_)?${kind}(?![a-z])`;

/** Kinds whose tests exercise a shared file of the lowering. */
const users: Readonly<Record<string, readonly string[]>> = {
  'lower.cc': ['activation', 'convolution', 'topk', 'loop', 'if_conditional', 'normalization'],
  'reshape.h': ['squeeze', 'unsqueeze'],
  'pad.h': ['pooling', 'padding'],
};

/** Cases of plans that exercise a shared file, but have no kind. */
const otherCases: Readonly<Record<string, readonly string[]>> = { 'lower.cc': ['outputs'] };

/** What exercises the build's files: existing tests next to build.test.ts, and cases of plans. */
const build: Readonly<Record<string, { files: readonly string[]; plans: string }>> = {
  'options.cc': { files: ['build.test.ts', 'options.test.ts'], plans: 'option' },
  'profiles.cc': { files: ['profiles.test.ts', 'options.test.ts'], plans: 'profile|dynamic' },
};

/** Chooses the tests that should notice a mutant; its run ends with the first step that does. */
export class TestTable {
  readonly #tests: string[];
  readonly #plans: string[];
  readonly #replaced: ReadonlySet<string>;
  readonly #kinds: readonly string[];

  constructor(root: string) {
    this.#tests = testFiles(root, 'test').filter((path) => !/^test\/(gpu|modules|plans)\//.test(path));
    this.#plans = testFiles(root, 'test/plans');
    const rows = layerRows(root);
    this.#kinds = rows.map(({ kind }) => kind);
    // Kinds that check for one method of their layer also have compositions for it.
    this.#replaced = new Set([
      ...rows.filter(({ replaced }) => replaced).map(({ kind }) => kind),
      'topk',
      'nms',
      'non_zero',
    ]);
  }

  #file(name: string, folder = 'test'): string {
    const found = this.#tests.filter((path) => path.startsWith(`${folder}/`) && basename(path) === name);
    if (found.length === 1) return found[0]!;
    throw new Error(`${folder}/**/${name}: expected one test file, found ${found.length ? found.join(', ') : 'none'}`);
  }

  #kind(kind: string): string {
    return this.#file(`${kind}.test.ts`, 'test/layers');
  }

  #planSteps(pattern?: string): Step[] {
    return this.#plans.length ? [{ files: this.#plans, ...(pattern && { pattern }) }] : [];
  }

  #fallbacks(kinds: readonly string[]): Step[] {
    const replaced = kinds.filter((kind) => this.#replaced.has(kind));
    if (replaced.length === 0) return [];
    return [{ files: [this.#file('fallback.test.ts')], pattern: `^(${replaced.join('|')}) without` }];
  }

  #native({ name, role }: Target): Step[] {
    const own = build[name];
    if (own) {
      const folder = dirname(this.#file('build.test.ts', 'test/tensorrt/compile'));
      const files = own.files.map((file) => join(folder, file)).filter((path) => this.#tests.includes(path));
      return [{ files }, ...this.#planSteps(own.plans)];
    }
    const kinds = role === 'kind' ? [name] : (users[name] ?? this.#kinds);
    const narrow = name === 'reshape.h' || name === 'if_conditional' ? [this.#file('narrow.test.ts')] : [];
    return [
      { files: [...kinds.map((kind) => this.#kind(kind)), ...narrow] },
      ...this.#planSteps([...kinds, ...(otherCases[name] ?? [])].map(caseOf).join('|')),
      ...this.#fallbacks(kinds),
    ];
  }

  #cpu({ name, role, path, users: importers = [] }: Target): Step[] {
    if (role === 'kind') return [{ files: [this.#kind(name)] }];
    const backend = this.#tests.filter((file) => file.startsWith('test/cpu/'));
    if (path.startsWith('src/cpu/')) return [{ files: [...backend, this.#kind('cast'), this.#kind('loop')] }];
    return [{ files: importers.map((kind) => this.#kind(kind)) }];
  }

  /** The steps of a mutant, most likely to notice it first. */
  stepsFor({ target }: Pick<Mutant, 'target'>): Step[] {
    return target.side === 'native' ? this.#native(target) : this.#cpu(target);
  }
}
