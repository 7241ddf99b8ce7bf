import { type Feeds, type ResolvedFeed, resolveFeeds } from '../../values/feeds.js';
import type { OutputPlaces } from '../../values/outputs.js';
import type { Result } from '../../values/result.js';
import { abortable } from '../../values/signal.js';
import { takeOver } from '../../values/transfer.js';
import { binding, type Handle, type NativeContext, type NativeOutputs, type Placement } from '../binding.js';
import { type Binding, type BindOptions, bindRuns } from './bound.js';
import { asOurs, callAddon, callNow, disposed, free } from './call-addon.js';
import { checkInProfile } from './check-profile.js';
import type { ReadContextOptions } from './context-options.js';
import { DebugReports } from './debug.js';
import type { DeviceTensor } from './device-tensor.js';
import type { Engine } from './engine.js';
import { type CudaGraph, captureRuns } from './graph.js';
import type { Layout } from './placements.js';
import { type ProfileOptions, type ProfileReport, profileRuns, readProfile } from './profile.js';
import { Queue } from './queue.js';
import { Repeats } from './repeats.js';
import {
  type ContextRunOptions,
  type RunRequest,
  type RunResults,
  type RunSyncOptions,
  type Runs,
  readRun,
} from './run-options.js';
import { Waits } from './stay-awake.js';
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

/** An execution context: runs that wait for each other. Runs of several contexts overlap. */
export class Context {
  /** The engine that it runs. */
  readonly engine: Engine;
  /** Bytes of activation memory on the GPU. */
  readonly memorySize: number;
  /** @internal */
  readonly layout: Layout;
  /** @internal */
  readonly queue: Queue;
  readonly #parts: ContextParts;
  readonly #runs: Runs;
  #handle?: Handle;
  #tickets = 0;
  readonly #waits = new Waits();
  readonly #repeats: Repeats;
  /** What runs use that have not ended. */
  readonly #underWay = new Map<number, readonly unknown[]>();
  readonly #owned = new Set<Owned>();
  readonly #debug: DebugReports;
  /** Whether no run has ended yet, and whether to ask why runs are not captured. */
  #isFirst = true;
  #watchesGraphs: boolean;

  /** @internal */
  constructor(parts: ContextParts, { handle, memorySize }: NativeContext) {
    this.engine = parts.engine;
    this.memorySize = memorySize;
    this.layout = parts.layout;
    this.queue = new Queue(parts.options.native.inFlight, parts.options.maxQueued);
    this.#parts = parts;
    const { inputs, outputs } = parts.engine;
    this.#runs = { inputs, outputs, inPlace: (output) => this.layout.inPlace(output) };
    this.#repeats = new Repeats(this.#runs, this.layout);
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
  run(feeds: Feeds, options?: ContextRunOptions): Promise<Record<string, Result | DeviceTensor>> {
    // One promise beside the addon's: an async function would add more.
    try {
      void this.handle;
      this.queue.requireRoom();
      const known = this.#repeats.find(feeds, options);
      return known ? this.start(known.request, known.io) : this.start(readRun('run', this.#runs, feeds, options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * The same, but blocks the thread until the outputs are there: for worker threads, and for measuring. Waits for the runs before it.
   * @throws what `run` is rejected with
   */
  runSync<O extends OutputPlaces | undefined = undefined>(feeds: Feeds, options: RunSyncOptions<O>): RunResults<O>;
  runSync(feeds: Feeds): Record<string, Result>;
  runSync(feeds: Feeds, options?: RunSyncOptions): Record<string, Result | DeviceTensor> {
    const known = this.#repeats.find(feeds, options);
    return known ? this.finish(known.request, known.io) : this.finish(readRun('runSync', this.#runs, feeds, options));
  }

  /**
   * Prepares runs over the same memory: names, dtypes and shapes are checked here, and never again.
   * @throws ERR_FEED, ERR_OUTPUT, ERR_SHAPE, ERR_OUT_OF_MEMORY, ERR_DISPOSED, ERR_PARAMETER
   */
  bind<O extends OutputPlaces | undefined = undefined>(options: BindOptions<O>): Binding<RunResults<O>> {
    return this.#own(bindRuns<RunResults<O>>(this, options));
  }

  /**
   * Captures a run as a CUDA graph: the GPU's driver launches all of it at once, without TensorRT. Runs the engine once before.
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
    const io = this.place(resolveFeeds(this.engine.inputs, feeds).feeds);
    return await this.track(
      io,
      () => profileRuns(handle, io, runs),
      (report) => report,
    );
  }

  /** @internal What the addon gets of a run whose outputs go to new arrays. @throws ERR_SHAPE, ERR_FEED */
  place(feeds: readonly ResolvedFeed[]): Placement[] {
    this.#checkProfile(feeds);
    return this.layout.place(
      feeds,
      this.engine.outputs.map(() => 'host'),
    );
  }

  /** @internal Runs what was checked. What is wrong at the call is thrown. @param placed what the addon gets, if that is known */
  start(request: RunRequest, placed?: readonly Placement[]): Promise<Record<string, Result | DeviceTensor>> {
    const { handle } = this;
    this.queue.requireRoom();
    const io = placed ?? this.#place(request);
    const ticket = this.#tickets;
    const run = this.track(
      [request, io],
      () => binding().run(handle, io, ticket),
      (outputs) => this.#results(request, outputs),
    );
    return abortable(run, request.signal, () => binding().cancelRun(handle, ticket));
  }

  /** @internal The same, blocking. */
  finish(request: RunRequest, placed?: readonly Placement[]): Record<string, Result | DeviceTensor> {
    const { handle } = this;
    const io = placed ?? this.#place(request);
    const outputs = callNow(() => binding().runSync(handle, io), this.engine.factsOf);
    return this.#results(request, outputs);
  }

  #results(request: RunRequest, outputs: NativeOutputs): Record<string, Result | DeviceTensor> {
    this.afterRun(outputs);
    return this.layout.results(request.outputs, outputs);
  }

  /**
   * @internal Keeps what a run of the addon's uses until it ends, and counts it.
   * @param done makes what the caller gets
   */
  track<T, R>(used: readonly unknown[], begin: (ticket: number) => Promise<T>, done: (given: T) => R): Promise<R> {
    const ticket = this.#tickets++;
    this.#underWay.set(ticket, used);
    this.queue.enter();
    const began = this.#waits.begin();
    const fail = (error: unknown): never => {
      this.#end(ticket);
      throw asOurs(error, this.engine.factsOf);
    };
    let run: Promise<T>;
    try {
      run = begin(ticket);
    } catch (error) {
      return fail(error);
    }
    return run.then((given) => {
      this.#end(ticket);
      this.#waits.end(began);
      return done(given);
    }, fail);
  }

  #end(ticket: number): void {
    this.#underWay.delete(ticket);
    this.queue.leave();
  }

  /** @internal Hands over debug tensors, and warns of what a run met. @throws ERR_CALLBACK */
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

  #place(request: RunRequest): Placement[] {
    const { feeds, outputs, transfer } = request;
    this.#checkProfile(feeds);
    // Everything else is checked first: what is refused keeps its arrays.
    const placements = this.layout.place(feeds, outputs);
    if (transfer) return this.layout.place(takeOver(feeds), outputs);
    this.#repeats.remember(request, placements);
    return placements;
  }

  #checkProfile(feeds: readonly ResolvedFeed[]): void {
    const profile = this.profileIndex;
    for (const { io, index } of this.layout.inputs) checkInProfile(feeds[index]!, io, profile);
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

  /** Calls `dispose`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
