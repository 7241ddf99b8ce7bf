import { type CpuModel, createModelOf } from './cpu/session.js';
import type { Network } from './dsl/network.js';
import { requireComplete, type Snapshot, snapshot, withOwnElements } from './dsl/snapshot.js';
import { readArguments } from './errors/boundary.js';
import { show, TensorRTError } from './errors/error.js';
import { checkOptions } from './errors/options.js';
import { hasLayers, hasPlugins } from './passes/decompose-plugins.js';
import { moreOutputs } from './passes/more-outputs.js';
import { buildPrepared } from './tensorrt/compile/build.js';
import type { BuildOptions } from './tensorrt/compile/options.js';
import { prepare } from './tensorrt/compile/prepare.js';
import { take } from './tensorrt/compile/program.js';
import { findTensorRT, type TensorRTInstallation } from './tensorrt/library/find.js';
import type { DeviceTensor } from './tensorrt/run/device-tensor.js';
import type { Engine } from './tensorrt/run/engine.js';
import type { ContextRunOptions, RunResults } from './tensorrt/run/run-options.js';
import { type Feeds, ownFeed, resolveFeeds } from './values/feeds.js';
import type { OutputPlaces } from './values/outputs.js';
import type { Result } from './values/result.js';
import { checkTransfer, takeOver } from './values/transfer.js';

export interface CompileOptions extends BuildOptions {
  /** `tensorrt`: the GPU only; `cpu`: the CPU only, without TensorRT; `auto` (default): the GPU if there is one, else the CPU. */
  backend?: 'auto' | 'tensorrt' | 'cpu' | undefined;
}

export interface RunOptions<O extends OutputPlaces | undefined = OutputPlaces | undefined>
  extends ContextRunOptions<O> {
  /**
   * Names of tensors whose elements are wanted beside the outputs: of a layer of the outermost graph (`'block3'`, or `'topk:0'`
   * where it makes several), of an input or of an output.
   */
  also?: readonly string[] | undefined;
}

/** An engine, or a model of the CPU backend, as far as both are the same. */
interface Runner {
  readonly inputs: Engine['inputs'];
  run(feeds: Feeds, options: ContextRunOptions): Promise<Record<string, Result | DeviceTensor>>;
  dispose(): void;
}

/** What a model was made of, to make others of it. */
interface Origin {
  network: Snapshot;
  make(network: Network): Promise<Runner>;
  /** Frees the copies of elements. */
  release(): void;
}

/** A network that can run on this machine. */
export class Model {
  /** What it runs on. */
  readonly backend: 'tensorrt' | 'cpu';
  /** The engine. The `cpu` backend has one too if `auto` found a TensorRT that builds without a GPU. */
  readonly engine?: Engine;
  readonly #cpu?: CpuModel;
  readonly #origin: Origin;
  /** With more outputs, by which. */
  readonly #others = new Map<string, Promise<Runner>>();
  #disposed = false;

  /** @internal */
  constructor(engine: Engine | undefined, cpu: CpuModel | undefined, origin: Origin) {
    this.backend = cpu ? 'cpu' : 'tensorrt';
    this.engine = engine;
    this.#cpu = cpu;
    this.#origin = origin;
  }

  /** Names, dtypes and shapes of the feeds that `run` takes. */
  get inputs(): Engine['inputs'] {
    return (this.#cpu ?? this.engine!).inputs;
  }

  /** Names, dtypes and shapes of the results that `run` returns. */
  get outputs(): Engine['outputs'] {
    return (this.#cpu ?? this.engine!).outputs;
  }

  /**
   * Runs the network. With `also`, the results have these tensors too, under the names given, all of one run. The first run with
   * a set of names prepares the network once more, as it was at `compile`, with more outputs; on TensorRT that builds a second
   * engine, with the same options but the signal. It stays until the model is disposed. Layers that end in such an output
   * are not fused with the next, which may change the last bits.
   * Files of weights have to be open still.
   * The CPU backend takes the same options, except for what is on a GPU.
   * @throws ERR_FEED if the feeds do not fit, ERR_OUTPUT if a place does not fit an output, ERR_ABORTED, ERR_DISPOSED, and the backend's
   *   own errors; for `also` ERR_PARAMETER, ERR_NAME if no tensor has the name, or several have, ERR_NESTED_TENSOR if it is made in a
   *   loop or conditional, and what `compile` throws
   */
  run<O extends OutputPlaces | undefined = undefined>(feeds: Feeds, options: RunOptions<O>): Promise<RunResults<O>>;
  run(feeds: Feeds): Promise<Record<string, Result>>;
  async run(feeds: Feeds, options: RunOptions = {}): Promise<Record<string, Result | DeviceTensor>> {
    this.#requireAlive();
    const runner: Runner = this.#cpu ?? this.engine!;
    const { more, others } = readArguments('run', [options], () => {
      checkOptions(options, ['also', 'outputs', 'transfer', 'signal'], 'run');
      const { also, ...others } = options;
      const more = also === undefined ? undefined : moreOutputs(this.#origin.network, also, 'run', 'also');
      return { more, others };
    });
    if (!more) return await runner.run(feeds, others);
    const { key, outputs, record } = more;
    // What is given now counts, though a backend may have to be made first.
    const resolved = resolveFeeds(runner.inputs, feeds).feeds;
    const taken = checkTransfer('run', others.transfer) ? takeOver(resolved) : resolved;
    const own = taken.map((feed) => [feed.name, feed.placed ?? ownFeed(feed)] as const);
    const other = key === '[]' ? runner : await this.#other(key, record);
    const results = await other.run(Object.fromEntries(own), { ...others, transfer: false });
    const named = this.#origin.network.outputs.map(({ name }) => [name, results[name]!] as const);
    return Object.fromEntries([...named, ...[...outputs].map(([name, output]) => [name, results[output]!] as const)]);
  }

  async #other(key: string, record: () => Network): Promise<Runner> {
    let made = this.#others.get(key);
    if (!made) {
      made = this.#origin.make(record());
      this.#others.set(key, made);
      made.catch(() => this.#others.delete(key));
    }
    try {
      return await made;
    } finally {
      this.#requireAlive();
    }
  }

  #requireAlive(): void {
    if (this.#disposed) throw new TensorRTError('ERR_DISPOSED', 'the model was disposed');
  }

  /** Frees the engines and the CPU sessions; later calls throw ERR_DISPOSED. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.engine?.dispose();
    this.#cpu?.dispose();
    for (const made of this.#others.values()) {
      made.then(
        (runner) => runner.dispose(),
        () => {},
      );
    }
    this.#origin.release();
  }

  /** Calls `dispose`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Makes a network runnable; see `Network.compile`. */
export async function compile(net: Network, options: CompileOptions = {}): Promise<Model> {
  if (typeof options !== 'object' || options === null) {
    throw new TensorRTError('ERR_BUILD_OPTION', `compile: expected options, given ${show(options)}`);
  }
  const { backend = 'auto', ...buildOptions } = readArguments(
    'compile',
    [options],
    () => ({ ...options }),
    'ERR_BUILD_OPTION',
  );
  if (!['auto', 'tensorrt', 'cpu'].includes(backend)) {
    throw new TensorRTError(
      'ERR_BUILD_OPTION',
      `backend: expected 'auto', 'tensorrt' or 'cpu', given ${show(backend)}`,
    );
  }
  // Both backends take what the network is at the call, and its arrays.
  const { decomposePlugins } = buildOptions;
  const onCpu = (net: Network) => createModelOf(snapshot(net), { decomposePlugins });
  if (backend === 'cpu') {
    const taken = snapshot(net);
    requireComplete(taken);
    const network = withOwnElements(taken);
    return new Model(undefined, await createModelOf(network, { decomposePlugins }), {
      network,
      make: onCpu,
      release() {},
    });
  }
  const prepared = prepare(net, buildOptions);
  const { network, options: checked } = prepared;
  const release = () => network.release();
  const cpu = async (engine?: Engine) =>
    new Model(engine, await createModelOf(network, { decomposePlugins }), { network, make: onCpu, release });
  try {
    const { library } = checked;
    const found = await findTensorRT(
      library === undefined ? {} : { env: { ...process.env, NODE_TENSORRT_LIBRARY: library } },
    );
    // An engine that nothing here runs is not worth a failure.
    const isWhole = !hasPlugins(network, (node) => !hasLayers(node));
    const builds = ({ usableFor: { build, run, plugins } }: TensorRTInstallation) =>
      build && (run || plugins || isWhole);
    if (backend === 'auto' && library === undefined && !found.some(builds)) return await cpu();
    const engine = await buildPrepared(prepared);
    // An engine runs only on the library that built it.
    const runs = found.some((one) => one.path === engine.library.path && one.usableFor.run);
    if (!runs && backend === 'auto') return await cpu(engine);
    const { signal: _, ...options } = checked;
    const make = (net: Network) => buildPrepared({ ...prepared, options, network: take(net, options.isolate) });
    return new Model(engine, undefined, { network, make, release });
  } catch (error) {
    release();
    throw error;
  }
}
