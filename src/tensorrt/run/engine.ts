import { show, TensorRTError } from '../../errors/error.js';
import type { Dim } from '../../values/dim.js';
import type { DType } from '../../values/dtype.js';
import { type Feeds, ownFeed } from '../../values/feeds.js';
import type { OutputPlaces } from '../../values/outputs.js';
import type { Result } from '../../values/result.js';
import { abortable, checkSignal } from '../../values/signal.js';
import { takeOver } from '../../values/transfer.js';
import { reasonOf, writeFileWhole } from '../../write-file.js';
import {
  binding,
  type Handle,
  type HeldOptions,
  type LibraryInfo,
  type NativeEngine,
  type WeightStreaming,
} from '../binding.js';
import { callAddon, callNow, disposed, type FactsOf, free } from './call-addon.js';
import { Context } from './context.js';
import {
  type ContextOptions,
  checkProfile,
  defaultInFlight,
  defaultMaxQueued,
  readContextOptions,
} from './context-options.js';
import type { DeviceTensor } from './device-tensor.js';
import { Layout } from './placements.js';
import { Queue } from './queue.js';
import {
  type ContextRunOptions,
  type RunRequest,
  type RunResults,
  type RunSyncOptions,
  readRun,
} from './run-options.js';
import { type EngineToken, tokenFormat } from './token.js';

/** An input or output of an engine. */
export interface EngineIO {
  name: string;
  dtype: DType;
  /** Numbers, and names or expressions for dynamic dims (made-up names, such as `x_0`, for an engine loaded from a file). */
  shape: readonly Dim[];
  /**
   * For an input whose elements TensorRT computes shapes from: the range of each element, per profile, in row-major order.
   * Feed it like any other input; TensorRT reads it in host memory.
   */
  values?: readonly ElementRange[] | undefined;
}

export interface ElementRange {
  min: readonly number[];
  opt: readonly number[];
  max: readonly number[];
}

/** What TensorRT's IEngineInspector reports about an engine, unchanged. */
export interface EngineInformation {
  /** In execution order: names, or with `profilingVerbosity: 'detailed'` objects with `Name`, `LayerType`, `Inputs`, `Outputs`, `TacticName` … */
  Layers: (string | Record<string, unknown>)[];
  /** Inputs and outputs. */
  Bindings: string[];
}

/** @internal */
export interface EngineParts {
  library: LibraryInfo;
  /** A plan built in this process, or the bytes of a file. */
  plan: Handle | Uint8Array;
  size: number;
  /** Index of the GPU that runs it. */
  device?: number;
  inputs: readonly EngineIO[];
  outputs: readonly EngineIO[];
  buildMs?: number;
  log?: string[];
  options?: HeldOptions;
  loaded?: NativeEngine;
  /** What an error says about the layers that TensorRT's log names; absent for a loaded engine. */
  factsOf?: FactsOf;
}

/** A TensorRT engine. Running it needs a GPU that its library supports; saving it does not. */
export class Engine {
  /** The TensorRT library that built or loaded it. */
  readonly library: LibraryInfo;
  /** Names, dtypes and shapes of the feeds that `run` takes. */
  readonly inputs: readonly EngineIO[];
  /** Names, dtypes and shapes of the results that `run` returns. */
  readonly outputs: readonly EngineIO[];
  /** Milliseconds spent lowering and building; undefined for a loaded engine. */
  readonly buildMs?: number;
  /** Warnings during the build: TensorRT's, and which ranges of dims were assumed if no profiles were given. */
  readonly log: readonly string[];
  /** The build options as TensorRT held them; undefined for a loaded engine. */
  readonly options?: HeldOptions;
  /** Size of the serialized engine in bytes. */
  readonly size: number;
  /** Index of the GPU that runs it. */
  readonly device: number;
  /** @internal */
  readonly factsOf: FactsOf;
  #plan?: Handle | Uint8Array;
  #bytes?: Uint8Array;
  #native?: Promise<NativeEngine>;
  /** Once it is loaded. */
  #loaded?: NativeEngine;
  /** The default context, and once it is made, itself. */
  #context?: Promise<Context>;
  #ready?: Context;
  #contexts = new Set<Context>();
  /** Runs that begin before the default context is there. */
  readonly #early = new Queue(defaultInFlight, defaultMaxQueued);

  /** @internal */
  constructor(parts: EngineParts) {
    this.library = parts.library;
    this.inputs = parts.inputs;
    this.outputs = parts.outputs;
    this.buildMs = parts.buildMs;
    this.log = parts.log ?? [];
    this.options = parts.options;
    this.size = parts.size;
    this.device = parts.device ?? 0;
    this.#plan = parts.plan;
    this.factsOf = parts.factsOf ?? (() => ({}));
    Object.defineProperty(this, 'factsOf', { enumerable: false });
    if (parts.loaded) {
      this.#loaded = parts.loaded;
      this.#native = Promise.resolve(parts.loaded);
    }
  }

  /**
   * Bytes of activation memory that a context needs, per profile. Undefined until the engine is loaded: by `loadEngine`, or by the first
   * run or context of one that was built.
   */
  get memorySizes(): readonly number[] | undefined {
    return this.#loaded?.memorySizes;
  }

  /** Bytes of the weights of an engine built with `weightStreaming`, once it is loaded; undefined for any other engine. */
  get weightStreaming(): WeightStreaming | undefined {
    return this.#loaded?.weightStreaming;
  }

  /** The serialized engine, copied on first use. */
  get bytes(): Uint8Array {
    const plan = this.#alive();
    this.#bytes ??= new Uint8Array(plan instanceof Uint8Array ? plan : binding().planBytes(plan));
    return this.#bytes;
  }

  /**
   * Writes the serialized engine to a file. If it fails, the file stays as it was. Mode and owner of a file that is there stay,
   * too; links, devices and FIFOs are written through.
   * @throws ERR_SAVE, ERR_DISPOSED
   */
  async save(path: string): Promise<void> {
    if (typeof path !== 'string' || path === '') {
      throw new TensorRTError('ERR_SAVE', `save: expected a path, given ${show(path)}`);
    }
    const { bytes } = this;
    if (typeof path !== 'string' || path === '') {
      throw new TensorRTError('ERR_SAVE', `save: expected a path, given ${show(path)}`);
    }
    try {
      await writeFileWhole(path, (append) => append(bytes));
    } catch (cause) {
      throw new TensorRTError('ERR_SAVE', `could not write the engine to ${path}: ${reasonOf(cause)}`, { cause });
    }
  }

  /**
   * Creates an execution context with its own stream and buffers.
   * @throws ERR_NO_GPU, ERR_ENGINE if this GPU or library cannot load the engine, ERR_PROFILE, ERR_PARAMETER, ERR_OUT_OF_MEMORY,
   *   ERR_CONTEXT, ERR_DISPOSED, ERR_UNSUPPORTED if the release has no such memory or streams
   */
  async createContext(options?: ContextOptions): Promise<Context> {
    const read = readContextOptions(options ?? {});
    const native = await this.#load();
    checkProfile(read.native.profile, native.profiles);
    const layout = new Layout(native, this.inputs, this.outputs, this.device);
    const release = () => this.#contexts.delete(context);
    const context: Context = await Context.create(native.handle, { engine: this, layout, options: read, release });
    if (!this.#plan) context.dispose();
    this.#alive();
    this.#contexts.add(context);
    return context;
  }

  /** Runs the engine on a default context; see `Context.run`. */
  run<O extends OutputPlaces | undefined = undefined>(
    feeds: Feeds,
    options: ContextRunOptions<O>,
  ): Promise<RunResults<O>>;
  run(feeds: Feeds): Promise<Record<string, Result>>;
  run(feeds: Feeds, options?: ContextRunOptions): Promise<Record<string, Result | DeviceTensor>> {
    return this.#ready ? this.#ready.run(feeds, options!) : this.#runEarly(feeds, options);
  }

  async #runEarly(
    feeds: Feeds,
    options: ContextRunOptions | undefined,
  ): Promise<Record<string, Result | DeviceTensor>> {
    this.#alive();
    this.#early.requireRoom();
    const request = this.#own(readRun('run', this, feeds, options));
    return await abortable(this.#startEarly(request), request.signal, () => {});
  }

  /**
   * Runs the engine on its default context, and blocks until the outputs are there; see `Context.runSync`. The context has to be there:
   * `run` makes it.
   * @throws ERR_CONTEXT if it is not
   */
  runSync<O extends OutputPlaces | undefined = undefined>(feeds: Feeds, options: RunSyncOptions<O>): RunResults<O>;
  runSync(feeds: Feeds): Record<string, Result>;
  runSync(feeds: Feeds, options: RunSyncOptions = {}): Record<string, Result | DeviceTensor> {
    this.#alive();
    if (this.#ready) return this.#ready.runSync(feeds, options);
    throw new TensorRTError(
      'ERR_CONTEXT',
      'runSync: the engine has no context yet: await engine.run() once before, or use engine.createContext() and its runSync',
    );
  }

  /** What is given now counts, though the context has to be made first. Tensors with memory of their own are used where they are. */
  #own(request: RunRequest): RunRequest {
    const feeds = request.transfer ? takeOver(request.feeds) : request.feeds;
    return { ...request, feeds: feeds.map((feed) => (feed.placed ? feed : ownFeed(feed))), transfer: false };
  }

  async #startEarly(request: RunRequest): Promise<Record<string, Result | DeviceTensor>> {
    this.#early.enter();
    try {
      return await this.#startLater(request);
    } finally {
      this.#early.leave();
    }
  }

  async #startLater(request: RunRequest): Promise<Record<string, Result | DeviceTensor>> {
    this.#context ??= this.createContext().then((context) => {
      this.#ready = context;
      return context;
    });
    this.#context.catch(() => {
      this.#context = undefined;
    });
    const context = await this.#context;
    checkSignal('run', request.signal);
    return await context.start(request);
  }

  /**
   * A token for `loadEngine` in another worker thread of this process, which then has the same engine without loading it twice: send it
   * with `postMessage`. It is good while this engine is not disposed; engines made of it go on after that.
   * @throws ERR_NO_GPU, ERR_ENGINE if this GPU or library cannot load the engine, ERR_DISPOSED
   */
  async share(): Promise<EngineToken> {
    const { handle } = await this.#load();
    this.#alive();
    const token = callNow(() => binding().shareEngine(handle));
    const { library, size, device, inputs, outputs } = this;
    return structuredClone({ format: tokenFormat, token, library, size, device, inputs, outputs });
  }

  /**
   * Lists the engine's layers after fusion. An engine built with `profilingVerbosity: 'detailed'` also has the kernels that
   * TensorRT chose; one built with `'none'` lists no layers.
   * @throws ERR_NO_GPU, ERR_ENGINE if this GPU or library cannot load the engine, ERR_DISPOSED
   */
  async inspect(): Promise<EngineInformation> {
    const { handle } = await this.#load();
    const json = await callAddon(() => binding().inspectEngine(handle));
    try {
      return JSON.parse(json);
    } catch (cause) {
      throw new TensorRTError(
        'ERR_ENGINE',
        `TensorRT's description of the engine is not valid JSON: ${(cause as Error).message}`,
        { cause },
      );
    }
  }

  /** What was built here may run its own code. */
  #load(): Promise<NativeEngine> {
    const plan = this.#alive();
    if (!this.#native) {
      this.#native = callAddon(() => binding().deserialize(this.library.path, plan, this.device, true));
      this.#native.then(
        (loaded) => {
          this.#loaded = loaded;
        },
        () => {
          this.#native = undefined;
        },
      );
    }
    return this.#native;
  }

  #alive(): Handle | Uint8Array {
    if (!this.#plan) throw disposed('engine');
    return this.#plan;
  }

  /** Frees the engine and its contexts once no run uses them; later calls throw ERR_DISPOSED. */
  dispose(): void {
    if (!this.#plan) return;
    for (const context of this.#contexts) context.dispose();
    if (!(this.#plan instanceof Uint8Array)) free(this.#plan);
    this.#native?.then(
      ({ handle }) => free(handle),
      () => {},
    );
    this.#plan = this.#bytes = this.#native = this.#context = this.#ready = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
