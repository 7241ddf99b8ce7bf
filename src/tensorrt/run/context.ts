import { type Feeds, type ResolvedFeed, resolveFeeds } from '../../values/feeds.js';
import type { OutputPlaces } from '../../values/outputs.js';
import type { Result } from '../../values/result.js';
import { abortable } from '../../values/signal.js';
import { takeOver } from '../../values/transfer.js';
import { binding, type Handle, type NativeContext, type NativeOutputs, type Placement } from '../binding.js';
import { type Binding, type BindOptions, bindRuns } from './bound.js';
import { callAddon, callNow, disposed, free } from './call-addon.js';
import { checkInProfile } from './check-profile.js';
import type { ReadContextOptions } from './context-options.js';
import { DebugReports } from './debug.js';
import type { DeviceTensor } from './device-tensor.js';
import type { Engine } from './engine.js';
import { type CudaGraph, captureRuns } from './graph.js';
import type { Layout } from './placements.js';
import { type ProfileOptions, type ProfileReport, profileRuns, readProfile } from './profile.js';
import { Queue } from './queue.js';
import {
  type ContextRunOptions,
  type RunRequest,
  type RunResults,
  type RunSyncOptions,
  readRun,
} from './run-options.js';
import { warnOfPageable, warnOnce } from './warn.js';

/** What a context needs of its engine. @internal */
export interface ContextParts {
  engine: Engine;
  layout: Layout;
  options: ReadContextOptions;
  /** Forgets the context. */
  release(): void;
}

/** What belongs to a context and goes with it. */
interface Owned {
  dispose(): void;
}

type AnyResults = Record<string, Result | DeviceTensor>;

/** An execution context: runs that wait for each other. Runs of several contexts overlap. */
export class Context {
  readonly engine: Engine;
  /** Bytes of activation memory on the GPU. */
  readonly memorySize: number;
  /** @internal */
  readonly layout: Layout;
  /** @internal */
  readonly queue: Queue;
  readonly #parts: ContextParts;
  #handle?: Handle;
  #tickets = 0;
  /** What runs use that have not ended. */
  readonly #underWay = new Map<number, readonly unknown[]>();
  readonly #owned = new Set<Owned>();
  readonly #debug: DebugReports;
  /** Whether a run has ended, and whether graphs were told of. */
  #isFirst = true;
  #watchesGraphs: boolean;

  /** @internal */
  constructor(parts: ContextParts, { handle, memorySize }: NativeContext) {
    this.engine = parts.engine;
    this.memorySize = memorySize;
    this.layout = parts.layout;
    this.queue = new Queue(parts.options.native.inFlight, parts.options.maxQueued);
    this.#parts = parts;
    this.#handle = handle;
    this.#debug = new DebugReports(parts.options.onDebug);
    this.#watchesGraphs = parts.options.native.graphs > 0;
    for (const name of ['layout', 'queue']) Object.defineProperty(this, name, { enumerable: false });
  }

  /** @internal */
  static async create(engine: Handle, parts: ContextParts): Promise<Context> {
    const { native, onDebug } = parts.options;
    const options = { ...native, ...(onDebug && { debug: true }) };
    return new Context(parts, await callAddon(() => binding().createContext(engine, options)));
  }

  /**
   * Runs the engine on the GPU, off the main thread. Feeds are copied before this returns, and never modified, even if
   * TensorRT works in place; tensors with memory of their own are used where they are. Runs of a context keep their order.
   * @throws ERR_FEED, ERR_OUTPUT if a place does not fit an output, ERR_SHAPE if a dim, or an element that shapes are computed from,
   *   is outside the profile, ERR_QUEUE_FULL, ERR_ABORTED, ERR_OUT_OF_MEMORY, ERR_RUN, ERR_CUDA, ERR_DISPOSED, ERR_PARAMETER;
   *   ERR_TENSORRT_CRASHED if TensorRT crashes: the library cannot be used again in this process
   */
  run<O extends OutputPlaces | undefined = undefined>(
    feeds: Feeds,
    options: ContextRunOptions<O>,
  ): Promise<RunResults<O>>;
  run(feeds: Feeds): Promise<Record<string, Result>>;
  async run(feeds: Feeds, options?: ContextRunOptions): Promise<AnyResults> {
    void this.handle;
    this.queue.requireRoom();
    return await this.start(readRun('run', this.#runs(), feeds, options));
  }

  /**
   * The same, but blocks the thread until the outputs are there: for worker threads, and for measuring. Waits for the runs before it.
   * @throws what `run` is rejected with
   */
  runSync<O extends OutputPlaces | undefined = undefined>(feeds: Feeds, options: RunSyncOptions<O>): RunResults<O>;
  runSync(feeds: Feeds): Record<string, Result>;
  runSync(feeds: Feeds, options?: RunSyncOptions): AnyResults {
    return this.finish(readRun('runSync', this.#runs(), feeds, options));
  }

  /**
   * Prepares runs over the same memory: names, dtypes and shapes are checked here, and never again.
   * @throws ERR_FEED, ERR_OUTPUT, ERR_SHAPE, ERR_OUT_OF_MEMORY, ERR_DISPOSED, ERR_PARAMETER
   */
  bind<O extends OutputPlaces | undefined = undefined>(options: BindOptions<O>): Binding<RunResults<O>> {
    return this.#own(bindRuns<RunResults<O>>(this, options));
  }

  /**
   * Captures a run as a CUDA graph, which is launched at once, without TensorRT. Runs once before.
   * @throws ERR_CAPTURE if the network cannot be captured, and what `bind` throws
   */
  async capture<O extends OutputPlaces | undefined = undefined>(
    options: BindOptions<O>,
  ): Promise<CudaGraph<RunResults<O>>> {
    const graph = await captureRuns<RunResults<O>>(this, options);
    if (!this.#handle) graph.dispose();
    void this.handle;
    return this.#own(graph);
  }

  /**
   * The kernels that TensorRT-RTX has compiled for this context, to give them to `rtx.runtimeCache` in a later process.
   * @throws ERR_CONTEXT if the context was made without `rtx.runtimeCache`, ERR_DISPOSED
   */
  async runtimeCache(): Promise<Uint8Array> {
    const { handle } = this;
    return new Uint8Array(await callAddon(() => binding().runtimeCache(handle)));
  }

  /**
   * Times every layer: the means of several runs, after one that does not count.
   * @throws ERR_FEED, ERR_SHAPE, ERR_RUN, ERR_CUDA, ERR_DISPOSED, ERR_PARAMETER
   */
  async profile(feeds: Feeds, options: ProfileOptions = {}): Promise<ProfileReport> {
    const { handle } = this;
    const runs = readProfile(options);
    const resolved = resolveFeeds(this.engine.inputs, feeds).feeds;
    const places = this.engine.outputs.map(() => 'host' as const);
    this.#checkProfile(resolved);
    const io = this.layout.place(resolved, places);
    return await this.track(io, () => profileRuns(handle, io, runs, this.engine.factsOf));
  }

  /** @internal Runs what was checked. */
  start(request: RunRequest): Promise<AnyResults> {
    const { handle } = this;
    this.queue.requireRoom();
    const io = this.#place(request);
    let ticket = 0;
    const run = this.track([request, io], (given) => {
      ticket = given;
      return callAddon(() => binding().run(handle, io, given), this.engine.factsOf).then((outputs) => {
        this.afterRun(outputs);
        return this.layout.results(request.outputs, outputs);
      });
    });
    return abortable(run, request.signal, () => binding().cancelRun(handle, ticket));
  }

  /** @internal The same, blocking. */
  finish(request: RunRequest): AnyResults {
    const { handle } = this;
    const io = this.#place(request);
    const outputs = callNow(() => binding().runSync(handle, io), this.engine.factsOf);
    this.afterRun(outputs);
    return this.layout.results(request.outputs, outputs);
  }

  /** @internal Keeps what a run uses until it ends, and counts it. */
  track<T>(used: readonly unknown[], begin: (ticket: number) => Promise<T>): Promise<T> {
    const ticket = this.#tickets++;
    this.#underWay.set(ticket, used);
    return this.queue.add(begin(ticket)).finally(() => this.#underWay.delete(ticket));
  }

  /** @internal Tells what a run met. @throws ERR_CALLBACK */
  afterRun(outputs?: NativeOutputs): void {
    this.#debug.report(outputs?.debug);
    if (this.#isFirst) {
      this.#isFirst = false;
      warnOfPageable();
    }
    if (this.#watchesGraphs && this.#handle) this.#watchGraphs(this.#handle);
  }

  #watchGraphs(handle: Handle): void {
    const why = binding().graphRefused(handle);
    if (why === undefined) return;
    this.#watchesGraphs = false;
    warnOnce('NODE_TENSORRT_NO_GRAPH', `an engine cannot be captured as a CUDA graph, and runs without: ${why}`);
  }

  #runs() {
    const { inputs, outputs } = this.engine;
    return { inputs, outputs, inPlace: (output: string) => this.layout.inPlace(output) };
  }

  #place({ feeds, outputs, transfer }: RunRequest): Placement[] {
    this.#checkProfile(feeds);
    // Everything else is checked first: what is refused keeps its arrays.
    const placements = this.layout.place(feeds, outputs);
    return transfer ? this.layout.place(takeOver(feeds), outputs) : placements;
  }

  #checkProfile(feeds: readonly ResolvedFeed[]): void {
    for (const feed of feeds) {
      const io = this.layout.io.find(({ input, name }) => input && name === feed.name);
      if (io) checkInProfile(feed, io, this.profileIndex);
    }
  }

  #own<T extends Owned>(owned: T): T {
    this.#owned.add(owned);
    return owned;
  }

  /** @internal */
  disown(owned: Owned): void {
    this.#owned.delete(owned);
  }

  /** @internal */
  get profileIndex(): number {
    return this.#parts.options.native.profile;
  }

  /** @internal @throws ERR_DISPOSED */
  get handle(): Handle {
    if (!this.#handle) throw disposed('execution context');
    return this.#handle;
  }

  /** Frees the context, its bindings and graphs once no run uses them; later calls throw ERR_DISPOSED. */
  dispose(): void {
    if (!this.#handle) return;
    for (const owned of this.#owned) owned.dispose();
    free(this.#handle);
    this.#handle = undefined;
    this.#parts.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
