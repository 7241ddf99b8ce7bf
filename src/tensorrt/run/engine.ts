import { readFile, stat } from 'node:fs/promises';
import { readArguments } from '../../errors/boundary.js';
import { type ErrorFacts, show, TensorRTError } from '../../errors/error.js';
import type { Dim } from '../../values/dim.js';
import { bytesOf, copyOfBytes, type DType, isGone, viewAs } from '../../values/dtype.js';
import { type Feeds, ownFeed, type ResolvedFeed, resolveFeeds } from '../../values/feeds.js';
import { Result } from '../../values/result.js';
import { reasonOf, writeFileWhole } from '../../write-file.js';
import { binding, type Handle, type HeldOptions, type LibraryInfo, type NativeEngine } from '../binding.js';
import { chooseTensorRT } from '../library/find.js';

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
  values?: readonly ElementRange[];
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
  inputs: EngineIO[];
  outputs: EngineIO[];
  buildMs?: number;
  log?: string[];
  options?: HeldOptions;
  loaded?: NativeEngine;
  /** What an error says about the layers that TensorRT's log names; absent for a loaded engine. */
  factsOf?: (log: readonly string[]) => ErrorFacts;
}

export interface ContextOptions {
  /** Index of the optimization profile. Default 0. */
  profile?: number | undefined;
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
  /** @internal */
  readonly factsOf: (log: readonly string[]) => ErrorFacts;
  #plan?: Handle | Uint8Array;
  #bytes?: Uint8Array;
  #native?: Promise<NativeEngine>;
  /** The default context, and once it is made, itself. */
  #context?: Promise<Context>;
  #ready?: Context;
  #contexts = new Set<Context>();

  /** @internal */
  constructor(parts: EngineParts) {
    this.library = parts.library;
    this.inputs = parts.inputs;
    this.outputs = parts.outputs;
    this.buildMs = parts.buildMs;
    this.log = parts.log ?? [];
    this.options = parts.options;
    this.size = parts.size;
    this.#plan = parts.plan;
    this.factsOf = parts.factsOf ?? (() => ({}));
    Object.defineProperty(this, 'factsOf', { enumerable: false });
    if (parts.loaded) this.#native = Promise.resolve(parts.loaded);
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
   * @throws ERR_NO_GPU, ERR_ENGINE if this GPU or library cannot load the engine, ERR_PROFILE
   */
  async createContext(options: ContextOptions = {}): Promise<Context> {
    const { profile = 0 } = options ?? {};
    const native = await this.#load();
    const profiles = Math.max(1, native.profiles);
    if (!Number.isInteger(profile) || profile < 0 || profile >= profiles) {
      throw new TensorRTError(
        'ERR_PROFILE',
        `profile: expected a whole number from 0 to ${profiles - 1}, given ${show(profile)}`,
      );
    }
    const handle = await callAddon(() => binding().createContext(native.handle, profile));
    if (!this.#plan) free(handle);
    this.#alive();
    const context = new Context(this, native, handle, profile, () => this.#contexts.delete(context));
    this.#contexts.add(context);
    return context;
  }

  /** Runs the engine on a default context; see `Context.run`. */
  async run(feeds: Feeds): Promise<Record<string, Result>> {
    this.#alive();
    if (this.#ready) return this.#ready.run(feeds);
    // What is given now counts, though the context has to be made first.
    const resolved = resolveFeeds(this.inputs, feeds).feeds.map(ownFeed);
    this.#context ??= this.createContext().then((context) => {
      this.#ready = context;
      return context;
    });
    this.#context.catch(() => {
      this.#context = undefined;
    });
    return (await this.#context).execute(resolved);
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
      this.#native = callAddon(() => binding().deserialize(this.library.path, plan, 0, true));
      this.#native.catch(() => {
        this.#native = undefined;
      });
    }
    return this.#native;
  }

  #alive(): Handle | Uint8Array {
    if (!this.#plan) throw new TensorRTError('ERR_DISPOSED', 'the engine was disposed');
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

/** An execution context, which runs one call at a time. */
export class Context {
  readonly engine: Engine;
  readonly #native: NativeEngine;
  readonly #profile: number;
  readonly #release: () => void;
  #handle?: Handle;
  #last: Promise<unknown> = Promise.resolve();
  /** Runs that have not ended. */
  #pending = 0;

  /** @internal */
  constructor(engine: Engine, native: NativeEngine, handle: Handle, profile: number, release: () => void) {
    this.engine = engine;
    this.#native = native;
    this.#handle = handle;
    this.#profile = profile;
    this.#release = release;
  }

  /**
   * Runs the engine on the GPU, off the main thread. Feeds are copied before this returns, and never modified, even if
   * TensorRT works in place. Calls queue up.
   * @throws ERR_FEED, ERR_SHAPE if a dim, or an element that shapes are computed from, is outside the profile, ERR_RUN,
   *   ERR_CUDA, ERR_DISPOSED; ERR_TENSORRT_CRASHED if TensorRT crashes: the library cannot be used again in this process
   */
  async run(feeds: Feeds): Promise<Record<string, Result>> {
    return this.execute(resolveFeeds(this.engine.inputs, feeds).feeds);
  }

  /** @internal */
  async execute(feeds: readonly ResolvedFeed[]): Promise<Record<string, Result>> {
    for (const feed of feeds) this.#checkProfile(feed);
    // At rest, the addon copies the feeds to its own memory at once. That memory is in use while another run is under way.
    const isAtRest = this.#pending === 0;
    const prepared = (isAtRest ? feeds : feeds.map(ownFeed)).map(({ name, shape, data }) => ({
      name,
      shape,
      data: bytesOf(data),
    }));
    const start = () => callAddon(() => binding().execute(this.#alive(), prepared), this.engine.factsOf);
    this.#pending++;
    const turn = isAtRest ? start() : this.#last.catch(() => {}).then(start);
    this.#last = turn;
    const outputs = await turn.finally(() => this.#pending--);
    return Object.fromEntries(
      outputs.map(({ name, dtype, shape, data }) => [
        name,
        new Result(dtype, shape, viewAs(dtype, new Uint8Array(data))),
      ]),
    );
  }

  #checkProfile({ name, shape, data }: ResolvedFeed): void {
    const io = this.#native.io.find((io) => io.name === name);
    this.#checkRange(io?.profiles, shape, (size, axis) => `input '${name}' has ${size} on axis ${axis}`);
    const values = Array.from(io?.values.length ? data : [], Number);
    this.#checkRange(io?.values, values, (value, i) => `element ${i} of input '${name}' is ${value}`);
  }

  #checkRange(
    ranges: NativeEngine['io'][number]['profiles'] | undefined,
    given: readonly number[],
    what: (value: number, index: number) => string,
  ): void {
    const [min, , max] = ranges?.[this.#profile] ?? [[], [], []];
    const at = given.findIndex((value, i) => value < min[i]! || value > max[i]!);
    if (at < 0) return;
    throw new TensorRTError(
      'ERR_SHAPE',
      `${what(given[at]!, at)}, but profile ${this.#profile} was built for ${min[at]} to ${max[at]}: run in parts, or build with another profile`,
      { expected: [min[at], max[at]], actual: given[at] },
    );
  }

  #alive(): Handle {
    if (!this.#handle) throw new TensorRTError('ERR_DISPOSED', 'the execution context was disposed');
    return this.#handle;
  }

  /** Frees the context once no run uses it; later calls throw ERR_DISPOSED. */
  dispose(): void {
    if (!this.#handle) return;
    free(this.#handle);
    this.#handle = undefined;
    this.#release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Frees a native object without waiting for it. */
function free(handle: Handle): void {
  void binding().release(handle);
}

/** Calls the addon and turns its errors into TensorRTErrors. */
async function callAddon<T>(call: () => Promise<T>, factsOf?: Engine['factsOf']): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof TensorRTError) throw error;
    const { code, message, log } = error as Error & { code?: string; log?: string[] };
    throw new TensorRTError(code ?? 'ERR_INTERNAL', message, { ...factsOf?.(log ?? []), log, cause: error });
  }
}

export interface LoadEngineOptions {
  /** Path of the library to load it with; default: the best one found. */
  library?: string | undefined;
  /**
   * Let the engine bring code that runs in this process: the lean runtime of a `versionCompatible` engine, and its
   * `pluginsToSerialize`. Only for engines you trust. Default: false, and such an engine is refused.
   */
  allowHostCode?: boolean | undefined;
}

/**
 * Loads a serialized engine. It needs the flavor and release that built it.
 * @param source a path, or the engine's bytes
 * @throws ERR_LIBRARY_NOT_FOUND, ERR_NO_GPU, ERR_ENGINE, ERR_LOAD if the file cannot be read, ERR_HOST_CODE if it brings code
 *   that was not allowed
 */
export async function loadEngine(source: string | Uint8Array, options: LoadEngineOptions = {}): Promise<Engine> {
  let plan: Uint8Array;
  if (typeof source === 'string') {
    try {
      plan = (await stat(source)).isFile()
        ? await readFile(source)
        : (() => {
            throw new Error('not a file');
          })();
    } catch (cause) {
      throw new TensorRTError('ERR_LOAD', `could not read the engine ${source}: ${(cause as Error).message}`, {
        cause,
      });
    }
  } else if (readArguments('loadEngine', [source], () => source instanceof Uint8Array, 'ERR_LOAD')) {
    if (isGone(source)) {
      throw new TensorRTError('ERR_LOAD', 'loadEngine: the array is detached: its buffer was transferred, or shrank');
    }
    plan = copyOfBytes(source);
  } else {
    throw new TensorRTError('ERR_LOAD', `loadEngine: expected a path or a Uint8Array, given ${show(source)}`);
  }
  if (plan.byteLength === 0) throw new TensorRTError('ERR_ENGINE', 'the engine is empty: 0 bytes');
  const { allowHostCode = false } = options ?? {};
  if (typeof allowHostCode !== 'boolean') {
    throw new TensorRTError(
      'ERR_LOAD',
      `loadEngine: allowHostCode: expected true or false, given ${show(allowHostCode)}`,
    );
  }
  const library = await chooseTensorRT({ for: 'run', library: options?.library });
  const loaded = await callAddon(() => binding().deserialize(library.path, plan, 0, allowHostCode));
  const io = (input: boolean): EngineIO[] =>
    loaded.io
      .filter((tensor) => tensor.input === input)
      .map(({ name, dtype, shape, values }) => ({
        name,
        dtype,
        shape: shape.map((size, axis) => (size < 0 ? `${name}_${axis}` : size)),
        ...(values.length > 0 && { values: values.map(([min, opt, max]) => ({ min, opt, max })) }),
      }));
  return new Engine({ library, plan, size: plan.byteLength, inputs: io(true), outputs: io(false), loaded });
}
