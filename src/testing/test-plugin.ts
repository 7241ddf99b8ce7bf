import { readArguments } from '../errors/boundary.js';
import type { Attributes } from '../plugin/attributes.js';
import type { AnyPlugin, Plugin } from '../plugin/define.js';
import { definitionOfPlugin } from '../plugin/define.js';
import type { Definition } from '../plugin/definition.js';
import type { GivenAttributes } from '../plugin/types.js';
import type { DType } from '../values/dtype.js';
import { againText } from './again.js';
import { atSizes, type ConcreteCase, checkCase, nameOf, refuseCase } from './cases.js';
import { compare, type Difference, defaultTolerances } from './compare.js';
import { edgesOf } from './edges.js';
import { findPluginLibrary, runInEngines } from './engine.js';
import { KernelRunner } from './kernel.js';
import { codeOf, messageOf, type Outputs } from './network.js';
import { type PluginTestOptions, type ResolvedOptions, resolveOptions } from './options.js';
import { runDecomposition, runReference, whyNoCpu } from './oracles.js';
import { Findings, failureOf, type PluginCaseReport, type PluginTestReport } from './report.js';
import { blocksOf, refusesSizes, type Subject, subjectOf } from './subject.js';

/** A subject, its entry in the report, and what its outputs should be. */
interface Tested {
  subject: Subject;
  entry: PluginCaseReport;
  wanted?: { outputs: Outputs; from: string } | undefined;
}

/**
 * Tests a plugin: its kernel, its reference and its decomposition compute the same, in every row of `types` and for every case and
 * its edges. The kernels run alone and in an engine where there is a GPU, and under compute-sanitizer where it is found. What cannot
 * be checked on this machine is counted in `skipped`, with the reason, and printed.
 * @returns what was checked
 * @throws ERR_PLUGIN_TEST if something differs, does not compile or reaches outside its memory; `actual` of the error is the report.
 *   ERR_PARAMETER for options that do not fit the plugin
 */
export async function testPlugin<I extends string, S extends string, A extends Attributes, O extends string>(
  plugin: Plugin<I, S, A, O>,
  options: PluginTestOptions<I, S, GivenAttributes<A>>,
): Promise<PluginTestReport> {
  const definition = definitionOfPlugin(plugin);
  const resolved = readArguments(
    'testPlugin',
    [options],
    () => {
      const checked = resolveOptions(options as never, defaultTolerances);
      checked.cases.forEach(checkCase);
      return checked;
    },
    'ERR_PARAMETER',
  );
  const report = await new PluginTest(plugin as AnyPlugin, definition, resolved).run();
  if (report.failed > 0) throw failureOf(report);
  for (const line of report.lines) resolved.print(line);
  return report;
}

class PluginTest {
  readonly #plugin: AnyPlugin;
  readonly #definition: Definition;
  readonly #options: ResolvedOptions;
  readonly #findings: Findings;
  /** Why nothing runs on the GPU any more. */
  #lost: string | undefined;

  constructor(plugin: AnyPlugin, definition: Definition, options: ResolvedOptions) {
    this.#plugin = plugin;
    this.#definition = definition;
    this.#options = options;
    this.#findings = new Findings(definition.name, options.seed);
  }

  async run(): Promise<PluginTestReport> {
    const tested = this.#rows().flatMap((row) => this.#subjects(row));
    const { reference, decompose } = this.#definition;
    if (!reference && !decompose)
      this.#findings.skip('comparison', 'the plugin has neither reference nor decompose', tested.length);
    await this.#oracles(tested);
    await this.#kernels(tested);
    await this.#engines(tested);
    return this.#findings.report();
  }

  #rows(): ReadonlyMap<string, DType>[] {
    const { types: rows } = this.#definition;
    const { types } = this.#options;
    const chosen = types ? rows.filter((row) => types.some((one) => has(row, one))) : [...rows];
    if (chosen.length === 0) refuseCase(`no row of the plugin's types has these dtypes`, types);
    return chosen;
  }

  /** The cases in one row of dtypes, with their edges. */
  #subjects(row: ReadonlyMap<string, DType>): Tested[] {
    return this.#options.cases.flatMap((one, index) => {
      const base = this.#subject(atSizes(one, index), row);
      if (!base) return [];
      const all = [base];
      if (!this.#options.edges) return all;
      for (const edge of edgesOf(one, index, blocksOf(base.subject))) {
        const made = 'made' in edge ? this.#subject(edge.made, row) : undefined;
        if ('why' in edge) this.#findings.skip(`${nameOf({ ...base.subject.one, edge: edge.what })}`, edge.why);
        if (made) all.push(made);
      }
      return all;
    });
  }

  #subject(one: ConcreteCase, row: ReadonlyMap<string, DType>): Tested | undefined {
    const types = Object.fromEntries(row);
    try {
      const subject = subjectOf(this.#plugin, one, row, this.#options.seed);
      return { subject, entry: this.#findings.begin(one, types) };
    } catch (error) {
      const refused = refusesSizes(error);
      if (!refused && codeOf(error) !== 'ERR_PLUGIN') throw error;
      if (refused && one.edge !== undefined) {
        this.#findings.skip(nameOf(one), `the rules refuse it: ${firstLine(messageOf(error))}`);
        return undefined;
      }
      const entry = this.#findings.begin(one, types);
      this.#findings.add(entry, { what: 'rules', differences: [], error: messageOf(error) });
      return undefined;
    }
  }

  /** What the outputs should be: by the reference, else by the decomposition. Where there are both, they are compared. */
  async #oracles(tested: Tested[]): Promise<void> {
    const { reference, decompose } = this.#definition;
    const decomposes = this.#options.backends.includes('decomposition');
    const whyNot = await whyNoCpu();
    if (!reference) this.#findings.skip('reference', 'the definition has none', tested.length);
    if (!decompose && decomposes) this.#findings.skip('decomposition', 'the definition has none', tested.length);
    for (const one of tested) {
      const wanted = reference && (await this.#attempt(one, 'reference', () => runReference(one.subject)));
      if (reference && !wanted) continue;
      one.wanted = wanted && { outputs: wanted, from: 'reference' };
      if (!decompose || (wanted && !decomposes)) continue;
      if (whyNot !== undefined) {
        this.#findings.skip('decomposition', whyNot);
        continue;
      }
      const made = await this.#attempt(one, 'decomposition', () => runDecomposition(one.subject));
      if (made && wanted) this.#compare(one, 'decomposition', made);
      else if (made) one.wanted = { outputs: made, from: 'decomposition' };
    }
  }

  /** Undefined if it fails, which is then a failed check. */
  async #attempt<T>(one: Tested, what: string, run: () => Promise<T>): Promise<T | undefined> {
    try {
      return await run();
    } catch (error) {
      this.#fail(one, what, error);
      return undefined;
    }
  }

  #fail({ subject, entry }: Tested, what: string, error: unknown): void {
    if (codeOf(error) === 'ERR_CUDA_CONTEXT_LOST')
      this.#lost ??= `the CUDA context was lost: ${what}, ${nameOf(subject.one)}`;
    this.#findings.add(entry, { what, differences: [], error: messageOf(error) }, againText(subject, this.#options));
  }

  #compare({ subject, entry, wanted }: Tested, what: string, outputs: Outputs): void {
    if (!wanted) {
      this.#findings.skip(what, 'there is nothing to compare it with');
      return;
    }
    const differences = Object.entries(wanted.outputs).flatMap(([name, expected]): Difference[] => {
      const got = outputs[name];
      if (!got) return [{ output: name, text: `${name} is missing` }];
      const difference = compare(name, got, expected, this.#options.tolerances);
      return difference ? [difference] : [];
    });
    this.#findings.add(entry, { what, against: wanted.from, differences }, againText(subject, this.#options));
  }

  async #kernels(tested: readonly Tested[]): Promise<void> {
    const runner = await KernelRunner.create(this.#options, this.#findings);
    const subjects = tested.map(({ subject }) => subject);
    const compiled = await runner.compile(subjects);
    if (this.#options.backends.includes('kernel')) {
      for (const one of tested) {
        const plugin = compiled.get(one.subject);
        if (!plugin) continue;
        for (const tactic of one.subject.recipe.tactics.keys()) {
          const what = one.subject.recipe.tactics.length > 1 ? `kernel, tactic ${tactic}` : 'kernel';
          if (this.#lost) {
            this.#findings.skip(what, this.#lost);
            continue;
          }
          const outputs = await this.#attempt(one, what, () => runner.launch(one.subject, plugin, tactic));
          if (outputs) this.#compare(one, what, outputs);
        }
      }
    }
    await runner.sanitize(subjects);
  }

  async #engines(tested: readonly Tested[]): Promise<void> {
    if (!this.#options.backends.includes('tensorrt') || tested.length === 0) return;
    const found = this.#lost ? { why: this.#lost } : await findPluginLibrary(this.#options.library);
    if ('why' in found) {
      this.#findings.skip('TensorRT', found.why, tested.length);
      return;
    }
    const of = new Map(tested.map((one) => [one.subject, one]));
    const onFixed = (why: string, count: number) =>
      this.#findings.skip('TensorRT with dynamic sizes', `the rules need known ones: ${firstLine(why)}`, count);
    let left = tested.length;
    for await (const outcome of runInEngines([...of.keys()], found.path, onFixed)) {
      if (this.#lost) {
        this.#findings.skip('TensorRT', this.#lost, left);
        break;
      }
      left--;
      const one = of.get(outcome.subject)!;
      if ('error' in outcome) this.#fail(one, 'TensorRT', outcome.error);
      else this.#compare(one, 'TensorRT', outcome.outputs);
    }
  }
}

const has = (row: ReadonlyMap<string, DType>, types: Readonly<Record<string, DType>>) =>
  Object.entries(types).every(([name, dtype]) => row.get(name) === dtype);

const firstLine = (text: string): string => text.split('\n', 1)[0]!;
