import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { reading } from '../../errors/boundary.js';
import { show, TensorRTError } from '../../errors/error.js';
import type { Dim } from '../../values/dim.js';
import { type DType, viewAs } from '../../values/dtype.js';
import { type Feeds, type ResolvedFeed, resolveFeeds } from '../../values/feeds.js';
import { Result } from '../../values/result.js';
import { binding, type Handle, type HeldOptions, type LibraryInfo, type NativeEngine } from '../binding.js';
import { chooseTensorRT } from '../library/find.js';

/** An input or output of an engine. */
export interface EngineIO {
  name: string;
  dtype: DType;
  /** Numbers, and names or expressions where dynamic (`'?'`-prefixed positions for an engine loaded from a file). */
  shape: readonly Dim[];
  /**
   * Of an input from whose elements TensorRT computes shapes: between which they may be, by profile, in row-major order. It
   * is fed as any other; TensorRT reads it in host memory.
   */
  values?: readonly ElementRange[];
}

export interface ElementRange {
  min: readonly number[];
  opt: readonly number[];
  max: readonly number[];
}

/** What TensorRT's IEngineInspector says of an engine, in its own words. */
export interface EngineInformation {
  /** In order of execution: names, or with `profilingVerbosity: 'detailed'` objects with `Name`, `LayerType`, `Inputs`, `Outputs`, `TacticName` … */
  Layers: (string | Record<string, unknown>)[];
  /** Inputs and outputs. */
  Bindings: string[];
}

/** @internal */
export interface EngineParts {
  library: LibraryInfo;
  /** A plan of this process, or bytes of a file. */
  plan: Handle | Uint8Array;
  size: number;
  inputs: EngineIO[];
  outputs: EngineIO[];
  buildMs?: number;
  log?: string[];
  options?: HeldOptions;
  loaded?: NativeEngine;
}

export interface ContextOptions {
  /** Index of the optimization profile. Default 0. */
  profile?: number;
}

/** A built TensorRT engine. Running needs a GPU that its library supports; saving does not. */
export class Engine {
  /** The TensorRT that built or loaded it. */
  readonly library: LibraryInfo;
  /** Names, dtypes and shapes of what `run` takes. */
  readonly inputs: readonly EngineIO[];
  /** Names, dtypes and shapes of what `run` gives. */
  readonly outputs: readonly EngineIO[];
  /** Milliseconds of lowering and building; undefined for an engine that was loaded. */
  readonly buildMs?: number;
  /** TensorRT's warnings during the build. */
  readonly log: readonly string[];
  /** The build options as TensorRT held them; undefined for an engine that was loaded. */
  readonly options?: HeldOptions;
  /** Bytes of the serialized engine. */
  readonly size: number;
  #plan?: Handle | Uint8Array;
  #bytes?: Uint8Array;
  #native?: Promise<NativeEngine>;
  #context?: Promise<Context>;
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
    if (parts.loaded) this.#native = Promise.resolve(parts.loaded);
  }

  /** The serialized engine: a copy, made once. */
  get bytes(): Uint8Array {
    const plan = this.#alive();
    this.#bytes ??= new Uint8Array(plan instanceof Uint8Array ? plan : binding().planBytes(plan));
    return this.#bytes;
  }

  /**
   * Writes the serialized engine to a file, whole or not at all.
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
    const temporary = `${path}.${randomUUID()}.tmp`;
    try {
      await writeFile(temporary, bytes);
      await rename(temporary, path);
    } catch (cause) {
      await rm(temporary, { force: true }).catch(() => {});
      throw new TensorRTError('ERR_SAVE', `could not write the engine to ${path}: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  /**
   * An execution context of its own, with its own stream and buffers.
   * @throws ERR_NO_GPU, ERR_ENGINE where this GPU or library cannot load the engine, ERR_PROFILE
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

  /** Runs once on a default context; see `Context.run`. */
  async run(feeds: Feeds): Promise<Record<string, Result>> {
    this.#alive();
    this.#context ??= this.createContext();
    this.#context.catch(() => {
      this.#context = undefined;
    });
    return (await this.#context).run(feeds);
  }

  /**
   * The layers that TensorRT made of the network's: fused, with the kernels it chose where the engine was built with
   * `profilingVerbosity: 'detailed'`; no layers with `'none'`.
   * @throws ERR_NO_GPU, ERR_ENGINE where this GPU or library cannot load the engine, ERR_DISPOSED
   */
  async inspect(): Promise<EngineInformation> {
    const { handle } = await this.#load();
    const json = await callAddon(() => binding().inspectEngine(handle));
    try {
      return JSON.parse(json);
    } catch (cause) {
      throw new TensorRTError(
        'ERR_ENGINE',
        `TensorRT describes the engine in JSON that is none: ${(cause as Error).message}`,
        { cause },
      );
    }
  }

  #load(): Promise<NativeEngine> {
    const plan = this.#alive();
    if (!this.#native) {
      this.#native = callAddon(() => binding().deserialize(this.library.path, plan, 0));
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
    this.#plan = this.#bytes = this.#native = this.#context = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** An execution context: runs one after the other. */
export class Context {
  readonly engine: Engine;
  readonly #native: NativeEngine;
  readonly #profile: number;
  readonly #release: () => void;
  #handle?: Handle;
  #last: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(engine: Engine, native: NativeEngine, handle: Handle, profile: number, release: () => void) {
    this.engine = engine;
    this.#native = native;
    this.#handle = handle;
    this.#profile = profile;
    this.#release = release;
  }

  /**
   * Runs the engine on the GPU, off the main thread. Feeds are copied before this returns, and stay as they are where
   * TensorRT works in place; calls queue up.
   * @throws ERR_FEED, ERR_SHAPE where a dim, or an element from which shapes are computed, is outside the profile, ERR_RUN,
   *   ERR_CUDA, ERR_DISPOSED; ERR_TENSORRT_CRASHED where TensorRT crashes: then the library is of no more use in this process
   */
  async run(feeds: Feeds): Promise<Record<string, Result>> {
    const { feeds: resolved } = resolveFeeds(this.engine.inputs, feeds);
    for (const feed of resolved) this.#checkProfile(feed);
    const prepared = resolved.map(({ name, shape, data }) => ({
      name,
      shape,
      data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice(),
    }));
    const previous = this.#last.catch(() => {});
    const turn = previous.then(() => callAddon(() => binding().execute(this.#alive(), prepared)));
    this.#last = turn;
    const outputs = await turn;
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

/** Frees a native object; nobody waits for it. */
function free(handle: Handle): void {
  void binding().release(handle);
}

/** Runs a call of the addon, turning its errors into TensorRTErrors. */
async function callAddon<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof TensorRTError) throw error;
    const { code, message, log } = error as Error & { code?: string; log?: string[] };
    throw new TensorRTError(code ?? 'ERR_INTERNAL', message, { log, cause: error });
  }
}

export interface LoadEngineOptions {
  /** Path of the library to load it with. Default: the one that is found. */
  library?: string;
}

/**
 * Loads a serialized engine. It runs with the flavor and release that built it.
 * @param source a path, or the bytes
 * @throws ERR_LIBRARY_NOT_FOUND, ERR_NO_GPU, ERR_ENGINE, ERR_LOAD where the file cannot be read
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
  } else if (reading('loadEngine', [source], () => source instanceof Uint8Array, 'ERR_LOAD')) {
    plan = new Uint8Array(source);
  } else {
    throw new TensorRTError('ERR_LOAD', `loadEngine: expected a path or a Uint8Array, given ${show(source)}`);
  }
  if (plan.byteLength === 0) throw new TensorRTError('ERR_ENGINE', 'the engine is empty: 0 bytes');
  const library = await chooseTensorRT({ for: 'run', library: options?.library });
  const loaded = await callAddon(() => binding().deserialize(library.path, plan, 0));
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
