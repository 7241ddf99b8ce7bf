import type { NativePlugin } from '../plugin/binding.js';
import { pluginBinding } from '../plugin/binding.js';
import { capabilityOf } from '../plugin/compile.js';
import type { LoadedNvrtc } from '../plugin/nvrtc.js';
import { cudaInfo } from '../tensorrt/library/find.js';
import { bytesOf, viewAs } from '../values/dtype.js';
import { againText } from './again.js';
import { compileSubject, nvrtcFor } from './compile.js';
import { messageOf, type Outputs } from './network.js';
import type { ResolvedOptions } from './options.js';
import { type Findings, titleOf } from './report.js';
import { findSanitizer, type SanitizerTool, sanitize, sanitizerTools } from './sanitizer.js';
import type { Launch } from './sanitizer-job.js';
import { findingText } from './sanitizer-text.js';
import type { Subject } from './subject.js';

/** Compute capabilities, times 10, to compile for where there is no GPU. */
const usual = [80, 90, 120];

/** A launch, and what it is of. */
type Named = Launch & { subject: Subject };

/** Compiles kernels, and runs them alone on a GPU, with and without compute-sanitizer. */
export class KernelRunner {
  readonly #options: ResolvedOptions;
  readonly #findings: Findings;
  /** Of the GPU; undefined without one. */
  readonly #capability: number | undefined;
  /** Why there is none. */
  readonly #noGpu: string;

  private constructor(options: ResolvedOptions, findings: Findings, capability: number | undefined, noGpu: string) {
    this.#options = options;
    this.#findings = findings;
    this.#capability = capability;
    this.#noGpu = noGpu;
  }

  static async create(options: ResolvedOptions, findings: Findings): Promise<KernelRunner> {
    const { devices, error } = await cudaInfo();
    const device = devices[options.device];
    const capability = device && capabilityOf(device.computeCapability);
    const none =
      devices.length > 0 ? `there is no GPU ${options.device}, only ${devices.length}` : 'there is no GPU here';
    return new KernelRunner(options, findings, capability, error ? `${none}: ${error}` : none);
  }

  /**
   * Compiles the kernels of all subjects. A kernel is one check for each compute capability, however many cases launch it.
   * @returns what a GPU can launch, without those that do not compile; nothing without a GPU
   */
  async compile(subjects: readonly Subject[]): Promise<Map<Subject, NativePlugin>> {
    const compiled = new Map<Subject, NativePlugin>();
    if (this.#capability === undefined) this.#skipLaunches(subjects, this.#noGpu);
    const any = await nvrtcFor();
    if ('why' in any) {
      this.#findings.skip('NVRTC', any.why, new Set(subjects.map(kernelsOf)).size);
      if (this.#capability !== undefined) this.#skipLaunches(subjects, any.why);
      return compiled;
    }
    const wanted = this.#capability === undefined ? (this.#options.capabilities ?? usual) : [this.#capability];
    for (const capability of wanted) {
      const found = await nvrtcFor(capability);
      if ('why' in found) {
        this.#findings.skip(`NVRTC, sm_${capability}`, found.why, new Set(subjects.map(kernelsOf)).size);
        continue;
      }
      await this.#compileFor(capability, found.nvrtc, subjects, compiled);
    }
    return compiled;
  }

  async #compileFor(
    capability: number,
    nvrtc: LoadedNvrtc,
    subjects: readonly Subject[],
    compiled: Map<Subject, NativePlugin>,
  ): Promise<void> {
    /** Kernels, and whether they compile. */
    const known = new Map<string, boolean>();
    for (const subject of subjects) {
      const key = kernelsOf(subject);
      if (known.get(key) === false) continue;
      const plugin = await compileSubject(subject, capability, { nvrtc }).catch(messageOf);
      const error = typeof plugin === 'string' ? plugin : undefined;
      if (!known.has(key) || error !== undefined) {
        const what = `NVRTC, sm_${capability}, ${subject.recipe.kernels.join(' and ')}`;
        this.#findings.add(undefined, { what, differences: [], error });
      }
      known.set(key, error === undefined);
      if (typeof plugin !== 'string' && this.#capability !== undefined) compiled.set(subject, plugin);
    }
  }

  #skipLaunches(subjects: readonly Subject[], why: string): void {
    if (!this.#options.backends.includes('kernel')) return;
    this.#findings.skip('kernel', why, launchesIn(subjects));
  }

  /** Runs a subject's kernels alone, by the driver API. */
  async launch(subject: Subject, plugin: NativePlugin, tactic: number): Promise<Outputs> {
    const results = await pluginBinding().launchRecipe(this.#options.device, plugin, inputsOf(subject), tactic);
    const outputs = subject.recipe.outputs.map(({ name, dtype }, i) => {
      const { shape, data } = results[i]!;
      return [name, { dtype, shape, data: viewAs(dtype, new Uint8Array(data)) }] as const;
    });
    return Object.fromEntries(outputs);
  }

  /** Runs all launches in a child process under each tool of compute-sanitizer. */
  async sanitize(subjects: readonly Subject[]): Promise<void> {
    const { sanitizer } = this.#options;
    if (sanitizer === false || subjects.length === 0) return;
    const skip = (why: string) => {
      for (const tool of sanitizerTools) this.#findings.skip(titleOfTool(tool), why, launchesIn(subjects));
    };
    if (this.#capability === undefined) return skip(this.#noGpu);
    const found = typeof sanitizer === 'string' ? { path: sanitizer } : await findSanitizer();
    if ('why' in found) return skip(found.why);
    const launches: Named[] = [];
    const compiler = await nvrtcFor(this.#capability);
    if ('why' in compiler) return skip(compiler.why);
    const options = { lineinfo: true, nvrtc: compiler.nvrtc };
    for (const subject of subjects) {
      // Those that do not compile have failed already.
      const plugin = await compileSubject(subject, this.#capability, options).catch(() => undefined);
      if (!plugin) continue;
      for (const tactic of subject.recipe.tactics.keys())
        launches.push({ subject, plugin, inputs: inputsOf(subject), tactic });
    }
    if (launches.length === 0) return skip('no kernel was compiled');
    for (const tool of sanitizerTools) await this.#underTool(found.path, tool, launches);
  }

  async #underTool(path: string, tool: SanitizerTool, launches: readonly Named[]): Promise<void> {
    const { device, sanitizerTimeout } = this.#options;
    const what = titleOfTool(tool);
    const jobs = launches.map(({ plugin, inputs, tactic }) => ({ plugin, inputs, tactic }));
    const outcome = await sanitize(path, tool, device, jobs, sanitizerTimeout * 1000);
    if (!outcome.ran) {
      this.#findings.skip(what, outcome.why, launches.length);
      return;
    }
    const first = outcome.launch === undefined ? undefined : launches[outcome.launch];
    const { definition } = launches[0]!.subject;
    const texts = await Promise.all(outcome.findings.map((finding) => findingText(finding, definition)));
    const ofSeverity = (severity: string) => texts.filter((_, i) => outcome.findings[i]!.severity === severity);
    for (const text of ofSeverity('warning')) this.#findings.note(`${what} warns: ${text}`);
    const errors = ofSeverity('error');
    const where = first ? [`in ${titleOf(first.subject)}, tactic ${first.tactic}`] : [];
    const error = errors.length > 0 ? [...errors, ...where].join('\n') : undefined;
    this.#findings.add(undefined, { what, differences: [], error }, first && againText(first.subject, this.#options));
  }
}

const titleOfTool = (tool: SanitizerTool) => `compute-sanitizer ${tool}`;

/** What decides how a subject's kernels compile. */
const kernelsOf = ({ recipe }: Subject): string =>
  JSON.stringify([
    recipe.kernels,
    recipe.tactics.flat().map((step) => (step.kind === 'launch' ? [step.kernel, step.args.map(typeOf)] : [])),
  ]);

const typeOf = (argument: { kind: string; type?: string; attribute?: number }) =>
  argument.type ?? argument.attribute ?? argument.kind;

const launchesIn = (subjects: readonly Subject[]): number =>
  subjects.reduce((sum, { recipe }) => sum + recipe.tactics.length, 0);

const inputsOf = ({ definition, feeds }: Subject): Launch['inputs'] =>
  definition.inputs.map((name) => {
    const { shape, data } = feeds[name]!;
    return { shape: [...shape], data: bytesOf(data) };
  });
