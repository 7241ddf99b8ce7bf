import type { Network, RecordedNode } from '../dsl/network.js';
import type { Tensor } from '../dsl/tensor.js';
import { TensorRTError } from '../errors/error.js';
import { refuse } from '../errors/refusal.js';
import { extract } from '../passes/extract.js';
import type { Feeds } from '../values/feeds.js';
import { type Bisection, faultyLayer, type Half } from './bisection.js';
import { depthsOf } from './depth.js';
import { type Pair, Pairs } from './pairs.js';
import { compareAll, type OutputComparison } from './results.js';
import { searchChange } from './search.js';
import type { ComparedTensor } from './tensors.js';
import { type Depth, defaultThresholds, type Thresholds } from './thresholds.js';

export interface BisectOptions {
  /**
   * What is allowed, by output of the network; default: by dtype and depth. The strictest `relative` or `max`, as a share of the
   * rms, goes for all other tensors.
   */
  thresholdsOf?: ((output: string) => Thresholds | undefined) | undefined;
  /** Replaces what is known of the depth; a coarser `roundoff` counts. */
  depth?: Partial<Depth> | undefined;
  /** Called before each run, with what it is for. */
  onStep?: ((text: string) => void) | undefined;
}

/** How many layers that seem at fault are run alone before the network is cut instead. */
const mostSuspects = 16;

/**
 * Finds the first layer of B whose outputs differ from A's although its inputs do not. A is the reference: all tensors of A are
 * computed once. First all tensors of B are marked as outputs, in one build. Where the outputs then agree, B is cut in two
 * instead, and its second half is fed A's tensors, again and again, which takes about 2·log2 of the number of layers.
 * Layers correspond by name. Those that compute from constants and shapes alone are never fed.
 * @throws ERR_COMPARE if the networks have no output or no layer in common; what running A throws, and ERR_ABORTED
 */
export async function bisect(a: Half, b: Half, feeds: Feeds, options: BisectOptions = {}): Promise<Bisection> {
  return await new Search(a, b, feeds, options).run();
}

class Search {
  readonly #a: Half;
  readonly #b: Half;
  readonly #feeds: Feeds;
  readonly #options: BisectOptions;
  readonly #pairs: Pairs;
  readonly #depths;
  /** A's tensors by B's. */
  readonly #wanted = new Map<Tensor, ComparedTensor>();
  readonly #notes: string[] = [];
  /** Of the rms, where thresholds are given. */
  #share: number | undefined;
  #runs = 0;

  constructor(a: Half, b: Half, feeds: Feeds, options: BisectOptions) {
    this.#a = a;
    this.#b = b;
    this.#feeds = feeds;
    this.#options = options;
    this.#pairs = new Pairs(a.network, b.network);
    this.#depths = depthsOf(b.network);
    const { outputs, unmatched, nodes } = this.#pairs;
    if (outputs.length === 0) refuse('bisect', 'ERR_COMPARE', 'expected networks with an output of the same name');
    if (unmatched.length === nodes.length)
      refuse('bisect', 'ERR_COMPARE', 'expected networks with layers of the same names');
    if (unmatched.length > 0) {
      this.#notes.push(
        `${unmatched.length} of B's ${nodes.length} layers have no counterpart in A: ${listed(unmatched)}`,
      );
    }
  }

  async run(): Promise<Bisection> {
    const { values, outputs } = this.#pairs;
    const marked = [...new Map([...values.values(), ...outputs].map((pair) => [pair.b, pair])).values()];
    const reference = await this.#runPart(
      this.#a,
      [],
      marked.map(({ a }) => a),
      new Map(),
      'A, all tensors marked',
    );
    for (const { a, b } of marked) this.#wanted.set(b, reference.get(a)!);
    this.#share = this.#strictest();
    const found = await this.#runMarked(marked);
    if (found === 'failed') return await this.#cut(false);
    const differ = marked.filter((pair) => !this.#compare(pair, found.get(pair.b)!).agrees);
    if (!outputs.some((output) => differ.some(({ b }) => b === output.b))) {
      this.#notes.push(
        'the difference disappears when all tensors are marked as outputs: layers that are fused otherwise show it',
      );
      return await this.#cut(true);
    }
    return (await this.#firstOf(new Set(differ.map(({ b }) => b)))) ?? (await this.#cut(false));
  }

  #strictest(): number | undefined {
    const shares = this.#pairs.outputs.flatMap(({ name, b }) => {
      const { relative, max } = this.#options.thresholdsOf?.(name) ?? {};
      if (relative !== undefined || max === undefined) return relative ?? [];
      const wanted = this.#wanted.get(b)!;
      const { rmsA } = compareAll({ [name]: wanted }, { [name]: wanted }, () => ({})).outputs[0]!;
      return rmsA ? max / rmsA : [];
    });
    return shares.length > 0 ? Math.min(...shares) : undefined;
  }

  async #runMarked(marked: readonly Pair[]): Promise<Map<Tensor, ComparedTensor> | 'failed'> {
    try {
      return await this.#runPart(
        this.#b,
        [],
        marked.map(({ b }) => b),
        new Map(),
        'B, all tensors marked',
      );
    } catch (error) {
      this.#noteFailure('B with all tensors marked', error);
      return 'failed';
    }
  }

  /** The first layer whose outputs are among those that differ, and which alone differs too. */
  async #firstOf(differ: ReadonlySet<Tensor>): Promise<Bisection | undefined> {
    const { nodes, values } = this.#pairs;
    let suspects = 0;
    for (const [index, node] of nodes.entries()) {
      const constant = this.#differentConstant(node);
      if (constant) return this.#report('marked', false, index, index + 1, [constant]);
      if (!node.outputs.some(({ id }) => differ.has(values.get(id)?.b as Tensor))) continue;
      if (suspects++ === mostSuspects) break;
      const own = node.outputs.flatMap(({ id }) => values.get(id) ?? []);
      const outputs = await this.#differences(
        own,
        this.#pairs.frontier(
          own.map(({ b }) => b.id),
          index,
        ),
        `${node.kind} '${node.name}' alone`,
      );
      if (!outputs || outputs.every(({ agrees }) => agrees)) {
        this.#notes.push(
          `${node.kind} '${node.name}' differs, but ${outputs ? 'not when it is fed A’s tensors: its inputs differ' : 'could not run alone'}`,
        );
        continue;
      }
      return this.#report('marked', false, index, index + 1, outputs);
    }
    this.#notes.push('no layer differs alone; cutting the network instead');
    return undefined;
  }

  /** A constant whose elements are not A's: nothing has to run to see that. */
  #differentConstant(node: RecordedNode): OutputComparison | undefined {
    const other = this.#pairs.constants.get(node);
    if (!other) return undefined;
    const [a, b] = [this.#a.network.weights[other.weights.value!]!, this.#b.network.weights[node.weights.value!]!];
    const allowed = (_: string, dtypes: readonly string[]) => defaultThresholds(dtypes, { layers: 1, terms: 0 });
    const [compared] = compareAll({ [node.name]: a }, { [node.name]: b }, allowed).outputs;
    return compared!.agrees ? undefined : compared;
  }

  /** Cuts B where the rest, fed with A's tensors, no longer differs. */
  async #cut(vanished: boolean): Promise<Bisection> {
    const { nodes, outputs } = this.#pairs;
    const rest = async (start: number) => {
      const wanted = outputs.filter(({ b }) => this.#pairs.producer(b.id) >= start);
      if (wanted.length === 0) return false;
      return await this.#differs(wanted, start, `the layers from ${start + 1} of ${nodes.length} on`);
    };
    const start = await searchChange(0, nodes.length, rest);
    const part = async (end: number) => {
      const leaving = this.#pairs.leaving(start.last, end);
      if (leaving.length === 0) return undefined;
      return await this.#differs(leaving, start.last, `layers ${start.last + 1} to ${end} of ${nodes.length}`);
    };
    if (start.last === 0 && (await rest(0)) === false) {
      this.#notes.push('the difference did not show again when B ran on its own');
      return { vanished, stretch: [], confirmed: false, outputs: [], notes: this.#notes, runs: this.#runs };
    }
    // Upwards: the layers before `end` agree, those up to it differ.
    const end = await searchChange(nodes.length, start.last, part);
    const leaving = this.#pairs.leaving(start.last, end.last);
    const compared = await this.#differences(
      leaving,
      this.#pairs.frontier(
        leaving.map(({ b }) => b.id),
        start.last,
      ),
      'the layers at fault',
    );
    if (start.next - start.last > 1)
      this.#notes.push(`the network could not be cut within layers ${start.last + 1} to ${start.next}`);
    return this.#report('cut', vanished, start.last, end.last, compared ?? []);
  }

  #report(
    method: 'marked' | 'cut',
    vanished: boolean,
    start: number,
    end: number,
    outputs: OutputComparison[],
  ): Bisection {
    const { nodes } = this.#pairs;
    const row = nodes.slice(start, end).filter((node) => !this.#pairs.isCheap(node) || end - start === 1);
    const node = row[0] ?? nodes[start]!;
    return {
      method,
      vanished,
      first: faultyLayer(this.#a.network, this.#b.network, node, this.#pairs.counterpart(node)),
      stretch: row.map(({ name }) => name),
      confirmed: outputs.some(({ agrees }) => !agrees),
      outputs,
      notes: this.#notes,
      runs: this.#runs,
    };
  }

  async #differs(wanted: readonly Pair[], start: number, what: string): Promise<boolean | undefined> {
    const outputs = await this.#differences(
      wanted,
      this.#pairs.frontier(
        wanted.map(({ b }) => b.id),
        start,
      ),
      what,
    );
    return outputs?.some(({ agrees }) => !agrees);
  }

  /** Tensors of B computed from A's at `cut`, beside A's; undefined if that part cannot be made. */
  async #differences(
    wanted: readonly Pair[],
    cut: readonly Pair[] | undefined,
    what: string,
  ): Promise<OutputComparison[] | undefined> {
    if (!cut || wanted.length === 0) return undefined;
    try {
      const given = new Map(cut.map(({ b }) => [b, this.#wanted.get(b)!]));
      const found = await this.#runPart(
        this.#b,
        cut.map(({ b }) => b),
        wanted.map(({ b }) => b),
        given,
        what,
      );
      return wanted.map((pair) => this.#compare(pair, found.get(pair.b)!));
    } catch (error) {
      this.#noteFailure(what, error);
      return undefined;
    }
  }

  /** Runs the part of a network from `cut` to `wanted`. */
  async #runPart(
    half: Half,
    cut: readonly Tensor[],
    wanted: readonly Tensor[],
    given: ReadonlyMap<Tensor, ComparedTensor>,
    what: string,
  ) {
    this.#options.onStep?.(what);
    const outputs = [...new Set(wanted)];
    const part: Network = extract(half.network, { inputs: cut, outputs });
    const own = part.inputs
      .slice(0, part.inputs.length - cut.length)
      .map(({ name }) => [name, this.#feeds[name]!] as const);
    const fed = part.inputs
      .slice(part.inputs.length - cut.length)
      .map(({ name }, i) => [name, given.get(cut[i]!)!] as const);
    this.#runs++;
    const results = await half.run(part, Object.fromEntries([...own, ...fed]) as Feeds);
    return new Map(outputs.map((tensor, i) => [tensor, results[part.outputs[i]!.name]!]));
  }

  #compare({ name, b }: Pair, found: ComparedTensor): OutputComparison {
    const output = this.#pairs.outputs.find((one) => one.b === b)?.name;
    const given = output === undefined ? undefined : this.#options.thresholdsOf?.(output);
    const known = this.#depths.get(b.id);
    const { depth = {} } = this.#options;
    const roundoff = Math.max(known?.roundoff ?? 0, depth.roundoff ?? 0);
    const own = (dtypes: readonly string[]): Thresholds => {
      const allowed = defaultThresholds(dtypes, { ...known, ...depth, roundoff });
      return this.#share === undefined || allowed.relative === undefined ? allowed : { relative: this.#share };
    };
    const wanted = this.#wanted.get(b)!;
    return compareAll({ [name]: wanted }, { [name]: found }, (_, dtypes) => given ?? own(dtypes)).outputs[0]!;
  }

  #noteFailure(what: string, error: unknown): void {
    if (!(error instanceof TensorRTError) || error.code === 'ERR_ABORTED') throw error;
    this.#notes.push(`${what}: ${error.code}, ${error.message.split('\n')[0]}`);
  }
}

const listed = (names: readonly string[]): string =>
  names.length > 5 ? `${names.slice(0, 5).join(', ')}, …` : names.join(', ');
