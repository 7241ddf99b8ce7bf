import { TensorRTError } from '../../errors/error.js';
import type { Feeds } from '../../values/feeds.js';
import type { OutputPlaces } from '../../values/outputs.js';
import type { Result } from '../../values/result.js';
import {
  binding,
  type Handle,
  type HeldOptions,
  type LibraryInfo,
  type NativeEngine,
  type SerializedEngine,
  type WeightStreaming,
} from '../binding.js';
import type { EngineMetadata } from '../files/metadata.js';
import { copyOfPlan, readSave, type SaveOptions, savePlan } from '../files/save.js';
import type { RefitWeights } from '../refit/tensors.js';
import { callAddon, callNow, disposed, type FactsOf, free } from './call-addon.js';
import { Context } from './context.js';
import { type ContextOptions, checkProfile, readContextOptions } from './context-options.js';
import { DefaultContext } from './default-context.js';
import type { DeviceTensor } from './device-tensor.js';
import type { EngineInformation, EngineIO } from './engine-io.js';
import { Layout } from './placements.js';
import {
  type EngineRefitOptions,
  isStripped,
  marked,
  type RefitReport,
  renewed,
  requireWeights,
  startRefit,
} from './refit.js';
import { type ContextRunOptions, type RunResults, type RunSyncOptions, readRun } from './run-options.js';
import { type EngineToken, tokenFormat } from './token.js';
import { writeTimingCache } from './write-timing-cache.js';

/** @internal */
export interface EngineParts {
  library: LibraryInfo;
  /** Built in this process, or of a file. */
  plan: Handle;
  size: number;
  /** Index of the GPU that runs it. */
  device?: number;
  inputs: readonly EngineIO[];
  outputs: readonly EngineIO[];
  fromCache?: boolean;
  buildMs?: number;
  log?: string[];
  options?: HeldOptions;
  timingCache?: Uint8Array | undefined;
  loaded?: NativeEngine;
  metadata?: EngineMetadata | undefined;
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
  /** Whether it was not built now, but taken from the cache. */
  readonly fromCache: boolean;
  /** Milliseconds spent lowering and building; undefined for an engine that was loaded or taken from the cache. */
  readonly buildMs?: number;
  /** Warnings during the build: TensorRT's, and which ranges of dims were assumed if no profiles were given. */
  readonly log: readonly string[];
  /** The build options as TensorRT held them; undefined for a loaded engine. */
  readonly options?: HeldOptions;
  /** Times of tactics, for the `timingCache` of the next build; undefined if that option was not given, or for a loaded engine. */
  readonly timingCache?: Uint8Array | undefined;
  /** Index of the GPU that runs it. */
  readonly device: number;
  /**
   * What `save(path, { metadata: true })` keeps of it: for a loaded engine, what its file says. Undefined for one that was loaded from a plan
   * without metadata.
   */
  metadata?: EngineMetadata;
  /** @internal */
  readonly factsOf: FactsOf;
  #plan?: Handle;
  /** Files that are being written. */
  readonly #saving = new Set<Promise<void>>();
  #bytes?: Uint8Array;
  #size: number;
  /** Refits that the plan has. */
  #refits = 0;
  #native?: Promise<NativeEngine>;
  /** Once it is loaded. */
  #loaded?: NativeEngine;
  #contexts = new Set<Context>();
  readonly #default = new DefaultContext(() => this.createContext());

  /** @internal */
  constructor(parts: EngineParts) {
    this.library = parts.library;
    this.inputs = parts.inputs;
    this.outputs = parts.outputs;
    this.fromCache = parts.fromCache ?? false;
    this.buildMs = parts.buildMs;
    this.log = parts.log ?? [];
    this.options = parts.options;
    this.timingCache = parts.timingCache;
    this.#size = parts.size;
    this.device = parts.device ?? 0;
    this.#plan = parts.plan;
    if (parts.metadata) this.metadata = parts.metadata;
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

  /**
   * By optimization profile and input: shapes, or elements if TensorRT computes shapes from them. Undefined for an engine from a file
   * until it is loaded, which `loadEngine` does.
   */
  get profiles(): HeldOptions['profiles'] {
    const held = this.options?.profiles;
    if (held || !this.#loaded) return held;
    const { io, profiles } = this.#loaded;
    return Array.from({ length: profiles }, (_, i) => {
      const ranges = io
        .filter(({ input }) => input)
        .map((one) => [one.name, (one.values[i] ?? one.profiles[i])!] as const);
      return Object.fromEntries(ranges.map(([name, [min, opt, max]]) => [name, { min, opt, max }]));
    });
  }

  /** Bytes of the weights of an engine built with `weightStreaming`, once it is loaded; undefined for any other engine. */
  get weightStreaming(): WeightStreaming | undefined {
    return this.#loaded?.weightStreaming;
  }

  /** Size of the serialized engine in bytes. After a refit it is known once `bytes` was read or the engine saved. */
  get size(): number {
    return this.#size;
  }

  /**
   * The serialized engine, TensorRT's plan, copied on first use. After a refit it is serialized anew, which blocks.
   * @throws ERR_DISPOSED, ERR_ENGINE_FILE if the file that it was loaded from was changed since, ERR_ENGINE_WEIGHTS after a refit that failed
   */
  get bytes(): Uint8Array {
    this.#alive();
    const engine = this.#loaded?.handle;
    if (engine && this.#isOld(engine))
      this.#renew(
        engine,
        callNow(() => binding().serializeEngineSync(engine, true)),
      );
    const plan = this.#alive();
    this.#bytes ??= callNow(() => copyOfPlan(plan));
    return this.#bytes;
  }

  /** Whether the plan has other weights than the engine. */
  #isOld(engine: Handle): boolean {
    return callNow(() => binding().refits(engine)) !== this.#refits;
  }

  /** Replaces the plan by one with the engine's weights. */
  #renew(engine: Handle, { plan, size }: SerializedEngine): void {
    const old = this.#plan!;
    void Promise.allSettled(this.#saving).then(() => free(old));
    [this.#plan, this.#bytes, this.#size] = [plan, undefined, size];
    this.#refits = binding().refits(engine);
    this.metadata = renewed(this.metadata);
  }

  /**
   * Gives the engine other weights, by their names in the state_dict: the tensors of another file go through what those of the first
   * one went through when the network was recorded, such as `foldBatchNorm`, `as` and `transpose`. Runs under way end first, later ones
   * wait. Contexts stay as they are; graphs of `capture` have to be captured again. See docs/refit.md.
   *
   * Everything is made and checked before TensorRT replaces anything. If TensorRT itself fails then, the engine may have some old and
   * some new weights: it refuses to run (ERR_ENGINE_WEIGHTS) until a refit with all weights succeeds.
   * @param weights of `loadWeights`, or some by the names that the tensors had in the file
   * @throws ERR_REFIT_MISSING if the weights lack a tensor; ERR_REFIT if the engine cannot be refitted, or not with these weights;
   *   ERR_WEIGHTS_SHAPE, ERR_WEIGHTS_DTYPE; ERR_WEIGHTS_CHANGED, ERR_NO_GPU, ERR_ENGINE, ERR_DISPOSED; what `foldBatchNorm` and so on throw
   */
  async refit(weights: RefitWeights, options?: EngineRefitOptions): Promise<RefitReport> {
    this.#alive();
    const refit = startRefit(this.metadata?.refit, weights, options);
    const { handle } = await this.#load();
    this.#alive();
    return await refit.run(handle);
  }

  /**
   * Writes the serialized engine to a file: TensorRT's plan, or with `metadata` a container. If it fails, the file stays as it was. Mode and
   * owner of a file that is there stay, too; links, devices and FIFOs are written through.
   * @throws ERR_SAVE, ERR_DISPOSED
   */
  async save(path: string, options?: SaveOptions): Promise<void> {
    this.#alive();
    readSave(path, options, this);
    const engine = this.#loaded?.handle;
    if (engine && this.#isOld(engine))
      this.#renew(engine, await callAddon(() => binding().serializeEngine(engine, true)));
    const plan = this.#alive();
    const saved = savePlan(readSave(path, options, this), plan, this.size);
    this.#saving.add(saved);
    try {
      await saved;
    } finally {
      this.#saving.delete(saved);
    }
  }

  /**
   * Writes `timingCache` to a file, as a build with a path for that option does by itself.
   * @throws ERR_TIMING_CACHE if the engine was not built with `timingCache`, ERR_SAVE
   */
  async saveTimingCache(path: string): Promise<void> {
    if (!this.timingCache) {
      throw new TensorRTError(
        'ERR_TIMING_CACHE',
        'saveTimingCache: the engine has none: build it with timingCache: true, bytes or a path',
      );
    }
    await writeTimingCache(path, this.timingCache);
  }

  /**
   * Creates an execution context with its own stream and buffers.
   * @throws ERR_NO_GPU, ERR_ENGINE if this GPU or library cannot load the engine, ERR_PROFILE, ERR_PARAMETER, ERR_OUT_OF_MEMORY,
   *   ERR_CONTEXT, ERR_DISPOSED, ERR_UNSUPPORTED if the release has no such memory or streams
   */
  async createContext(options?: ContextOptions): Promise<Context> {
    const read = readContextOptions(options ?? {});
    const native = await this.#load();
    requireWeights(this.metadata, native.handle);
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
    const { ready } = this.#default;
    if (ready) return ready.run(feeds, options!);
    return this.#default.run(() => {
      this.#alive();
      return readRun('run', this, feeds, options);
    });
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
    const { ready } = this.#default;
    if (ready) return ready.runSync(feeds, options);
    throw new TensorRTError(
      'ERR_CONTEXT',
      'runSync: the engine has no context yet: await engine.run() once before, or use engine.createContext() and its runSync',
    );
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
    const { library, size, device, inputs, outputs, metadata } = this;
    return structuredClone({ format: tokenFormat, token, library, size, device, inputs, outputs, metadata });
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
      if (isStripped(this.metadata)) this.#native = this.#native.then(marked);
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

  #alive(): Handle {
    if (!this.#plan) throw disposed('engine');
    return this.#plan;
  }

  /** Frees the engine and its contexts once no run uses them; later calls throw ERR_DISPOSED. */
  dispose(): void {
    if (!this.#plan) return;
    for (const context of this.#contexts) context.dispose();
    const plan = this.#plan;
    void Promise.allSettled(this.#saving).then(() => free(plan));
    this.#native?.then(
      ({ handle }) => free(handle),
      () => {},
    );
    this.#default.forget();
    this.#plan = this.#bytes = this.#native = undefined;
  }

  /** Calls `dispose`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
